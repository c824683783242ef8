"""How alike an answer and its reference are: chrF and ROUGE-L, as their papers define them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.checks import Answer
from app.core.lab import Finding, Question

_ORDERS = range(1, 7)
_BETA = 2.0
_LONGEST = 20_000
"""Characters that are compared; longer texts are compared as far as this."""


def is_similar(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether an answer is as alike to the question's reference as wanted."""
    if not question.reference.strip():
        return Finding(False, "There is nothing to compare with: the question has no reference answer.")
    measure, name = (chrf, "chrF") if values["method"] == "chrf" else (rouge_l, "ROUGE-L")
    alike = measure(answer.text[:_LONGEST], question.reference[:_LONGEST])
    return Finding(alike >= values["low"], f"{name} {alike:.2f}; at least {values['low']:.2f} is wanted.", alike)


def chrf(text: str, reference: str) -> float:
    """Likeness by runs of 1 to 6 characters without spaces, recall counting twice, 0 to 1.

    Of Popović, chrF: character n-gram F-score for automatic MT evaluation (2015), as sacreBLEU computes it: precision
    and recall are averaged over the orders that both texts are long enough for.
    """
    text, reference = ("".join(one.split()) for one in (text, reference))
    precision = recall = 0.0
    orders = 0
    for order in _ORDERS:
        ours, theirs = _runs(text, order), _runs(reference, order)
        if not ours or not theirs:
            continue
        both = (ours & theirs).total()
        precision += both / ours.total()
        recall += both / theirs.total()
        orders += 1
    if not orders or precision + recall == 0:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def rouge_l(text: str, reference: str) -> float:
    """Likeness by the longest common subsequence of words, precision and recall counting alike, 0 to 1.

    Of Lin, ROUGE: a package for automatic evaluation of summaries (2004); words are runs of letters and digits in
    lower case, without stemming.
    """
    ours, theirs = _words(text), _words(reference)
    if not ours or not theirs:
        return 0.0
    both = _longest_common(ours, theirs)
    return 2 * both / (len(ours) + len(theirs))


def _runs(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, with a row of the table as the bits of one number.

    Of Hyyrö, Bit-parallel LCS-length computation revisited (2004).
    """
    at: dict[str, int] = {}
    for place, word in enumerate(first):
        at[word] = at.get(word, 0) | 1 << place
    every = (1 << len(first)) - 1
    row = every
    for word in second:
        match = row & at.get(word, 0)
        row = (row + match | row - match) & every
    return len(first) - row.bit_count()
