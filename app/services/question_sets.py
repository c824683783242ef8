"""Questions kept under names, and questions read from files; the window waits for neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.lab import Question
from app.core.stopping import StopFlag
from app.datasets.questions import QuestionsRead, Wanted, columns_of, read_questions
from app.services.archive import Archive
from app.services.lane import Lane, Outcome
from app.services.notice import Notice
from app.storage.question_sets import QuestionSet
from app.storage.stores import Stores

Result = TypeVar("Result")


class QuestionSets(QObject):
    """Lives in the GUI thread; every change is on the disk before it is told.

    Signals:
        changed(): `sets()` gives another list.
        notice(Notice): something to tell.
    """

    changed = Signal()
    notice = Signal(object)

    def __init__(self, archive: Archive[Stores], lane: Lane, parent: QObject | None = None) -> None:
        """`lane` is where files are read."""
        super().__init__(parent)
        self._archive, self._lane = archive, lane
        self._sets: tuple[QuestionSet, ...] = ()

    def sets(self) -> tuple[QuestionSet, ...]:
        """All sets, by name; `refresh` reads them."""
        return self._sets

    def refresh(self) -> None:
        """Read the list; answers with `changed` where it is another one."""
        self._do(lambda stores: None)

    def questions(self, set_id: int, then: Callable[[tuple[Question, ...]], None]) -> None:
        """Read a set; `then` gets its questions in the GUI thread."""
        self._archive.ask(lambda stores: stores.question_sets.questions(set_id), then, self._failed)

    def keep(self, name: str, questions: Sequence[Question]) -> None:
        """Keep questions: instead of those in the set of this name, where there is one."""
        wanted = " ".join(name.split()).casefold()
        held = tuple(questions)

        def work(stores: Stores) -> None:
            same = next((one for one in stores.question_sets.rows() if one.name.casefold() == wanted), None)
            if same is not None:
                stores.question_sets.replace(same.id, held)
            else:
                stores.question_sets.create(name, held)

        many = "1 question is" if len(held) == 1 else f"{len(held):,} questions are"
        self._do(work, lambda: self.notice.emit(Notice(f"{many} kept as “{' '.join(name.split())}”")))

    def rename(self, set_id: int, name: str) -> None:
        """Give a set another name; an empty one changes nothing."""
        self._do(lambda stores: stores.question_sets.rename(set_id, name))

    def delete(self, set_id: int) -> None:
        """Delete a set; the notice that says so can undo it."""
        gone = next((one for one in self._sets if one.id == set_id), None)
        if gone is None:
            return
        held: list[tuple[Question, ...]] = []

        def work(stores: Stores) -> None:
            try:
                held.append(stores.question_sets.questions(set_id))
            finally:
                stores.question_sets.delete(set_id)

        def undo() -> None:
            self._do(lambda stores: [stores.question_sets.create(gone.name, one) for one in held])

        told = Notice(f"The questions “{gone.name}” were deleted", actions=(("Undo", undo),))
        self._do(work, lambda: self.notice.emit(told))

    def read_file(
        self,
        path: str,
        wanted: Wanted,
        then: Callable[[QuestionsRead], None],
        failed: Callable[[AppError], None],
    ) -> None:
        """Read the questions in a file of any kind that `datasets.questions` knows."""
        self._beside(lambda: read_questions(Path(path), wanted), then, failed)

    def read_columns(
        self, path: str, then: Callable[[tuple[str, ...]], None], failed: Callable[[AppError], None]
    ) -> None:
        """Read the names of a file's columns."""
        self._beside(lambda: columns_of(Path(path)), then, failed)

    def _beside(
        self, work: Callable[[], Result], then: Callable[[Result], None], failed: Callable[[AppError], None]
    ) -> None:
        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            yield work()

        def ended(outcome: Outcome) -> None:
            if outcome.error is not None:
                failed(outcome.error)

        ticket = self._lane.submit(job)
        ticket.items.connect(lambda items: then(items[0]))
        ticket.ended.connect(ended)

    def _do(self, work: Callable[[Stores], object], then: Callable[[], None] | None = None) -> None:
        def both(stores: Stores) -> tuple[QuestionSet, ...]:
            work(stores)
            return tuple(stores.question_sets.rows())

        def done(sets: tuple[QuestionSet, ...]) -> None:
            if sets != self._sets:
                self._sets = sets
                self.changed.emit()
            if then is not None:
                then()

        self._archive.ask(both, done, self._failed)

    def _failed(self, error: AppError) -> None:
        self.notice.emit(Notice.of(error))
        self._archive.ask(lambda stores: tuple(stores.question_sets.rows()), self._listed)

    def _listed(self, sets: tuple[QuestionSet, ...]) -> None:
        self._sets = sets
        self.changed.emit()


__all__ = ["QuestionSet", "QuestionSets"]
