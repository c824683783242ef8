"""The question before something that cannot be undone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def confirm(parent: QWidget, title: str, words: str, yes: str, then: Callable[[], object]) -> None:
    """Ask, and do `then` if the person presses `yes`; does not wait: it is answered whenever the person likes."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "Orcinus", title, QMessageBox.StandardButton.NoButton, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(words)
    chosen = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.finished.connect(lambda _code: then() if box.clickedButton() is chosen else None)
    box.finished.connect(box.deleteLater)
    box.open()
