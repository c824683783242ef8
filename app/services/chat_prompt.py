"""Where an open chat's system prompt comes from, and what can be done once it was edited."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.services.open_chat import OpenChat
from app.services.prompt_library import PromptLibrary
from app.services.prompt_link import PromptLink


class ChatPrompt(PromptLink):
    """The link between a chat and a version of a prompt; what is taken is used by the very next reply."""

    def __init__(self, session: OpenChat, library: PromptLibrary, parent: QObject | None = None) -> None:
        super().__init__(library, parent)
        self._session = session
        session.chat_changed.connect(self._look)
        self._look()

    @property
    def text(self) -> str:
        """The chat's system prompt, with its variables."""
        return self._session.chat.system_prompt

    @property
    def version_hash(self) -> str:
        """Hash of the version that the chat began with or took since."""
        return self._session.chat.prompt_version

    def _take(self, text: str, version_hash: str) -> None:
        self._session.use_prompt(text, version_hash)
