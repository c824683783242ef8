"""What made several answers, as Markdown: below each what is its own, and once for all of them what they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import groupby

from app.core.chat import MessageState, Provenance
from app.core.made_by import Section, figure_words, in_brief, listed, seed_words, shared

_ENDS = {
    MessageState.STOPPED: "stopped",
    MessageState.INTERRUPTED: "interrupted",
    MessageState.FAILED: "failed",
    MessageState.STREAMING: "still being written",
}
_OWN = {
    "seed", "prompt_tokens", "cached_tokens", "completion_tokens", "ttft_ms", "tokens_per_s", "duration_ms",
    "stop_reason", "moved_tokens", "dropped_turns", "left_out_from_id", "first_sent_id", "continued_chars",
    "continued_tokens", "made_ms", "error",
}  # fmt: skip
"""What each answer has of its own; where all else is equal, what `shared` tells is too, and need not be worked out."""
_SHARED = tuple(field.name for field in fields(Provenance) if field.name not in _OWN)
_PROMPT = "Prompt"
_TEMPLATE = "Chat template"
_MODEL = "Model"


def state_words(state: MessageState) -> str:
    """Why an answer is not whole; "" where it is."""
    return _ENDS.get(state, "")


def line_below(how: Provenance | None, before: Provenance | None = None, name: str = "") -> str:
    """What one answer has of its own, as a line of Markdown: seed, tokens, times, how it ended; "" for nothing.

    before: what made the answer before it, for what is other since to be told; None tells the model and a few values.
    name: how the answer is called elsewhere.
    """
    if how is None:
        return ""
    if before is not None and _is_alike(how, before):
        parts = [seed_words(how)]
    elif before is None or _rows(how, _MODEL) != _rows(before, _MODEL):
        parts = list(in_brief(how))
    else:
        parts = [*_changes(before, how), seed_words(how)]
    parts += figure_words(how)
    return _italic(" · ".join(part for part in (name, *parts) if part)) if any(parts) else ""


def told_once(
    answers: Sequence[Provenance | None],
    names: Callable[[Sequence[int]], str],
    is_shown: Callable[[int, str], bool],
    version: Callable[[Provenance], str] = lambda how: "",
) -> str:
    """What made these answers, as Markdown without a heading: what they share, then what only some of them have.

    names: what a heading calls these answers, each by its place. is_shown: whether the system prompt that an answer
    was given by is to be read elsewhere. version: how people name its prompt's version, "" for no name. Returns ""
    where nothing is known of any.
    """
    alike = _alike(answers, is_shown, version)
    if not any(found or text for found, text in alike):
        return ""
    known = [dict(_flat(found)) for found, _ in alike]
    common = {key: value for key, value in known[0].items() if all(one.get(key) == value for one in known)}
    is_one_prompt = len({text for _, text in alike}) == 1
    parts = [listed(_sections(common)), _quoted(next(iter(alike))[1]) if is_one_prompt else ""]
    for (_, text), rows, places in zip(alike, known, alike.values(), strict=True):
        own = listed(_sections({key: value for key, value in rows.items() if key not in common}))
        own = "\n\n".join(part for part in (own, "" if is_one_prompt else _quoted(text)) if part)
        parts += [f"### {_escaped(names(places))}", own] if own else []
    if unknown := [place for place, how in enumerate(answers) if how is None]:
        parts += [f"### {_escaped(names(unknown))}", "What made this was not kept."]
    return "\n\n".join(part for part in parts if part)


def numbered(places: Sequence[int]) -> str:
    """Answers by their numbers, from the places, which count from 0: "Answers 1 to 3, 5"."""
    told = []
    for _, run in groupby(enumerate(places), lambda one: one[1] - one[0]):
        row = [str(place + 1) for _, place in run]
        told.append(f"{row[0]} to {row[-1]}" if len(row) > 2 else ", ".join(row))
    return f"{'Answer' if len(places) == 1 else 'Answers'} {', '.join(told)}"


def _alike(
    answers: Sequence[Provenance | None], is_shown: Callable[[int, str], bool], version: Callable[[Provenance], str]
) -> dict[tuple[tuple[Section, ...], str], list[int]]:
    """The places of the answers that were made alike, with the system prompt where it is not to be read elsewhere."""
    found: dict[tuple[tuple[Section, ...], str], list[int]] = {}
    before: Provenance | None = None
    facts: tuple[Section, ...] = ()
    for place, how in enumerate(answers):
        if how is not None:
            facts = facts if before is not None and _is_alike(how, before) else shared(how, version(how))
            text, before = how.system_prompt, how
            is_told = not text.strip() or is_shown(place, text)
            found.setdefault((facts, "" if is_told else text), []).append(place)
    return found


def _is_alike(how: Provenance, before: Provenance) -> bool:
    return all(getattr(how, name) == getattr(before, name) for name in _SHARED)


def _changes(before: Provenance, how: Provenance) -> list[str]:
    """What was made otherwise than the answer before, a few words each."""
    old, new = dict(_flat(shared(before))), dict(_flat(shared(how)))
    is_other_prompt = (before.system_prompt, before.prompt_version) != (how.system_prompt, how.prompt_version)
    found = ["another system prompt"] if is_other_prompt else []
    for key in dict.fromkeys((*new, *old)):
        section, name = key
        if old.get(key) != new.get(key) and (section != _PROMPT or name == _TEMPLATE):
            found.append(f"{_lower(name)} {new[key]}" if key in new else f"no {_lower(name)}")
    return found


def _rows(how: Provenance, title: str) -> tuple[tuple[str, str], ...]:
    return next((one.rows for one in shared(how) if one.title == title), ())


def _flat(found: Sequence[Section]) -> list[tuple[tuple[str, str], str]]:
    return [((section.title, name), value) for section in found for name, value in section.rows]


def _sections(rows: dict[tuple[str, str], str]) -> list[Section]:
    titles = dict.fromkeys(title for title, _ in rows)
    return [
        Section(title, tuple((name, value) for (under, name), value in rows.items() if under == title))
        for title in titles
    ]


def _quoted(text: str) -> str:
    """A system prompt as it was sent."""
    quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return f"**System prompt**\n\n{quoted}" if text else ""


def _lower(name: str) -> str:
    """A name inside a sentence; "KV cache" and "LoRA adapters" stay."""
    first = name.split()[0]
    return name if first[1:] != first[1:].lower() else name[0].lower() + name[1:]


def _italic(words: str) -> str:
    return f"*{_escaped(' '.join(words.split()))}*"


def _escaped(words: str) -> str:
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", words)
