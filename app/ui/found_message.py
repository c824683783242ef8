"""Goes to the message in which a search found its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.ui.chat_page import ChatPage


def show_found(page: ChatPage, message_id: int) -> None:
    """Show a message of the chat on screen, as soon as the chat is read; on another path, that path is taken."""
    session = page.session
    if session is None or not message_id:
        return
    if session.ready:
        _show(page, session, message_id)
    else:
        session.loaded.connect(lambda: _show(page, session, message_id), Qt.ConnectionType.SingleShotConnection)


def _show(page: ChatPage, session: ChatSession, message_id: int) -> None:
    if page.session is not session or message_id not in session.tree:
        return
    session.show_message(message_id)
    if page.transcript is not None:
        page.transcript.reveal(message_id)
