"""Buttons that are their icons alone where there is little room."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton


class Shrinking:
    """Knows the words of some buttons with icons; who hears the window hears them always."""

    def __init__(self, *buttons: QPushButton) -> None:
        self._words = {button: button.text() for button in buttons}
        for button, words in self._words.items():
            button.setAccessibleName(words)
            if not button.toolTip():
                button.setToolTip(words)

    def set_narrow(self, narrow: bool) -> None:
        """Show the icons alone, or the words too."""
        for button, words in self._words.items():
            if button.text() != ("" if narrow else words):
                button.setText("" if narrow else words)

    def reword(self, button: QPushButton, words: str) -> None:
        """Let a button say something else from now on."""
        shrunk = not button.text() and bool(self._words[button])
        self._words[button] = words
        button.setAccessibleName(words)
        button.setText("" if shrunk else words)
