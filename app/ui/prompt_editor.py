"""The editor of a saved prompt: its text, how long it is, its variables, and what is other than in another version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QTextCursor
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.prompt_variables import can_be_default, variables, with_default
from app.core.word_diff import word_diff
from app.services.notice import Notice
from app.services.token_count import Count, TokenCount
from app.ui.buttons import WordButton
from app.ui.diff_view import DiffView, words_changed
from app.ui.model_facts import ElidedLabel
from app.ui.prompt_details import PromptDetails
from app.ui.prompt_field import PromptField
from app.ui.theme import Theme
from app.ui.variables_form import VariablesForm

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager
    from app.services.prompt_desk import PromptDesk
    from app.services.prompt_library import PromptLibrary

_MOST_VARIABLE_LINES = 11


class _Low(QScrollArea):
    """As high as what is in it, up to a few lines: a prompt may have dozens of variables."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside, self._wanted = inside, 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Variables")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 8, 0)
        column.addWidget(inside)
        column.addStretch(1)
        self.setWidget(holder)
        inside.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lines came or went."""
        if watched is self._inside and event.type() in (
            QEvent.Type.LayoutRequest,
            QEvent.Type.ShowToParent,
            QEvent.Type.HideToParent,
        ):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        most = self.fontMetrics().lineSpacing() * _MOST_VARIABLE_LINES
        self._wanted = 0 if self._inside.isHidden() else min(self._inside.sizeHint().height() + 2, most)
        # where the window is low it gives way, and scrolls
        self.setMinimumHeight(min(self._wanted, self.fontMetrics().lineSpacing() * 4))
        self.setMaximumHeight(self._wanted)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """All lines, up to the most."""
        return QSize(super().sizeHint().width(), self._wanted)


class PromptEditor(QWidget):
    """Edits the prompt that is open on the desk.

    Signals: `copy_asked()`: a copy of a prompt that comes with the app is wanted; `told(Notice)`; `too_long(int)` for a
    paste that was not taken.
    """

    copy_asked = Signal()
    told = Signal(object)
    too_long = Signal(int)

    def __init__(
        self,
        desk: PromptDesk,
        library: PromptLibrary,
        models: ModelManager,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._models, self._theme = desk, models, theme
        self._model_id = ""
        self.details = PromptDetails(desk, library)
        self.state = ElidedLabel("")
        self.state.setProperty("kind", "faint")
        self.count = QLabel()
        self.count.setProperty("kind", "faint")
        self.field = PromptField(theme)
        self.field.textChanged.connect(self._typed)
        self.field.too_long.connect(self.too_long)
        self.field.setMinimumHeight(self.field.fontMetrics().lineSpacing() * 3)
        self.differences = DiffView(theme)
        self.differences.setObjectName("column")
        self.differences.document().setDocumentMargin(10)
        self._body = QStackedWidget()
        self._body.addWidget(self.field)
        self._body.addWidget(self.differences)
        self.against = QComboBox()
        self.against.setAccessibleName("Mark differences from")
        self.against.setToolTip("Mark what is other than in this version")
        self.against.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.against.activated.connect(self._show_differences)
        self.variables = VariablesForm(
            "Variables and their defaults", "No default: asked for in each chat", required=False, beside=True
        )
        self.variables.accepts = can_be_default
        self.variables.changed.connect(self._set_default)
        self.note = QLineEdit()
        self.note.setPlaceholderText("What is new in this version (optional)")
        self.note.setAccessibleName("What is new in this version")
        self.note.returnPressed.connect(self.save)
        self.save_button = WordButton("Save version", theme, kind="filled")
        self.save_button.clicked.connect(self.save)
        self.discard_button = WordButton("Discard", theme, kind="outline")
        self.discard_button.setToolTip("Go back to what the version says")
        self.discard_button.clicked.connect(self.discard)
        self.copy_button = WordButton("Make it my own, to change it", theme, kind="filled", icon_name="copy")
        self.copy_button.clicked.connect(self.copy_asked)
        self._tokens = TokenCount(models, self)
        self._tokens.counted.connect(self._counted)
        self._lay_out()
        desk.opened.connect(self._opened)
        desk.changed.connect(self._versions_changed)
        desk.shown.connect(self._shown)
        desk.edited.connect(self._edited)
        desk.saved.connect(self.note.clear)

    def _lay_out(self) -> None:
        self._label = QLabel("Differences from")
        self._label.setProperty("kind", "faint")
        self._label.setBuddy(self.against)
        above = QHBoxLayout()
        above.setSpacing(8)
        above.addWidget(self.state, 1)
        above.addWidget(self.count)
        above.addSpacing(8)
        above.addWidget(self._label)
        above.addWidget(self.against)
        self._saving = QWidget()
        saving = QHBoxLayout(self._saving)
        saving.setContentsMargins(0, 0, 0, 0)
        saving.setSpacing(8)
        saving.addWidget(self.note, 1)
        saving.addWidget(self.discard_button)
        saving.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.details)
        column.addLayout(above)
        column.addWidget(self._body, 1)
        column.addWidget(_Low(self.variables))
        column.addWidget(self._saving)
        column.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignLeft)

    # --- showing ----------------------------------------------------------------------------------------------------

    def show_model(self, model_id: str) -> None:
        """Count tokens as this model does."""
        self._model_id = model_id
        self._tokens.count(self.field.toPlainText(), model_id)

    @Slot()
    def _opened(self) -> None:
        bundled = self._desk.bundled is not None
        self.field.setReadOnly(bundled)
        self._saving.setVisible(not bundled)
        self.copy_button.setVisible(bundled)
        self.save_button.setText("Save prompt" if self._desk.is_new else "Save version")
        self.note.clear()
        self.variables.forget()
        self._versions_changed()

    @Slot()
    def _versions_changed(self) -> None:
        """Any other version can be compared with; the one that was chosen stays so."""
        chosen = self.against.currentData()
        base = self._desk.base
        self.against.clear()
        self.against.addItem("not marked", "")
        if self._desk.is_edited and base is not None:
            self.against.addItem("what is saved", base.hash)
        versions = list(enumerate(self._desk.versions, start=1))
        for number, version in reversed(versions):
            if base is None or version.hash != base.hash:
                words = f"v{number}" + (" (it was made from this)" if base and version.hash == base.parent else "")
                self.against.addItem(words, version.hash)
        place = max(0, self.against.findData(chosen) if chosen else 0)
        self.against.setCurrentIndex(place)
        self.against.setEnabled(self.against.count() > 1)
        self._show_state()
        self._show_differences()

    @Slot()
    def _shown(self) -> None:
        """Another version is shown, or the text as it was saved."""
        if self.field.toPlainText() != self._desk.text:
            self.field.blockSignals(True)
            self.field.setPlainText(self._desk.text)
            self.field.blockSignals(False)
            self.field.mark()
        self._versions_changed()
        self._follow_text()

    @Slot(bool)
    def _edited(self, edited: bool) -> None:
        self.save_button.setEnabled(edited)
        self.discard_button.setEnabled(edited)
        known = self.against.findText("what is saved") > 0
        if known != (edited and self._desk.base is not None):
            self._versions_changed()
        self._show_state()
        self._show_differences()

    def _show_state(self) -> None:
        desk = self._desk
        if desk.is_new:
            words = "Not saved yet"
        elif desk.bundled is not None:
            words = "Comes with Orcinus; it never changes"
        else:
            hashes = [version.hash for version in desk.versions]
            number = hashes.index(desk.base.hash) + 1 if desk.base is not None and desk.base.hash in hashes else 0
            current = desk.prompt is not None and desk.base is not None and desk.base.hash == desk.prompt.current
            parts = [f"Version {number} of {len(hashes)}"] if number else []
            parts += ["an older one"] if number and not current else []
            parts += ["edited"] if desk.is_edited else []
            words = ", ".join(parts)
        self.state.setText(words)
        self.state.setToolTip(words)

    @Slot()
    def _show_differences(self) -> None:
        wanted = self.against.currentData()
        base = next((one for one in self._desk.versions if one.hash == wanted), None)
        self._body.setCurrentWidget(self.field if base is None else self.differences)
        if base is not None:
            pieces = word_diff(base.text, self._desk.text)
            self.differences.show_pieces(pieces)
            added, removed = words_changed(pieces)
            words = f"+{added} −{removed} words" if added or removed else "The words are the same"
            self.state.setText(words)
            self.state.setToolTip(words)

    def show_differences(self, version_hash: str) -> None:
        """Mark what is other than in this version; "" shows the text to be edited."""
        place = self.against.findData(version_hash)
        self.against.setCurrentIndex(max(0, place))
        self._show_state()
        self._show_differences()

    def _follow_text(self) -> None:
        text = self.field.toPlainText()
        found = [one for one in variables(text) if not one.is_built_in]
        self.variables.show_variables(found, {one.name: one.default for one in found if one.default is not None})
        self.variables.setEnabled(self._desk.bundled is None)
        self._tokens.count(text, self._model_id)

    @Slot(object)
    def _counted(self, count: Count) -> None:
        name = self._models.entry(self._model_id).name if self._model_id else ""
        self.count.setText(count.words)
        self.count.setToolTip(
            f"Counted by {name}" if count.exact and name else f"{name} counts exactly once it is loaded"
        )

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot()
    def _typed(self) -> None:
        self._desk.write(self.field.toPlainText())
        self._follow_text()

    @Slot(str, object)
    def _set_default(self, name: str, value: str | None) -> None:
        """Write the default where it belongs, as an edit that can be undone."""
        before = self.field.toPlainText()
        after = with_default(before, name, value)
        if after == before or self.field.isReadOnly():
            return
        cursor = self.field.textCursor()
        place = cursor.position()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(after)
        cursor.setPosition(min(place, self.field.document().characterCount() - 1))
        self.field.setTextCursor(cursor)

    @Slot()
    def save(self) -> None:
        """Keep what is written as a version."""
        self.variables.flush()
        self.details.flush()
        self._desk.save(self.note.text().strip())

    @Slot()
    def discard(self) -> None:
        """Throw away what is written; the notice brings it back."""
        key, base = self._desk.key, self._desk.base
        written = self._desk.discard()

        def undo() -> None:
            self._desk.open(key, base.hash if base is not None else "")
            if self._desk.key == key and (self._desk.base == base or base is None):
                self._desk.write(written)
                self._shown()

        if written:
            self.told.emit(Notice("What you wrote was thrown away", actions=(("Undo", undo),)))

    def flush(self) -> None:
        """Hand over what is typed."""
        self.variables.flush()
        self.details.flush()

    def take_keyboard(self) -> None:
        """Write on."""
        self.show_differences("")
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.field.moveCursor(QTextCursor.MoveOperation.End)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the version's number matters more than what the list beside it is for."""
        super().resizeEvent(event)
        self._label.setVisible(self.width() > self.fontMetrics().averageCharWidth() * 62)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for what is painted later."""
        self._theme = theme
