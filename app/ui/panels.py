"""The three parts of the window side by side: the middle always has room, the sides give way."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from app.ui.skeleton import LEAST_MIDDLE_PX, LEFT_PX, RIGHT_PX, kept_shown, kept_width

_USUAL_PT = 11.0


class Panels(QSplitter):
    """Left, middle and right. Each side is hidden when the person says so, or when there is no room for it.

    Which sides are wanted is remembered apart from which fit: a window that grows again shows them again. Where only
    one fits, the one asked for last stays. `arranged()` when a side was shown or hidden.
    """

    arranged = Signal()

    def __init__(self, state: QSettings | None, parent: QWidget) -> None:
        """Empty: `hold` comes before anything else. `state` keeps widths between starts."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._state = state
        self._left_wanted, self._right_wanted = True, True
        self._right_first = False
        self._right_allowed = True
        self._scale = 1.0
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(1000)
        self._save.timeout.connect(self.remember)
        self.splitterMoved.connect(self._save.start)

    def hold(self, left: QWidget, middle: QWidget, right: QWidget) -> None:
        """Have these side by side. They are children already, as all in a widget is dressed anew where it moves."""
        self._left, self._middle, self._right = left, middle, right
        for widget in (left, middle, right):
            self.addWidget(widget)
        self.setStretchFactor(1, 1)
        middle.setMinimumWidth(LEAST_MIDDLE_PX)
        self._set_widths()

    def set_text_size(self, font_pt: float) -> None:
        """Larger text needs wider sides."""
        self._scale = max(1.0, font_pt / _USUAL_PT)
        self._set_widths()
        self._arrange()

    def _set_widths(self) -> None:
        for side, widths in ((self._left, LEFT_PX), (self._right, RIGHT_PX)):
            side.setMaximumWidth(round(widths[2] * self._scale))

    @Slot()
    def toggle_left(self) -> None:
        """Show or hide the left side."""
        self._left_wanted = self._left.isHidden()
        if self._left_wanted:
            self._right_first = False
        self._arrange()

    @Slot()
    def toggle_right(self) -> None:
        """Show or hide the right side."""
        self._right_wanted = self._right.isHidden()
        if self._right_wanted:
            self._right_first = True
        self._arrange()

    def set_right_allowed(self, allowed: bool) -> None:
        """Whether the right side belongs to what is in the middle; whether it is wanted stays remembered."""
        if allowed != self._right_allowed:
            self._right_allowed = allowed
            self._arrange()

    @Slot()
    def show_left(self) -> None:
        """Show the left side, whatever has to give way."""
        if self._left.isHidden():
            self.toggle_left()

    def restore(self) -> None:
        """Show what was shown when the window was last closed."""
        self._left_wanted = kept_shown(self._state, "window/sidebar")
        self._right_wanted = kept_shown(self._state, "window/inspector")
        left = kept_width(self._state, "window/sidebar_px", LEFT_PX)
        right = kept_width(self._state, "window/inspector_px", RIGHT_PX)
        self.setSizes([left, 4000, right])
        self._arrange()

    def show_right(self) -> None:
        """Show the right side, whatever has to give way."""
        if self._right.isHidden():
            self.toggle_right()

    @Slot()
    def remember(self) -> None:
        """Keep what is shown for the next start."""
        if self._state is None:
            return
        self._state.setValue("window/sidebar", self._left_wanted)
        self._state.setValue("window/inspector", self._right_wanted)
        left, _, right = self.sizes()
        for key, width in (("window/sidebar_px", left), ("window/inspector_px", right)):
            if width:
                self._state.setValue(key, width)

    def _arrange(self) -> None:
        room = self.width() - LEAST_MIDDLE_PX
        left_px, right_px = round(LEFT_PX[0] * self._scale), round(RIGHT_PX[0] * self._scale)
        left, right = self._left_wanted, self._right_wanted and self._right_allowed
        if left and right and room < left_px + right_px + 2:
            left, right = not self._right_first, self._right_first
        # a side on its own is always shown, if need be a little narrower than it likes
        self._left.setMinimumWidth(max(1, min(left_px, room)))
        self._right.setMinimumWidth(max(1, min(right_px, room)))
        before = (self._left.isHidden(), self._right.isHidden())
        self._left.setVisible(left)
        self._right.setVisible(right)
        if before != (not left, not right) or not self.isVisible():
            self.arranged.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the sides go or come back."""
        self._arrange()
        super().resizeEvent(event)
