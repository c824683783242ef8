"""What made an answer, in words: the same in the window, in exports and in reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.core import prompt_variables
from app.core.chat import Provenance
from app.core.options import Sampling
from app.core.settings import Kind, Setting, declared

_ENDS = {
    "end": "the model itself",
    "stop_string": "a stop string",
    "length": "the longest reply allowed",
    "context": "the end of the context",
    "stopped": "the person",
    "repeated": "Orcinus, as the model repeated itself",
}
_BRIEF = ("temperature", "top_p", "min_p")
"""Sampler values that are told wherever there is room for a line."""
_SHORT = {"temperature": "temp", "top_p": "top-p", "min_p": "min-p"}
_ANY = "\0"
"""Stands for any value: no prompt has it, as texts are cleaned of it."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Section:
    """Some facts under a heading, each a name and a value."""

    title: str
    rows: tuple[tuple[str, str], ...]


def sections(how: Provenance, *, version: str = "", zone: tzinfo | None = None) -> tuple[Section, ...]:
    """All that is kept, but for the system prompt's text; facts that are not known are left out.

    version: the prompt's version in words, where its hash can be told by name. zone: of the times; the computer's.
    """
    found = (
        Section("Model", tuple(_model(how))),
        Section("Prompt", tuple(_prompt(how, version))),
        Section("Sampler", tuple(_sampler(how))),
        Section("Computed by", tuple(_running(how))),
        Section("Figures", tuple(_figures(how, zone))),
    )
    return tuple(section for section in found if section.rows)


def shared(how: Provenance, version: str = "") -> tuple[Section, ...]:
    """What an answer is likely to share with those before and after it: model, prompt, sampler, device; no seed.

    It is made to be handed on. version: how people name the prompt's version, told besides its hash.
    """
    named = f"{version} ({how.prompt_version})" if version else ""
    found = (
        Section(one.title, tuple(row for row in one.rows if row[0] != "Seed"))
        for one in sections(handed_on(how), version=named)
    )
    return tuple(section for section in found if section.rows and section.title != "Figures")


def handed_on(how: Provenance) -> Provenance:
    """As others get it: of the model's file only the name is told, as folders often name a person."""
    return replace(how, model_path=file_name(how.model_path), error=without_folders(how.error, how))


def without_folders(text: str, how: Provenance | None) -> str:
    """A text that may tell of the model's file, with its name alone."""
    return text.replace(how.model_path, file_name(how.model_path)) if how is not None and how.model_path else text


def file_name(path: str) -> str:
    """A file without its folders, whichever system they are of; what is no path stays as it is."""
    return re.split(r"[/\\]", path)[-1]


def figure_words(how: Provenance) -> list[str]:
    """What an answer took and how it ended, a few words each, to be handed on: "answer 71 tokens", "time 2.20 s"."""
    rows = _figures(handed_on(how), UTC)
    return [f"{name[0].lower()}{name[1:]} {value}{' UTC' if name == 'Made' else ''}" for name, value in rows]


def as_markdown(how: Provenance, *, version: str = "", zone: tzinfo | None = None) -> str:
    """All that is kept as Markdown, the system prompt's text last."""
    parts = [listed(sections(how, version=version, zone=zone))]
    if how.system_prompt.strip():
        quoted = "\n".join(f"> {line}".rstrip() for line in how.system_prompt.splitlines())
        parts.append(f"**System prompt**\n\n{quoted}")
    return "\n\n".join(part for part in parts if part) + "\n"


def listed(found: Iterable[Section]) -> str:
    """Sections as Markdown."""
    return "\n\n".join(
        f"**{section.title}**\n\n" + "\n".join(f"- {name}: {_code(value)}" for name, value in section.rows)
        for section in found
    )


def in_brief(how: Provenance) -> tuple[str, str]:
    """The model, and the values, each in a line; "" where nothing is known."""
    sums = f"sha256 {short(how.model_sha256[0])}" if how.model_sha256 else ""
    model = " · ".join(part for part in (model_words(how), sums) if part)
    values = [words] if (words := seed_words(how)) else []
    known = ((key, how.sampling.get(key)) for key in _BRIEF)
    values += [f"{_SHORT[key]} {_number(value)}" for key, value in known if value is not None]
    if how.context_tokens:
        values.append(f"context {how.context_tokens}")
    return model, " · ".join(values)


def seed_words(how: Provenance) -> str:
    """Its seed; "" for an answer that broke off before it was known."""
    return f"seed {how.seed}" if how.stop_reason or how.seed else ""


def model_words(how: Provenance) -> str:
    """The model's name and quant, the quant once."""
    quant = how.model_quant
    return how.model_name if not quant or quant.lower() in how.model_name.lower() else f"{how.model_name} {quant}"


def short(digest: str) -> str:
    """A hash as people compare them: its first and last digits."""
    return digest if len(digest) <= 12 else f"{digest[:6]}…{digest[-4:]}"


