"""Which models are on this computer: plain lookups on disk, for the window and the command line alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.errors import AppError, ModelFileError, StorageError
from app.core.library import LocalModel, Wanted
from app.core.split_names import file_names
from app.core.stopping import StopFlag
from app.hub.catalog import Catalog
from app.hub.download_folder import check_folder
from app.storage.importing import How, bring_in
from app.storage.model_folder import is_inside, look, models_in
from app.storage.model_notes import ModelNote, noted_now, read_notes, write_note

Inspect = Callable[[str], LocalModel]
"""Reads a model file's header: name, size, quant, architecture and so on; raises ModelFileError. Any thread."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One model as it was found; `error` says why it cannot be used. fresh: something was learned about it."""

    note: ModelNote
    error: AppError | None = None
    fresh: bool = False


def survey(
    folder: str, known: Mapping[str, ModelNote], inspect: Inspect, stop: StopFlag, *, forgotten_too: bool = False
) -> Iterator[Seen]:
    """Look at every model that is known, noted or lies in the models folder.

    Only what is new or was changed is opened. Files that the person took off the list come as `forgotten`, unless
    `forgotten_too` brings those in the folder back; a forgotten one that is not `present` need not be remembered.
    """
    told_of = _newest(known, read_notes(folder))
    found = dict.fromkeys(models_in(folder, stop))
    gone = {_likeness(note): path for path, note in told_of.items() if path not in found and look(path) is None}
    for path in dict.fromkeys((*found, *told_of)):
        if stop.is_set():
            return
        told = told_of.get(path)
        if told is None and (here := look(path)) and (old := gone.pop((Path(path).name, here), None)):
            # moved by hand: what is known of it moves along
            told = told_of.pop(old)
            yield Seen(noted_now(replace(told, model=replace(told.model, present=False)), forgotten=True), fresh=True)
            told = replace(told, model=replace(told.model, path=path))
        if told is not None and told.forgotten and not (forgotten_too and path in found):
            yield Seen(replace(told, model=replace(told.model, present=look(path) is not None)), fresh=path in known)
        elif (seen := look_at(path, folder, told, inspect, is_news=told != known.get(path))) is not None:
            yield seen


def _newest(*sources: Mapping[str, ModelNote]) -> dict[str, ModelNote]:
    newest: dict[str, ModelNote] = {}
    for path, note in (item for source in sources for item in source.items()):
        if path not in newest or note.noted_ms > newest[path].noted_ms:
            newest[path] = note
    return newest


def _likeness(note: ModelNote) -> tuple[str, tuple[int, int]]:
    return Path(note.model.path).name, note.seen


def look_at(path: str, folder: str, told: ModelNote | None, inspect: Inspect, *, is_news: bool = True) -> Seen | None:
    """One model, with what was told of it before as far as it still holds; None where there neither is nor was one."""
    here = look(path)
    if here is None:
        return Seen(_placed(told, folder, present=False), fresh=is_news) if told is not None else None
    if told is not None and told.seen == here and told.model.architecture and not told.forgotten:
        return Seen(_placed(told, folder), fresh=is_news)
    try:
        model = inspect(path)
    except ModelFileError as error:
        if told is None:
            return Seen(ModelNote(LocalModel(path, Path(path).stem, present=True)), error)
        damaged = replace(told.model, size_bytes=here[0], damaged=True, verified_ms=0)
        return Seen(_placed(noted_now(ModelNote(damaged, here[1])), folder), error, fresh=True)
    if told is not None and told.model.size_bytes == here[0]:
        # the same file, copied or touched: where it came from still holds, that it is right has to be shown again
        old = told.model
        proven = old.verified_ms if told.seen == here else 0
        model = replace(
            model, repo_id=old.repo_id, commit=old.commit, licence=old.licence or model.licence, sha256=old.sha256,
            quant=old.quant or model.quant, verified_ms=proven, damaged=old.damaged and told.seen == here,
        )  # fmt: skip
    return Seen(_placed(noted_now(ModelNote(replace(model, size_bytes=here[0]), here[1])), folder), fresh=True)


