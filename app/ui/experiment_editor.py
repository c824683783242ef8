"""A new experiment, or a draft: prompts, questions, values, checks and a judge, until it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.core import prompt_variables
from app.core.checks import name_of
from app.core.errors import AppError
from app.core.lab import Plan
from app.core.plan_table import plan_of, table_of
from app.scoring.look import prove
from app.scoring.measures import prove_thresholds
from app.services.notice import Notice
from app.ui.buttons import IconButton, WordButton
from app.ui.checks_editor import ChecksEditor
from app.ui.editor_judge import EditorJudge
from app.ui.editor_prompts import EditorPrompts
from app.ui.editor_questions import EditorQuestions
from app.ui.editor_values import EditorValues
from app.ui.model_box import ModelBox
from app.ui.model_facts import ElidedLabel
from app.ui.row_layout import page_margin
from app.ui.shrinking import Shrinking
from app.ui.theme import Theme
from app.ui.thresholds_editor import ThresholdsEditor
from app.ui.variables_form import VariablesForm

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices

_SETTLE_MS = 500
_NARROW_PX = 720
EMPTY = Plan("", "", (), ())


class ExperimentEditor(QWidget):
    """Puts a plan together.

    Signals: `left()`: back to the list; `start_asked(Plan)`; `keep_asked(Plan)`: keep it in the list, to be started
    later; `file_asked(Plan)`: write it to a file; `told(Notice)`; `settled(Plan)`: nothing was typed for a moment.
    """

    left = Signal()
    start_asked = Signal(object)
    keep_asked = Signal(object)
    file_asked = Signal(object)
    told = Signal(object)
    settled = Signal(object)

    def __init__(self, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._theme = services, theme
        self._plan = EMPTY
        self._values: Mapping[str, str] = {}
        self._filling = False
        self.back = IconButton("chevron-left", "Back to the list of experiments", theme, keys="Esc", side_px=34)
        self.name = QLineEdit()
        self.name.setProperty("kind", "title")
        self.name.setPlaceholderText("Name of the experiment")
        self.name.setAccessibleName("Name of the experiment")
        self.name.setMaxLength(200)
        self.name.setAcceptDrops(False)
        self.model = ModelBox("Model", services.models)
        self.prompts = EditorPrompts(services.models, services.prompts, theme)
        self.variables = VariablesForm()
        self.questions = EditorQuestions(services.experiments.question_sets, theme)
        self.values = EditorValues(services.preferences, theme)
        self.checks = ChecksEditor(theme)
        self.judge = EditorJudge(services.models, theme)
        self.thresholds = ThresholdsEditor(theme)
        self.start = WordButton("Start", theme, kind="filled", icon_name="play")
        self.keep = WordButton("Keep for later", theme, kind="outline")
        self.file = WordButton("Save as a plan file…", theme, kind="outline", icon_name="export")
        self.file.setToolTip("For “lab run” on the command line, or another computer")
        self.clear = WordButton("Clear all", theme, kind="outline", icon_name="reset")
        self._size = ElidedLabel("")
        self._size.setProperty("kind", "muted")
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        header = QFrame(self)
        header.setObjectName("header")
        head = QHBoxLayout(header)
        head.setContentsMargins(12, 6, 16, 6)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(self.name, 1)
        answered = QLabel("Answered by")
        answered.setProperty("kind", "muted")
        head.addWidget(answered)
        head.addWidget(self.model)
        self._area = QScrollArea(self)
        inside = QWidget(self._area.viewport())
        inside.setMinimumWidth(1)
        self._page = QVBoxLayout(inside)
        self._page.setSpacing(14)
        for title, note, parts in (
            ("Prompts", "Each is a column of the grid.", (self.prompts, self.variables)),
            ("Questions", "Each is a line of the grid. Every prompt answers all of them.", (self.questions,)),
            ("Checks", "Looked for in every answer, by rules.", (self.checks,)),
            ("Judge", "", (self.judge,)),
            ("Thresholds", "What a prompt has to reach. The run says which were missed.", (self.thresholds,)),
            ("Seeds and values", "", (self.values,)),
        ):
            self._page.addWidget(_card(title, note, parts, inside))
        self._page.addStretch(1)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(inside)
        foot = QFrame(self)
        foot.setObjectName("strip")
        row = QHBoxLayout(foot)
        row.setContentsMargins(20, 10, 20, 10)
        row.setSpacing(8)
        row.addWidget(self._size, 1)
        for button in (self.clear, self.file, self.keep, self.start):
            row.addWidget(button)
        self._answered, self._shrinking = answered, Shrinking(self.clear, self.file)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self._area, 1)
        column.addWidget(foot)

    def _connect(self) -> None:
        self.back.clicked.connect(self.left)
        for changed in (
            self.name.textEdited,
            self.prompts.changed,
            self.questions.changed,
            self.checks.changed,
            self.judge.changed,
            self.thresholds.changed,
            self.values.changed,
        ):
            changed.connect(self._edited)
        self.model.model_chosen.connect(self._model_chosen)
        self.values.prompt_changed.connect(self.prompts.set_overrides)
        self.variables.changed.connect(self._set_variable)
        self.start.clicked.connect(self._start)
        self.keep.clicked.connect(self._keep)
        self.file.clicked.connect(self._save)
        self.clear.clicked.connect(self._clear)
        for field in (self.prompts.too_long, self.questions.too_long, self.judge.too_long):
            field.connect(self._too_long)

    # --- the plan ---------------------------------------------------------------------------------------------------

    def show_plan(self, plan: Plan) -> None:
        """Put a plan into the form; it may be unfinished."""
        self._filling = True
        self._plan, self._values = plan, dict(plan.variables)
        self.name.setText(plan.name)
        self.name.setCursorPosition(0)
        self.model.show_model(plan.model_id or self._services.models.default_id)
        self.prompts.show_contestants(plan.contestants)
        self.questions.show_questions(plan.questions)
        self.checks.show_checks(plan.checks)
        self.judge.show_judge(plan.judge)
        self.thresholds.show_thresholds(plan.thresholds)
        self.values.show_values(self.model.model_id(), plan.seeds, plan.overrides)
        self._filling = False
        self._area.verticalScrollBar().setValue(0)
        self._show_state()

    def plan(self) -> Plan:
        """The plan as it stands in the form; it may be unfinished."""
        return replace(
            self._plan,
            name=" ".join(self.name.text().split()) or "Experiment",
            model_id=self.model.model_id(),
            contestants=self.prompts.contestants(),
            questions=self.questions.questions(),
            seeds=self.values.seeds() or (1,),
            overrides=self.values.overrides(),
            checks=self.checks.checks(),
            judge=self.judge.judge(),
            thresholds=self.thresholds.thresholds(),
            variables=self._values,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing worth keeping was put in."""
        return not (self.prompts.contestants() or self.questions.questions())

    @Slot()
    def flush(self) -> None:
        """Hand over what was typed now."""
        if self._settle.isActive():
            self._settle.stop()
        self.settled.emit(self.plan())

    @Slot()
    def _edited(self) -> None:
        if not self._filling:
            self._show_state()
            self._settle.start()

    @Slot()
    def _model_chosen(self) -> None:
        self.values.show_values(self.model.model_id(), self.values.seeds() or (1,), self.values.overrides())
        self._edited()

    @Slot(str, object)
    def _set_variable(self, name: str, value: str | None) -> None:
        left = {known: text for known, text in self._values.items() if known != name}
        self._values = left if value is None else {**left, name: value}
        self._edited()

    def _show_state(self) -> None:
        """How large it is, and which variables want a value."""
        self.values.show_prompts(self.prompts.contestants())
        prompts, questions = self.prompts.contestants(), len(self.questions.list.rows.questions)
        seeds = len(self.values.seeds() or (1,))
        answers = len(prompts) * questions * seeds
        words = f"{_many(len(prompts), 'prompt')} × {_many(questions, 'question')}"
        words += f" × {seeds} seeds" if seeds > 1 else ""
        words += f" = {_many(answers, 'answer')}"
        if self.judge.is_on and len(prompts) > 1:
            words += f", {_many(answers * (len(prompts) - 1), 'judgement')}"
        self._size.setText(words)
        self._size.setToolTip(words)
        ids = (one.model_id or self.model.model_id() for one in prompts)
        self.values.show_caution(self._services.models.caution(ids))
        asked = dict.fromkeys(name_of(check) for one in self.questions.list.rows.questions for check in one.checks)
        names = (*asked, *map(name_of, self.checks.checks()))
        self.thresholds.show_known((one.name for one in prompts), names)
        self.clear.setEnabled(not self.is_empty)
        texts = "\n".join(one.system_prompt for one in prompts)
        wanted = [one for one in prompt_variables.variables(texts) if not one.is_built_in] if "{{" in texts else []
        self.variables.show_variables(wanted, self._values)
        known = {*self._values, *prompt_variables.BUILT_IN}
        self.prompts.show_unresolved([one.name for one in wanted if one.default is None and one.name not in known])

    # --- what the person does ---------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Take the keyboard."""
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _start(self) -> None:
        plan = self._whole_plan()
        filled = self._filled(plan) if plan is not None else None
        if filled is not None:
            self._settle.stop()
            self.start_asked.emit(filled)

    @Slot()
    def _keep(self) -> None:
        self._settle.stop()
        self.keep_asked.emit(self.plan())

    @Slot()
    def _save(self) -> None:
        plan = self._whole_plan()
        if plan is not None:
            self.file_asked.emit(plan)

    @Slot()
    def _clear(self) -> None:
        """Begin anew; what was there can be had back."""
        before = self.plan()

        def undo() -> None:
            self.show_plan(before)
            self.flush()

        self.show_plan(replace(EMPTY, model_id=before.model_id, seeds=(1,)))
        self.flush()
        self.told.emit(Notice("The form is empty", actions=(("Undo", undo),)))

    def _whole_plan(self) -> Plan | None:
        """The plan, if it can be run; else what is missing is told, and the keyboard goes there."""
        plan = self.plan()
        if not plan.contestants:
            self._refuse("There is no prompt yet", "Take one from the library, or write one.", self.prompts.library)
        elif not plan.questions:
            self._refuse("There is no question yet", "Write or paste some, or read a file.", self.questions.paste)
        elif self.values.seeds() is None:
            self._refuse(
                "The seeds are no numbers", "Whole numbers with commas between them: 1, 2, 3.", self.values.field
            )
        elif (gone := self._missing_models(plan)) is not None:
            self._refuse("A model is not on this computer", f"{gone} Choose another one.", self.model)
        else:
            try:
                checked = plan_of(table_of(plan))
                prove(checked)
                prove_thresholds(checked, rated=True)
            except AppError as error:
                self.told.emit(Notice(error.title, error.detail, error.hint, "warning"))
            else:
                return checked
        return None

    def _missing_models(self, plan: Plan) -> str | None:
        """A sentence about models that are not there; None where all are."""
        here = {"", *(entry.id for entry in self._services.models.entries())}
        judge = [("The judge", plan.judge.model_id)] if plan.judge is not None else []
        asked = [("The experiment", plan.model_id), *judge]
        asked += [(f"“{one.name}”", one.model_id) for one in plan.contestants]
        for who, model_id in asked:
            if model_id not in here:
                return f"{who} wants {self._services.models.entry(model_id).name}."
        return None

    def _filled(self, plan: Plan) -> Plan | None:
        """The plan with values in the places of variables; None, and told, where one has none."""
        self.variables.flush()
        now = datetime.now(tz=UTC).astimezone()
        found = []
        for one in plan.contestants:
            name = self._services.models.entry(one.model_id or plan.model_id).name
            known = {**self._values, **prompt_variables.built_in(now, name)}
            resolved = prompt_variables.resolve(one.system_prompt, known)
            if resolved.unresolved:
                names = ", ".join(f"{{{{{each}}}}}" for each in resolved.unresolved)
                hint = "Give it one below the prompts, or write a default into the prompt: {{name=default}}."
                self.told.emit(Notice(f"{names} has no value", f"It stands in “{one.name}”.", hint, "warning"))
                self.variables.take_keyboard()
                return None
            found.append(replace(one, system_prompt=resolved.text))
        return replace(plan, contestants=tuple(found), variables={})

    def _refuse(self, title: str, detail: str, where: QWidget) -> None:
        self.told.emit(Notice(title, detail, level="warning"))
        where.setFocus(Qt.FocusReason.OtherFocusReason)
        self._area.ensureWidgetVisible(where)

    @Slot(int)
    def _too_long(self, characters: int) -> None:
        detail = "Nothing you wrote was changed. Paste a shorter piece of it, or read it from a file."
        self.told.emit(Notice(f"That text is too long to paste: {characters:,} characters", detail, level="warning"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wide windows have wide margins."""
        super().resizeEvent(event)
        margin = max(20, page_margin(self._area.viewport().width()), (self._area.viewport().width() - 1040) // 2)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        if narrow:
            margin = 8
        self._page.setContentsMargins(margin, 16, margin, 20)
        self._answered.setVisible(not narrow)
        self._shrinking.set_narrow(narrow)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        return QSize(320, 240)


def _card(title: str, note: str, parts: tuple[QWidget, ...], parent: QWidget) -> QFrame:
    card = QFrame(parent)
    card.setObjectName("card")
    heading = QLabel(title)
    heading.setProperty("kind", "title")
    row = QHBoxLayout()
    row.setSpacing(10)
    row.addWidget(heading)
    if note:
        words = QLabel(note)
        words.setProperty("kind", "faint")
        row.addWidget(words, 1)
    else:
        row.addStretch(1)
    column = QVBoxLayout(card)
    column.setContentsMargins(18, 14, 18, 16)
    column.setSpacing(10)
    column.addLayout(row)
    for part in parts:
        column.addWidget(part)
    return card


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
