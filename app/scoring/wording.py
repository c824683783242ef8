"""Checks that compare characters, count them, or read how an answer ended."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from app.core.checks import Answer
from app.core.lab import Finding, Question

_ENDS = {
    "end": "The model ended it by itself.",
    "stop_string": "It ended at a stop string.",
    "length": "It was cut off at the longest reply allowed.",
    "context": "It was cut off: the context was full.",
    "stopped": "It was stopped by a person.",
    "repeated": "It was stopped because the model repeated itself.",
}
_PROPER = {"end", "stop_string"}
_MARKS = "\"'`*_.,;:!?…()[]{}«»„“”‚‘’‹›"


def contains(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether texts occur in an answer; the value is the share of them that do."""
    texts: tuple[str, ...] = values["texts"]
    missing = [text for text in texts if not _occurs(text, answer.text, values["case"])]
    share = 1 - len(missing) / len(texts)
    if values["which"] == "any":
        passed = len(missing) < len(texts)
        words = "One of them is there." if passed else f"None of them is there: {_listed(missing)}."
        return Finding(passed, words, share)
    return Finding(not missing, f"Missing: {_listed(missing)}." if missing else "All of it is there.", share)


def lacks(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether none of some texts occurs in an answer; the value is the share of them that do not."""
    texts: tuple[str, ...] = values["texts"]
    found = [text for text in texts if _occurs(text, answer.text, values["case"])]
    words = f"It contains {_listed(found)}." if found else "It contains none of it."
    return Finding(not found, words, 1 - len(found) / len(texts))


def equals(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether an answer is a text, or the question's reference, once both are normalised."""
    wanted: str = values["text"] or question.reference
    if not wanted:
        return Finding(False, "There is nothing to compare with: the question has no reference answer.")
    rules = {key: bool(values[key]) for key in ("case", "spaces", "marks")}
    if normalised(answer.text, **rules) == normalised(wanted, **rules):
        return Finding(True, "It is equal.", 1.0)
    return Finding(False, f"It is not {_quoted(wanted)}.", 0.0)


def has_length(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether an answer has a number of words, characters (code points, without those around it) or tokens."""
    unit: str = values["unit"]
    count = _count(unit, answer)
    if count is None:
        return Finding(False, "Nobody counted the tokens of this answer.")
    low, high = values["low"], values["high"]
    found = f"It has {count:,} {unit}"
    if count < low:
        return Finding(False, f"{found}; at least {low:,} are wanted.")
    if high is not None and count > high:
        return Finding(False, f"{found}; at most {high:,} are wanted.")
    return Finding(True, found + ".")


def stops(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether the model ended its answer, rather than being cut off."""
    words = _ENDS.get(answer.stop_reason, "It is not known how it ended.")
    return Finding(answer.stop_reason in _PROPER, words)


def normalised(text: str, *, case: bool, spaces: bool, marks: bool) -> str:
    """A text for comparing: always NFC and without spaces around it; what does not matter is taken out.

    case: capitals matter. spaces: so does every space between words. marks: so do quotation and punctuation marks at
    both ends.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not marks:
        text = text.strip(_MARKS + " \t\r\n\u00a0")
    if not spaces:
        text = " ".join(text.split())
    return text if case else unicodedata.normalize("NFC", text.casefold())


def _occurs(wanted: str, text: str, case: bool) -> bool:
    wanted, text = (unicodedata.normalize("NFC", one) for one in (wanted, text))
    return wanted in text if case else wanted.casefold() in text.casefold()


def _count(unit: str, answer: Answer) -> int | None:
    if unit == "tokens":
        return answer.tokens
    return len(answer.text.split()) if unit == "words" else len(answer.text.strip())


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= 80 else text[:79] + '…'}”"


def _listed(texts: list[str]) -> str:
    shown = ", ".join(map(_quoted, texts[:5]))
    return shown if len(texts) <= 5 else f"{shown} and {len(texts) - 5} more"
