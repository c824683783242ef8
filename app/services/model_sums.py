"""Finds out the SHA-256 of the models that answer: each file is read once, in the background, and never in a hurry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.chat import Provenance
from app.core.stopping import StopFlag
from app.services.archive import Archive
from app.services.lane import End, Lane, Outcome, Ticket
from app.services.model_manager import Kind, ModelManager
from app.storage.importing import Stopped, sums
from app.storage.model_folder import look
from app.storage.model_sums import ModelSeen, Sums, seen_of
from app.storage.stores import Stores

Fill: TypeAlias = Callable[[Provenance], Provenance]
"""Puts the sums of its model into what made an answer, where they are known."""
_SETTLE_MS = 3000
"""A model that was just loaded answers first."""
_SHARE = 0.25
"""Of one core's time, at most: the model is at work on the others, and on this one too."""


class ModelSums(QObject):
    """Knows the sums of models as they were when they answered. Lives in the GUI thread.

    Signals:
        found(str): those of the model at this path are known now, or cannot be found out.
        settled(): something is not being found out any more, whatever came of it.
    """

    found = Signal(str)
    settled = Signal()

    def __init__(self, archive: Archive[Stores], models: ModelManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._archive = archive
        self._models = models
        self._known: dict[ModelSeen, Sums] = {}
        self._asked: dict[ModelSeen, StopFlag] = {}
        """What is being found out; the flag says that somebody waits for it."""
        self._tickets: dict[ModelSeen, Ticket] = {}
        self._lost: set[ModelSeen] = set()
        """What cannot be found out any more: the files are others now, or gone."""
        self._lane = Lane("model sums", self)
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(self._look)
        self._loaded = ""
        models.state_changed.connect(self._state_changed)

    def filled(self, how: Provenance) -> Provenance:
        """The same, with the sums of the model's files where they are known by now."""
        return _filled(how, self._known)

    def fill(self) -> Fill:
        """What puts in the sums that are known now, on any thread."""
        known = dict(self._known)
        return lambda how: _filled(how, known)

    def want(self, how: Provenance, *, soon: bool = True) -> None:
        """Find out the sums of the model that made this; answers with `found`, unless its files are others by now.

        soon: somebody waits for it, so it may take a core.
        """
        place = seen_of(how)
        if how.model_sha256 or place in self._known or place in self._lost or not how.model_size_bytes:
            return
        if place in self._asked:
            if soon:
                self._asked[place].set()
            return
        hurry = self._asked[place] = StopFlag()
        if soon:
            hurry.set()
        self._archive.ask(
            lambda stores: stores.model_sums.of(*place),
            lambda known: self._found_out(place, known) if known else self._read(place, hurry),
            lambda _error: self._give_up(place),
        )

    def is_wanted(self, how: Provenance) -> bool:
        """Whether they are being found out."""
        return seen_of(how) in self._asked

    def let_go(self, path: str) -> None:
        """Stop reading the model at this path, whose files are about to be deleted: some systems refuse until then."""
        for place, ticket in self._tickets.items():
            if place[0] == path:
                ticket.cancel()

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop reading, and wait for that. Whether it ended in time."""
        self._timer.stop()
        return self._lane.close(timeout_s)

    def _state_changed(self, model_id: str) -> None:
        if self._models.state(model_id).kind is Kind.READY:
            self._loaded = model_id
            self._timer.start()

    def _look(self) -> None:
        facts = self._models.state(self._loaded).facts
        if facts is not None:
            how = Provenance(model_path=facts.path, model_size_bytes=facts.size_bytes, model_mtime_ns=facts.mtime_ns)
            self.want(how, soon=False)

    def _read(self, place: ModelSeen, hurry: StopFlag) -> None:
        path, *seen = place

        def job(stop: StopFlag) -> Iterator[object]:
            if look(path) != tuple(seen):
                return
            try:
                found = _unhurried(path, stop, hurry)
            except Stopped:
                return
            if look(path) == tuple(seen):
                yield found

        ticket = self._tickets[place] = self._lane.submit(job)
        ticket.items.connect(lambda items: self._found_out(place, items[-1]))
        ticket.ended.connect(lambda outcome: self._ended(place, outcome))

    def _found_out(self, place: ModelSeen, found: Sums) -> None:
        # also what the Hub's listing proved: that is known of the file only until it is touched
        self._archive.ask(lambda stores: stores.model_sums.keep(*place, found))
        self._known[place] = found
        self._asked.pop(place, None)
        self.found.emit(place[0])
        self.settled.emit()

    def _ended(self, place: ModelSeen, outcome: Outcome) -> None:
        del self._tickets[place]
        if outcome.end is End.STOPPED:
            self._asked.pop(place, None)
            self.settled.emit()
        else:  # a file that cannot be read has no sums, and whoever needs the file hears why
            self._give_up(place)

    def _give_up(self, place: ModelSeen) -> None:
        if self._asked.pop(place, None) is not None:
            self._lost.add(place)
            self.found.emit(place[0])
            self.settled.emit()


def _filled(how: Provenance, known: Mapping[ModelSeen, Sums]) -> Provenance:
    found = how.model_sha256 or known.get(seen_of(how), ())
    return replace(how, model_sha256=found) if found else how


def _unhurried(path: str, stop: StopFlag, hurry: StopFlag) -> Sums:
    """The sums of a model's files, read with pauses in between unless somebody waits.

    Raises:
        StorageError: one cannot be read.
        Stopped: `stop` was set.
    """
    begun = time.perf_counter()
    reading = sums(path, stop)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return tuple(end.value)
        pause = (time.perf_counter() - begun) * (1 / _SHARE - 1)
        until = time.perf_counter() + pause
        while time.perf_counter() < until and not stop.is_set() and not hurry.is_set():
            time.sleep(min(pause, 0.05))
        begun = time.perf_counter()
