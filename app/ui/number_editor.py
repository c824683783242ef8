"""The editor of a number: a field, a slider, and a toggle for the word that means no number."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QToolButton, QWidget

from app.core.errors import SettingError
from app.core.settings import Setting, Value
from app.ui.icons import icon
from app.ui.quiet import QuietSlider
from app.ui.setting_editor import SettingEditor, has_keyboard
from app.ui.setting_scale import Scale, written
from app.ui.theme import Theme

SETTLE_MS = 250
"""How long a number must rest before it is kept: a drag or a held key passes many."""


class _NumberField(QLineEdit):
    """A field for one number: Up and Down step it, Escape takes back what was typed."""

    stepped = Signal(int)
    escaped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up.value: 1,
            Qt.Key.Key_Down.value: -1,
            Qt.Key.Key_PageUp.value: 10,
            Qt.Key.Key_PageDown.value: -10,
        }.get(event.key())
        if steps is not None:
            self.stepped.emit(steps)
        elif event.key() == Qt.Key.Key_Escape and self.isModified():
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A number is one word, its point no end of it."""
        del event
        self.selectAll()


class NumberEditor(SettingEditor):
    """A field and a slider, and where the setting knows "no value" a toggle that says its word for it."""

    def __init__(self, setting: Setting, theme: Theme, parent: QWidget) -> None:
        super().__init__(setting, parent)
        self._value: Value = setting.default
        self._last_number = setting.default if setting.default is not None else setting.usual
        self._auto = ""
        self._theme = theme
        self._scale = Scale.of(setting)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._commit_pending)
        self._pending: Value = None
        self._toggle = self._make_toggle() if setting.none_label is not None else None
        self._field = self._make_field()
        self._slider = self._make_slider(parent)
        self.side = QWidget(parent)
        row = QHBoxLayout(self.side)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for part in (self._toggle, self._field):
            if part is not None:
                row.addWidget(part)
        self.below = self._slider
        self._show(setting.default)

    def _make_toggle(self) -> QToolButton:
        toggle = QToolButton()
        toggle.setCheckable(True)
        toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        toggle.setProperty("kind", "pill")
        toggle.setIconSize(QSize(12, 12))
        toggle.setText(self.setting.none_label or "")
        toggle.setAccessibleName(f"{self.setting.label}: {self.setting.none_label}")
        toggle.setAccessibleDescription("Pressed: no value of its own. Not pressed: the value in the field.")
        toggle.clicked.connect(self._toggled)
        return toggle

    def _make_field(self) -> _NumberField:
        field = _NumberField()
        field.setAcceptDrops(False)
        field.setProperty("kind", "value")
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setAccessibleName(self.setting.label + (f", in {self.setting.unit}" if self.setting.unit else ""))
        field.setAccessibleDescription(self.setting.help)
        _fit(field)
        field.textEdited.connect(self._typed)
        field.editingFinished.connect(self._entered)
        field.stepped.connect(self._step)
        field.escaped.connect(self._take_back)
        return field

    def _make_slider(self, parent: QWidget) -> QSlider | None:
        if self._scale is None:
            return None
        slider = QuietSlider(Qt.Orientation.Horizontal, parent)
        slider.setRange(0, self._scale.positions)
        slider.setPageStep(max(1, self._scale.positions // 10))
        slider.setAccessibleName(f"{self.setting.label} slider")
        # the field is the tab stop: a second one for the same value would only lengthen the way
        slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        slider.valueChanged.connect(self._slid)
        slider.sliderReleased.connect(self._commit_pending)
        return slider

    def show_value(self, value: Value) -> None:
        """Show a value in force; a change that still settles, or is being typed, is not overwritten."""
        if self._settle.isActive():
            return
        refused = bool(self._field.property("invalid"))
        if self._field.isModified() and (has_keyboard(self._field) or not refused):
            self._value = value
        else:
            self._show(value)

    def _show(self, value: Value) -> None:
        self._field.setModified(False)
        self._mark_refused("")
        self._value = value
        if value is not None:
            self._last_number = value
        off = value is None
        if self._toggle is not None:
            self._toggle.setChecked(off)
            self._write_toggle()
        self._field.setVisible(not off)
        if self._slider is not None:
            self._slider.setVisible(not off)
        if isinstance(value, int | float):
            self._write_number(value)

    def show_auto(self, text: str) -> None:
        """Write the number that Auto came to behind the word."""
        self._auto = text
        self._write_toggle()

    def set_theme(self, theme: Theme) -> None:
        """Draw the tick in this theme's colours."""
        self._theme = theme
        self._write_toggle()
        _fit(self._field)

    def _write_toggle(self) -> None:
        if self._toggle is None:
            return
        on = self._toggle.isChecked()
        word = self.setting.none_label or ""
        self._toggle.setText(f"{word}: {self._auto}" if on and self._auto else word)
        # never colour alone: the tick says it too
        self._toggle.setIcon(icon("check" if on else "blank", self._theme.accent, 12))
        # Qt counts two blanks behind the word that it does not draw
        blanks = self._toggle.fontMetrics().horizontalAdvance("  ")
        self._toggle.setFixedWidth(self._toggle.sizeHint().width() - blanks)

    def _write_number(self, value: float | int, *, slider: bool = True) -> None:
        text = written(value, self.setting)
        if text != self._field.text():  # else what is selected stays selected
            self._field.setText(text)
        self._field.setModified(False)
        if slider and self._slider is not None and self._scale is not None:
            self._slider.blockSignals(True)
            self._slider.setValue(self._scale.position(value))
            self._slider.blockSignals(False)

    def _mark_refused(self, sentence: str) -> None:
        if bool(self._field.property("invalid")) != bool(sentence):
            self._field.setProperty("invalid", bool(sentence))
            self._field.style().unpolish(self._field)
            self._field.style().polish(self._field)
        self.refused.emit(sentence)

    @Slot()
    def _toggled(self) -> None:
        value = None if self._toggle is not None and self._toggle.isChecked() else self._last_number
        self._drop_pending()
        self._show(value)
        self.committed.emit(value)
        if value is not None:
            self._field.setFocus(Qt.FocusReason.OtherFocusReason)
            self._field.selectAll()

    @Slot(str)
    def _typed(self, text: str) -> None:
        # it goes on from a step that was still settling
        self._drop_pending()
        try:
            self.setting.parsed(text)
        except SettingError as error:
            # while typing only what can no longer become right is told: the rest on leaving the field
            if text.strip(" -.") and not self._field.hasFocus():
                self._mark_refused(error.detail)
        else:
            self._mark_refused("")

    @Slot()
    def _entered(self) -> None:
        if not self._field.isModified():
            return
        try:
            value = self.setting.parsed(self._field.text())
        except SettingError as error:
            self._mark_refused(error.detail)
            return
        self._drop_pending()
        self._show(value)
        self.committed.emit(value)

    def flush(self) -> None:
        """Commit a step that still settles, or the number that is being typed, if it is one."""
        if self._settle.isActive():
            self._commit(self._pending)
        else:
            self._entered()

    def forget(self) -> None:
        """Show the value in force instead of what is being entered."""
        self._take_back()

    @Slot()
    def _take_back(self) -> None:
        self._drop_pending()
        self._show(self._value)

    @Slot(int)
    def _step(self, steps: int) -> None:
        self._entered()
        if self._field.isModified():  # no number to step from
            return
        number = self._pending if self._settle.isActive() else self._value
        if self._scale is None or not isinstance(number, int | float):
            return
        moved = self._scale.stepped(number, steps)
        if self.setting.high is not None:
            moved = type(moved)(min(moved, self.setting.high))
        self._mark_refused("")
        self._write_number(moved)
        self._wait_with(moved)

    @Slot(int)
    def _slid(self, position: int) -> None:
        if self._scale is not None:
            value = self._scale.value(position)
            self._mark_refused("")
            self._write_number(value, slider=False)
            self._wait_with(value)

    def _wait_with(self, value: Value) -> None:
        # a drag passes many values; only where it comes to rest is kept
        self._pending = value
        self._settle.start()

    def _drop_pending(self) -> None:
        self._settle.stop()
        self._pending = None

    @Slot()
    def _commit_pending(self) -> None:
        if self._pending is None:
            return
        if self._slider is not None and self._slider.isSliderDown():
            self._settle.start()
        else:
            self._commit(self._pending)

    def _commit(self, value: Value) -> None:
        self._drop_pending()
        self._show(value)
        self.committed.emit(value)


def _fit(field: QLineEdit) -> None:
    field.setFixedWidth(field.fontMetrics().horizontalAdvance("0000000") + 18)
