"""The link between a text that is used somewhere and the version of a prompt that it was taken from."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from app.core.prompts import Prompt, PromptOrigin, PromptVersion
from app.services.prompt_library import PromptLibrary


class PromptLink(QObject):
    """What a chat's and a model's system prompt have in common. Lives in the GUI thread.

    The text that is used is kept where it is used: nothing that happens to the prompt changes it.

    Signals:
        changed(): the version, its name, or whether the text differs from it, is another one.
        kept(Prompt, PromptVersion): the text was saved as this version.
    """

    changed = Signal()
    kept = Signal(object, object)

    def __init__(self, library: PromptLibrary, parent: QObject | None = None) -> None:
        """Whoever inherits calls `_look` once there is a text, and whenever the text or its version may be others."""
        super().__init__(parent)
        self._library = library
        self._looked_for = ""
        self._origin: PromptOrigin | None = None
        self._shown: tuple[PromptOrigin | None, bool, bool] = (None, False, False)
        library.changed.connect(self._look_again)

    @property
    def text(self) -> str:
        """What is used."""
        raise NotImplementedError

    @property
    def version_hash(self) -> str:
        """Hash of the version that the text was taken from, "" for none."""
        raise NotImplementedError

    def _take(self, text: str, version_hash: str) -> None:
        """Use this text, taken from this version."""
        raise NotImplementedError

    @property
    def origin(self) -> PromptOrigin | None:
        """Where the text was taken from; None where that is nowhere, or was deleted for good."""
        return self._origin

    @property
    def version(self) -> PromptVersion | None:
        """The version that the text was taken from; None where there is none, or it was deleted for good."""
        return self._origin.version if self._origin is not None else None

    @property
    def edited(self) -> bool:
        """Whether the text says something else than its version."""
        return self._origin is not None and self._origin.version.text != self.text

    @property
    def saved(self) -> bool:
        """Whether the text can be found in the library as it is; an empty one need not."""
        return not self.text.strip() or (self._origin is not None and not self.edited)

    def use(self, version: PromptVersion) -> None:
        """Take this version's text."""
        if self._origin is None or self._origin.version != version:
            self._origin = PromptOrigin(version)
        self._looked_for = version.hash
        self._take(version.text, version.hash)
        self._look_again()

    def use_none(self) -> None:
        """Use no text at all."""
        self._looked_for, self._origin = "", None
        self._take("", "")
        self._tell()

    def revert(self) -> None:
        """Go back to what the version says."""
        if self._origin is not None:
            self.use(self._origin.version)

    def save_as_version(self, note: str = "", name: str = "") -> None:
        """Keep the text as a version of the prompt that it comes from, and link it to that; see `kept`.

        `name` is for a prompt that has to be made: where the text comes from none, or from one of the app's.
        """
        origin = self._origin.version.hash if self._origin is not None else ""
        self._library.keep_wording(self.text, origin, self._kept, note=note, name=name)

    def _kept(self, prompt: Prompt, version: PromptVersion) -> None:
        # what was typed in the meantime stays, as an edit of the version
        self._looked_for = version.hash
        self._origin = PromptOrigin(version, prompt.name, prompt.number, prompt.id)
        self._take(self.text, version.hash)
        self._look_again()
        self.kept.emit(prompt, version)

    @Slot()
    def _look(self) -> None:
        """See whether the text or its version are others."""
        if self.version_hash != self._looked_for:
            self._looked_for, self._origin = self.version_hash, None
            self._ask()
        self._tell()

    @Slot()
    def _look_again(self) -> None:
        """The library is another one: the prompt may have another name, or be gone."""
        if self._looked_for:
            self._ask()
        self._tell()

    def _ask(self) -> None:
        wanted = self._looked_for
        if wanted:
            self._library.find_origin(wanted, lambda origin: self._found(wanted, origin))

    def _found(self, wanted: str, origin: PromptOrigin | None) -> None:
        if wanted == self._looked_for:
            self._origin = origin
            self._tell()

    def _tell(self) -> None:
        shown = (self._origin, self.edited, self.saved)
        if shown != self._shown:
            self._shown = shown
            self.changed.emit()
