"""The window itself: on screen at once, filled in two more steps, and back in its place at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, QSize, QTimer, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from app.ui.skeleton import Skeleton

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QPaintEvent

    from app.services.library import Library
    from app.services.model_manager import ModelManager
    from app.services.notice import Notice
    from app.services.preferences import Preferences
    from app.ui.chat_page import ChatPage
    from app.ui.model_services import ModelServices
    from app.ui.workspace import Workspace

_USUAL = QSize(1280, 820)
_SMALLEST = QSize(720, 480)
_PAINT_WAIT_MS = 400


class MainWindow(QMainWindow):
    """A frame that opens in three steps, so that something is on screen at once.

    Made and shown alone it has its outlines and imports next to nothing; `attach` builds what is in it; `fill`
    brings in the chats and the model.

    Signals: `painted()` once, after the first paint.
    """

    painted = Signal()

    def __init__(
        self,
        library: Library | None = None,
        models: ModelManager | None = None,
        preferences: Preferences | None = None,
        hub: ModelServices | None = None,
        *,
        settings_file: str = "",
    ) -> None:
        """`settings_file` keeps the window's place and panels between starts; "" keeps nothing.

        With services it is attached to them at once.
        """
        super().__init__()
        self._state = QSettings(settings_file, QSettings.Format.IniFormat) if settings_file else None
        self._filled = self._fill_wanted = self._painted = False
        self._workspace: Workspace | None = None
        self.setWindowTitle("Orcinus")
        self._restore_geometry()
        if library is not None and models is not None and preferences is not None and hub is not None:
            self.attach(library, models, preferences, hub)
        else:
            self.setCentralWidget(Skeleton(self._state))

    def attach(self, library: Library, models: ModelManager, preferences: Preferences, hub: ModelServices) -> None:
        """Build what is in the window, over these services."""
        # Imported here: the widgets take most of the way to a full window, and the first paint need not wait for them
        from app.ui.icons import app_icon
        from app.ui.workspace import Workspace

        self._workspace = Workspace(library, models, preferences, hub, self._state, self)
        self._workspace.titled.connect(self._show_title)
        self.setCentralWidget(self._workspace)
        self.setWindowIcon(app_icon())

    @property
    def workspace(self) -> Workspace:
        """What is in the window, once it is attached."""
        assert self._workspace is not None
        return self._workspace

    @property
    def page(self) -> ChatPage:
        """The chat in the middle."""
        return self.workspace.page

    @Slot()
    def fill(self) -> None:
        """Bring in the chats and open the last one; at once, or right after the window was first painted."""
        if self._filled:
            return
        if self.isVisible() and not self._painted and not self._fill_wanted:
            self._fill_wanted = True
            QTimer.singleShot(_PAINT_WAIT_MS, self, self.fill)
            return
        self._filled = True
        self.workspace.fill()

    @Slot(object)
    def tell(self, notice: Notice) -> None:
        """Show a notice in the window."""
        self.workspace.tell(notice)

    @Slot(int)
    def open_chat(self, chat_id: int) -> None:
        """Show a saved chat."""
        self.workspace.open_chat(chat_id)

    @Slot()
    def new_chat(self) -> None:
        """Show an empty chat."""
        self.workspace.new_chat()

    @Slot(str)
    def _show_title(self, title: str) -> None:
        self.setWindowTitle(f"{title} – Orcinus")

    def _restore_geometry(self) -> None:
        known = self._state.value("window/geometry") if self._state is not None else None
        if known is None or not self.restoreGeometry(known):
            screen = self.screen().availableGeometry().size()
            self.resize(_USUAL.boundedTo(screen * 0.95).expandedTo(_SMALLEST))

    def paintEvent(self, event: QPaintEvent) -> None:
        """After the first paint there is time for the rest."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.painted.emit)
            if self._fill_wanted:
                QTimer.singleShot(0, self, self.fill)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hand over what is typed, and remember the window's place."""
        if self._workspace is not None:
            self._workspace.leave()
        if self._state is not None:
            self._state.setValue("window/geometry", self.saveGeometry())
            if self._workspace is not None:
                self._state.setValue("window/dark", self._workspace.theme.dark)
            self._state.sync()
        super().closeEvent(event)
