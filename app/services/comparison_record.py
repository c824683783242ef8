"""The comparison as it lasts from one start to the next: columns, what was said in them, and what is not sent yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

from app.core.errors import AppError
from app.core.exchange import Exchange
from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.settings import declared
from app.services.archive import Archive
from app.services.compare_columns import Column, begun
from app.services.compare_setup import MOST_COLUMNS
from app.services.comparison import Comparison
from app.storage.comparison import Spot
from app.storage.model_folder import look
from app.storage.stores import Stores

_SETTLE_MS = 300
_GROWING_MS = 250
"""After any crash at most this much of the answers being written, and the time to write it, is missing."""
_RETRY_MS = 3000


class ComparisonRecord(QObject):
    """Fills a comparison with all it had, and keeps what changes in it: at once what is asked, the rest a moment later.

    Only what is other than on the disk is written.
    """

    def __init__(self, comparison: Comparison, archive: Archive[Stores], first: tuple[Contestant, ...]) -> None:
        """`first` are the columns where none were kept."""
        super().__init__(comparison)
        self._comparison = comparison
        self._archive = archive
        self._first = first
        self._columns: Any = None
        self._kept: Mapping[Spot, Exchange] = {}
        self._anew = False
        """Whether nobody knows what lies on the disk, as the last time it could not be written."""
        self._saving = False
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(self._keep)
        self._growing = QTimer(self, interval=_GROWING_MS)
        self._growing.timeout.connect(self._keep_growing)
        archive.ask(_read, self._fill)

    def flush(self) -> None:
        """Keep now what waits to be kept."""
        if self._timer.isActive() or self._growing.isActive():
            self._keep()

    def _fill(self, found: _Found) -> None:
        comparison = self._comparison
        self._columns, self._kept = found.columns, found.said
        # somebody may have put other columns there meanwhile: those stay
        put_meanwhile = bool(comparison.columns())
        if not put_meanwhile:
            kept, model_id = found.table, _text(found.table, "model")
            comparison.restore(
                _with_answers(_columns(kept), self._kept) or tuple(map(begun, self._first)),
                model_id if found.has_model or comparison.knows_model(model_id) else "",
                _overrides(kept.get("overrides")),
                _variables(kept.get("variables")),
                _moment(_text(kept, "moment")),
                _text(kept, "draft"),
            )
        comparison.columns_changed.connect(self._timer.start)
        comparison.column_changed.connect(self._timer.start)
        comparison.draft_changed.connect(self._timer.start)
        comparison.busy_changed.connect(self._busy_changed)
        if put_meanwhile:
            self._keep()

    @Slot(bool)
    def _busy_changed(self, busy: bool) -> None:
        """A question is kept before it is answered, and all of an answer when it ends."""
        self._keep()
        if busy:
            self._growing.start()
        else:
            self._growing.stop()

    @Slot()
    def _keep_growing(self) -> None:
        if not self._saving:  # a slow disk gets no more than it can take
            self._keep()

    @Slot()
    def _keep(self) -> None:
        self._timer.stop()
        columns, now, anew = written(self._comparison), self._spots(), self._anew
        put = {spot: one for spot, one in now.items() if anew or self._kept.get(spot) != one}
        gone = [spot for spot in self._kept if spot not in now]
        if columns == self._columns and not put and not gone and not anew:
            return
        forgotten = not now and bool(self._kept)
        self._columns, self._kept, self._anew, self._saving = columns, now, False, True

        def work(stores: Stores) -> None:
            stores.comparison.keep(columns, put, gone, anew=anew)
            if forgotten:
                stores.comparison.forget()

        self._archive.ask(work, self._is_kept, self._refused)

    def _is_kept(self, _nothing: None) -> None:
        self._saving = False

    def _refused(self, error: AppError) -> None:
        self._saving, self._anew = False, True
        self._growing.stop()  # it is tried again, not four times a second
        QTimer.singleShot(_RETRY_MS, self, self._try_again)
        self._archive.failed.emit(error)

    @Slot()
    def _try_again(self) -> None:
        self._keep()
        if self._comparison.busy:
            self._growing.start()

    def _spots(self) -> dict[Spot, Exchange]:
        """All that was said, by where it stands."""
        return {
            (at, number): one
            for at, column in enumerate(self._comparison.columns())
            for number, one in enumerate(column.exchanges)
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """What lay on the disk. has_model: the file of the model that was chosen is there."""

    columns: Any
    said: Mapping[Spot, Exchange]
    has_model: bool

    @property
    def table(self) -> Mapping[str, Any]:
        return self.columns if isinstance(self.columns, dict) else {}


def _read(stores: Stores) -> _Found:
    found = _Found(stores.comparison.columns(), stores.comparison.exchanges(), has_model=False)
    return replace(found, has_model=look(_text(found.table, "model")) is not None)


def written(comparison: Comparison) -> dict[str, Any]:
    """All but what was said, as JSON can hold it."""
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
        "model": comparison.model_id,
        "overrides": dict(comparison.overrides),
        "variables": dict(comparison.variables),
        "moment": comparison.moment.isoformat() if comparison.moment is not None else "",
        "draft": comparison.draft,
    }


def _columns(kept: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns; what is damaged is left out."""
    found = kept.get("columns")
    columns = [_column(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple(columns[:MOST_COLUMNS])


def _column(kept: Mapping[str, Any]) -> Column:
    own = _overrides(kept.get("overrides"))
    contestant = Contestant(
        _text(kept, "name"), _text(kept, "prompt"), _text(kept, "version"), _text(kept, "model"), own
    )
    return begun(contestant, _text(kept, "made_from"))


def _with_answers(columns: tuple[Column, ...], said: Mapping[Spot, Exchange]) -> tuple[Column, ...]:
    return tuple(
        replace(column, exchanges=tuple(said[spot] for spot in sorted(said) if spot[0] == at))
        for at, column in enumerate(columns)
    )


def _text(kept: Mapping[str, Any], key: str) -> str:
    value = kept.get(key)
    return value if isinstance(value, str) else ""


def _overrides(kept: Any) -> dict[str, Any]:
    known = declared(Sampling)
    return {key: value for key, value in kept.items() if key in known} if isinstance(kept, dict) else {}


def _variables(kept: Any) -> dict[str, str]:
    return {name: text for name, text in kept.items() if isinstance(text, str)} if isinstance(kept, dict) else {}


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
