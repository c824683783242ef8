"""What can be done with a prompt or a version of it, as menus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from app.core.prompts import PromptVersion
from app.services.notice import Notice
from app.services.prompt_desk import NEW
from app.ui.icons import icon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.model_manager import ModelManager
    from app.services.prompt_defaults import PromptDefaults
    from app.services.prompt_library import PromptLibrary


Way = tuple[str, str, Callable[[], object]]
"""An icon, words, and what is done."""


class PromptMenus(QObject):
    """Makes the menus, and does what needs nothing but the library and the settings.

    Signals: `told(Notice)`; `renamed(str)`, `exported(str)` and `discarded()`: what the page does for a key;
    `used(PromptVersion)`: begin a chat by it.
    """

    told = Signal(object)
    renamed = Signal(str)
    exported = Signal(str)
    discarded = Signal()
    used = Signal(object)

    def __init__(
        self, library: PromptLibrary, models: ModelManager, defaults: PromptDefaults, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._library, self._models, self._defaults, self._parent = library, models, defaults, parent
        self.theme = theme

    def for_prompt(self, key: str) -> QMenu:
        """What can be done with a prompt, named by its key."""
        menu, add = self._menu()
        kind, _, name = key.partition(":")
        if key == NEW:
            add("trash", "Throw it away", self.discarded.emit)
        elif kind == "own" and (prompt := self._library.prompt(int(name))) is not None:
            add("edit", "Rename", lambda: self.renamed.emit(key))
            add("copy", "Duplicate", lambda: self._library.duplicate(prompt.id))
            self._add_defaults(menu, prompt.text, prompt.current, f"“{prompt.name}”")
            add("export", "Export…", lambda: self.exported.emit(key))
            menu.addSeparator()
            add("trash", "Delete", lambda: self.delete(key))
        elif (bundled := self._library.bundled_prompt(name)) is not None:
            add("copy", "Make it my own", lambda: self._library.copy_bundled(bundled.key))
            self._add_defaults(menu, bundled.version.text, bundled.version.hash, f"“{bundled.name}”")
        return menu

    def for_version(self, version: PromptVersion, words: str, ways: Iterable[Way]) -> QMenu:
        """What can be done with a version, called by these words; `ways` are icons, words and what else can be done."""
        menu, add = self._menu()
        add("plus", "Use in a new chat", lambda: self.used.emit(version))
        for picture, way, do in ways:
            add(picture, way, do)
        add("copy", "Copy the text", lambda: self._copy(version))
        self._add_defaults(menu, version.text, version.hash, words)
        return menu

    def delete(self, key: str) -> None:
        """Put one of the person's own in the trash; the library's notice can undo it."""
        if key.startswith("own:"):
            self._library.delete(int(key.partition(":")[2]))

    def _menu(self) -> tuple[QMenu, Callable[[str, str, Callable[[], object]], object]]:
        menu = QMenu(self._parent)
        menu.setToolTipsVisible(True)
        colour = self.theme.muted
        return menu, lambda picture, words, do: menu.addAction(icon(picture, colour, 16), words, do)

    def _add_defaults(self, menu: QMenu, text: str, version_hash: str, words: str) -> None:
        models = menu.addMenu(icon("star", self.theme.muted, 16), "Make it the default of")
        for entry in self._models.entries():
            used = entry.id in self._defaults.models_on({version_hash})
            action = models.addAction(entry.name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(used)
            action.triggered.connect(
                lambda _checked, model_id=entry.id: self._defaults.make(model_id, text, version_hash, words)
            )

    def _copy(self, version: PromptVersion) -> None:
        QGuiApplication.clipboard().setText(version.text)
        self.told.emit(Notice("The prompt is in the clipboard"))
