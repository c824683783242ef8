"""What a person wants of the messages on screen, handed to the chat they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.core.chat import Mark

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.ui.transcript import Transcript


class MessageWishes(QObject):
    """Connects a transcript with whichever chat it shows.

    Signals: `sent()` right before something goes to the model; `edited()` when an edit went.
    """

    sent = Signal()
    edited = Signal()

    def __init__(self, transcript: Transcript, session: Callable[[], ChatSession | None]) -> None:
        """`session` tells which chat is on screen, if any."""
        super().__init__(transcript)
        self._transcript, self._session = transcript, session
        transcript.regenerate_requested.connect(self.regenerate)
        transcript.edit_requested.connect(self._edit)
        transcript.version_requested.connect(self._show_version)
        transcript.continue_requested.connect(self._continue)
        transcript.mark_requested.connect(self._mark)
        transcript.origin_requested.connect(self._show_origin)

    @Slot(int)
    def regenerate(self, message_id: int) -> None:
        """Ask for another version of a reply."""
        if (session := self._session()) is not None:
            self.sent.emit()
            session.regenerate(message_id)

    @Slot(int, str)
    def _edit(self, message_id: int, text: str) -> None:
        if (session := self._session()) is not None:
            self.sent.emit()
            if session.edit(message_id, text):
                self.edited.emit()
            else:
                self._transcript.keep_edit(message_id)

    @Slot(int, int)
    def _show_version(self, message_id: int, step: int) -> None:
        if (session := self._session()) is not None:
            session.show_version(message_id, step)

    @Slot(int)
    def _continue(self, message_id: int) -> None:
        if (session := self._session()) is not None:
            self.sent.emit()
            session.continue_reply(message_id)

    @Slot(int, str)
    def _mark(self, message_id: int, mark: str) -> None:
        if (session := self._session()) is not None:
            session.mark(message_id, Mark(mark) if mark else None)
            self._transcript.show_mark(message_id, mark)

    @Slot(int)
    def _show_origin(self, message_id: int) -> None:
        session = self._session()
        if session is not None and session.origins is not None:
            from app.ui.origin_dialog import open_origin

            open_origin(self._transcript, session.origins, session.origin(message_id), self._transcript.theme)
