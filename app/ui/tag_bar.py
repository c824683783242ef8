"""The tags of prompts as a line of buttons: one of them, or all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

ALL = ""


class TagBar(QWidget):
    """As many tags as there is room for, the rest in a menu. Hidden while there are none.

    Signals: `chosen(str)` with a tag, or ALL.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tag = ALL
        self._tags: tuple[str, ...] = ()
        self.buttons: list[QToolButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self._more = QToolButton()
        self._more.setProperty("kind", "pill")
        self._more.setText("…")
        self._more.setAccessibleName("More tags")
        self._more.setToolTip("More tags")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(QMenu(self))
        self._row.addWidget(self._more)
        self.hide()

    def show_tags(self, tags: Sequence[str]) -> None:
        """Show these, those that matter most first."""
        if tuple(tags) == self._tags:
            return
        self._tags = tuple(tags)
        if self.tag not in self._tags:
            self.tag = ALL
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = [self._make(tag) for tag in (ALL, *self._tags)]
        self._more.menu().clear()
        for tag in self._tags:
            self._more.menu().addAction(tag.replace("&", "&&"), partial(self.choose, tag))
        self._show_chosen()
        self.setVisible(bool(self._tags))
        self._fit()

    def choose(self, tag: str) -> None:
        """Choose a tag; the one that is chosen already gives way to all."""
        self.tag = ALL if tag == self.tag else tag
        self._show_chosen()
        self._fit()
        self.chosen.emit(self.tag)

    def _make(self, tag: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("kind", "pill")
        button.setText((tag or "All").replace("&", "&&"))
        button.setAccessibleName(f"Tag {tag}" if tag else "All tags")
        button.setCheckable(True)
        button.clicked.connect(lambda: self.choose(tag))
        self._row.insertWidget(self._row.count() - 1, button)
        return button

    def _show_chosen(self) -> None:
        for button, tag in zip(self.buttons, (ALL, *self._tags), strict=True):
            button.setChecked(tag == self.tag)

    @Slot()
    def _fit(self) -> None:
        """Hide what there is no room for; what is chosen stays."""
        room = self.width() - self._more.sizeHint().width() - self._row.spacing()
        hidden = False
        first = [button for place, button in enumerate(self.buttons) if button.isChecked() or not place]
        for button in (*first, *(b for b in self.buttons if b not in first)):
            room -= button.sizeHint().width() + self._row.spacing()
            button.setVisible(room >= 0 or button.isChecked())
            hidden |= button.isHidden()
        self._more.setVisible(hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There is other room."""
        super().resizeEvent(event)
        self._fit()
