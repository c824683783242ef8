"""Models that promise less than others: their answers need not be the same beside other answers as alone."""

from __future__ import annotations

from collections.abc import Iterable

EXPERTS = "experts"
"""Each token is given to a few of many parts; which ones can turn on the last bits of a sum."""
RECURRENT = "recurrent"
"""All that was read is held in one state, which is computed in other steps beside other answers."""
_WORDS = {EXPERTS: "is made of experts", RECURRENT: "is recurrent"}


def caution(models: Iterable[tuple[str, str]]) -> str:
    """A sentence about each of these models, given by name and kind, that is of such a kind; "" for none."""
    known = dict.fromkeys((name, _WORDS[kind]) for name, kind in models if kind in _WORDS)
    return " ".join(
        f"{name} {words}: what it writes beside other answers may differ from what it writes alone, with the same "
        "seed too."
        for name, words in known
    )


def reason(kind: str) -> str:
    """Why an answer of such a model may come out otherwise, in a sentence; "" where it is of no such kind."""
    words = _WORDS.get(kind)
    return f"The model {words}: beside other answers it may write otherwise than alone." if words else ""
