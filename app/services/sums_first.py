"""Lets what is handed on wait for the SHA-256 of the models that made it: they are read in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer

from app.core.chat import Provenance
from app.services.model_sums import Fill, ModelSums
from app.services.notice import Notice
from app.storage.model_sums import unsummed

_PATIENCE_MS = 1500
"""Whoever waits longer is told why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    made: tuple[Provenance, ...]
    then: Callable[[Fill], None]


class SumsFirst(QObject):
    """Lives in the GUI thread."""

    def __init__(self, sums: ModelSums, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sums = sums
        self._waiting: list[_Waiting] = []
        sums.settled.connect(self._look)

    def wait(
        self, made: Iterable[Provenance], then: Callable[[Fill], None], tell: Callable[[Notice], None] | None = None
    ) -> None:
        """Call `then` when the sums of the models that made these are known, or cannot be; now, where they are.

        It gets what puts them in, on any thread. Where it takes its time, `tell` hears why, and how not to wait.
        """
        one = _Waiting(tuple(unsummed(made)), then)
        for how in one.made:
            self._sums.want(how)
        self._waiting.append(one)
        if tell is not None:
            heard = tell
            QTimer.singleShot(_PATIENCE_MS, self, lambda: self._tell(one, heard))
        self._look()

    def close(self) -> None:
        """Wait no longer; before the program ends."""
        for one in tuple(self._waiting):
            self._go_on(one)

    def _look(self) -> None:
        for one in tuple(self._waiting):
            if not any(map(self._sums.is_wanted, one.made)):
                self._go_on(one)

    def _go_on(self, one: _Waiting) -> None:
        if one in self._waiting:
            self._waiting.remove(one)
            one.then(self._sums.fill())

    def _tell(self, one: _Waiting, tell: Callable[[Notice], None]) -> None:
        if one in self._waiting:
            tell(
                Notice(
                    "The file is written in a moment",
                    "The model is being read for its SHA-256, which goes along with the answers.",
                    actions=(("Write it without", lambda: self._go_on(one)),),
                )
            )
