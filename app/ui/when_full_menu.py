"""What shall be done when the context of a chat is full, as a menu of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.core.overflow import WhenFull, words_of

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession


class WhenFullMenu(QMenu):
    """The choices, the one in force ticked; another one holds for this chat alone."""

    def __init__(self, session: ChatSession, parent: QWidget) -> None:
        super().__init__("When the context is full", parent)
        self._session = session
        group = QActionGroup(self)
        in_force = session.overflow().when_full
        for choice in WhenFull:
            action = self.addAction(words_of(choice))
            action.setCheckable(True)
            action.setChecked(choice == in_force)
            action.setData(choice.value)
            group.addAction(action)
        group.triggered.connect(self._choose)

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        self._session.set_override("when_full", action.data())
