"""The grid of a run as a table model: a line for each question and seed, a column for each prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal, Slot

from app.core.duel_table import DuelTable, Score
from app.core.lab import Cell, CellState, Place
from app.core.prompts import found_in
from app.ui.run_earlier import EarlierRun
from app.ui.run_looks import CHANGE_WORDS, CellLook, Change, Shape, Which

if TYPE_CHECKING:
    from app.core.judging import Ballot, Judgement
    from app.scoring.results import Results
    from app.services.experiment import Grown
    from app.services.experiments import OpenRun

Index = QModelIndex | QPersistentModelIndex
_SHOW_MS = 60
"""Changes are shown together: eight cells that grow would else ask for a new picture at every token."""
_COUNT_MS = 250
_GROW_MS = 240
"""How often the numbers of cells that grow are painted: nobody reads dozens of them faster."""
_MANY = 200
"""From so many changed cells on the grid is told of all at once: one picture, and not thousands of calls."""
_VOTES_AT_ONCE = 1500


class RunModel(QAbstractTableModel):
    """Follows an open run.

    `counted()`: how many cells each filter finds has changed, or which lines are shown. `looked_at()`: so may have how
    many of a prompt's answers pass; `headerDataChanged` would have all cells laid out and painted anew.
    """

    counted = Signal()
    looked_at = Signal()

    def __init__(self, opened: OpenRun, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run, self.findings = opened.run, opened.findings
        self.plan = opened.run.plan
        self.duels = DuelTable()
        self._ballots: tuple[Ballot, ...] = ()
        """The person's that are counted."""
        self._seeds = len(self.plan.seeds)
        self._tokens: dict[Place, int] = {}
        self._earlier: EarlierRun | None = None
        self._which, self._words = Which.ALL, ""
        self._lines = list(range(len(self.plan.questions) * self._seeds))
        self._line_of = {line: at for at, line in enumerate(self._lines)}
        self._dirty: set[Place] = set()
        self.counts: Counter[Which] = Counter()
        self._show_timer = QTimer(self, singleShot=True, interval=_SHOW_MS)
        self._show_timer.timeout.connect(self._show)
        self._grown: set[Place] = set()
        self._grow_timer = QTimer(self, singleShot=True, interval=_GROW_MS)
        self._grow_timer.timeout.connect(self._show_grown)
        self._count_timer = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._count_timer.timeout.connect(self.count)
        self.run.cell_changed.connect(self._cell_changed)
        self.run.cell_grew.connect(self._cell_grew)
        self.run.judged.connect(self._judged)
        self.run.ballots.changed.connect(self._ballots_changed)
        self.findings.changed.connect(self._touch_all)
        self._filling = self._fill_duels()
        self._fill_timer = QTimer(self, interval=0)
        self._fill_timer.timeout.connect(self._fill_on)
        self._fill_on()
        self._ballots_changed()
        self.count()

    # --- places -----------------------------------------------------------------------------------------------------

    def place(self, index: Index) -> Place | None:
        """The cell at an index; None where there is none."""
        if not index.isValid() or index.row() >= len(self._lines):
            return None
        return self._place(self._lines[index.row()], index.column())

    def index_of(self, place: Place) -> QModelIndex:
        """Where a cell is shown; an invalid index where a filter hides it."""
        at = self._line_of.get(place.question * self._seeds + place.seed)
        return QModelIndex() if at is None else self.index(at, place.contestant)

    def question_at(self, section: int) -> tuple[int, int]:
        """The question and the seed of a line that is shown, by their places in the plan."""
        return divmod(self._lines[section], self._seeds)

    def _place(self, line: int, contestant: int) -> Place:
        question, seed = divmod(line, self._seeds)
        return Place(contestant, question, seed)

    # --- looks ------------------------------------------------------------------------------------------------------

    def look(self, place: Place) -> CellLook:
        """How a cell is shown."""
        cell = self.run.cell(place)
        if cell.state is CellState.QUEUED:
            return CellLook(Shape.QUEUED, "", "queued")
        if cell.state is CellState.RUNNING:
            tokens = self._tokens.get(place, 0)
            return CellLook(Shape.RUNNING, f"{tokens} tok" if tokens else "reading", f"running, {tokens} tokens")
        if cell.state is CellState.FAILED:
            return CellLook(Shape.ERROR, "no answer", f"no answer: {cell.error}")
        passed, score = self.findings.passed(place), self.duels.score(place)
        shape = Shape.PLAIN if passed is None else Shape.PASSED if passed else Shape.FAILED
        parts = {Shape.PASSED: ["all checks passed"], Shape.FAILED: ["a check failed"]}.get(shape, ["answered"])
        words = _score_words(score)
        if score is not None:
            parts.append(f"{score.won} won, {score.lost} lost, {score.tied} tied")
        elif shape is Shape.PLAIN and not self.findings.checks:
            many = len(cell.text.split())
            words = "1 word" if many == 1 else f"{many} words"
            parts.append(words)
        change = self.change(place)
        if change in CHANGE_WORDS:
            parts.append(CHANGE_WORDS[change])
        return CellLook(shape, words, ", ".join(parts), change)

    def change(self, place: Place) -> Change:
        """How a cell stands beside that of the earlier run that is compared with."""
        if self._earlier is None:
            return Change.NONE
        return self._earlier.change(self.run.cell(place), self.findings.passed(place))

    def earlier_cell(self, place: Place) -> Cell | None:
        """The same cell of the earlier run that is compared with."""
        return self._earlier.cell(place) if self._earlier is not None else None

    @property
    def earlier(self) -> Results | None:
        """The earlier run that is compared with."""
        return self._earlier.results if self._earlier is not None else None

    def earlier_share(self, contestant: int) -> tuple[int, int] | None:
        """Of the earlier run's answers to the same questions, so many passed all checks, and so many there were."""
        return self._earlier.share(contestant) if self._earlier is not None else None

    def compare_with(self, earlier: Results | None) -> bool:
        """Mark what is other than in an earlier run; None marks nothing. False where nothing is in both."""
        self._earlier = EarlierRun.beside(self.plan, earlier)
        if self._earlier is None and self._which is Which.CHANGED:
            self._which = Which.ALL
        self._show_all()
        return earlier is None or self._earlier is not None

    # --- filters ----------------------------------------------------------------------------------------------------

    @property
    def which(self) -> Which:
        """The filter in force."""
        return self._which

    def show_lines(self, which: Which, words: str) -> None:
        """Show the lines that have such a cell, and whose question holds these words."""
        self._which, self._words = which, words.strip()
        self._filter()
        self.counted.emit()

    def _filter(self) -> None:
        lines: Iterable[int] = range(len(self.plan.questions) * self._seeds)
        if self._which is not Which.ALL:
            lines = sorted(self._lines_with_such())
        wanted = [line for line in lines if not self._words or self._is_asked(line)]
        if wanted != self._lines:
            self.beginResetModel()
            self._lines = wanted
            self._line_of = {line: at for at, line in enumerate(wanted)}
            self.endResetModel()

    def _lines_with_such(self) -> set[int]:
        """The lines that have a cell which the filter finds."""
        cells, seeds = self.run.cells(), self._seeds
        if self._which is Which.QUEUED:
            begun = Counter(place.question * seeds + place.seed for place in cells)
            most = len(self.plan.contestants)
            return {line for line in range(len(self.plan.questions) * seeds) if begun[line] < most}
        return {place.question * seeds + place.seed for place, cell in cells.items() if self._is_such(place, cell)}

    def _is_asked(self, line: int) -> bool:
        question = self.plan.questions[line // self._seeds]
        return found_in(self._words, question.key, question.text, *question.tags)

    def _is_such(self, place: Place, cell: Cell) -> bool:
        """Whether the filter finds a cell that was begun."""
        which = self._which
        if cell.state is CellState.RUNNING or which is Which.RUNNING:
            return cell.state is CellState.RUNNING and which is Which.RUNNING
        if which is Which.FAILED:
            return cell.state is CellState.FAILED or self.findings.passed(place) is False
        if which is Which.RATED:
            return self.duels.has(place)
        return which is Which.CHANGED and self.change(place) not in (Change.NONE, Change.SAME)

    @Slot()
    def count(self) -> None:
        """Count what each filter finds, and follow it with the lines that are shown."""
        counts: Counter[Which] = Counter()
        cells, passed, has_duel = self.run.cells(), self.findings.passed, self.duels.has
        all_cells = len(self.plan.contestants) * len(self.plan.questions) * self._seeds
        running = failed = rated = 0
        for place, cell in cells.items():
            state = cell.state
            if state is CellState.RUNNING:
                running += 1
                continue
            failed += state is CellState.FAILED or passed(place) is False
            rated += has_duel(place)
        if self._earlier is not None:
            ended = (place for place, cell in cells.items() if cell.state is not CellState.RUNNING)
            counts[Which.CHANGED] = sum(self.change(place) not in (Change.NONE, Change.SAME) for place in ended)
        counts |= {Which.RUNNING: running, Which.FAILED: failed, Which.RATED: rated}
        counts[Which.ALL] = all_cells
        counts[Which.QUEUED] = all_cells - len(cells)
        self.counts = counts
        if self._which is not Which.ALL:
            self._filter()
        self.counted.emit()

    # --- news -------------------------------------------------------------------------------------------------------

    @Slot(object)
    def _cell_changed(self, cell: Cell) -> None:
        self._tokens.pop(cell.place, None)
        if cell.state is CellState.QUEUED:
            for other in self.duels.against(cell.place):
                self._touch(Place(other, cell.place.question, cell.place.seed))
            self.duels.forget(cell.place)  # what was judged of it is gone with it
        self._touch(cell.place)

    @Slot(object)
    def _cell_grew(self, grown: Grown) -> None:
        self._tokens[grown.place] = grown.tokens
        self._grown.add(grown.place)
        if not self._grow_timer.isActive():
            self._grow_timer.start()

    @Slot(object)
    def _judged(self, judgement: Judgement) -> None:
        if (vote := judgement.vote) is not None:
            self._touch_all(self.duels.add(vote))

    @Slot()
    def _ballots_changed(self) -> None:
        """The person has said something of a pair, or taken it back."""
        now = self.run.ballots.all()
        for before in self._ballots:
            if before not in now and (vote := before.vote) is not None:
                self._touch_all(self.duels.remove(vote))
        for ballot in now:
            if ballot not in self._ballots and (vote := ballot.vote) is not None:
                self._touch_all(self.duels.add(vote))
        self._ballots = now

    def _fill_duels(self) -> Iterator[None]:
        """What the judge has said so far; many thousands are taken in between two pictures."""
        for number, judgement in enumerate(self.run.judgements(), start=1):
            if (vote := judgement.vote) is not None and self.run.judgement(judgement.duel) is judgement:
                self._touch_all(self.duels.add(vote))
            if number % _VOTES_AT_ONCE == 0:
                yield

    @Slot()
    def _fill_on(self) -> None:
        done = object()
        if next(self._filling, done) is done:
            self._fill_timer.stop()
        elif not self._fill_timer.isActive():
            self._fill_timer.start()

    @Slot(tuple)
    def _touch_all(self, places: Iterable[Place]) -> None:
        for place in places:
            self._touch(place)

    def _touch(self, place: Place) -> None:
        self._dirty.add(place)
        if not self._show_timer.isActive():
            self._show_timer.start()
        if not self._count_timer.isActive():
            self._count_timer.start()

    def _show_all(self) -> None:
        if self._lines:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._lines) - 1, self.columnCount() - 1))
        self.looked_at.emit()
        self.count()

    @Slot()
    def _show(self) -> None:
        dirty, self._dirty = self._dirty, set()
        if len(dirty) > _MANY and self._lines:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._lines) - 1, self.columnCount() - 1))
            dirty.clear()
        for place in dirty:
            index = self.index_of(place)
            if index.isValid():
                self.dataChanged.emit(index, index)
        self.looked_at.emit()

    @Slot()
    def _show_grown(self) -> None:
        self._dirty |= self._grown
        self._grown.clear()
        self._show()

    # --- Qt ---------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Lines that are shown."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Prompts."""
        return 0 if parent.isValid() else len(self.plan.contestants)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's words, and the whole of it for those who hear it."""
        place = self.place(index)
        if place is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.look(place).words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.plan.contestants[place.contestant].name}: {self.look(place).spoken}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(place)
        return None

    def _tip(self, place: Place) -> str:
        cell = self.run.cell(place)
        text = cell.error or cell.text
        return f"{self.look(place).spoken.capitalize()}\n\n{text[:400]}{'…' if len(text) > 400 else ''}".strip()

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Prompts above, questions at the left."""
        if orientation == Qt.Orientation.Horizontal:
            return self._prompt_data(section, role)
        if section >= len(self._lines):
            return None
        question, seed = self.question_at(section)
        one = self.plan.questions[question]
        more = f", seed {self.plan.seeds[seed]}" if self._seeds > 1 else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(one.text.split())[:200] + more
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"Question {question + 1}{more}: {one.text[:200]}"
        return f"{one.text[:600]}{more}" if role == Qt.ItemDataRole.ToolTipRole else None

    def _prompt_data(self, section: int, role: int) -> Any:
        contestant = self.plan.contestants[section]
        passed, looked = self.findings.share(section) if role != Qt.ItemDataRole.DisplayRole else (0, 0)
        share = f", {passed} of {looked} passed all checks" if looked else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return contestant.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{contestant.name}{share}"
        if role == Qt.ItemDataRole.ToolTipRole:
            prompt = contestant.system_prompt or "No system prompt"
            return f"{contestant.name}{share}\n\n{prompt[:600]}{'…' if len(prompt) > 600 else ''}"
        return None


def _score_words(score: Score | None) -> str:
    return "" if score is None else f"{score.won}–{score.lost}"
