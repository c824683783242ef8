"""The columns of a comparison as they last from one start to the next: prompts and values, not what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.settings import declared
from app.services.archive import Archive
from app.services.compare_columns import Column, begun
from app.services.compare_setup import MOST_COLUMNS
from app.services.comparison import Comparison
from app.storage.stores import Stores

KEY = "comparison"
_SETTLE_MS = 300


class ComparisonRecord(QObject):
    """Fills a comparison with the columns it had, and keeps them a moment after each change."""

    def __init__(self, comparison: Comparison, archive: Archive[Stores], first: tuple[Contestant, ...]) -> None:
        """`first` are the columns where none were kept."""
        super().__init__(comparison)
        self._comparison = comparison
        self._archive = archive
        self._first = first
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(self._keep)
        archive.ask(lambda stores: stores.state.get(KEY), self._fill)

    def flush(self) -> None:
        """Keep now what waits to be kept."""
        if self._timer.isActive():
            self._timer.stop()
            self._keep()

    def _fill(self, kept: Any) -> None:
        columns, overrides, variables = read(kept)
        self._comparison.variables = variables
        for one in columns or map(begun, self._first):
            self._comparison.add(one.contestant, one.made_from)
        self._comparison.set_overrides(overrides)
        self._comparison.columns_changed.connect(self._timer.start)

    def _keep(self) -> None:
        value = written(self._comparison)
        self._archive.ask(lambda stores: stores.state.set(KEY, value))


def written(comparison: Comparison) -> dict[str, Any]:
    """As JSON can hold it."""
    columns = [
        {
            "name": one.contestant.name,
            "prompt": one.contestant.system_prompt,
            "version": one.contestant.version,
            "made_from": one.made_from,
            "model": one.contestant.model_id,
            "overrides": dict(one.contestant.overrides),
        }
        for one in comparison.columns()
    ]
    return {
        "columns": columns,
        "overrides": dict(comparison.overrides),
        "variables": dict(comparison.variables),
    }


def read(kept: Any) -> tuple[tuple[Column, ...], Mapping[str, Any], Mapping[str, str]]:
    """The columns, the sampler values for all, and the variables; what is damaged is left out."""
    if not isinstance(kept, dict):
        return (), {}, {}
    given = kept.get("variables")
    variables = {name: text for name, text in given.items() if isinstance(text, str)} if isinstance(given, dict) else {}
    found = kept.get("columns")
    columns = [_column(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple(columns[:MOST_COLUMNS]), _overrides(kept.get("overrides")), variables


def _column(kept: Mapping[str, Any]) -> Column:
    def text(key: str) -> str:
        value = kept.get(key)
        return value if isinstance(value, str) else ""

    overrides = _overrides(kept.get("overrides"))
    return begun(Contestant(text("name"), text("prompt"), text("version"), text("model"), overrides), text("made_from"))


def _overrides(kept: Any) -> dict[str, Any]:
    known = declared(Sampling)
    return {key: value for key, value in kept.items() if key in known} if isinstance(kept, dict) else {}
