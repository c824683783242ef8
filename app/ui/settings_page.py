"""The app's own settings, its keys, and what it is; a page in the window, not a dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

import app
from app.core.looks import Look
from app.core.running import Running
from app.ui.app_form import AppForm
from app.ui.buttons import IconButton
from app.ui.notices import Notices
from app.ui.shortcuts import SHORTCUTS
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services.preferences import Preferences

_COLUMN_PX = 620


class SettingsPage(QWidget):
    """Look, keys and about. `left()` when the person is done."""

    left = Signal()

    def __init__(
        self, preferences: Preferences, hub: QWidget, trash: QWidget, theme: Theme, parent: QWidget | None = None
    ) -> None:
        """`hub`: the settings of the model library, shown below the looks; `trash`: the deleted chats."""
        super().__init__(parent)
        self._hub, self._trash = hub, trash
        self.notices = Notices(theme)
        self.setObjectName("page")
        self._preferences = preferences
        self.back = IconButton("chevron-left", "Back to the chat", theme, keys="Esc", side_px=34)
        self.back.clicked.connect(self.left)
        self.form = AppForm(Look, preferences.look, preferences.set_look, theme)
        self.engine_form = AppForm(Running, preferences.running, preferences.set_running, theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header())
        column.addWidget(self.notices)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName("Settings and keys")
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self._inside())
        column.addWidget(self._area, 1)
        preferences.look_changed.connect(self.form.refresh)
        preferences.running_changed.connect(self.engine_form.refresh)

    def _header(self) -> QFrame:
        header = QFrame()
        header.setObjectName("header")
        header.setFixedHeight(max(56, self.fontMetrics().height() + 38))
        title = QLabel("Settings")
        title.setProperty("kind", "title")
        row = QHBoxLayout(header)
        row.setContentsMargins(14, 0, 12, 0)
        row.setSpacing(6)
        row.addWidget(self.back)
        row.addWidget(title)
        row.addStretch()
        return header

    def _inside(self) -> QWidget:
        holder = QWidget(self._area.viewport())
        inside = QWidget(holder)
        inside.setMaximumWidth(_COLUMN_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 20, 0, 24)
        column.setSpacing(12)
        column.addWidget(self.form)
        column.addSpacing(12)
        column.addWidget(self._hub)
        column.addSpacing(12)
        column.addWidget(self.engine_form)
        column.addSpacing(12)
        column.addWidget(self._trash)
        column.addSpacing(12)
        self._keys = _heading("Keys")
        column.addWidget(self._keys)
        column.addLayout(_key_table())
        column.addSpacing(12)
        column.addWidget(_heading("About"))
        about = QLabel(
            f"Orcinus {app.__version__}. Chat with open models on your own computer; nothing leaves it.\n"
            "Apache License 2.0. Runs models with llama.cpp; fonts Inter and JetBrains Mono, SIL Open Font License."
        )
        about.setWordWrap(True)
        about.setProperty("kind", "muted")
        column.addWidget(about)
        column.addStretch()
        holder.setMinimumWidth(1)
        row = QHBoxLayout(holder)
        row.setContentsMargins(32, 0, 32, 0)
        row.addStretch(1)
        row.addWidget(inside, 100)
        row.addStretch(1)
        return holder

    def flush(self) -> None:
        """Hand over what is typed; before the window closes."""
        for form in (self.form, self.engine_form):
            form.flush()

    def show_keys(self) -> None:
        """Scroll to the list of keys."""
        inside = self._area.widget()
        layout = inside.layout() if inside is not None else None
        if inside is not None and layout is not None:
            # the form may not have been laid out yet
            layout.activate()
            self._area.verticalScrollBar().setValue(self._keys.mapTo(inside, self._keys.rect().topLeft()).y() - 12)

    def show_widget(self, widget: QWidget) -> None:
        """Scroll to one of the widgets on the page and give it the keyboard."""
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        self._area.ensureWidgetVisible(widget, 0, 120)


def _heading(words: str) -> QLabel:
    heading = QLabel(words)
    heading.setProperty("kind", "heading")
    return heading


def _key_table() -> QGridLayout:
    table = QGridLayout()
    table.setHorizontalSpacing(20)
    table.setVerticalSpacing(7)
    table.setColumnStretch(1, 1)
    for place, shortcut in enumerate(SHORTCUTS):
        keys = QLabel(shortcut.keys)
        keys.setProperty("kind", "keys")
        table.addWidget(keys, place, 0, Qt.AlignmentFlag.AlignLeft)
        words = QLabel(shortcut.words)
        words.setProperty("kind", "muted")
        table.addWidget(words, place, 1)
    return table
