"""The prompt lab: a head with a tab for each of its parts, made when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.core.lab import Contestant
from app.ui.buttons import IconButton
from app.ui.compare_view import CompareView
from app.ui.lab_view import LabView
from app.ui.notices import Notices
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import PromptOrigin


@dataclass(frozen=True, slots=True)
class Part:
    """One tab: its words, what the window is called while it is shown, and how its view is made in its place."""

    words: str
    title: str
    make: Callable[[QWidget], LabView]


class LabPage(QWidget):
    """Shows one part at a time: a `CompareView`, a `PromptsView` and an `ExperimentsView`.

    Signals: `left()`: back to the chat; `sidebar_asked()`; `chat_opened(int)`: the chat of this id was made here;
    `open_asked()`: open a model's file; `prompt_chosen(object)`: begin a chat by this `PromptVersion`; `turned()`:
    another part is shown.
    """

    left = Signal()
    sidebar_asked = Signal()
    chat_opened = Signal(int)
    open_asked = Signal()
    prompt_chosen = Signal(object)
    turned = Signal()

    def __init__(self, parts: tuple[Part, ...], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._parts, self._theme = parts, theme
        self._views: dict[int, LabView] = {}
        self._sidebar = IconButton("sidebar", "Show the chats", theme, keys="Ctrl+B", side_px=34)
        self._sidebar.clicked.connect(self.sidebar_asked)
        self._sidebar.hide()
        self.back = IconButton("chevron-left", "Back to the chat", theme, keys="Esc", side_px=34)
        self.back.clicked.connect(self.left)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setAccessibleName("Parts of the prompt lab")
        for part in parts:
            self.tabs.addTab(part.words)
        self._corner = QHBoxLayout()
        self._lay_out()
        self.tabs.currentChanged.connect(self._turn)

    def _lay_out(self) -> None:
        self._header = QFrame(self)
        self._header.setObjectName("header")
        head = QHBoxLayout(self._header)
        head.setContentsMargins(14, 0, 16, 0)
        head.setSpacing(8)
        for shown in (self._sidebar, self.back):
            head.addWidget(shown)
        head.addSpacing(6)
        head.addWidget(self.tabs, 0, Qt.AlignmentFlag.AlignBottom)
        head.addStretch(1)
        head.addLayout(self._corner)
        self._header.setFixedHeight(max(56, self.fontMetrics().height() + 38))
        self._stack = QStackedWidget(self)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._header)
        whole.addWidget(self._stack, 1)

    @property
    def view(self) -> LabView:
        """The part that is shown, or would be."""
        return self._made(self.tabs.currentIndex())

    @property
    def compare(self) -> CompareView:
        """The columns side by side."""
        view = self._made(0)
        assert isinstance(view, CompareView)
        return view

    @property
    def title(self) -> str:
        """What the window is called while this part is shown."""
        return self._parts[self.tabs.currentIndex()].title

    @property
    def notices(self) -> Notices:
        """Where something is told to somebody who looks at this part."""
        return self.view.notices

    def _made(self, at: int) -> LabView:
        if at not in self._views:
            view = self._parts[at].make(self._stack)
            view.left.connect(self.left)
            view.chat_opened.connect(self.chat_opened)
            view.open_asked.connect(self.open_asked)
            view.prompt_chosen.connect(self.prompt_chosen)
            view.compare_asked.connect(self._compare)
            view.experiment_asked.connect(self._experiment)
            self._views[at] = view
            self._stack.addWidget(view)
            if view.corner is not None:
                self._corner.addWidget(view.corner)
                view.corner.hide()
        return self._views[at]

    @Slot()
    def _turn(self) -> None:
        shown = self.view
        self._stack.setCurrentWidget(shown)
        for view in self._views.values():
            if view.corner is not None:
                view.corner.setVisible(view is shown)
        # arrow keys in the tabs go on to the next tab, and must not be taken away by the part
        if not self.tabs.hasFocus():
            shown.enter()
        self.turned.emit()

    @Slot(tuple, str, object)
    def _compare(self, contestants: tuple[Contestant, ...], question: str, overrides: Mapping[str, Any] | None) -> None:
        self.compare.show_contestants(contestants, question, overrides)
        self.tabs.setCurrentIndex(0)

    @Slot(tuple)
    def _experiment(self, contestants: tuple[Contestant, ...]) -> None:
        from app.ui.experiments_view import ExperimentsView

        view = self._made(2)
        assert isinstance(view, ExperimentsView)
        view.flush()
        self.tabs.setCurrentIndex(2)
        view.begin_with(contestants)

    def show_prompts(self, origin: PromptOrigin | None) -> None:
        """Show the library of prompts, at the version that a text was taken from."""
        from app.ui.prompts_view import PromptsView

        view = self._made(1)
        assert isinstance(view, PromptsView)
        self.tabs.setCurrentIndex(1)
        if origin is not None:
            view.open_origin(origin)

    def enter(self) -> None:
        """Somebody comes here."""
        self._turn()
        self.view.enter()

    def escape(self) -> None:
        """What the part does with Escape, else back to the chat."""
        if not self.view.escape():
            self.left.emit()

    def flush(self) -> None:
        """Hand over what is typed; before the program ends."""
        for view in self._views.values():
            view.flush()

    def show_panels(self, *, sidebar: bool) -> None:
        """The button for the chats is there while they are hidden."""
        self._sidebar.setVisible(not sidebar)

    def minimumSizeHint(self) -> QSize:
        """The window's smallest width has room for it."""
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 380))
        return hint
