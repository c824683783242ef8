"""What Orcinus knows of the models in its catalogue: plain values that the hub reads and the pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """One published result: `value` out of `of`. `how` is the test's setting, `group` what it is shown with."""

    test: str
    value: float
    of: float = 100
    how: str = ""
    group: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1, for a bar."""
        return min(1.0, max(0.0, self.value / self.of))


@dataclass(frozen=True, slots=True)
class Entry:
    """One known model. "" and 0 stand for what is not known.

    file: set where the model comes with the app. sampling: values by setting key. repo: where its GGUF files are on
    the Hub; original: where its authors published it. licence: as its authors gave it to the original, in the Hub's
    spelling; licence_note: a sentence where that needs one. parameters, context_tokens, architecture: for an estimate
    before the Hub's listing is at hand; sizes and SHA-256 come from that listing alone. citation: BibTeX.
    scores_source says who measured, scores_url where that is published.
    """

    id: str
    name: str
    note: str = ""
    file: Path | None = None
    match: tuple[str, ...] = ()
    system_prompt: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    blurb: str = ""
    repo: str = ""
    original: str = ""
    base: str = ""
    licence: str = ""
    licence_note: str = ""
    languages: str = ""
    authors: tuple[str, ...] = ()
    parameters: int = 0
    context_tokens: int = 0
    architecture: str = ""
    prompt_format: str = ""
    citation: str = ""
    scores: tuple[Score, ...] = ()
    scores_source: str = ""
    scores_url: str = ""
