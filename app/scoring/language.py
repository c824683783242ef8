"""Which language an answer is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from app.core.checks import Answer
from app.core.errors import SettingError
from app.core.lab import Finding, Question

SHORTEST = 12
"""With fewer letters than this nobody can tell a language."""


def is_in_language(values: Mapping[str, Any], answer: Answer, question: Question) -> Finding:
    """Whether an answer is in one of some languages. The value is how sure that is, 0 to 1."""
    codes = prove_codes(values["codes"])
    letters = sum(map(str.isalpha, answer.text))
    if letters < SHORTEST and not _tells_by_script(answer.text):
        return Finding(False, f"With {letters} letters it is too short to tell.")
    ranked = dict(_identifier().rank(answer.text))
    likeliest = max(ranked, key=lambda code: ranked[code])
    sure = sum(ranked[code] for code in codes)
    return Finding(likeliest in codes, f"It reads as {likeliest!r}, {ranked[likeliest]:.0%} sure.", min(1.0, sure))


def prove_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Codes of languages in lower case, without a region ("en-GB" is "en").

    Raises:
        SettingError: one is not known.
    """
    short = tuple(dict.fromkeys(code.lower().replace("_", "-").split("-")[0] for code in codes))
    known = set(_identifier().labels)
    if unknown := [code for code in short if code not in known]:
        raise SettingError(
            f"The language {unknown[0]!r} is not known", hint='Write two letters, such as "en", "de" or "fr".'
        )
    return short


def _tells_by_script(text: str) -> bool:
    """Whether enough of it is in a script that packs words into few signs, such as Chinese or Korean."""
    return sum("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in text) >= SHORTEST // 3


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # imported late: its model takes a moment and some 50 MB to unpack
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
