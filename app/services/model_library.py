"""The models on this computer: found by themselves, added, checked and removed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError, StorageError
from app.core.library import LocalModel, Wanted
from app.core.stopping import StopFlag
from app.hub.download_folder import check_folder, has_fat_limit
from app.services.archive import Archive
from app.services.folder_watch import FolderWatch
from app.services.lane import Job, Lane, Outcome, Ticket
from app.services.notice import Notice
from app.services.preferences import Preferences
from app.services.shelf import Inspect, Seen, absolute, add, checked, nothing_to_compare, survey
from app.storage.importing import How, Stopped, sums, sweep
from app.storage.model_folder import (
    delete,
    free_bytes,
    freed_by_removing,
    is_inside,
    look,
)
from app.storage.model_notes import FOLDER, ModelNote, noted_now, remove_note, write_note
from app.storage.settings import KnownModel
from app.storage.stores import Stores


class ModelLibrary(QObject):
    """Knows every model on this computer; nobody else does. Lives in the GUI thread; disks are touched on lanes.

    Signals:
        changed(): a model came, went, or is known otherwise.
        verified(str, bool): the files of the model with this path were read again; whether they are right.
        progressed(str, object, object): of the model with this path, so many bytes of so many were read or copied.
        added(str): the model with this path can be used now.
        removing(str): the files of the model with this path are about to be deleted: let go of them.
        failed(AppError): what was asked for could not be done.
        notice(Notice): something to tell.
    """

    changed = Signal()
    verified = Signal(str, bool)
    progressed = Signal(str, object, object)
    added = Signal(str)
    removing = Signal(str)
    failed = Signal(object)
    notice = Signal(object)

    def __init__(
        self,
        usual_folder: str,
        preferences: Preferences,
        archive: Archive[Stores],
        inspect: Inspect,
        known: Sequence[KnownModel],
        files: Mapping[str, ModelNote],
        parent: QObject | None = None,
    ) -> None:
        """`usual_folder` holds unless the person chose another; `known` and `files` are what the database remembers."""
        super().__init__(parent)
        self._usual_folder = usual_folder
        self._preferences = preferences
        self._archive = archive
        self._inspect = inspect
        named = {model.path: ModelNote(LocalModel(model.path, model.name)) for model in known}
        # in the order of their last use; then those that only lie there
        paths = (*named, *(path for path in files if path not in named))
        self._notes = {path: self._placed(files.get(path) or named[path]) for path in paths}
        self._files = Lane("files", self)
        self._long = Lane("reading models", self)
        self._working: dict[str, Ticket] = {}
        self._watch = FolderWatch(self)
        self._watch.changed.connect(lambda: self.refresh(asked=False))

    # --- what is there ----------------------------------------------------------------------------------------------

    def models(self) -> tuple[LocalModel, ...]:
        """Every known model, also those whose files are gone for now."""
        return tuple(note.model for note in self._notes.values() if not note.forgotten)

    def model(self, path: str) -> LocalModel | None:
        """The model with this path, if it is known."""
        note = self._notes.get(path)
        return note.model if note is not None and not note.forgotten else None

    def having(self, wanted: Wanted) -> LocalModel | None:
        """The model on disk that is this download, proven right, if there is one."""
        for model in self.models():
            if model.present and model.verified_ms and model.sha256 == wanted.sha256:
                return model
        return None

    def folder(self) -> str:
        """Where models are kept."""
        return self._preferences.fetching().models_folder or self._usual_folder

    def free_bytes(self) -> int | None:
        """Room left on the disk of the models folder; None where it cannot be told."""
        return free_bytes(self.folder())

    def used_bytes(self) -> int:
        """What the models in the folder take up."""
        return sum(model.size_bytes for model in self.models() if model.managed and model.present)

    def freed_by_removing(self, path: str) -> int:
        """What removing this model would free: 0 for one that is only forgotten, or has its bytes elsewhere too."""
        return freed_by_removing(path) if is_inside(path, self.folder()) else 0

    # --- what the person does ---------------------------------------------------------------------------------------

    def refresh(self, *, asked: bool = True) -> None:
        """Look at the folder and at every known file again.

        asked: the person wants it, so files they took off the list come back, and ones that cannot be used are told.
        """
        folder, known, inspect = self.folder(), dict(self._notes), self._inspect
        is_usual = folder == self._usual_folder

        def job(stop: StopFlag) -> Iterator[object]:
            if is_usual:  # another one may lie on a disk that is not connected
                with suppress(OSError):
                    Path(folder).mkdir(parents=True, exist_ok=True)
            sweep(folder)
            found = tuple(survey(folder, known, inspect, stop, forgotten_too=asked))
            for seen in found:
                if _is_over(seen):
                    remove_note(folder, seen.note.model.path)
            yield found

        ticket = self._files.submit(job)
        ticket.items.connect(lambda batch: self._surveyed(batch[0], asked))

    def set_folder(self, path: str) -> None:
        """Keep models in another folder from now on; models elsewhere stay known. "" means the usual folder.

        Answers with `changed`, or with `failed` when nothing can be written there.
        """
        folder = absolute(path) if path.strip() else self._usual_folder

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            check_folder(Path(folder))
            yield has_fat_limit(Path(folder))

        ticket = self._files.submit(job)
        ticket.items.connect(lambda batch: self._folder_chosen(folder, small_files=batch[0]))
        ticket.ended.connect(self._tell_failure)

    def add_file(
        self,
        path: str,
        how: How = "link",
        then: Callable[[str], None] | None = None,
        failed: Callable[[AppError], None] | None = None,
    ) -> None:
        """Add a GGUF file: by link, copy or move into the models folder, or use it where it lies.

        Answers with `added` and the path it has then, or with `failed`; the callables hear it instead of `failed`, and
        before `added`.
        """
        path, folder = absolute(path), self.folder()
        known, inspect = dict(self._notes), self._inspect

        def job(stop: StopFlag) -> Iterator[object]:
            try:
                yield (yield from add(path, folder, how, known.get, inspect, stop))
            except Stopped:
                return

        def done(note: ModelNote) -> None:
            self._know(note, by_person=True)
            if then is not None:
                then(note.model.path)
            self.added.emit(note.model.path)

        self._work(path, job, done, failed, lane=self._files if how == "use" else self._long)

    def verify(self, path: str, failed: Callable[[AppError], None] | None = None) -> None:
        """Read the model's files again and compare them with what the Hub lists; answers with `verified`.

        Where they cannot be read `failed` is called, or the signal of that name emitted.
        """
        note = self._notes.get(path)
        if note is None or not note.model.sha256:
            self.failed.emit(nothing_to_compare(note.model if note else LocalModel(path, os.path.basename(path))))
            return
        folder = self.folder()

        def job(stop: StopFlag) -> Iterator[object]:
            try:
                found = yield from sums(path, stop)
            except Stopped:
                return
            now = checked(note, found)
            with suppress(StorageError):
                write_note(folder, now)
            yield now

        self._work(path, job, self._verified, failed, lane=self._long)

    def cancel(self, path: str) -> None:
        """Stop reading or copying this model; nothing half done is left."""
        if path in self._working:
            self._working[path].cancel()

    def remove(self, path: str) -> None:
        """Delete the model's files when they lie in the models folder; else only forget them."""
        if not is_inside(path, self.folder()):
            self.forget(path)
            return
        folder = self.folder()
        self.cancel(path)
        self.removing.emit(path)

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            delete(path, folder)
            remove_note(folder, path)
            yield path

        # on the lane that reads and copies, so that it comes after what still does
        ticket = self._long.submit(job)
        ticket.items.connect(lambda batch: self._drop(batch[0]))
        ticket.ended.connect(self._tell_failure)

    def forget(self, path: str) -> None:
        """Take a model off the list; its files stay where they are."""
        note = self._notes.get(path)
        if note is None:
            return
        folder = self.folder()
        if not Path(path).is_relative_to(folder):
            self._drop(path)

            def job(stop: StopFlag) -> Iterator[object]:
                del stop
                remove_note(folder, path)
                yield None

            self._files.submit(job)
            return
        forgotten = noted_now(note, forgotten=True)
        self._notes[path] = forgotten

        def work(stores: Stores) -> None:
            stores.models.remove(path)
            stores.model_files.keep(forgotten)

        self._archive.ask(work)
        self.changed.emit()

    def arrived(self, note: ModelNote) -> None:
        """A download of this program is done and proven right."""
        self._know(note, by_person=True)
        self.added.emit(note.model.path)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop reading and copying, and wait for that. Whether it ended in time."""
        self._watch.close()
        ended = self._files.close(timeout_s)
        return self._long.close(timeout_s) and ended

    # --- what comes back from the lanes -----------------------------------------------------------------------------

    def _work(
        self,
        path: str,
        job: Job,
        done: Callable[[ModelNote], None],
        failed: Callable[[AppError], None] | None,
        *,
        lane: Lane,
    ) -> None:
        """Run a job that yields (done, all) in bytes any number of times, then a note."""
        if path in self._working:
            return
        ticket = lane.submit(job)
        self._working[path] = ticket

        def items(batch: tuple[object, ...]) -> None:
            last = batch[-1]
            if isinstance(last, ModelNote):
                done(last)
            elif isinstance(last, tuple):
                self.progressed.emit(path, *last)

        def ended(outcome: Outcome) -> None:
            self._working.pop(path, None)
            if outcome.error is not None:
                (failed or self.failed.emit)(outcome.error)

        ticket.items.connect(items)
        ticket.ended.connect(ended)

    def _surveyed(self, found: tuple[Seen, ...], asked: bool) -> None:
        before = self.models()
        folder = self.folder()
        self._watch.watch(folder, os.path.join(folder, FOLDER))
        for seen in found:
            path = seen.note.model.path
            known = self._notes.get(path)
            if seen.error is not None and known is None:
                if asked:
                    self.notice.emit(Notice(seen.error.title, path, seen.error.hint, "warning"))
            elif _is_over(seen):
                if known is not None:
                    self._drop(path)
            elif known is None or seen.note.noted_ms >= known.noted_ms:
                # else something newer was learned while the lane looked
                self._notes[path] = seen.note
                if seen.fresh and seen.note != known and seen.note.model.present:
                    self._archive.ask(lambda stores, note=seen.note: stores.model_files.keep(note))  # type: ignore[misc]
        if self.models() != before:
            self.changed.emit()
        for note in tuple(self._notes.values()):
            if _must_be_proven(note.model):  # whoever wants to know hears of it when the file is loaded
                self.verify(note.model.path, lambda _error: None)

    def _folder_chosen(self, folder: str, *, small_files: bool) -> None:
        self._preferences.set_fetching("models_folder", None if folder == self._usual_folder else folder)
        if small_files:
            self.notice.emit(
                Notice(
                    "This disk cannot hold files over 4 GB",
                    f"{folder} lies on a FAT disk.",
                    "Smaller models fit. For larger ones choose another disk, or format this one as exFAT.",
                    "warning",
                )
            )
        for path, note in self._notes.items():
            self._notes[path] = replace(note, model=replace(note.model, managed=is_inside(path, folder)))
        self.changed.emit()
        self.refresh(asked=False)

    def _verified(self, note: ModelNote) -> None:
        self._know(note, by_person=False)
        model = note.model
        if model.damaged:
            self.notice.emit(
                Notice(
                    f"{model.name} is damaged",
                    "Its bytes are not the ones that the Hub lists, so it is not offered for chats any more.",
                    "Remove it and download it again.",
                    "error",
                )
            )
        self.verified.emit(model.path, not model.damaged)

    def _know(self, note: ModelNote, *, by_person: bool) -> None:
        path = note.model.path
        self._notes[path] = note

        def work(stores: Stores) -> None:
            if by_person:
                stores.models.add(path, note.model.name)
            stores.model_files.keep(note)

        self._archive.ask(work)
        self.changed.emit()

    def _drop(self, path: str) -> None:
        self._notes.pop(path, None)

        def work(stores: Stores) -> None:
            stores.models.remove(path)
            stores.model_files.remove(path)

        self._archive.ask(work)
        self.changed.emit()

    def _tell_failure(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.failed.emit(outcome.error)

    def _placed(self, note: ModelNote) -> ModelNote:
        """As the last run left it: looked at once, without opening the file."""
        model = note.model
        here = look(model.path)
        size_bytes = model.size_bytes or (here[0] if here else 0)
        managed = is_inside(model.path, self.folder())
        return replace(note, model=replace(model, present=here is not None, managed=managed, size_bytes=size_bytes))


def _must_be_proven(model: LocalModel) -> bool:
    """Came from the Hub, and something has touched it since it was proven right."""
    return bool(model.sha256 and model.present and not model.verified_ms and not model.damaged)


def _is_over(seen: Seen) -> bool:
    """Taken off the list, and its file is gone as well: there is nothing to remember."""
    return seen.note.forgotten and not seen.note.model.present
