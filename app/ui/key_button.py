"""A button that shows the key which does the same."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

_TALL_PX, _LOW_PX = 54, 28


class KeyButton(QPushButton):
    """`tall` ones are for what is decided all the time, low ones stand beside."""

    def __init__(self, key: str, words: str, parent: QWidget | None = None, *, tall: bool = False) -> None:
        super().__init__(parent)
        self.setProperty("kind", "outline" if tall else "")
        self.setAutoDefault(False)
        self.setAccessibleName(words)
        self.setToolTip(f"{words} ({key})")
        self._tall = tall
        self._cap, self._words = QLabel(key), QLabel(words)
        self._cap.setProperty("kind", "keys")
        self._words.setProperty("kind", "heading" if tall else "faint")
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(8 if tall else 4, 0, 8 if tall else 4, 0)
        row.setSpacing(9 if tall else 6)
        row.addStretch(1)
        for part in (self._cap, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)

    def sizeHint(self) -> QSize:
        """As wide as key and words, and never as low as the line."""
        inside = self._row.sizeHint()
        return QSize(inside.width() + 4, max(inside.height() + 8, _TALL_PX if self._tall else _LOW_PX))

    def minimumSizeHint(self) -> QSize:
        """The same: words that are cut say nothing."""
        return self.sizeHint()
