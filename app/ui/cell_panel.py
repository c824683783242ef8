"""One answer of a run in full: what was asked, what came, what was expected, what was found in it, what made it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, system_prompt_of
from app.core.made_by import in_brief
from app.core.prompt_variables import escape
from app.core.word_diff import word_diff
from app.scoring.look import checks_of
from app.services.origin import of_cell, of_judgement
from app.ui.buttons import IconButton, WordButton
from app.ui.cell_tables import ChecksTable, DuelsTable
from app.ui.contestant_colours import mark_pixmap
from app.ui.diff_view import DiffView
from app.ui.model_facts import ElidedLabel
from app.ui.reproduce_bar import ReproduceBar
from app.ui.run_looks import CHANGE_WORDS, Change
from app.ui.text_block import TextBlock
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.chat import Provenance
    from app.services.experiment import Grown
    from app.services.experiments import Experiments
    from app.services.origins import Origins
    from app.ui.run_model import RunModel

_LEAST_PX = 300
_DIFF_LINES = 9


class CellPanel(QFrame):
    """Shows a cell and follows it.

    Signals: `stepped(int)`: the person wants the cell so many lines further down; `left()`: it is to be put away;
    `compare_asked(tuple, str, dict)`: show these `Contestant`s side by side, to ask this with these sampler values;
    `origin_asked(object)`: show this `Origin` of an answer or of a verdict, None where none was kept;
    `link_activated(str)`.
    """

    stepped = Signal(int)
    left = Signal()
    compare_asked = Signal(tuple, str, object)
    origin_asked = Signal(object)
    link_activated = Signal(str)

    def __init__(
        self, model: RunModel, experiments: Experiments, origins: Origins, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setMinimumWidth(_LEAST_PX)
        self._model, self._experiments, self._origins, self._theme = model, experiments, origins, theme
        self._place: Place | None = None
        self._cell: Cell | None = None
        self._mark, self._name, self._where = QLabel(), ElidedLabel(""), QLabel()
        self._name.setProperty("kind", "title")
        self._where.setProperty("kind", "faint")
        self.up = IconButton("chevron-up", "The question above", theme, side_px=30)
        self.down = IconButton("chevron-down", "The question below", theme, side_px=30)
        self.close_button = IconButton("close", "Put the answer away", theme, keys="Esc", side_px=30)
        self.question = TextBlock("Question", theme)
        self.instructions = TextBlock("Instructions with the question", theme, framed=True)
        self.answer = TextBlock("Answer", theme)
        self.reference = TextBlock("Reference answer", theme, framed=True)
        self.checks, self.duels = ChecksTable(theme), DuelsTable(theme)
        self._change = QLabel(wordWrap=True)
        self._change.setProperty("kind", "section")
        self.differences = DiffView(theme)
        self.differences.setAccessibleName("Differences from the earlier run's answer")
        self._origin = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._origin.setProperty("kind", "digest")
        self._origin.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reproduce = ReproduceBar(origins, theme)
        self.origin = WordButton("What made this", theme, kind="outline", icon_name="info")
        self.reproduce.add_button(self.origin)
        self.compare = WordButton("Open in Compare", theme, kind="outline", icon_name="columns")
        self.compare.setToolTip(
            "Put all prompts of this experiment into columns, and the question into the message field"
        )
        self.copy = IconButton("copy", "Copy the answer", theme, side_px=32)
        self.again = IconButton("refresh", "Ask for this answer again", theme, side_px=32)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(16, 10, 8, 10)
        head.setSpacing(6)
        head.addWidget(self._mark)
        head.addWidget(self._name, 1)
        for part in (self._where, self.up, self.down, self.close_button):
            head.addWidget(part)
        inside = QWidget()
        inside.setMinimumWidth(1)
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 4, 14, 14)
        column.setSpacing(14)
        self._parts = (self.question, self.instructions, self.answer, self._change, self.differences, self.reference)
        for shown in (*self._parts, self.checks, self.duels):
            column.addWidget(shown)
        column.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(inside)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.compare)
        buttons.addStretch(1)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.again)
        foot = QFrame()
        foot.setObjectName("strip")
        below = QVBoxLayout(foot)
        below.setContentsMargins(16, 10, 12, 12)
        below.setSpacing(8)
        below.addWidget(self._origin)
        below.addWidget(self.reproduce)
        below.addLayout(buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self._area, 1)
        whole.addWidget(foot)
        self.differences.setFixedHeight(self.fontMetrics().lineSpacing() * _DIFF_LINES)

    def _connect(self) -> None:
        self.up.clicked.connect(lambda: self.stepped.emit(-1))
        self.down.clicked.connect(lambda: self.stepped.emit(1))
        self.close_button.clicked.connect(self.left)
        self.origin.clicked.connect(self._ask_origin)
        self.duels.words.origin_asked.connect(self._ask_verdict)
        self.compare.clicked.connect(self._compare)
        self.copy.clicked.connect(self._copy)
        self.again.clicked.connect(self._again)
        for block in (self.question, self.instructions, self.answer, self.reference):
            block.link_activated.connect(self.link_activated)
        run = self._model.run
        run.cell_changed.connect(self._cell_changed)
        run.cell_grew.connect(self._cell_grew)
        run.judged.connect(self._judged)
        run.ballots.changed.connect(self._show_found)
        run.state_changed.connect(self._show_buttons)
        self._model.findings.changed.connect(self._found)
        self._origins.summed.connect(self._show_digest)

    @property
    def place(self) -> Place | None:
        """The cell that is shown."""
        return self._place

    def show_place(self, place: Place) -> None:
        """Show a cell."""
        self._place = place
        plan, theme = self._model.plan, self._theme
        contestant, question = plan.contestants[place.contestant], plan.questions[place.question]
        self._mark.setPixmap(mark_pixmap(place.contestant, theme))
        self._name.setText(contestant.name)
        self._name.setToolTip(contestant.system_prompt[:1000] or "No system prompt")
        seed = f", seed {plan.seeds[place.seed]}" if len(plan.seeds) > 1 else ""
        self._where.setText(f"question {place.question + 1} of {len(plan.questions)}{seed}")
        self.setAccessibleName(f"Answer of {contestant.name} to question {place.question + 1}")
        self.question.show_text(question.text, ", ".join(question.tags))
        self.instructions.show_text(question.system_prompt)
        self.instructions.setVisible(bool(question.system_prompt.strip()))
        self.reference.show_text(question.reference)
        self.reference.setVisible(bool(question.reference.strip()))
        self._area.verticalScrollBar().setValue(0)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the cell as it is now; what is only on the disk follows."""
        if self._place is None:
            return
        place = self._place
        self._show_cell(self._model.run.cell(place))
        self._experiments.read_cell(self._model.run, place, lambda cell: self._whole(place, cell))

    def _whole(self, place: Place, cell: Cell) -> None:
        # somebody may have gone on meanwhile, or asked for it again
        if place == self._place and cell.state is self._model.run.cell(place).state:
            self._cell = cell
            self._show_origin(cell.provenance)

    def _show_cell(self, cell: Cell) -> None:
        self._cell = cell
        words = {CellState.QUEUED: "Not asked yet.", CellState.FAILED: cell.error}.get(cell.state, cell.text)
        note = "writing…" if cell.state is CellState.RUNNING else ""
        self.answer.show_text(words, note, markdown=cell.state in (CellState.DONE, CellState.RUNNING))
        self._show_origin(cell.provenance)
        self._show_change(cell)
        self._show_found()
        self._show_buttons()

    def _show_origin(self, how: Provenance | None) -> None:
        self._origin.setVisible(how is not None)
        done = self._cell if self._cell is not None and self._cell.state is CellState.DONE else None
        run = self._model.run
        self.reproduce.show_origin(of_cell(run.run_id, run.plan, done) if done is not None else None)
        self._show_digest()
        if how is not None and done is not None:
            self.answer.show_note(figures(how))

    @Slot()
    def _show_digest(self) -> None:
        how = self._cell.provenance if self._cell is not None else None
        if how is not None:
            self._origin.setText("\n".join(in_brief(self._origins.whole(how))))

    def _show_change(self, cell: Cell) -> None:
        """The answer of the earlier run, where one is compared with and it was another."""
        change = self._model.change(cell.place)
        before = self._model.earlier_cell(cell.place)
        other = change not in (Change.NONE, Change.SAME) and before is not None
        self._change.setVisible(change is not Change.NONE)
        words = CHANGE_WORDS.get(change, "")
        self._change.setText(words[:1].upper() + words[1:])
        self.differences.setVisible(other)
        if other and before is not None:
            self.differences.show_pieces(word_diff(before.text, cell.text))

    @Slot()
    def _show_found(self) -> None:
        if self._place is None:
            return
        place, plan = self._place, self._model.plan
        done = self._model.run.cell(place).state is CellState.DONE
        checks = checks_of(plan, plan.questions[place.question]) if done else ()
        self.checks.show_findings(checks, self._model.findings.of(place))
        run, others = self._model.run, (one for one in range(len(plan.contestants)) if one != place.contestant)
        pairs = [pair for other in others for pair in ((place.contestant, other), (other, place.contestant))]
        found = (run.judgement(Duel(place.question, place.seed, first, second)) for first, second in pairs)
        about = [one for one in found if one is not None]
        self.duels.show_votes(plan, place, dict(self._model.duels.against(place)), about)

    @Slot()
    def _show_buttons(self) -> None:
        cell = self._cell
        ended = cell is not None and cell.state in (CellState.DONE, CellState.FAILED)
        self.copy.setEnabled(cell is not None and bool(cell.text))
        self.again.setEnabled(ended and not self._model.run.busy)

    # --- news -------------------------------------------------------------------------------------------------------

    @Slot(object)
    def _cell_changed(self, cell: Cell) -> None:
        if cell.place == self._place:
            self.refresh()

    @Slot(object)
    def _cell_grew(self, grown: Grown) -> None:
        if grown.place == self._place and self.isVisible():
            self.answer.add_markdown(grown.text)
            self._cell = self._model.run.cell(grown.place)

    @Slot(object)
    def _judged(self, judgement: Judgement) -> None:
        if self._place is not None and _is_about(judgement.duel, self._place):
            self._show_found()

    @Slot(tuple)
    def _found(self, places: tuple[Place, ...]) -> None:
        if self._place in places:
            self._show_found()

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def _ask_origin(self) -> None:
        if self._cell is not None and self._cell.provenance is not None:
            run = self._model.run
            self.origin_asked.emit(of_cell(run.run_id, run.plan, self._cell))

    @Slot(object)
    def _ask_verdict(self, duel: Duel) -> None:
        run = self._model.run
        self._experiments.read_judgement(
            run, duel, lambda said: self.origin_asked.emit(of_judgement(run.plan, said, run.cells()))
        )

    @Slot()
    def _compare(self) -> None:
        if self._place is None:
            return
        plan, question = self._model.plan, self._model.plan.questions[self._place.question]
        mine = plan.contestants[self._place.contestant]
        order = [mine, *(one for one in plan.contestants if one is not mine)][:8]
        values = {**plan.overrides, "seed": plan.seeds[self._place.seed]}
        self.compare_asked.emit(tuple(_column(plan, one, question) for one in order), question.text, values)

    @Slot()
    def _copy(self) -> None:
        if self._cell is not None:
            QGuiApplication.clipboard().setText(self._cell.text)

    @Slot()
    def _again(self) -> None:
        if self._place is not None and not self._model.run.busy:
            self._model.run.retry([self._place])
            self._model.run.start()

    def set_theme(self, theme: Theme) -> None:
        """Draw the mark in this theme's colours."""
        self._theme = theme
        if self._place is not None:
            self._mark.setPixmap(mark_pixmap(self._place.contestant, theme))


def figures(how: Provenance) -> str:
    """An answer's tokens, speed and time."""
    parts = [f"{how.completion_tokens:,} tokens"] if how.completion_tokens else []
    if how.tokens_per_s > 0:
        parts.append(f"{how.tokens_per_s:.1f} tok/s")
    if how.duration_ms > 0:
        parts.append(f"{how.duration_ms / 1000:.1f} s")
    return " · ".join(parts)


def _column(plan: Plan, contestant: Contestant, question: Question) -> Contestant:
    """A prompt as a column that answers this question alike, with the plan's values and the seed for all."""
    model_id = contestant.model_id or plan.model_id
    under = {key: value for key, value in plan.model_values.get(model_id, {}).items() if key not in plan.overrides}
    return replace(
        contestant,
        # what a run says is filled in: nothing in it is a variable any more
        system_prompt=escape(system_prompt_of(contestant, question)),
        model_id=model_id,
        overrides={**under, **contestant.overrides},
    )


def _is_about(duel: Duel, place: Place) -> bool:
    same = (duel.question, duel.seed) == (place.question, place.seed)
    return same and place.contestant in (duel.first, duel.second)