def add(
    path: str, folder: str, how: How, told: Callable[[str], ModelNote | None], inspect: Inspect, stop: StopFlag
) -> Generator[tuple[int, int], None, ModelNote]:
    """Bring a file into the models folder, or use it where it lies; yields bytes done and to do, returns what is known.

    Raises:
        AppError: it is no model that can be run, or cannot be brought there.
        Stopped: `stop` was set.
    """
    inspect(path)
    if how in ("copy", "move"):
        check_folder(Path(folder), max(os.path.getsize(part) for part in file_names(path)))
    new = yield from bring_in(path, folder, how, stop)
    seen = look_at(new, folder, told(new), inspect)
    if seen is None or seen.error is not None:
        raise seen.error if seen and seen.error else ModelFileError("The file is gone", new, "Add it again.")
    note = noted_now(seen.note)
    with suppress(StorageError):  # then the database alone knows
        write_note(folder, note)
    return note


def arrive(path: str, wanted: Wanted, folder: str, inspect: Inspect) -> ModelNote:
    """Note what is known of a download whose bytes were just proven right, and return it.

    Raises:
        ModelFileError: they are right, but no model that can be run.
    """
    model = inspect(path)
    size_bytes, mtime_ns = look(path) or (wanted.size_bytes, 0)
    note = noted_now(ModelNote(model, mtime_ns))
    model = replace(
        model,
        name=wanted.name if wanted.entry_id else model.name,
        size_bytes=size_bytes,
        quant=wanted.quant or model.quant,
        licence=wanted.licence,
        repo_id=wanted.repo_id,
        commit=wanted.commit,
        sha256=wanted.sha256,
        verified_ms=note.noted_ms,
    )
    note = replace(note, model=model)
    with suppress(StorageError):  # then the database alone knows
        write_note(folder, note)
    return _placed(note, folder)


def checked(note: ModelNote, sums: tuple[str, ...]) -> ModelNote:
    """The same after its files were read again and came to these SHA-256."""
    right = note.model.sha256 == sums
    now = noted_now(note)
    size_bytes, mtime_ns = look(note.model.path) or note.seen
    model = replace(note.model, size_bytes=size_bytes, damaged=not right, verified_ms=now.noted_ms if right else 0)
    return replace(now, model=model, mtime_ns=mtime_ns)


def named(text: str, models: Iterable[LocalModel], catalog: Catalog) -> list[LocalModel]:
    """The models that a person may mean by a path, a file's name, a name, a catalogue's id or a repository.

    The first of these kinds that fits decides; a repository may be followed by a colon and a quant.
    """
    models = list(models)
    wanted, path = text.strip().casefold(), absolute(text)
    repo_id, _, quant = wanted.partition(":")

    def entry_id(model: LocalModel) -> str:
        entry = catalog.of_repo(model.repo_id) or catalog.recognise(Path(model.path).name, model.name)
        return entry.id if entry else ""

    kinds: tuple[Callable[[LocalModel], bool], ...] = (
        lambda model: model.path == path,
        lambda model: wanted in {Path(model.path).name.casefold(), Path(model.path).stem.casefold()},
        lambda model: model.name.casefold() == wanted,
        lambda model: entry_id(model) == wanted,
        lambda model: model.repo_id.casefold() == repo_id != "" and quant in ("", model.quant.casefold()),
        lambda model: entry_id(model) == repo_id and quant == model.quant.casefold() != "",
    )
    return next((found for kind in kinds if (found := [model for model in models if kind(model)])), [])


def nothing_to_compare(model: LocalModel) -> AppError:
    """The model did not come from the Hub."""
    return AppError(
        "There is nothing to compare this file with",
        f"{model.name} did not come from the Hub, so nobody says what its bytes should be.",
        "Its header was checked when it was added.",
    )


def _placed(note: ModelNote, folder: str, *, present: bool = True) -> ModelNote:
    managed = is_inside(note.model.path, folder)
    return replace(note, model=replace(note.model, managed=managed, present=present), forgotten=False)


def absolute(path: str) -> str:
    """The path by which a file is known everywhere in the program."""
    return os.path.abspath(os.path.expanduser(path))
