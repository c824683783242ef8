"""What a person said about pairs of answers of one run: on the disk before it counts, and taken back one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.judging import Ballot, Duel
from app.core.lab import Vote
from app.services.archive import Archive
from app.storage.stores import Stores


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Ballots(QObject):
    """The person's votes on one run, and what was skipped. Lives in the GUI thread.

    Signals:
        changed(): they were read, or there is one more or less; it is on the disk.
        kept(Ballot), taken_back(Ballot): this one.
        failed(AppError): one could not be kept or taken back; everything is as it was.
    """

    changed = Signal()
    kept = Signal(object)
    taken_back = Signal(object)
    failed = Signal(object)

    def __init__(self, run_id: int, archive: Archive[Stores], clock: Callable[[], int] = _now_ms) -> None:
        """Reads them at once; `changed` tells when they are there. `clock`: milliseconds since 1970."""
        super().__init__()
        self._run_id, self._archive, self._clock = run_id, archive, clock
        self._ballots: list[Ballot] = []
        self._saving = False
        self.ready = False
        archive.ask(lambda stores: stores.runs.ballots(run_id), self._read, self._refused)

    def all(self) -> tuple[Ballot, ...]:
        """In the order they were given."""
        return tuple(self._ballots)

    def votes(self) -> list[Vote]:
        """Those that are votes."""
        return [vote for one in self._ballots if (vote := one.vote) is not None]

    def skipped(self) -> list[Duel]:
        """Pairs that were passed over."""
        return [one.duel for one in self._ballots if one.outcome is None]

    @property
    def saving(self) -> bool:
        """Whether one is on its way to the disk; nothing else is taken until it is there."""
        return self._saving

    def add(self, duel: Duel, outcome: float | None, words: str = "") -> bool:
        """Keep what the person says; answers with `kept` or `failed`. False while another one is being kept.

        `outcome`: 1 where the first is better, 0 where the second is, 0.5 where they are equal, None to skip.
        """
        if self._saving or not self.ready:
            return False
        ballot = Ballot(duel, outcome, words, self._clock())
        run_id = self._run_id

        def kept(saved: Ballot) -> None:
            self._saving = False
            self._ballots.append(saved)
            self.kept.emit(saved)
            self.changed.emit()

        self._saving = True
        self._archive.ask(lambda stores: stores.runs.add_ballot(run_id, ballot), kept, self._refused)
        return True

    def take_back(self) -> bool:
        """Take the newest one back; answers with `taken_back` or `failed`. False where there is none."""
        if self._saving or not self._ballots:
            return False
        last = self._ballots[-1]

        def gone(_: None) -> None:
            self._saving = False
            self._ballots = [one for one in self._ballots if one.id != last.id]
            self.taken_back.emit(last)
            self.changed.emit()

        self._saving = True
        self._archive.ask(lambda stores: stores.runs.remove_vote(last.id), gone, self._refused)
        return True

    def forget(self, answers: Collection[tuple[int, int, int]]) -> None:
        """Drop what was said of answers that are asked for again, by contestant, question and seed.

        The store drops it together with the answers.
        """
        left = [one for one in self._ballots if not _answers_of(one.duel) & set(answers)]
        if len(left) != len(self._ballots):
            self._ballots = left
            self.changed.emit()

    def _read(self, ballots: list[Ballot]) -> None:
        self._ballots, self.ready = ballots, True
        self.changed.emit()

    def _refused(self, error: AppError) -> None:
        self._saving = False
        self.failed.emit(error)


def _answers_of(duel: Duel) -> set[tuple[int, int, int]]:
    return {(duel.first, duel.question, duel.seed), (duel.second, duel.question, duel.seed)}
