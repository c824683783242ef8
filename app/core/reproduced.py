"""An answer made once more: whether the text is the same, and if not, from where on and why that can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.chat import Provenance
from app.core.exactness import reason

EXACT_UP_TO = 4
"""Up to so many answers side by side, each is the same as alone; see `Engine.stream_many`."""
_AROUND = 24
_RUNNING_WORDS = {
    "gpu_layers": "layers on the GPU",
    "threads": "threads",
    "batch_tokens": "batch",
    "kv_type": "KV cache type",
    "flash_attention": "flash attention",
    "adapters": "LoRA adapters",
}


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What came of making an answer once more.

    `differs_at` is the first character that is another one, counted from 0, or -1 where the texts are equal; `text` is
    the new one where they differ. `reasons` say in sentences why that can be. `at_ms`: since 1970.
    """

    at_ms: int
    differs_at: int = -1
    text: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether it came out word for word."""
        return self.differs_at < 0


def first_difference(old: str, new: str, *, cut_off: bool = False) -> int:
    """The first character that is another one, -1 where there is none.

    cut_off: the old one was stopped, so that one of the two may go on where the other ends.
    """
    if old == new:
        return -1
    shorter = min(len(old), len(new))
    same = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    return -1 if cut_off and same == shorter and same else same


def around(text: str, at: int) -> str:
    """A few words about a place in a text, to show it."""
    start, end = max(0, at - _AROUND), at + _AROUND
    words = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{words}{'…' if end < len(text) else ''}"


def reasons(old: Provenance, new: Provenance) -> tuple[str, ...]:
    """Why two answers to the same may differ, the weightiest first; each is a sentence."""
    found = [*_other_files(old, new), *_other_engine(old, new), *_other_running(old, new), *_inexact(old, new)]
    if not found:
        found = [
            "Nothing that is kept of the two differs. Where two tokens are all but equally likely, the last bits of a "
            "sum can decide."
        ]
    return tuple(found)


def _other_files(old: Provenance, new: Provenance) -> Iterator[str]:
    if old.model_sha256 and new.model_sha256:
        if old.model_sha256 != new.model_sha256:
            yield "The model's file is another one: its SHA-256 is not the same."
    elif (old.model_size_bytes, old.model_mtime_ns) != (new.model_size_bytes, new.model_mtime_ns):
        if old.model_size_bytes:
            yield "The model's file was changed since: its size or its time is another one."
        else:
            yield "Which file made it was not kept; it may have been another one."
    if old.prompt_tokens and old.prompt_tokens != new.prompt_tokens:
        yield f"The prompt is not quite the same: {old.prompt_tokens:,} tokens then, and {new.prompt_tokens:,} now."
    if old.template != new.template:
        yield f"The chat template was another one: {old.template or 'unknown'} then, {new.template} now."


def _other_engine(old: Provenance, new: Provenance) -> Iterator[str]:
    if not old.engine:
        yield "Which version of llama.cpp made it was not kept."
    elif old.engine != new.engine:
        yield f"Another version of llama.cpp: {old.engine} then, {new.engine} now."


def _other_running(old: Provenance, new: Provenance) -> Iterator[str]:
    if not old.running:
        return
    before, now = _words(old.running, "devices"), _words(new.running, "devices")
    if before != now:
        yield f"It was computed on another device: {before or 'unknown'} then, {now or 'unknown'} now."
    if old.context_tokens != new.context_tokens:
        yield f"The context held {old.context_tokens:,} tokens then, and {new.context_tokens:,} now."
    for key, name in _RUNNING_WORDS.items():
        if key in old.running and old.running[key] != new.running.get(key):
            yield f"Another value of {name}: {_words(old.running, key)} then, {_words(new.running, key)} now."


def _inexact(old: Provenance, new: Provenance) -> Iterator[str]:
    if old.running.get("gpu_layers") or new.running.get("gpu_layers"):
        yield "It was computed on a GPU, which need not round the same way twice."
    if old.at_once > EXACT_UP_TO:
        yield f"It was written beside up to {old.at_once - 1} others: more than {EXACT_UP_TO} at once round otherwise."
    if old.at_once > 1 and (words := reason(str(old.running.get("inexact", "")))):
        yield words
    if old.moved_tokens:
        yield f"{old.moved_tokens:,} tokens of its prompt were moved when turns were dropped, and not read anew."
    elif old.cached_tokens and not old.at_once:
        yield f"{old.cached_tokens:,} tokens of its prompt had been read before, in other steps than now."
    if old.continued_chars and not old.continued_tokens:
        yield "It goes on from a text whose tokens were not kept."


def _words(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return {True: "on", False: "off", None: "unknown"}.get(value, str(value)) if not _is_number(value) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
