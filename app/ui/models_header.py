"""The line above the model pages: where one is, how full the disk is, and what can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QProgressBar, QVBoxLayout, QWidget

from app.ui.buttons import IconButton, WordButton
from app.ui.model_facts import ElidedLabel
from app.ui.theme import Theme
from app.ui.words import gigabytes

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices

_NARROW_PX = 700
How = Literal["use", "link", "copy", "move"]
ADD_WAYS: tuple[tuple[How, str, str], ...] = (
    ("use", "Use a file where it is…", "Nothing is copied; Orcinus remembers where it lies."),
    ("link", "Link a file into the models folder…", "Takes no room on the same disk."),
    ("copy", "Copy a file into the models folder…", "Takes its size again."),
    ("move", "Move a file into the models folder…", "Other programs find it there no more."),
)


class ModelsHeader(QFrame):
    """Says where one is.

    Signals: `back_asked()`, `sidebar_asked()`, `folder_asked()`, `hub_page_asked()`, `add_asked(str)` with how.
    """

    back_asked = Signal()
    sidebar_asked = Signal()
    folder_asked = Signal()
    hub_page_asked = Signal()
    add_asked = Signal(str)

    def __init__(self, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self._services, self._theme = services, theme
        self.repo_id = ""
        self._one = False
        self._sidebar = IconButton("sidebar", "Show the chats", theme, keys="Ctrl+B", side_px=34)
        self._sidebar.clicked.connect(self.sidebar_asked)
        self._sidebar.hide()
        self.back = IconButton("chevron-left", "Back to the chat", theme, keys="Esc", side_px=34)
        self.back.clicked.connect(self.back_asked)
        self._title = ElidedLabel("Models")
        self._title.setProperty("kind", "title")
        self._usage = QLabel()
        self._usage.setProperty("kind", "faint")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Disk used by models")
        self._disk = QWidget()
        self._add = WordButton("Add a file", theme, kind="outline", icon_name="plus")
        self._add.setMenu(self._make_menu())
        self._folder = WordButton("Open folder", theme, kind="outline", icon_name="folder")
        self._folder.clicked.connect(self.folder_asked)
        self._hub = WordButton("View on the Hub", theme, kind="outline", icon_name="external")
        self._hub.clicked.connect(self.hub_page_asked)
        self._hub.hide()
        self._lay_out()
        services.local.changed.connect(self.refresh)
        services.downloads.changed.connect(self.refresh)
        self.refresh()

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for how, words, tip in ADD_WAYS:
            action = menu.addAction(words)
            action.setData(how)
            action.setToolTip(tip)
        menu.triggered.connect(self._ask_adding)
        return menu

    @Slot(QAction)
    def _ask_adding(self, action: QAction) -> None:
        self.add_asked.emit(action.data())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self._disk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addStretch()
        column.addWidget(self._usage)
        column.addWidget(self._bar)
        column.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self._sidebar)
        row.addWidget(self.back)
        row.addWidget(self._title, 1)
        row.addWidget(self._disk)
        row.addSpacing(6)
        row.addWidget(self._hub)
        row.addWidget(self._add)
        row.addWidget(self._folder)
        self.set_theme(self._theme)

    @Slot()
    def refresh(self) -> None:
        """Say how full the disk is now."""
        used, free = self._services.local.used_bytes(), self._services.local.free_bytes()
        words = f"{gigabytes(used)} of models" if used else "No models in the folder yet"
        self._usage.setText(words if free is None else f"{words} · {gigabytes(free)} free")
        self._bar.setValue(round(1000 * used / max(1, used + (free or 0))))
        self._bar.setVisible(free is not None)
        self._disk.setToolTip(self._services.local.folder())

    def show_model(self, name: str, repo_id: str) -> None:
        """Which model is shown; "" for the lists. `repo_id`: where it is on the Hub, if it is."""
        self.repo_id = repo_id
        self._one = bool(name)
        self._title.setText(name or "Models")
        self._title.setToolTip(name)
        self.back.set_words("Back to the models" if name else "Back to the chat", "Esc")
        self._hub.setVisible(bool(repo_id))
        for widget in (self._add, self._folder):
            widget.setVisible(not name)
        self._fit()

    def title(self) -> str:
        """Where one is."""
        return self._title.text()

    def usage(self) -> str:
        """What it says of the disk."""
        return self._usage.text()

    def show_panels(self, *, sidebar: bool) -> None:
        """The button for the chats is there while they are hidden."""
        self._sidebar.setVisible(not sidebar)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme
        self.setFixedHeight(max(56, self.fontMetrics().height() + 38))

    def _fit(self) -> None:
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        self._disk.setVisible(not narrow and not self._one)
        self._folder.setText("" if narrow else "Open folder")
        self._folder.setAccessibleName("Open the models folder")
        self._folder.setToolTip("Open the models folder")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow line says less."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """The buttons ask for no more than the window's smallest width."""
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 380))
        return hint
