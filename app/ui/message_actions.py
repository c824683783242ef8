"""What can be done with a message: one tab stop, and buttons that exist only while somebody is near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.icons import icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent, QResizeEvent

    from app.ui.theme import Theme
    from app.ui.transcript_row import Row

BAR_HEIGHT = 28
_BUTTON_WIDTH = 28
_ICON_SIZE = 16
_STEP_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
_STATES = {"stopped": "Stopped", "interrupted": "Interrupted", "failed": "Failed", "streaming": "Writing…"}


@dataclass(frozen=True, slots=True)
class Action:
    """One button. Without an icon it is a word between two buttons. `checked`: it stays pressed; None for most."""

    name: str
    icon: str
    label: str
    enabled: bool = True
    checked: bool | None = None


def actions_for(row: Row, code_blocks: int) -> list[Action]:
    """The actions of a message, from left to right."""
    found: list[Action] = []
    if row.versions > 1 and row.state != "streaming":
        found += [
            Action("previous", "chevron-left", "Previous version", row.version > 1),
            Action("", "", f"{row.version} / {row.versions}"),
            Action("next", "chevron-right", "Next version", row.version < row.versions),
        ]
    found.append(Action("copy", "copy", "Copy message"))
    if row.kind == "user":
        found.append(Action("edit", "edit", "Edit message"))
    elif row.state != "streaming":
        found += _marks(row.mark) if row.mark is not None else []
        found.append(Action("regenerate", "refresh", "Regenerate reply"))
    if code_blocks and row.kind == "assistant":
        found.append(Action("copy_code", "code", "Copy code" if code_blocks == 1 else "Copy a code block…"))
    if row.can_go_on:
        found.append(Action("continue", "play", "Continue this reply"))
    if row.kind == "assistant" and row.state != "streaming":
        found.append(Action("origin", "info", "What made this answer"))
    return found


def _marks(mark: str) -> list[Action]:
    """Thumbs up and down; the one that is pressed is filled, and takes itself back."""
    return [
        Action(name, f"thumb-{way}-filled", f"Marked as {name}: take it back", checked=True)
        if mark == name
        else Action(name, f"thumb-{way}", f"Mark as a {name} answer", checked=False)
        for name, way in (("good", "up"), ("bad", "down"))
    ]


class _Button(QToolButton):
    """A button that leaves the arrow keys to its bar."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go to the neighbours."""
        if event.key() in _STEP_KEYS:
            event.ignore()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class ActionBar(QWidget):
    """The row under a message. It paints its icons; real buttons take their place on hover or focus.

    Signals: `triggered(name)` with an Action's name.
    """

    triggered = Signal(str)

    def __init__(self, theme: Theme, *, right: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._right = theme, right
        self._actions: list[Action] = []
        self._note, self._note_colour = "", theme.muted
        self._buttons: list[QToolButton] = []
        self._small = QFont(theme.body_font)
        self._small.setPointSizeF(theme.small_pt)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def show_row(self, row: Row, code_blocks: int) -> None:
        """Take over what a row allows and says."""
        theme = self._theme
        actions = actions_for(row, code_blocks)
        state = _STATES.get(row.state, "")
        if row.state == "streaming" and row.footer:
            state = ""
        self._note = " · ".join(part for part in (state, row.footer) if part)
        self.setAccessibleDescription(self._note)
        self._note_colour = {"failed": theme.danger, "interrupted": theme.warn}.get(row.state, theme.faint)
        if actions != self._actions:
            self._actions = actions
            if self._buttons:
                self._replace_buttons()
        if QAccessible.isActive():
            self.materialise()
        self.update()

    def restyle(self, theme: Theme, row: Row, code_blocks: int) -> None:
        """Change the colours."""
        self._theme = theme
        self._small = QFont(theme.body_font)
        self._small.setPointSizeF(theme.small_pt)
        self._actions = []
        self.show_row(row, code_blocks)

    def materialise(self) -> None:
        """Make the real buttons, unless they are there."""
        if self._buttons:
            return
        for action in self._actions:
            if not action.icon:
                continue
            button = _Button(self)
            button.setObjectName(action.name)
            button.setIcon(icon(action.icon, self._theme.accent if action.checked else self._theme.muted, _ICON_SIZE))
            button.setIconSize(QSize(_ICON_SIZE, _ICON_SIZE))
            button.setToolTip(action.label)
            button.setAccessibleName(action.label)
            button.setEnabled(action.enabled)
            button.setCheckable(action.checked is not None)
            button.setChecked(bool(action.checked))
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            button.setFixedSize(_BUTTON_WIDTH, BAR_HEIGHT - 2)
            button.clicked.connect(self._clicked)
            button.show()
            self._buttons.append(button)
        self._place_buttons()

    def dematerialise(self) -> None:
        """Go back to painted icons, unless somebody is in the bar."""
        if self._buttons and not self.has_focus_within() and not QAccessible.isActive():
            for button in self._buttons:
                button.hide()
                button.deleteLater()
            self._buttons = []
            self.update()

    def button(self, name: str) -> QToolButton:
        """The button with an action's name.

        Raises:
            KeyError: there is no such action now.
        """
        self.materialise()
        return {button.objectName(): button for button in self._buttons}[name]

    def has_focus_within(self) -> bool:
        """Whether the bar or one of its buttons has the focus."""
        return self.hasFocus() or any(button.hasFocus() for button in self._buttons)

    def take_focus(self, reason: Qt.FocusReason) -> None:
        """Focus the first button that can be pressed."""
        self.materialise()
        usable = [button for button in self._buttons if button.isEnabled()]
        (usable[0] if usable else self).setFocus(reason)

    def confirm_copied(self) -> None:
        """Show for a moment that the clipboard has the text."""
        for button in self._buttons:
            if button.objectName() == "copy":
                button.setIcon(icon("check", self._theme.ok, _ICON_SIZE))

    def _clicked(self) -> None:
        self.triggered.emit(self.sender().objectName())

    def _replace_buttons(self) -> None:
        focused = next((button.objectName() for button in self._buttons if button.hasFocus()), None)
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = []
        self.materialise()
        if focused is not None:
            same = [button for button in self._buttons if button.objectName() == focused and button.isEnabled()]
            usable = same or [button for button in self._buttons if button.isEnabled()]
            (usable[0] if usable else self).setFocus()

    def _slots(self) -> list[QRect]:
        metrics = QFontMetrics(self._small)
        widths = [_BUTTON_WIDTH if a.icon else metrics.horizontalAdvance(a.label) + 8 for a in self._actions]
        left = self.width() - sum(widths) if self._right else 0
        slots = []
        for width in widths:
            slots.append(QRect(left, 0, width, BAR_HEIGHT - 2))
            left += width
        return slots

    def _place_buttons(self) -> None:
        slots = [slot for slot, action in zip(self._slots(), self._actions, strict=True) if action.icon]
        for button, slot in zip(self._buttons, slots, strict=True):
            button.move(slot.topLeft())

    def _step_focus(self, key: int) -> None:
        usable: Sequence[QToolButton] = [button for button in self._buttons if button.isEnabled()]
        if not usable:
            return
        current = next((i for i, button in enumerate(usable) if button.hasFocus()), 0)
        steps = {Qt.Key.Key_Left: current - 1, Qt.Key.Key_Right: current + 1, Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}
        usable[steps[Qt.Key(key)] % len(usable)].setFocus(Qt.FocusReason.TabFocusReason)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go from button to button."""
        if event.key() in _STEP_KEYS and not event.modifiers():
            self._step_focus(event.key())
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Hand the focus on to a button."""
        super().focusInEvent(event)
        self.take_focus(event.reason())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the buttons in their places."""
        if self._buttons:
            self._place_buttons()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The icons, where there are no buttons, and the small print."""
        painter = QPainter(self)
        painter.setFont(self._small)
        right = 0
        for slot, action in zip(self._slots(), self._actions, strict=True):
            right = slot.right()
            if not action.icon:
                painter.setPen(QColor(self._theme.muted))
                painter.drawText(slot, Qt.AlignmentFlag.AlignCenter, action.label)
            elif not self._buttons:
                place = QRect(0, 0, _ICON_SIZE, _ICON_SIZE)
                place.moveCenter(slot.center())
                colour = self._theme.faint if action.enabled else self._theme.border
                colour = self._theme.accent if action.checked else colour
                icon(action.icon, colour, _ICON_SIZE).paint(painter, place)
        if self._note and not self._right:
            painter.setPen(QColor(self._note_colour))
            place = self.rect().adjusted(right + 10, 0, 0, -2)
            text = QFontMetrics(self._small).elidedText(self._note, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