def is_worded(text: str, template: str) -> bool:
    """Whether a text is a prompt's wording with any values in the places of its variables."""
    names = {one.name: _ANY for one in prompt_variables.variables(template)}
    first, *rest = prompt_variables.resolve(template, names).text.split(_ANY)
    if not rest:
        return text == first
    *between, last = rest
    at = len(first)
    for part in between:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.startswith(first) and text.endswith(last) and at <= len(text) - len(last)


def when(at_ms: int, zone: tzinfo | None = None) -> str:
    """A time as people write it: "21 Nov 2026, 09:40"; "" where the clock had gone wild."""
    try:
        then = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{then.day} {_MONTHS[then.month - 1]} {then.year}, {then:%H:%M}"


def value_words(known: Setting, value: Any) -> str:
    """A setting's value as the person sees it."""
    if value is None:
        return known.none_label or "none"
    if isinstance(value, tuple | list):
        return ", ".join(f"“{one}”" for one in value) or "none"
    if known.kind is Kind.CHOICE:
        return dict(known.choices).get(str(value), str(value))
    words = _number(value)
    return f"{words} {known.unit}" if known.unit else words


def _model(how: Provenance) -> Iterator[tuple[str, str]]:
    yield from _known(("Name", how.model_name), ("Quant", how.model_quant), ("File", how.model_path))
    if how.model_size_bytes:
        yield "Size", f"{how.model_size_bytes:,} bytes"
    many = len(how.model_sha256) > 1
    for number, digest in enumerate(how.model_sha256, 1):
        yield f"SHA-256, part {number}" if many else "SHA-256", digest


def _prompt(how: Provenance, version: str) -> Iterator[tuple[str, str]]:
    if version or how.prompt_version:
        yield "Version", version or how.prompt_version
    if not how.system_prompt.strip() and how.model_path:
        yield "System prompt", "none"
    yield from _known(("Chat template", how.template))


def _sampler(how: Provenance) -> Iterator[tuple[str, str]]:
    if how.stop_reason or how.seed:
        yield "Seed", str(how.seed)
    for key, known in declared(Sampling).items():
        if key in how.sampling and key != "seed":
            yield known.label, value_words(known, how.sampling[key])


def _running(how: Provenance) -> Iterator[tuple[str, str]]:
    values = how.running
    yield from _known(("Device", _listed(values, "devices")))
    if values.get("gpu_layers"):
        yield "Layers on the GPU", f"{values['gpu_layers']} of {values.get('layers', '?')}"
    if how.context_tokens:
        yield "Context", f"{how.context_tokens:,} tokens"
    yield from _known(("KV cache", str(values.get("kv_type", ""))))
    if "flash_attention" in values:
        yield "Flash attention", {True: "on", False: "off"}.get(values["flash_attention"], "unknown")
    if values.get("threads"):
        yield "Threads", str(values["threads"])
    if values.get("batch_tokens"):
        yield "Batch", f"{values['batch_tokens']} tokens"
    yield from _known(("LoRA adapters", _listed(values, "adapters")), ("Engine", how.engine))
    if how.at_once > 1:
        yield "Side by side", f"up to {how.at_once} answers at once"


def _figures(how: Provenance, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    if how.prompt_tokens:
        read = [f"{how.cached_tokens:,} read before"] if how.cached_tokens else []
        read += [f"{how.moved_tokens:,} of them moved"] if how.moved_tokens else []
        yield "Prompt", f"{how.prompt_tokens:,} tokens" + (f", {', '.join(read)}" if read else "")
    if how.dropped_turns:
        yield "Turns dropped", str(how.dropped_turns)
    if how.completion_tokens:
        yield "Answer", f"{how.completion_tokens:,} tokens"
    if how.continued_chars:
        yield "Went on", f"behind {how.continued_chars:,} characters that were there"
    if how.ttft_ms:
        yield "First token after", f"{how.ttft_ms / 1000:.2f} s"
    if how.tokens_per_s:
        yield "Speed", f"{how.tokens_per_s:,.1f} tokens per second"
    if how.duration_ms:
        yield "Time", f"{how.duration_ms / 1000:.2f} s"
    if how.stop_reason:
        yield "Ended by", _ENDS.get(how.stop_reason, how.stop_reason)
    if how.made_ms:
        yield "Made", when(how.made_ms, zone)
    yield from _known(("Error", how.error))


def _known(*rows: tuple[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in rows if value)


def _listed(values: Mapping[str, Any], key: str) -> str:
    found = values.get(key)
    return ", ".join(map(str, found)) if isinstance(found, tuple | list) else ""


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _code(value: str) -> str:
    """In Markdown, as it is, whatever is in it."""
    fence = "``" if "`" in value else "`"
    return f"{fence} {value} {fence}" if "`" in value else f"`{' '.join(value.split())}`"
