"""The system prompts one can choose from: the person's own with their histories, and those that come with the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.known import Entry
from app.core.prompts import BundledPrompt, Prompt, PromptHistory, PromptOrigin, PromptVersion, found_in
from app.services.archive import Archive
from app.services.notice import Notice
from app.storage.prompt_exchange import Imported
from app.storage.prompts import PromptStore
from app.storage.stores import Stores

Result = TypeVar("Result")

_NAME_CHARACTERS = 40
_DRAFTS = "prompt_drafts"


class PromptLibrary(QObject):
    """Own and bundled prompts. Lives in the GUI thread; every change is on the disk before it is told.

    Signals:
        changed(): `prompts()` gives another list.
        made(Prompt): one was created, copied, branched or duplicated; the page may show it.
        version_saved(int, PromptVersion): this prompt's current version is now this one.
        versions_read(int, tuple): a prompt's versions in the order they came.
        found(str, tuple, tuple): a search, the own and the bundled prompts that it found.
        trash_listed(tuple): the prompts in the trash, last deleted first.
        exported(str): prompts were written to this file or folder.
        imported(Imported): a file or folder was read.
        notice(Notice): something to tell.
    """

    changed = Signal()
    made = Signal(object)
    version_saved = Signal(int, object)
    versions_read = Signal(int, tuple)
    found = Signal(str, tuple, tuple)
    trash_listed = Signal(tuple)
    exported = Signal(str)
    imported = Signal(object)
    notice = Signal(object)

    def __init__(
        self, archive: Archive[Stores], bundled: Sequence[BundledPrompt], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._archive = archive
        self._bundled = tuple(bundled)
        self._prompts: tuple[Prompt, ...] = ()
        self._ready = False

    # Looking

    @property
    def ready(self) -> bool:
        """Whether the own prompts were read; `refresh` reads them."""
        return self._ready

    def prompts(self) -> tuple[Prompt, ...]:
        """The person's own, by name."""
        return self._prompts

    def prompt(self, prompt_id: int) -> Prompt | None:
        """One of the person's own that is not in the trash."""
        return next((prompt for prompt in self._prompts if prompt.id == prompt_id), None)

    def bundled(self) -> tuple[BundledPrompt, ...]:
        """Those that come with the app; they never change."""
        return self._bundled

    def bundled_prompt(self, key: str) -> BundledPrompt | None:
        """One that comes with the app."""
        return next((prompt for prompt in self._bundled if prompt.key == key), None)

    def authors_versions(self, entries: Iterable[Entry]) -> dict[str, str]:
        """For `Preferences.know_prompts_by`: by catalogue id, the version that says what its authors say."""
        hashes = {one.version.text: one.version.hash for one in self._bundled if one.model_id}
        return {entry.id: hashes[entry.system_prompt] for entry in entries if entry.system_prompt in hashes}

    def refresh(self) -> None:
        """Read the own prompts; answers with `changed` where the list is another one, and always the first time."""
        self._do(lambda store: None)

    def read_versions(self, prompt_id: int) -> None:
        """Read a prompt's history; answers with `versions_read`."""
        self._ask(
            lambda stores: tuple(stores.prompts.versions(prompt_id)),
            lambda versions: self.versions_read.emit(prompt_id, versions),
        )

    def find_version(self, version_hash: str, then: Callable[[PromptVersion | None], None]) -> None:
        """Look for a version by its hash, in the bundled prompts too; `then` gets it, or None, in the GUI thread."""
        held = next((one.version for one in self._bundled if one.version.hash == version_hash), None)
        self._ask(lambda stores: held or stores.prompts.version(version_hash), then)

    def find_origin(self, version_hash: str, then: Callable[[PromptOrigin | None], None]) -> None:
        """Look which prompt a version belongs to; `then` gets it, or None, in the GUI thread."""
        known = {one.version.hash: PromptOrigin(one.version, one.name) for one in self._bundled}
        bundled = known.get(version_hash)

        def work(stores: Stores) -> PromptOrigin | None:
            # a copy of a bundled prompt begins with the same version, and is the one that the person works on
            own = stores.prompts.origin(version_hash)
            return own if own is not None and own.name else bundled or own

        self._ask(work, then)

    def find_holders(self, hashes: Iterable[str], then: Callable[[dict[str, int]], None]) -> None:
        """Look which of the person's own prompts have these versions; `then` gets prompts' ids by hash."""
        wanted = tuple(hashes)

        def work(stores: Stores) -> dict[str, int]:
            found = ((one, stores.prompts.holder(one)) for one in wanted)
            return {version_hash: held for version_hash, held in found if held is not None}

        self._ask(work, then)

    def search(self, query: str) -> None:
        """Look for words in names, tags, notes and texts; answers with `found`."""
        bundled = tuple(
            one for one in self._bundled if found_in(query, one.name, *one.tags, one.note, one.version.text)
        )
        self._ask(lambda stores: tuple(stores.prompts.search(query)), lambda own: self.found.emit(query, own, bundled))

    def read_drafts(self, then: Callable[[dict[str, str]], None]) -> None:
        """What was written and not saved; `then` gets it by key, in the GUI thread."""
        self._ask(lambda stores: stores.state.get(_DRAFTS), lambda kept: then(_texts(kept)))

    def keep_drafts(self, drafts: Mapping[str, str]) -> None:
        """Keep what is written and not saved, and nothing else."""
        kept = dict(drafts)
        self._ask(lambda stores: stores.state.set(_DRAFTS, kept), lambda _: None)

    # Making and changing

    def create(self, name: str, text: str, *, tags: Iterable[str] = (), note: str = "") -> None:
        """A new prompt; answers with `made`."""
        listed = tuple(tags)
        self._do(lambda store: store.create(name, text, tags=listed, note=note), self.made.emit)

    def copy_bundled(self, key: str, *, name: str = "", text: str | None = None, note: str = "") -> None:
        """Make a bundled prompt the person's own; answers with `made`.

        Its history begins with the bundled version, under the same hash. `text` is what it is changed to at once, as a
        second version with `note`.
        """
        history = _history(next(one for one in self._bundled if one.key == key), name)

        def work(store: PromptStore) -> Prompt:
            with store.together():
                prompt = store.add(history)
                if text is not None:
                    store.save(prompt.id, text, note=note)
                return store.prompt(prompt.id)

        self._do(work, self.made.emit)

    def save(self, prompt_id: int, text: str, *, note: str = "", parent: str | None = None) -> None:
        """Keep a wording as a new version, made from `parent` or the current one; answers with `version_saved`."""
        self._do(
            lambda store: store.save(prompt_id, text, note=note, parent=parent),
            lambda version: self.version_saved.emit(prompt_id, version),
        )

    def keep_wording(
        self,
        text: str,
        origin: str,
        then: Callable[[Prompt, PromptVersion], None],
        *,
        note: str = "",
        name: str = "",
    ) -> None:
        """Keep a text that was edited elsewhere, as in a chat, where it came from.

        A version of one's own prompt gets a new one made from it; a bundled one, or a text that comes from nowhere,
        becomes a prompt of one's own.

        Args:
            text: the wording to keep.
            origin: hash of the version that it was made from, "" for none.
            then: gets the prompt and the version, in the GUI thread.
            note: what is new about it.
            name: of a prompt that has to be made; else the bundled one's, or the beginning of the text.
        """
        bundled = next((one for one in self._bundled if one.version.hash == origin), None)

        def work(store: PromptStore) -> tuple[Prompt, PromptVersion]:
            with store.together():
                held = store.holder(origin)
                if held is not None:
                    version = store.save(held, text, note=note, parent=origin)
                elif bundled is not None:
                    held = store.add(_history(bundled, name)).id
                    version = store.save(held, text, note=note)
                else:
                    held = store.create(name or _name_from(text), text, version_note=note).id
                    version = store.versions(held)[0]
                return store.prompt(held), version

        self._do(work, lambda kept: then(*kept))

    def restore_version(self, prompt_id: int, version_hash: str) -> None:
        """Say again what an earlier version said, as a new one; answers with `version_saved`."""
        self._do(
            lambda store: store.restore_version(prompt_id, version_hash),
            lambda version: self.version_saved.emit(prompt_id, version),
        )

    def set_current(self, prompt_id: int, version_hash: str) -> None:
        """Let a version be the one that is used; the history stays as it is."""
        self._do(lambda store: store.set_current(prompt_id, version_hash))

    def branch(self, prompt_id: int, version_hash: str, name: str = "") -> None:
        """A prompt of its own that goes on from a version; answers with `made`."""
        self._do(lambda store: store.branch(prompt_id, version_hash, name), self.made.emit)

    def duplicate(self, prompt_id: int, name: str = "") -> None:
        """A second prompt with the same history; answers with `made`."""
        self._do(lambda store: store.duplicate(prompt_id, name), self.made.emit)

    def rename(self, prompt_id: int, name: str) -> None:
        """Give another name; a number comes behind one that is taken, and an empty one changes nothing."""
        self._do(lambda store: store.rename(prompt_id, name))

    def set_tags(self, prompt_id: int, tags: Iterable[str]) -> None:
        """Replace a prompt's tags."""
        listed = tuple(tags)
        self._do(lambda store: store.set_tags(prompt_id, listed))

    def set_note(self, prompt_id: int, note: str) -> None:
        """Replace what is noted about a prompt."""
        self._do(lambda store: store.set_note(prompt_id, note))

    # The trash

    def delete(self, prompt_id: int) -> None:
        """Put a prompt in the trash; the notice that says so can undo it."""
        prompt = self.prompt(prompt_id)
        if prompt is None:
            return
        # first: who hears that the list is another one may ask the store about it
        self._do(lambda store: store.trash(prompt_id))
        self._listed(tuple(other for other in self._prompts if other.id != prompt_id))
        self.notice.emit(Notice(f"“{prompt.name}” was deleted", actions=(("Undo", lambda: self.restore(prompt_id)),)))

    def restore(self, prompt_id: int) -> None:
        """Take a prompt out of the trash."""
        self._do(lambda store: store.restore(prompt_id))

    def list_trash(self) -> None:
        """Ask what is in the trash; answers with `trash_listed`."""
        self._ask(lambda stores: tuple(stores.prompts.rows(trashed=True)), self.trash_listed.emit)

    def purge(self, prompt_id: int) -> None:
        """Delete a prompt that is in the trash for good."""
        self._do(lambda store: store.purge(prompt_id), lambda _: self.list_trash())

    # Files

    def export_to(self, path: str, prompt_ids: Sequence[int] | None = None) -> None:
        """Write prompts, or all, with their histories; answers with `exported`.

        A name that ends in .json gets one JSON file, in .zip a zip of Markdown files, any other a folder of those.
        """
        ids = tuple(prompt_ids) if prompt_ids is not None else None
        self._ask(lambda stores: stores.export_prompts(ids, Path(path)), lambda _: self.exported.emit(path))

    def import_from(self, path: str) -> None:
        """Read prompts from a file or folder: all or nothing; answers with `imported` and a notice."""

        def work(stores: Stores) -> tuple[Imported, tuple[Prompt, ...]]:
            return stores.import_prompts(Path(path)), tuple(stores.prompts.rows())

        def then(done: tuple[Imported, tuple[Prompt, ...]]) -> None:
            self._listed(done[1])
            self.imported.emit(done[0])
            self.notice.emit(_told(done[0]))

        self._ask(work, then)

    def _do(self, work: Callable[[PromptStore], Result], then: Callable[[Result], None] | None = None) -> None:
        """Change something, list the prompts anew, then tell."""

        def both(stores: Stores) -> tuple[Result, tuple[Prompt, ...]]:
            return work(stores.prompts), tuple(stores.prompts.rows())

        def done(results: tuple[Result, tuple[Prompt, ...]]) -> None:
            self._listed(results[1])
            if then is not None:
                then(results[0])

        self._ask(both, done)

    def _ask(self, work: Callable[[Stores], Result], then: Callable[[Result], None]) -> None:
        self._archive.ask(work, then, self._failed)

    def _listed(self, prompts: tuple[Prompt, ...]) -> None:
        if prompts != self._prompts or not self._ready:
            self._prompts, self._ready = prompts, True
            self.changed.emit()

    def _failed(self, error: AppError) -> None:
        self.notice.emit(Notice.of(error))
        # what was shown ahead of its being done is not so
        self._archive.ask(lambda stores: tuple(stores.prompts.rows()), self._listed)


def _history(bundled: BundledPrompt, name: str) -> PromptHistory:
    version = bundled.version
    return PromptHistory(name or bundled.name, (version,), version.hash, tags=bundled.tags, note=bundled.note)


def _texts(kept: Any) -> dict[str, str]:
    """The texts by key that were kept; what is damaged is left out."""
    return {key: text for key, text in kept.items() if isinstance(text, str)} if isinstance(kept, dict) else {}


def _name_from(text: str) -> str:
    """A name from how a text begins, shortened at a word."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _NAME_CHARACTERS else line[:_NAME_CHARACTERS].rsplit(" ", 1)[0].rstrip(".,;:") + "…"


def _told(done: Imported) -> Notice:
    parts = [
        words
        for count, words in (
            (len(done.added), f"{len(done.added)} new"),
            (len(done.merged), f"{len(done.merged)} with versions that were not here yet"),
            (done.unchanged, f"{done.unchanged} that were here already"),
        )
        if count
    ]
    total = len(done.added) + len(done.merged) + done.unchanged
    if not total:
        return Notice("There were no prompts in it", "The file is sound, but empty.")
    return Notice(f"{total} prompt was read" if total == 1 else f"{total} prompts were read", f"{', '.join(parts)}.")
