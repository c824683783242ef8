"""System prompts side by side: one message, several columns that answer at the same time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.lab import Contestant
from app.services.compare_setup import MOST_COLUMNS
from app.services.comparison_text import as_markdown, cautions
from app.services.notice import Notice
from app.services.origin import of_exchange
from app.services.prompt_names import PromptNames
from app.ui.compare_bar import CompareBar
from app.ui.compare_column import CompareColumn
from app.ui.compare_values import CompareValues
from app.ui.composer import Composer
from app.ui.filled_copy import FilledCopy
from app.ui.lab_view import LabView
from app.ui.link_offer import link_offer
from app.ui.model_picker import ModelPicker
from app.ui.origin_dialog import open_origin
from app.ui.prompt_ways import kept_words
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import Prompt, PromptVersion
    from app.services.comparison import Comparison
    from app.services.library import Library
    from app.ui.model_services import ModelServices

_NARROW_PX = 880
_FIRST_NAMES = ("A", "B", "C", "D", "E", "F", "G", "H")


class CompareView(LabView):
    """The columns, and below the message for all of them."""

    def __init__(
        self, library: Library, services: ModelServices, theme: Theme, model_id: str, prompt: str,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """`model_id` and `prompt` are those of the chat that was on screen: where nothing is kept, they begin."""
        super().__init__(theme, parent)
        self._library, self._models, self._prompts = library, services.models, services.prompts
        self._names = PromptNames(services.prompts, self)
        self._copied = FilledCopy(library.origins, self)
        self.columns: list[CompareColumn] = []
        self._put = ""
        """The question that was put into the field from elsewhere, while it stands there as it was put."""
        first = (Contestant("A", prompt), Contestant("B", prompt))
        self.comparison: Comparison = library.comparison(model_id, first)
        self.picker = ModelPicker(services.models, theme)
        self.picker.show_model(model_id)
        self.corner = self.picker
        self.composer = Composer(theme)
        self.composer.set_placeholder("A message for all columns…")
        self.bar = CompareBar(theme)
        self.values = CompareValues(self.comparison, theme)
        self.values.hide()
        self._cautions = QLabel(wordWrap=True)
        self._cautions.setProperty("kind", "faint")
        self._row = QHBoxLayout()
        self._area = QScrollArea()
        self._lay_out()
        self._connect()
        self._rebuild()

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setLayout(self._row)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(10)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setAccessibleName("Columns")
        self._area.setWidget(inside)
        below = QVBoxLayout()
        below.setContentsMargins(20, 12, 20, 14)
        below.setSpacing(10)
        below.addWidget(self.composer)
        below.addWidget(self.bar)
        below.addWidget(self._cautions)
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(10)
        side_by_side.addWidget(self._area, 1)
        side_by_side.addWidget(self.values)
        below.addLayout(side_by_side, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.notices)
        whole.addLayout(below, 1)

    def _connect(self) -> None:
        comparison = self.comparison
        comparison.columns_changed.connect(self._rebuild)
        comparison.column_changed.connect(self._column_changed)
        comparison.text_added.connect(self._text_added)
        comparison.busy_changed.connect(self._busy_changed)
        comparison.progress_changed.connect(self.composer.set_note)
        comparison.notice.connect(self.notices.show_notice)
        comparison.restored.connect(self._restored)
        self._library.kept.connect(self.chat_opened)
        self._prompts.changed.connect(self._rebuild)
        self._prompts.notice.connect(self.notices.show_notice)
        self._models.state_changed.connect(self._show_facts)
        self.composer.submitted.connect(self._ask)
        self.composer.stop_asked.connect(self._leave)
        self.composer.last_asked.connect(self._take_last)
        self.composer.draft_changed.connect(comparison.set_draft)
        self.composer.too_long.connect(self._too_long)
        self.bar.again.clicked.connect(self._ask_again)
        self.bar.anew.clicked.connect(comparison.begin_anew)
        self.bar.copy.clicked.connect(self.copy_all)
        self.bar.test.clicked.connect(self._test)
        self.bar.add.clicked.connect(self._add)
        self.bar.values.toggled.connect(self.values.setVisible)
        self.bar.baseline_chosen.connect(self._show_differences)
        self.values.left.connect(lambda: self.bar.values.setChecked(False))
        self._area.horizontalScrollBar().rangeChanged.connect(self._keep_in_view)
        self.picker.model_chosen.connect(self._choose_model)
        self.picker.open_asked.connect(self.open_asked)

    # --- showing ----------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Somebody comes here: take the keyboard."""
        self._prompts.refresh()
        self.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_contestants(
        self, contestants: tuple[Contestant, ...], question: str = "", overrides: Mapping[str, Any] | None = None
    ) -> None:
        """Show these side by side instead of what is there, with nothing said yet; not while columns answer.

        question: put where it can be sent, unless something is being written there.
        overrides: sampler values for all columns instead of those there are; None keeps these.
        """
        self.flush()
        replaced = self.comparison.replace(contestants, overrides)
        for version in dict.fromkeys(one.version for one in contestants if replaced and one.version):
            self._prompts.find_version(version, self.comparison.tell_apart)
        if not replaced:
            self.notices.show_notice(Notice("The columns are answering", "Stop them, or wait until they are done."))
        elif question and self.composer.text().strip() not in ("", question.strip(), self._put.strip()):
            QGuiApplication.clipboard().setText(question)
            self.notices.show_notice(
                Notice("The question is in the clipboard", "You were writing something else here.")
            )
        elif question:
            self._put = question
            self._write(question)

    @Slot()
    def _restored(self) -> None:
        """All is there again as it was left."""
        self.picker.show_model(self.comparison.model_id)
        if not self.composer.text():
            self.composer.set_text(self.comparison.draft)

    def _write(self, text: str) -> None:
        """Put a text into the field instead of what is there."""
        self.composer.set_text(text)
        self.comparison.set_draft(text)

    @Slot()
    def _rebuild(self) -> None:
        """There are other columns, or other prompts in them."""
        columns = self.comparison.columns()
        while len(self.columns) > len(columns):
            gone = self.columns.pop()
            self._row.removeWidget(gone)
            gone.deleteLater()
        while len(self.columns) < len(columns):
            self.columns.append(self._make_column(len(self.columns)))
        for shown, column in zip(self.columns, columns, strict=True):
            shown.show_column(column, busy=self.comparison.busy)
        for at, shown in enumerate(self.columns):
            shown.show_unresolved(self.comparison.prompt(at).unresolved)
        self.bar.show_names([column.contestant.name for column in columns])
        self._show_differences()
        self._show_buttons()

    def _make_column(self, at: int) -> CompareColumn:
        made = CompareColumn(self._models, self._prompts, self._names, self._theme)
        self._names.changed.connect(made.show_origin)
        made.saved.connect(lambda prompt, version, made_from: self._saved(at, prompt, version, made_from))
        comparison = self.comparison
        made.changed.connect(lambda contestant: comparison.change(at, contestant))
        made.stop_asked.connect(lambda: comparison.stop(at))
        made.again_asked.connect(lambda: self._flushed(lambda: comparison.again(at)))
        made.keep_asked.connect(lambda: self._keep(at))
        made.copy_asked.connect(lambda: self._copy(at))
        made.double_asked.connect(lambda: self._double(at))
        made.remove_asked.connect(lambda: self._flushed(lambda: comparison.remove(at)))
        made.origin_asked.connect(lambda place: self._show_origin(at, place))
        made.question_edited.connect(lambda place, text: self._flushed(lambda: comparison.ask_instead(place, text)))
        made.link_activated.connect(lambda address: self.notices.show_notice(link_offer(address)))
        made.too_long.connect(self._too_long)
        self._row.addWidget(made, 1)
        return made

    @Slot(int)
    def _column_changed(self, at: int) -> None:
        self.columns[at].finish(self.comparison.columns()[at], busy=self.comparison.busy)
        self._show_facts()

    @Slot(int, str)
    def _text_added(self, at: int, text: str) -> None:
        self.columns[at].add_text(text)

    @Slot(bool)
    def _busy_changed(self, busy: bool) -> None:
        self.composer.set_busy(busy)
        for shown, column in zip(self.columns, self.comparison.columns(), strict=True):
            shown.show_column(column, busy=busy)
        self._show_differences()
        self._show_buttons()

    def _show_buttons(self) -> None:
        columns, busy = self.comparison.columns(), self.comparison.busy
        asked = any(column.exchanges for column in columns)
        self.bar.again.setEnabled(asked and not busy)
        self.bar.anew.setEnabled(asked and not busy)
        self.bar.copy.setEnabled(asked)
        self.bar.add.setEnabled(not busy and len(columns) < MOST_COLUMNS)
        self.picker.setEnabled(not busy)
        self._show_facts()

    @Slot()
    def _show_facts(self) -> None:
        """How the columns are answered: what was read once; and what is not quite as it would be alone."""
        parts = []
        if self.comparison.shared_tokens and not self.comparison.busy:
            parts.append(f"{self.comparison.shared_tokens:,} tokens read once for all")
            parts.append(f"{self.comparison.saved_tokens:,} saved")
        self.bar.show_facts(parts)
        words = cautions(self.comparison)
        if words != self._cautions.text():
            self._cautions.setText(words)
        self._cautions.setVisible(bool(words))

    @Slot()
    def _show_differences(self) -> None:
        columns, baseline = self.comparison.columns(), self.bar.baseline
        base = columns[baseline - 1] if baseline and not self.comparison.busy else None
        for at, shown in enumerate(self.columns):
            shown.mark_differences(base if base is not None and at != baseline - 1 else None)

    # --- what the person does ---------------------------------------------------------------------------------------

    def _flushed(self, then: Callable[[], object]) -> None:
        """Do something with the prompts and values as they stand in the fields."""
        self._hand_over()
        then()

    def _hand_over(self) -> None:
        self.values.flush()
        for shown in self.columns:
            shown.flush()

    @Slot(str)
    def _ask(self, text: str) -> None:
        self._flushed(lambda: self.composer.clear() if self.comparison.ask(text) else None)

    @Slot()
    def _ask_again(self) -> None:
        self._flushed(self.comparison.again_all)

    @Slot()
    def _take_last(self) -> None:
        """Up in an empty field: the last message comes back into it."""
        asked = [column.exchanges[-1].question for column in self.comparison.columns() if column.exchanges]
        if asked:
            self._write(asked[0])

    @Slot()
    def _add(self) -> None:
        columns = self.comparison.columns()
        if columns:
            self._double(len(columns) - 1)
        else:
            self._put_at_right(Contestant(self._free_name(), ""))

    def _double(self, at: int) -> None:
        self._hand_over()
        column = self.comparison.columns()[at]
        self._put_at_right(dataclasses.replace(column.contestant, name=self._free_name()), column.made_from)

    def _put_at_right(self, contestant: Contestant, made_from: str = "") -> None:
        if self.comparison.add(contestant, made_from):
            self.columns[-1].prompt.setFocus(Qt.FocusReason.OtherFocusReason)
            self.columns[-1].prompt.moveCursor(QTextCursor.MoveOperation.End)

    @Slot()
    def _keep_in_view(self) -> None:
        """There is more or less to scroll: a new column has its place only now, and the keyboard is in it."""
        held = next((shown for shown in self.columns if shown.isAncestorOf(self.focusWidget())), None)
        if held is not None:
            self._area.ensureWidgetVisible(held)

    def _free_name(self) -> str:
        taken = {column.contestant.name for column in self.comparison.columns()}
        return next((name for name in _FIRST_NAMES if name not in taken), "Another")

    def _show_origin(self, at: int, place: int) -> None:
        origin = of_exchange(self.comparison.columns()[at], place)
        open_origin(self, self._library.origins, origin, self._theme)

    def _keep(self, at: int) -> None:
        chat, exchanges = self.comparison.as_chat(at)
        if exchanges:
            self._library.keep_conversation(chat, exchanges)

    def _saved(self, at: int, prompt: Prompt, version: PromptVersion, made_from: str) -> None:
        self.comparison.mark_saved(at, made_from, version)
        self.notices.show_notice(Notice(kept_words(prompt)))

    def _copy(self, at: int) -> None:
        column = self.comparison.columns()[at]
        self._copied.copy(lambda: as_markdown([column], self._library.origins.whole, self._names.named))
        self.notices.show_notice(Notice(f"“{column.contestant.name}” was copied as Markdown"))

    @Slot()
    def copy_all(self) -> None:
        """Put all columns into the clipboard."""
        columns = self.comparison.columns()
        self._copied.copy(lambda: as_markdown(columns, self._library.origins.whole, self._names.named))
        self.notices.show_notice(Notice("All columns were copied as Markdown"))

    @Slot()
    def _test(self) -> None:
        """The prompts as they stand, with their values, begin a new experiment."""
        self.flush()
        self.experiment_asked.emit(self.comparison.contestants(self._library.last_model_id))

    @Slot(str)
    def _choose_model(self, model_id: str) -> None:
        self.comparison.set_model(model_id)
        self.picker.show_model(self.comparison.model_id)
        self._models.prepare(self.comparison.model_id)

    @Slot(int)
    def _too_long(self, characters: int) -> None:
        detail = "Nothing you wrote was changed. Paste a shorter piece of it."
        self.notices.show_notice(
            Notice(f"That text is too long to paste: {characters:,} characters", detail, level="warning")
        )

    # --- the part itself --------------------------------------------------------------------------------------------

    def escape(self) -> bool:
        """Stop all answers, else put a notice away."""
        if self.comparison.busy:
            self.comparison.stop_all()
            return True
        return super().escape()

    @Slot()
    def _leave(self) -> None:
        if not self.escape():
            self.left.emit()

    def flush(self) -> None:
        """Hand over what is typed; before the program ends."""
        self.composer.flush_draft()
        self._hand_over()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, buttons are their icons alone."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        self.bar.set_narrow(narrow)
        self.picker.set_narrow(narrow)

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 380))
        return hint
