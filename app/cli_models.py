"""`orcinus models`: find, download, check and keep models on the command line.

It works beside an open window, so it never writes to the database: what it finds out goes into notes in the models
folder (app/storage/model_notes.py), which the window reads as soon as it looks there, and an unfinished download is
what lies in the folder for unfinished ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.cli_hub import download_model, files, search
from app.cli_terminal import (
    INTERRUPTED,
    gigabytes,
    in_one_line,
    print_json,
    print_table,
    stop_on_interrupt,
    tell,
    watched,
)
from app.core.errors import AppError
from app.core.library import LocalModel, Order
from app.setup import Parts, headless, models_folder, models_on_disk, read_header
from app.storage.importing import sums
from app.storage.model_folder import delete, free_bytes, freed_by_removing, is_inside
from app.storage.model_notes import ModelNote, noted_now, read_notes, write_note

_TABLE_ROWS = 30


def add_words(words: Any) -> None:
    """Add `models` and its own words to the parser's."""
    models = words.add_parser("models", help="find, download, check and keep models")
    own = models.add_subparsers(required=True, metavar="list | search | files | download | import | verify | remove")

    def word(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = own.add_parser(name, help=text)
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.set_defaults(do=lambda asked: in_one_line(do, asked))
        return parser

    word("list", _list, "models on this computer, and those that are known by name")
    searching = word("search", search, "look for GGUF models on the Hub")
    searching.add_argument("text", metavar="TEXT", help="words in the model's name")
    searching.add_argument("--sort", choices=[str(order) for order in Order], default=str(Order.DOWNLOADS))
    searching.add_argument("--min", type=_billions, metavar="B", help="at least so many billions of weights")
    searching.add_argument("--max", type=_billions, metavar="B", help="at most so many")
    searching.add_argument("--licence", default="", metavar="ID", help="as the Hub spells it, such as apache-2.0")
    searching.add_argument("-n", type=int, default=_TABLE_ROWS, metavar="N", help=f"so many rows ({_TABLE_ROWS})")
    listing = word("files", files, "what can be downloaded from a repository")
    listing.add_argument("repo", metavar="REPO[:REV]", help="owner/name, a web address, or a known model")
    getting = word("download", download_model, "download a model, or go on with it")
    getting.add_argument("repo", metavar="REPO", help="owner/name[:REV], a web address, or a known model")
    getting.add_argument("file", metavar="FILE_OR_QUANT", nargs="?", default="", help="such as Q4_K_M")
    adding = word("import", _import, "add a GGUF file from this computer")
    adding.add_argument("path", metavar="PATH")
    adding.add_argument(
        "--how",
        choices=["link", "copy", "move", "use"],
        default="link",
        help="a second name in the models folder (link, the default), a copy, a move, or use it where it is",
    )
    verify = word("verify", _verify, "read a model again and compare it with what the Hub lists")
    verify.add_argument("id", metavar="ID", help="a path, a file's name, a model's name, or owner/name[:QUANT]")
    remove = word("remove", _remove, "delete a model from the models folder; elsewhere only forget it")
    remove.add_argument("id", metavar="ID", help="as for verify")


# --- words ----------------------------------------------------------------------------------------------------------


def _list(asked: argparse.Namespace) -> int:
    with headless() as parts:
        folder = models_folder(parts)
        notes = models_on_disk(parts)
        _note_what_is_new(folder, notes)
    bundled = [entry for entry in parts.catalog.entries if entry.file is not None and entry.file.exists()]
    known = parts.catalog.offered()
    models = [note.model for note in notes]
    if asked.json:
        came = [
            {"id": entry.id, "name": entry.name, "path": str(entry.file), "size_bytes": _size(entry.file)}
            for entry in bundled
        ]
        print_json(
            {
                "folder": folder,
                "free_bytes": free_bytes(folder),
                "bundled": came,
                "models": [asdict(model) for model in models],
                "catalogue": [
                    {"id": e.id, "name": e.name, "repo_id": e.repo, "note": e.note, "licence": e.licence} for e in known
                ],
            }
        )
        return 0
    rows = [(entry.id, "", gigabytes(_size(entry.file)), "comes with Orcinus") for entry in bundled]
    rows += [(_short(model), model.quant, gigabytes(model.size_bytes), _state(model)) for model in models]
    print_table(rows)
    room = free_bytes(folder)
    print(f"\nModels folder: {folder}" + (f", {gigabytes(room)} free" if room is not None else ""))
    if known:
        print("\nKnown by name; download with: orcinus models download NAME QUANT")
        print_table([(entry.id, entry.note) for entry in known])
    return 0


def _import(asked: argparse.Namespace) -> int:
    from app.services.shelf import absolute, add

    with headless() as parts, stop_on_interrupt() as stop:
        folder = models_folder(parts)
        known = parts.remembered.model_files
        note = watched(asked, add(absolute(asked.path), folder, asked.how, known.get, read_header, stop))
    if note is None:
        return INTERRUPTED
    tell(asked, note.model, note.model.path)
    return 0


def _verify(asked: argparse.Namespace) -> int:
    from app.services.shelf import checked, nothing_to_compare

    with headless() as parts, stop_on_interrupt() as stop:
        note = _one(parts, asked.id)
        if not note.model.sha256:
            raise nothing_to_compare(note.model)
        if not note.model.present:
            raise AppError("The file is not there", note.model.path, "Connect its disk, or download it again.")
        found = watched(asked, sums(note.model.path, stop))
        if found is None:
            return INTERRUPTED
        now = checked(note, found)
        with suppress(AppError):  # a folder that cannot be written to keeps no notes
            write_note(models_folder(parts), now)
    if now.model.damaged:
        raise AppError(
            f"{note.model.name} is damaged",
            "Its bytes are not the ones that the Hub lists.",
            "Remove it and download it again.",
        )
    tell(asked, now.model, f"{now.model.path} is what the Hub lists.")
    return 0


def _remove(asked: argparse.Namespace) -> int:
    with headless() as parts:
        note, folder = _one(parts, asked.id), models_folder(parts)
        managed = is_inside(note.model.path, folder)
        freed = freed_by_removing(note.model.path) if managed else 0
        if managed:
            delete(note.model.path, folder)
        # an open window, or the next one, takes it off its list by this; should the file come back, so does the model
        seen = replace(note, model=replace(note.model, size_bytes=0), mtime_ns=0) if managed else note
        write_note(folder, noted_now(seen, forgotten=True))
    told = (
        f"{note.model.path} was deleted; that frees {gigabytes(freed)}."
        if managed
        else (f"{note.model.path} is not offered any more. The file itself stays: it is not in the models folder.")
    )
    tell(asked, replace(note.model, present=not managed), told, freed_bytes=freed)
    return 0


def _note_what_is_new(folder: str, notes: list[ModelNote]) -> None:
    """So that files somebody put there are opened once, not each time they are listed."""
    noted = read_notes(folder)
    with suppress(AppError):  # a folder that cannot be written to keeps no notes
        for note in notes:
            known = noted.get(note.model.path)
            if note.model.managed and note.model.present and (known is None or known.seen != note.seen):
                write_note(folder, note)


# --- what the words need --------------------------------------------------------------------------------------------


def _one(parts: Parts, text: str) -> ModelNote:
    """The one model on this computer that is meant.

    Raises:
        AppError: there is none, or there are several.
    """
    from app.services.shelf import named

    notes = {note.model.path: note for note in models_on_disk(parts)}
    found = named(text, (note.model for note in notes.values()), parts.catalog)
    if not found:
        raise AppError(f"There is no model {text!r} on this computer", "", "“orcinus models list” shows what there is.")
    if len(found) > 1:
        names = ", ".join(_short(model) + (f" {model.quant}" if model.quant else "") for model in found[:5])
        raise AppError(f"Several models are called {text!r}", f"{names}.", "Give the path of one.")
    return notes[found[0].path]


def _billions(text: str) -> int:
    return round(float(text.upper().removesuffix("B")) * 1e9)


# --- how it is shown ------------------------------------------------------------------------------------------------


def _short(model: LocalModel) -> str:
    return Path(model.path).name


def _state(model: LocalModel) -> str:
    if not model.present:
        return "not there now"
    if model.damaged:
        return "damaged: remove it and download it again"
    if model.sha256:
        return "verified" if model.verified_ms else "changed since it was verified: verify it again"
    return "" if model.managed else "used where it is"


def _size(file: Path | None) -> int:
    return file.stat().st_size if file is not None else 0
