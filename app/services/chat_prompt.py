"""Where an open chat's system prompt comes from, and what can be done once it was edited."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.core.prompts import Prompt, PromptVersion
from app.services.open_chat import OpenChat
from app.services.prompt_library import PromptLibrary


class ChatPrompt(QObject):
    """The link between a chat and a version of a prompt. Lives in the GUI thread.

    The chat keeps the text it uses, so nothing that happens to the prompt changes the chat.

    Signals:
        changed(): the version, or whether the text differs from it, is another one.
        kept(Prompt, PromptVersion): the chat's text was saved as this version.
    """

    changed = Signal()
    kept = Signal(object, object)

    def __init__(self, session: OpenChat, library: PromptLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self._looked_for = ""
        self._version: PromptVersion | None = None
        self._shown: tuple[PromptVersion | None, bool] = (None, False)
        session.chat_changed.connect(self._look)
        self._look()

    @property
    def version(self) -> PromptVersion | None:
        """The version that the text was taken from; None where there is none, or it was deleted for good."""
        return self._version

    @property
    def edited(self) -> bool:
        """Whether the chat says something else than its version."""
        return self._version is not None and self._version.text != self._session.chat.system_prompt

    def use(self, version: PromptVersion) -> None:
        """Take this version's text; the very next reply uses it."""
        self._looked_for, self._version = version.hash, version
        self._session.use_prompt(version.text, version.hash)
        self._tell()

    def revert(self) -> None:
        """Go back to what the version says."""
        if self._version is not None:
            self.use(self._version)

    def save_as_version(self, note: str = "", name: str = "") -> None:
        """Keep the chat's text as a version of the prompt that it comes from, and link the chat to it; see `kept`.

        `name` is for a prompt that has to be made: where the text comes from none, or from one of the app's.
        """
        origin = self._version.hash if self._version is not None else ""
        self._library.keep_wording(self._session.chat.system_prompt, origin, self._kept, note=note, name=name)

    def _kept(self, prompt: Prompt, version: PromptVersion) -> None:
        # what was typed in the meantime stays, as an edit of the version
        self._looked_for, self._version = version.hash, version
        self._session.use_prompt(self._session.chat.system_prompt, version.hash)
        self._tell()
        self.kept.emit(prompt, version)

    def _look(self) -> None:
        wanted = self._session.chat.prompt_version
        if wanted != self._looked_for:
            self._looked_for, self._version = wanted, None
            if wanted:
                self._library.find_version(wanted, lambda version: self._found(wanted, version))
        self._tell()

    def _found(self, wanted: str, version: PromptVersion | None) -> None:
        if wanted == self._looked_for:
            self._version = version
            self._tell()

    def _tell(self) -> None:
        shown = (self._version, self.edited)
        if shown != self._shown:
            self._shown = shown
            self.changed.emit()
