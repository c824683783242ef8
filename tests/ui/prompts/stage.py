"""The library of prompts on its own, over real services, and what is done in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QPushButton

from app.services.prompt_desk import own_key
from app.ui.prompts_view import PromptsView


class Desk:
    """The view over real services, and what it told."""

    def __init__(self, qtbot: Any, view: PromptsView, services: Any, hub: Any) -> None:
        self.qtbot, self.view, self.services, self.hub = qtbot, view, services, hub
        self.prompts = hub.prompts
        self.chosen: list[Any] = []
        self.compared: list[Any] = []
        view.prompt_chosen.connect(self.chosen.append)
        self.tested: list[Any] = []
        view.compare_asked.connect(lambda columns, _question, _values: self.compared.append(columns))
        view.experiment_asked.connect(self.tested.append)

    def wait(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=20_000)

    def titles(self) -> list[str]:
        """The rows of the list, headings too."""
        return [row.title for row in self.view.side.list.rows.rows()]

    def versions(self) -> list[str]:
        """The versions as they are drawn, the newest first."""
        rows = self.view.versions.list.rows.rows()
        return [f"v{row.place.number} {row.title}{' *' if row.current else ''}" for row in rows]

    def notices(self) -> list[str]:
        return [notice.title for notice in self.view.notices.notices()]

    def press(self, words: str) -> None:
        buttons = self.view.findChildren(QPushButton)
        button = next(b for b in buttons if b.isVisible() and b.text().startswith(words))
        self.wait(button.isEnabled)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def make(self, name: str, *texts: str) -> Any:
        """A prompt with these versions, opened."""
        with self.qtbot.waitSignal(self.prompts.made, timeout=20_000) as made:
            self.prompts.create(name, texts[0])
        prompt = made.args[0]
        for text in texts[1:]:
            with self.qtbot.waitSignal(self.prompts.version_saved, timeout=20_000):
                self.prompts.save(prompt.id, text)
        desk = self.view.desk
        self.wait(lambda: desk.key == own_key(prompt.id) and len(desk.versions) == len(texts))
        self.wait(lambda: desk.base.text == texts[-1])
        return self.prompts.prompt(prompt.id)

    def write(self, text: str) -> None:
        self.view.editor.field.setPlainText(text)

    def save(self, note: str = "") -> None:
        before = len(self.view.desk.versions)
        self.view.editor.note.setText(note)
        self.qtbot.keyClick(self.view.editor.field, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        self.wait(lambda: len(self.view.desk.versions) == before + 1)

    def show_version(self, number: int) -> None:
        rows = self.view.versions.list.rows
        at = next(at for at, row in enumerate(rows.rows()) if row.place.number == number)
        # not the list's own setCurrentIndex: keys that an earlier test held down would add to what is chosen
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.versions.list.selectionModel().setCurrentIndex(rows.index(at), select)


def drop(view: PromptsView, *paths: Path) -> bool:
    """Drop files on the page, as a file manager does; whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPoint(300, 300)
    what = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entering = QDragEnterEvent(place, *what)
    view.dragEnterEvent(entering)
    assert view.files.hint.isVisible() == entering.isAccepted()
    if entering.isAccepted():
        view.dropEvent(QDropEvent(place, *what))
    assert not view.files.hint.isVisible()
    return entering.isAccepted()
