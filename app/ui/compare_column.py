"""One column of a comparison: its system prompt, what it answered, and what can be done with that."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.chat import MessageState
from app.core.word_diff import DiffPiece, word_diff
from app.ui.buttons import IconButton, WordButton
from app.ui.column_menu import ColumnMenu
from app.ui.compare_rows import figures, made_by, questions, rows_of
from app.ui.diff_view import DiffView, words_changed
from app.ui.icons import icon
from app.ui.model_facts import ElidedLabel
from app.ui.prompt_field import PromptField
from app.ui.theme import Theme
from app.ui.transcript import Transcript

if TYPE_CHECKING:
    from app.core.lab import Contestant
    from app.core.prompts import Prompt, PromptVersion
    from app.services.compare_columns import Column
    from app.services.model_manager import ModelManager
    from app.services.prompt_library import PromptLibrary
    from app.services.prompt_names import PromptNames

_SETTLE_MS = 400
_PROMPT_LINES = 6
NARROWEST_PX = 250
_LOWEST_PX = 380
_STATES = {
    MessageState.DONE: ("Done", "good"),
    MessageState.STOPPED: ("Stopped", "muted"),
    MessageState.FAILED: ("Failed", "bad"),
    MessageState.INTERRUPTED: ("Interrupted", "warn"),
    MessageState.STREAMING: ("Writing…", "muted"),
}


class CompareColumn(QFrame):
    """Shows one column.

    Signals: `changed(Contestant)` with another name, prompt or model; `stop_asked()`, `again_asked()`, `keep_asked()`,
    `copy_asked()`, `double_asked()`, `remove_asked()`; `question_edited(int, str)` with the question's place and new
    text; `origin_asked(int)`: what made the answer to the question there; `link_activated(str)`;
    `saved(Prompt, PromptVersion, str)`: the prompt, made from the version of this hash, is kept; `too_long(int)` for a
    paste that was not taken.
    """

    changed = Signal(object)
    stop_asked = Signal()
    again_asked = Signal()
    keep_asked = Signal()
    copy_asked = Signal()
    double_asked = Signal()
    remove_asked = Signal()
    question_edited = Signal(int, str)
    origin_asked = Signal(int)
    link_activated = Signal(str)
    saved = Signal(object, object, str)
    too_long = Signal(int)

    def __init__(
        self,
        models: ModelManager,
        prompts: PromptLibrary,
        names: PromptNames,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self._models, self._prompts, self._names, self._theme = models, prompts, names, theme
        self._column: Column | None = None
        self._busy = False
        self.name = QLineEdit()
        self.name.setProperty("kind", "title")
        self.name.setPlaceholderText("Name of the prompt")
        self.name.setAccessibleName("Name of the prompt")
        self.name.editingFinished.connect(self.flush)
        self._model = ElidedLabel("")
        self._model.setProperty("kind", "faint")
        self.more = QToolButton()
        self.more.setIconSize(QSize(18, 18))
        self.more.setFixedSize(30, 30)
        self.more.setAccessibleName("More for this column")
        self.more.setToolTip("More for this column")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = ColumnMenu(models, prompts, theme, self)
        self.more.setMenu(self.menu)
        self._connect_menu()
        self.prompt = PromptField(theme)
        self.prompt.textChanged.connect(self._typed)
        self.prompt.left.connect(self.flush)
        self.prompt.too_long.connect(self.too_long)
        self.transcript = Transcript(theme)
        self.transcript.edit_requested.connect(self._question_edited)
        self.transcript.regenerate_requested.connect(self.again_asked)
        self.transcript.origin_requested.connect(self._ask_origin)
        self.transcript.link_activated.connect(self.link_activated)
        self.transcript.too_long.connect(self.too_long)
        self.differences = DiffView(theme)
        self._said = QStackedWidget()
        self._said.addWidget(self.transcript)
        self._said.addWidget(self.differences)
        self._changes = QLabel()
        self._changes.setProperty("kind", "faint")
        self._changes.hide()
        self._state = QLabel()
        self._figures = ElidedLabel("")
        self._figures.setProperty("kind", "faint")
        self.keep = WordButton("Keep as chat", theme, kind="outline", icon_name="plus")
        self.keep.setToolTip("Make a chat of this column, to go on with it alone")
        self.keep.clicked.connect(self.keep_asked)
        self.copy = IconButton("copy", "Copy this column as Markdown", theme)
        self.copy.clicked.connect(self.copy_asked)
        self.go = IconButton("refresh", "Answer the last question again", theme)
        self.go.clicked.connect(self._go)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._lay_out()
        self.set_theme(theme)

    def _connect_menu(self) -> None:
        self.menu.prompt_taken.connect(self._take_prompt)
        self.menu.save_asked.connect(self.save)
        self.menu.double_asked.connect(self.double_asked)
        self.menu.model_chosen.connect(self._choose_model)
        self.menu.remove_asked.connect(self.remove_asked)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.name, 1)
        head.addWidget(self.more)
        state = QHBoxLayout()
        state.setSpacing(10)
        state.addWidget(self._state)
        state.addWidget(self._figures, 1)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self.keep)
        foot.addStretch(1)
        foot.addWidget(self.copy)
        foot.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._model)
        column.addWidget(self.prompt)
        column.addWidget(self._changes)
        column.addWidget(self._said, 1)
        column.addLayout(state)
        column.addLayout(foot)

    # --- showing ----------------------------------------------------------------------------------------------------

    def show_column(self, column: Column, *, busy: bool) -> None:
        """Show a column as it is now; what is being typed is not overwritten."""
        before, self._column, self._busy = self._column, column, busy
        contestant = column.contestant
        if not (self.name.hasFocus() and self.name.isModified()) or before is None:
            self.name.setText(contestant.name)
            self.name.setCursorPosition(0)  # of a long name the beginning is seen
        if not self._settle.isActive() and self.prompt.toPlainText() != contestant.system_prompt:
            self.prompt.blockSignals(True)
            self.prompt.setPlainText(contestant.system_prompt)
            self.prompt.blockSignals(False)
        self.menu.show_model(contestant.model_id)
        self.show_origin()
        for field in (self.name, self.prompt):
            field.setReadOnly(busy)
        self.more.setEnabled(not busy)
        self.setAccessibleName(f"Column {contestant.name}")
        self._show_exchanges(before, column)
        self._show_end(column)

    def show_unresolved(self, names: tuple[str, ...]) -> None:
        """Say which variables of the prompt have no value."""
        self.prompt.show_unresolved(names)

    @Slot()
    def show_origin(self) -> None:
        """Who answers, if it is another model; and which saved prompt this is, or was made from."""
        if self._column is None:
            return
        contestant, parts = self._column.contestant, []
        if contestant.model_id:
            parts.append(f"Answered by {self._models.entry(contestant.model_id).name}")
        words = self._names.words(self._column.made_from) if self._column.made_from else ""
        if contestant.version:
            parts.append(words)
        elif self._column.made_from:
            parts.append(f"Edited since {words}" if words else "Edited since it was saved")
        self._model.setText(" · ".join(part for part in parts if part))
        self._model.setToolTip(self._model.text())
        self._model.setVisible(bool(parts))

    def _show_exchanges(self, before: Column | None, column: Column) -> None:
        old = rows_of(before) if before is not None else []
        rows = rows_of(column)
        if [row.id for row in old] == [row.id for row in rows] and questions(old) == questions(rows):
            for row in rows:
                self.transcript.update_row(row.id, row)
        else:
            self.transcript.set_rows(rows)

    def add_text(self, text: str) -> None:
        """The newest answer has grown by this."""
        assert self._column is not None
        self.transcript.append_text(2 * len(self._column.exchanges), text)
        self._state.setText("Writing…")

    def finish(self, column: Column, *, busy: bool) -> None:
        """The newest answer has another state."""
        if column.growing or not column.exchanges:
            self.show_column(column, busy=busy)
            return
        self._column, self._busy = column, busy
        row = rows_of(column)[-1]
        self.transcript.finish(row.id, row)
        self._show_end(column)

    def mark_differences(self, base: Column | None) -> None:
        """Show what is other in the newest answer than in that of `base`; None shows the conversation."""
        pieces: tuple[DiffPiece, ...] = ()
        if base is not None and base.exchanges and self._column is not None and self._column.exchanges:
            pieces = word_diff(base.exchanges[-1].text, self._column.exchanges[-1].text)
        self._said.setCurrentWidget(self.differences if pieces else self.transcript)
        self._changes.setVisible(bool(pieces))
        if base is not None and pieces:
            added, removed = words_changed(pieces)
            self._changes.setText(f"+{added} −{removed} words against {base.contestant.name}")
            self.differences.show_pieces(pieces)

    def _show_end(self, column: Column) -> None:
        last = column.exchanges[-1] if column.exchanges else None
        words, kind = _STATES[last.state] if last is not None else ("", "muted")
        done, total = column.reading
        if last is not None and last.state is MessageState.STREAMING and not last.text:
            words = f"Reading {done:,} of {total:,}" if done < total else "Waits" if column.waits_for else "Waiting…"
        self._state.setText(words)
        if self._state.property("kind") != kind:
            self._state.setProperty("kind", kind)
            self._state.style().unpolish(self._state)
            self._state.style().polish(self._state)
        waits = f"for {column.waits_for}" if words == "Waits" else ""
        self._figures.setText(waits or figures(last))
        self._figures.setToolTip(waits or made_by(last))
        self.keep.setEnabled(last is not None and last.state is not MessageState.STREAMING)
        self.copy.setEnabled(last is not None)
        growing = column.growing
        self.go.setEnabled(growing or (last is not None and not self._busy))
        self.go.set_icon("stop" if growing else "refresh", self._theme)
        self.go.set_words("Stop this column" if growing else "Answer the last question again")

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def flush(self) -> None:
        """Tell of a change now: before a message is sent."""
        self._settle.stop()
        self.name.setModified(False)
        if self._column is None or self._busy:
            return
        old = self._column.contestant
        new = dataclasses.replace(
            old, name=self.name.text().strip() or old.name, system_prompt=self.prompt.toPlainText()
        )
        if new.system_prompt != old.system_prompt:
            new = dataclasses.replace(new, version="")
        if new != old:
            self.changed.emit(new)

    @Slot()
    def _typed(self) -> None:
        self._settle.start()

    @Slot()
    def _go(self) -> None:
        if self._column is not None and self._column.growing:
            self.stop_asked.emit()
        else:
            self.again_asked.emit()

    @Slot(int, str)
    def _question_edited(self, row_id: int, text: str) -> None:
        was_busy = self._busy
        self.question_edited.emit((row_id - 1) // 2, text)
        if was_busy or not self._busy:
            why = "Not sent: answers are still being written" if was_busy else "Not sent"
            self.transcript.keep_edit(row_id, why)

    @Slot(int)
    def _ask_origin(self, row_id: int) -> None:
        self.origin_asked.emit((row_id - 1) // 2)

    @Slot(object)
    def _take_prompt(self, taken: Contestant) -> None:
        self.flush()
        if self._column is not None:
            self._settle.stop()
            self.prompt.setPlainText(taken.system_prompt)
            self._settle.stop()
            new = dataclasses.replace(
                self._column.contestant, name=taken.name, system_prompt=taken.system_prompt, version=taken.version
            )
            self.changed.emit(new)

    @Slot()
    def save(self) -> None:
        """Keep the prompt: as a new version of the one it was made from, else as a prompt of its own."""
        self.flush()
        if self._column is None or self._column.contestant.version:
            return
        contestant, made_from = self._column.contestant, self._column.made_from

        def kept(prompt: Prompt, version: PromptVersion) -> None:
            self.saved.emit(prompt, version, made_from)

        self._prompts.keep_wording(contestant.system_prompt, made_from, kept, name=contestant.name)

    @Slot(str)
    def _choose_model(self, model_id: str) -> None:
        self.flush()
        if self._column is not None:
            self.changed.emit(dataclasses.replace(self._column.contestant, model_id=model_id))

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in this theme's colours."""
        self._theme = theme
        self.more.setIcon(icon("more", theme.muted, 18))
        self.menu.set_theme(theme)
        self.prompt.setFixedHeight(self.prompt.fontMetrics().lineSpacing() * _PROMPT_LINES + 18)
        scale = max(1.0, theme.font_pt / 11)
        self.setMinimumSize(int(NARROWEST_PX * scale), int(_LOWEST_PX * scale))
