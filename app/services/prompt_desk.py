"""The prompt that is open in the library: its versions, the one that is shown, and what is written but not saved."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.prompts import BundledPrompt, Prompt, PromptOrigin, PromptVersion
from app.services.prompt_library import PromptLibrary

NEW = "new"
"""Key of a prompt that is written and was never saved."""
_SETTLE_MS = 400


def own_key(prompt_id: int) -> str:
    """How one of the person's own prompts is named here."""
    return f"own:{prompt_id}"


def bundled_key(key: str) -> str:
    """How a prompt that comes with the app is named here."""
    return f"bundled:{key}"


class PromptDesk(QObject):
    """One prompt at a time. Lives in the GUI thread.

    What is written belongs to the version it was begun from; it waits there, over a restart too, until it is saved or
    thrown away.

    Signals:
        opened(): another prompt is open, or none.
        changed(): its name, tags, note or versions are others.
        shown(): another version is shown, or its text stands as it was saved again.
        edited(bool): whether what is written differs from the version.
        saved(PromptVersion): it was saved as this version.
    """

    opened = Signal()
    changed = Signal()
    shown = Signal()
    edited = Signal(bool)
    saved = Signal(object)

    def __init__(self, library: PromptLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self.key = ""
        """NEW, what `own_key` or `bundled_key` gives, or "" for none."""
        self.versions: tuple[PromptVersion, ...] = ()
        self.base: PromptVersion | None = None
        """The version that is shown, and that what is written will be made from."""
        self.new_name = ""
        self._drafts: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._wanted = ""
        self._asked: PromptOrigin | None = None
        """What is to be opened once the library is read."""
        self._current = ""
        self._saving = False
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(self._keep)
        library.changed.connect(self._library_changed)
        library.versions_read.connect(self._versions_read)
        library.version_saved.connect(self._version_saved)
        library.notice.connect(self._perhaps_failed)
        library.read_drafts(self._drafts_read)

    # --- what is open -----------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> Prompt | None:
        """The one of the person's own that is open."""
        return self._library.prompt(self._prompt_id) if self._prompt_id else None

    @property
    def bundled(self) -> BundledPrompt | None:
        """The one that comes with the app and is open."""
        kind, _, key = self.key.partition(":")
        return self._library.bundled_prompt(key) if kind == "bundled" else None

    @property
    def is_new(self) -> bool:
        """Whether a prompt is being written that was never saved."""
        return self.key == NEW

    @property
    def text(self) -> str:
        """What is written; else what the version says."""
        return self._drafts.get(self._draft_key(), self.base.text if self.base is not None else "")

    @property
    def name(self) -> str:
        """What the prompt is called, saved or not."""
        shown = self.prompt or self.bundled
        return shown.name if shown is not None else self.new_name.strip() or "New prompt"

    @property
    def written(self) -> PromptVersion:
        """What is written, as made from the version that is shown."""
        return PromptVersion(self.base.hash if self.base is not None else "", "", self.text, "", 0)

    @property
    def is_edited(self) -> bool:
        """Whether what is written differs from the version."""
        return self._draft_key() in self._drafts

    def edited_versions(self) -> frozenset[str]:
        """Hashes of the versions from which something was begun that is not saved."""
        start = f"{self._prompt_id}:"
        return frozenset(key[len(start) :] for key in self._drafts if key.startswith(start))

    def has_draft(self, key: str) -> bool:
        """Whether something written in this prompt is not saved."""
        if key == NEW:
            return NEW in self._drafts
        kind, _, number = key.partition(":")
        return kind == "own" and any(one.startswith(f"{number}:") for one in self._drafts)

    @property
    def _prompt_id(self) -> int:
        kind, _, number = self.key.partition(":")
        return int(number) if kind == "own" else 0

    def _draft_key(self) -> str:
        if self.is_new:
            return NEW
        return f"{self._prompt_id}:{self.base.hash}" if self._prompt_id and self.base is not None else ""

    # --- what the person does ---------------------------------------------------------------------------------------

    def open(self, key: str, version_hash: str = "") -> None:
        """Open a prompt, at this version where one is named, else at the current one; "" opens none."""
        if key == self.key:
            if version_hash:
                self.show_version(version_hash)
                if self.base is None or self.base.hash != version_hash:
                    self._wanted = version_hash  # its versions are still being read
            return
        self.key, self._wanted, self._current = key, version_hash, ""
        bundled, prompt = self.bundled, self.prompt
        self.versions = (bundled.version,) if bundled is not None else ()
        self.base = bundled.version if bundled is not None else None
        if prompt is not None:
            self._current = prompt.current
            self._library.read_versions(prompt.id)
        elif key not in ("", NEW) and bundled is None:
            self.key = ""
        self.opened.emit()
        self.shown.emit()
        self.edited.emit(self.is_edited)

    def open_origin(self, origin: PromptOrigin) -> None:
        """Open the version that a text was taken from, as soon as the library is read; nothing where it is gone."""
        self._asked = None if self._library.ready else origin
        if origin.prompt_id:
            key = own_key(origin.prompt_id)
        else:
            held = (one.key for one in self._library.bundled() if one.version.hash == origin.version.hash)
            key = next(map(bundled_key, held), "")
        if key and self._library.ready:
            self.open(key, origin.version.hash)

    def show_version(self, version_hash: str) -> None:
        """Show another version; what was written waits at the one it was begun from."""
        found = next((one for one in self.versions if one.hash == version_hash), None)
        self._wanted = ""  # whatever is still being read, this was chosen after it was asked for
        if found is not None and found != self.base:
            self.base = found
            self.shown.emit()
            self.edited.emit(self.is_edited)

    def write(self, text: str) -> None:
        """The person wrote this."""
        key = self._draft_key()
        if not key or text == self.text:
            return
        before = self.is_edited
        if text == (self.base.text if self.base is not None else ""):
            self._drafts.pop(key, None)
        else:
            self._drafts[key] = text
        self._timer.start()
        if self.is_edited != before:
            self.edited.emit(self.is_edited)

    def discard(self) -> str:
        """Throw away what is written, and return it."""
        written = self._drafts.pop(self._draft_key(), "")
        self._timer.start()
        self.shown.emit()
        self.edited.emit(False)
        return written

    def save(self, note: str = "") -> None:
        """Save what is written as a version made from the one that is shown; see `saved`."""
        if self._saving or not (self.is_edited or note.strip()):
            return
        if self.is_new:
            self._saving = True
            self._library.keep_wording(self.text, "", self._created, note=note, name=self.new_name)
        elif self.prompt is not None and self.base is not None:
            self._saving = True
            self._library.save(self._prompt_id, self.text, note=note, parent=self.base.hash)

    @Slot()
    def restore(self) -> None:
        """Say again what the version that is shown says, as a new one."""
        if self.prompt is not None and self.base is not None:
            self._library.restore_version(self.prompt.id, self.base.hash)

    @Slot()
    def branch(self) -> None:
        """Make a prompt of its own that goes on from the version that is shown."""
        if self.prompt is not None and self.base is not None:
            self._library.branch(self.prompt.id, self.base.hash)

    def flush(self) -> None:
        """Hand what is written to the disk; before the program ends."""
        if self._timer.isActive():
            self._timer.stop()
            self._keep()

    # --- what became of it ------------------------------------------------------------------------------------------

    def _created(self, prompt: Prompt, version: PromptVersion) -> None:
        self._saving = False
        written = self._drafts.pop(NEW, "")
        if written != version.text:  # more was written meanwhile
            self._drafts[f"{prompt.id}:{version.hash}"] = written
        self.new_name = ""
        self._timer.start()
        if self.is_new:
            self.open(own_key(prompt.id))
        self.saved.emit(version)

    @Slot(int, object)
    def _version_saved(self, prompt_id: int, version: PromptVersion) -> None:
        if prompt_id != self._prompt_id:
            return
        if self._saving:
            self._saving = False
            written = self._drafts.pop(self._draft_key(), version.text)
            if written != version.text:  # more was written meanwhile
                self._drafts[f"{prompt_id}:{version.hash}"] = written
            self._timer.start()
            self.saved.emit(version)
        self._wanted = version.hash
        self._library.read_versions(prompt_id)

    @Slot(int, tuple)
    def _versions_read(self, prompt_id: int, versions: tuple[PromptVersion, ...]) -> None:
        prompt = self.prompt
        if prompt is None or prompt_id != prompt.id:
            return
        self.versions = versions
        by_hash = {one.hash: one for one in versions}
        was_current = self.base is None or self.base.hash == self._current
        wanted, self._wanted = self._wanted, ""
        before, self._current = self.base, prompt.current
        if wanted in by_hash:
            self.base = by_hash[wanted]
        elif self.base is None or self.base.hash not in by_hash or (was_current and not self.is_edited):
            self.base = by_hash.get(prompt.current, versions[-1] if versions else None)
        self.changed.emit()
        if self.base != before:
            self.shown.emit()
            self.edited.emit(self.is_edited)

    @Slot()
    def _library_changed(self) -> None:
        self._timer.start()
        if self._asked is not None and self._library.ready:
            self.open_origin(self._asked)
        if not self._prompt_id:
            return
        prompt = self.prompt
        if prompt is None:
            self.open("")
            return
        if prompt.versions != len(self.versions) or prompt.current != self._current:
            self._library.read_versions(prompt.id)
        self.changed.emit()

    @Slot(object)
    def _perhaps_failed(self, notice: object) -> None:
        del notice  # nothing was saved where one tells so; and after any other, saving has ended too
        self._saving = False

    def _drafts_read(self, drafts: dict[str, str]) -> None:
        self._drafts, self._kept = {**drafts, **self._drafts}, drafts
        self._timer.start()
        self.shown.emit()
        self.edited.emit(self.is_edited)

    @Slot()
    def _keep(self) -> None:
        # those of a prompt that was deleted come back with it only as long as the program runs
        if self._library.ready:
            ids = {str(prompt.id) for prompt in self._library.prompts()}
            kept = {key: text for key, text in self._drafts.items() if key == NEW or key.partition(":")[0] in ids}
            if kept != self._kept:
                self._kept = kept
                self._library.keep_drafts(kept)
