"""Prompts to and from files: one JSON file, or Markdown files in a folder or a zip; all of it or nothing."""

from __future__ import annotations

import io
import lzma
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import StorageError
from app.core.prompt_files import as_json, from_json
from app.core.prompt_markdown import MarkdownFile, as_markdown, from_markdown
from app.core.prompts import Prompt, PromptHistory, ancestry, same, sound
from app.storage.backups import sync_file, sync_folder
from app.storage.chats import now_ms
from app.storage.export import write_whole
from app.storage.prompts import PromptStore
from app.storage.trouble import told

MOST_BYTES = 64 << 20
"""So much is read at most, unpacked; a library of ten thousand versions is a tenth of it."""
MOST_FILES = 20_000
_MARKDOWN = (".md", ".markdown")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# RuntimeError: it wants a password; NotImplementedError: a method of packing that Python does not know
_ZIP_TROUBLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    RuntimeError,
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, by ids of prompts. `unchanged` counts those that had nothing new."""

    added: tuple[int, ...] = ()
    merged: tuple[int, ...] = ()
    versions: int = 0
    unchanged: int = 0


def export_prompts(store: PromptStore, prompt_ids: Sequence[int] | None, path: Path) -> None:
    """Write these prompts, or all that are not in the trash, with their histories.

    A name that ends in .json gets one JSON file, in .zip a zip of Markdown files, any other a folder of them. What is
    written is there whole or not at all; a file of that name is replaced, a folder that is not empty is not.

    Raises:
        StorageError: it could not be written.
    """
    ids = [prompt.id for prompt in store.rows()] if prompt_ids is None else prompt_ids
    histories = [sound(history) for history in map(store.history, ids) if history.versions]
    kind = path.suffix.lower()
    if kind == ".json":
        write_whole(path, as_json(histories).encode())
    elif kind == ".zip":
        write_whole(path, _zipped(as_markdown(histories)))
    else:
        _write_folder(path, as_markdown(histories))


def import_prompts(store: PromptStore, path: Path) -> Imported:
    """Read prompts from a JSON file, a Markdown file, or a zip or folder of those.

    A prompt that is here already under its name, with a version in common, gets the versions it lacks; its current
    one moves only where the file goes on from it. Any other becomes a new prompt.

    Raises:
        StorageError: it cannot be read or trusted; then nothing was changed.
    """
    with told():
        histories = _read(path)
    added: list[int] = []
    merged: list[int] = []
    versions = unchanged = 0
    with store.together():
        before: dict[str, list[Prompt]] = {}
        for prompt in store.rows():
            before.setdefault(same(prompt.name), []).append(prompt)
        for history in histories:
            here = _here(store, before.get(same(history.name), []), history)
            if here is None:
                added.append(store.add(history).id)
                versions += len(history.versions)
            elif new := _merge(store, here, history):
                merged.append(here.id)
                versions += new
            else:
                unchanged += 1
    return Imported(tuple(added), tuple(merged), versions, unchanged)


def _here(store: PromptStore, alike: Iterable[Prompt], history: PromptHistory) -> Prompt | None:
    """The prompt that the file's is, or goes on from."""
    hashes = {version.hash for version in history.versions}
    current = next(version for version in history.versions if version.hash == history.current)
    for prompt in alike:
        known = {version.hash for version in store.versions(prompt.id)}
        # what a person wrote names no hash: its text tells whether it was read before
        if known & hashes or (len(hashes) == 1 and prompt.text == current.text):
            return prompt
    return None


def _merge(store: PromptStore, here: Prompt, history: PromptHistory) -> int:
    known = {version.hash for version in store.versions(here.id)}
    if not known & {version.hash for version in history.versions}:
        return 0
    new = store.add_versions(here.id, history.versions)
    line = ancestry(store.versions(here.id), history.current)
    if history.current != here.current and here.current in {version.hash for version in line}:
        store.set_current(here.id, history.current)
    return new


def _read(path: Path) -> tuple[PromptHistory, ...]:
    if path.is_dir():
        return from_markdown(list(_files_in(path)), now_ms())
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise _too_large(f"It is {size / 1e6:,.0f} MB")
    data = path.read_bytes()
    if path.suffix.lower() in _MARKDOWN:
        return from_markdown([MarkdownFile(path.name, data)], now_ms())
    if zipfile.is_zipfile(io.BytesIO(data)):
        return from_markdown(list(_files_of_zip(data)), now_ms())
    return from_json(data)


def _files_in(folder: Path) -> Iterator[MarkdownFile]:
    left, count = MOST_BYTES, 0
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(place, name)
            if file.suffix.lower() in _MARKDOWN and not name.startswith(".") and file.is_file():
                left, count = left - file.stat().st_size, count + 1
                _check_amount(left, count)
                yield MarkdownFile(file.relative_to(folder).as_posix(), file.read_bytes())


def _files_of_zip(data: bytes) -> Iterator[MarkdownFile]:
    left, count = MOST_BYTES, 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.is_dir() or not entry.filename.lower().endswith(_MARKDOWN):
                    continue
                count += 1
                # what an entry says of its size need not be true
                with archive.open(entry) as opened:
                    content = opened.read(left + 1)
                left -= len(content)
                _check_amount(left, count)
                yield MarkdownFile(entry.filename, content)
    except _ZIP_TROUBLE as error:
        raise StorageError(
            "This zip cannot be read", f"{str(error)[:200]}.", "Make it anew, without a password. Nothing was changed."
        ) from error


def _check_amount(left: int, count: int) -> None:
    if left < 0:
        raise _too_large(f"There are more than {MOST_BYTES / 1e6:,.0f} MB")
    if count > MOST_FILES:
        raise _too_large(f"There are more than {MOST_FILES:,} files")


def _zipped(files: Iterable[MarkdownFile]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.path, _ZIP_TIME), file.data, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def _write_folder(folder: Path, files: Iterable[MarkdownFile]) -> None:
    unfinished = folder.with_name(f".{folder.name[:80]}.{secrets.token_hex(4)}")
    with told():
        if folder.is_dir() and any(folder.iterdir()):
            raise StorageError(
                "This folder is not empty", f"{folder} holds other files.", "Choose a new or an empty folder."
            )
        try:
            unfinished.mkdir()
            for file in files:
                place = unfinished / file.path
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(file.data)
                sync_file(place)
            if folder.is_dir():
                folder.rmdir()  # Windows replaces no folder, not even an empty one
            os.replace(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        sync_folder(folder.parent)


def _too_large(how: str) -> StorageError:
    return StorageError(
        "This is too large for prompts",
        f"{how}, which no library of prompts is.",
        "Choose another. Nothing was changed.",
    )
