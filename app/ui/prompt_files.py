"""Prompts from and to files, as the page asks for them: by dialogs, and by what is dropped on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.services.notice import Notice
from app.services.prompt_desk import own_key

if TYPE_CHECKING:
    from app.services.prompt_library import PromptLibrary

_SUFFIXES = frozenset({".json", ".md", ".markdown", ".zip"})


class PromptFiles(QObject):
    """Asks where, and tells what came of it while the page is shown.

    Signals: `told(Notice)`; `came(str)`: the prompt of this key was read.
    """

    told = Signal(object)
    came = Signal(str)

    def __init__(self, library: PromptLibrary, page: QWidget) -> None:
        super().__init__(page)
        self._library, self._page = library, page
        self.hint = QLabel("Drop prompts to read them", page)
        self.hint.setObjectName("dropHint")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.hide()
        library.imported.connect(self._imported)
        library.exported.connect(self._exported)

    @Slot()
    def ask_file(self) -> None:
        """Read prompts from a file of the person's choice."""
        from app.ui.file_dialogs import ask_prompts_file

        ask_prompts_file(self._page, self._library.import_from)

    @Slot()
    def ask_folder(self) -> None:
        """Read them from a folder."""
        from app.ui.file_dialogs import ask_prompts_folder

        ask_prompts_folder(self._page, self._library.import_from)

    @Slot()
    def export_all(self) -> None:
        """Write all of the person's own."""
        self.export("")

    @Slot(str)
    def export(self, key: str) -> None:
        """Write the prompt of this key; "" is all of the person's own."""
        from app.ui.file_dialogs import ask_prompts_export

        ids = [int(key.partition(":")[2])] if key.startswith("own:") else None
        prompt = self._library.prompt(ids[0]) if ids else None
        title = prompt.name if prompt is not None else "Prompts"
        ask_prompts_export(self._page, title, lambda path: self._library.export_to(path, ids))

    def take(self, event: QDropEvent, *, read: bool) -> bool:
        """Whether a drop holds prompts, which are then read where `read` says so."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not paths or not all(path.suffix.lower() in _SUFFIXES or path.is_dir() for path in paths):
            return False
        event.acceptProposedAction()
        for path in paths if read else ():
            self._library.import_from(str(path))
        return True

    def show_hint(self) -> None:
        """Offer to take what is dragged."""
        self.hint.setGeometry(self._page.rect().adjusted(24, 24, -24, -24))
        self.hint.show()
        self.hint.raise_()

    @Slot(object)
    def _imported(self, done: Any) -> None:
        came = (*done.added, *done.merged)
        if came and self._page.isVisible():
            self.came.emit(own_key(came[0]))

    @Slot(str)
    def _exported(self, path: str) -> None:
        if self._page.isVisible():
            self.told.emit(Notice("The prompts were exported", path))
