"""`orcinus models`: find, download, check and keep models on the command line.

It works beside an open window, so it never writes to the database: what it finds out goes into notes in the models
folder (app/storage/model_notes.py), which the window reads as soon as it looks there, and an unfinished download is
what lies in the folder for unfinished ones.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli_progress import ProgressLine, gigabytes
from app.core.errors import AppError, UsageError
from app.core.library import LocalModel, Order, Quant, Repo, Wanted
from app.core.stopping import StopFlag
from app.setup import Parts, headless, models_folder, models_on_disk, read_header
from app.storage.importing import Stopped, sums
from app.storage.model_folder import delete, free_bytes, freed_by_removing, is_inside
from app.storage.model_notes import ModelNote, noted_now, write_note

if TYPE_CHECKING:
    from app.hub.session import Hub

INTERRUPTED = 130
_TABLE_ROWS = 30


def add_words(words: Any) -> None:
    """Add `models` and its own words to the parser's."""
    models = words.add_parser("models", help="find, download, check and keep models")
    own = models.add_subparsers(required=True, metavar="list | search | files | download | import | verify | remove")

    def word(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = own.add_parser(name, help=text)
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.set_defaults(do=lambda asked: _in_one_line(do, asked))
        return parser

    word("list", _list, "models on this computer, and those that are known by name")
    search = word("search", _search, "look for GGUF models on the Hub")
    search.add_argument("text", metavar="TEXT", help="words in the model's name")
    search.add_argument("--sort", choices=[str(order) for order in Order], default=str(Order.DOWNLOADS))
    search.add_argument("--min", type=_billions, metavar="B", help="at least so many billions of weights")
    search.add_argument("--max", type=_billions, metavar="B", help="at most so many")
    search.add_argument("-n", type=int, default=_TABLE_ROWS, metavar="N", help=f"so many rows ({_TABLE_ROWS})")
    files = word("files", _files, "what can be downloaded from a repository")
    files.add_argument("repo", metavar="REPO[:REV]", help="owner/name, a web address, or a known model")
    download = word("download", _download, "download a model, or go on with it")
    download.add_argument("repo", metavar="REPO", help="owner/name[:REV], a web address, or a known model")
    download.add_argument("file", metavar="FILE_OR_QUANT", nargs="?", default="", help="such as Q4_K_M")
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
        notes = models_on_disk(parts)
        folder = models_folder(parts)
    bundled = [entry for entry in parts.catalog.entries if entry.file is not None and entry.file.exists()]
    known = parts.catalog.offered()
    models = [note.model for note in notes]
    if asked.json:
        came = [
            {"id": entry.id, "name": entry.name, "path": str(entry.file), "size_bytes": _size(entry.file)}
            for entry in bundled
        ]
        _print_json(
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
    _print_table(rows)
    room = free_bytes(folder)
    print(f"\nModels folder: {folder}" + (f", {gigabytes(room)} free" if room is not None else ""))
    if known:
        print("\nKnown by name; download with: orcinus models download NAME QUANT")
        _print_table([(entry.id, entry.note) for entry in known])
    return 0


def _search(asked: argparse.Namespace) -> int:
    from app.hub import listing

    with headless() as parts, _stop_on_interrupt() as stop:
        hub = _hub(parts)
        page = listing.search(hub, asked.text, Order(asked.sort), asked.min, asked.max, stop=stop)
        rows = list(page.rows)
        while page.more and len(rows) < asked.n and not stop.is_set():
            page = listing.more(hub, page, stop=stop)
            rows += page.rows
    rows = rows[: max(0, asked.n)]
    if asked.json:
        _print_json([asdict(row) for row in rows])
    elif rows:
        head = ("REPOSITORY", "WEIGHTS", "DOWNLOADS", "LIKES", "LICENCE", "")
        weights = [f"{row.n_params / 1e9:.1f} B" if row.n_params else "" for row in rows]
        _print_table(
            [head]
            + [
                (row.repo_id, weight, f"{row.downloads:,}", f"{row.likes:,}", row.licence, _gate(row.gate))
                for row, weight in zip(rows, weights, strict=True)
            ]
        )
    else:
        print("Nothing was found. Fewer words find more.")
    return 0


def _files(asked: argparse.Namespace) -> int:
    with headless() as parts, _stop_on_interrupt() as stop:
        repo, _ = _repo(parts, _hub(parts), asked.repo, stop)
    if asked.json:
        _print_json(
            asdict(repo) | {"quants": [asdict(quant) | {"size_bytes": quant.size_bytes} for quant in repo.quants]}
        )
        return 0
    licence = f", {repo.licence}" if repo.licence else ""
    print(
        f"{repo.repo_id} at {repo.revision} ({repo.commit[:12]}){licence}{_gate(repo.gate) and ', ' + _gate(repo.gate)}"
    )
    _print_table(
        [
            (
                quant.label,
                gigabytes(quant.size_bytes),
                quant.quality,
                f"{len(quant.files)} files" * (len(quant.files) > 1),
            )
            for quant in repo.quants
        ]
    )
    return 0


def _download(asked: argparse.Namespace) -> int:
    from app.hub.download import download
    from app.services.shelf import arrive

    with headless() as parts, _stop_on_interrupt() as stop:
        hub, folder = _hub(parts), models_folder(parts)
        repo, quant = _chosen(parts, hub, asked, stop)
        wanted = _wanted(parts, hub, repo, quant)
        line = ProgressLine(wanted.size_bytes, as_json=asked.json)
        connections = _fetching(parts).connections
        steps = download(hub, wanted, Path(folder), stop, connections=connections)
        path = ""
        try:
            while True:
                line.show(next(steps))
        except StopIteration as end:
            path = str(end.value or "")
        finally:
            line.close()
        if not path:
            print(f"Paused at {line.words}. The same command goes on from there.", file=sys.stderr)
            return INTERRUPTED
        note = arrive(path, wanted, folder, read_header)
    _tell(asked, note.model, f"{path}\nThe file is the one that the Hub lists, and ready to chat.")
    return 0


def _import(asked: argparse.Namespace) -> int:
    from app.services.shelf import absolute, add

    with headless() as parts, _stop_on_interrupt() as stop:
        folder = models_folder(parts)
        known = parts.remembered.model_files
        note = _watched(asked, add(absolute(asked.path), folder, asked.how, known.get, read_header, stop))
    if note is None:
        return INTERRUPTED
    _tell(asked, note.model, note.model.path)
    return 0


def _verify(asked: argparse.Namespace) -> int:
    from app.services.shelf import checked, nothing_to_compare

    with headless() as parts, _stop_on_interrupt() as stop:
        note = _one(parts, asked.id)
        if not note.model.sha256:
            raise nothing_to_compare(note.model)
        if not note.model.present:
            raise AppError("The file is not there", note.model.path, "Connect its disk, or download it again.")
        found = _watched(asked, sums(note.model.path, stop))
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
    _tell(asked, now.model, f"{now.model.path} is what the Hub lists.")
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
    _tell(asked, replace(note.model, present=not managed), told, freed_bytes=freed)
    return 0


# --- what the words need --------------------------------------------------------------------------------------------


def _in_one_line(do: Callable[[argparse.Namespace], int], asked: argparse.Namespace) -> int:
    """Do it; trouble that was foreseen is one line, whatever it takes in the window."""
    try:
        return do(asked)
    except UsageError:
        raise
    except AppError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1


def _fetching(parts: Parts) -> Any:
    from app.services.resolution import Resolution

    return Resolution(parts.catalog, parts.remembered.settings).fetching()


def _hub(parts: Parts) -> Hub:
    from app.services.hub_access import HubAccess

    return HubAccess(lambda: _fetching(parts)).hub()


def _repo(parts: Parts, hub: Hub, text: str, stop: StopFlag) -> tuple[Repo, Any]:
    """A repository as the Hub has it now, and what was named of it."""
    from app.hub import listing
    from app.hub.reference import parse

    name, colon, rest = text.partition(":")
    entry = parts.catalog.entry(name)
    if entry is not None and entry.repo:
        text = f"{entry.repo}{colon}{rest}"
    elif entry is not None:
        raise UsageError(f"{entry.name} comes with Orcinus", "There is nothing to download.")
    reference = parse(text, hub.endpoint)
    return listing.repo(hub, reference.repo_id, reference.revision or "main", stop=stop), reference


def _chosen(parts: Parts, hub: Hub, asked: argparse.Namespace, stop: StopFlag) -> tuple[Repo, Quant]:
    from app.hub.quants import choose

    repo, reference = _repo(parts, hub, asked.repo, stop)
    if asked.file:
        is_file = asked.file.lower().endswith(".gguf")
        reference = replace(reference, path=asked.file if is_file else "", quant="" if is_file else asked.file)
    quant = choose(repo.quants, reference)
    if quant is None and len(repo.quants) == 1:
        quant = repo.quants[0]
    if quant is None:
        labels = ", ".join(quant.label for quant in repo.quants)
        raise UsageError(f"Say which file of {repo.repo_id} you want", f"There are: {labels}.")
    return repo, quant


def _wanted(parts: Parts, hub: Hub, repo: Repo, quant: Quant) -> Wanted:
    entry = parts.catalog.of_repo(repo.repo_id)
    name, entry_id = (entry.name, entry.id) if entry else (repo.repo_id.rpartition("/")[2], "")
    return Wanted(repo.repo_id, repo.commit, quant.label, quant.files, name, hub.endpoint, entry_id, repo.licence)


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


def _watched(asked: argparse.Namespace, work: Any) -> Any:
    """Run a generator of (bytes done, to do) with a progress line; its result, None when it was stopped."""
    line: ProgressLine | None = None
    try:
        while True:
            done, whole = next(work)
            line = line or ProgressLine(whole, as_json=asked.json)
            line.show_bytes(done)
    except StopIteration as end:
        return end.value
    except Stopped:
        return None
    finally:
        if line is not None:
            line.close()


@contextmanager
def _stop_on_interrupt() -> Iterator[StopFlag]:
    """Ctrl+C, or the end of the session, pauses in good order."""
    stop = StopFlag()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except AppError:
        if stop.is_set():  # a question that was withdrawn comes back as an error nobody needs to read
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _billions(text: str) -> int:
    return round(float(text.upper().removesuffix("B")) * 1e9)


# --- how it is shown ------------------------------------------------------------------------------------------------


def _tell(asked: argparse.Namespace, model: LocalModel, text: str, **more: Any) -> None:
    if asked.json:
        _print_json(asdict(model) | more)
    else:
        print(text)


def _print_json(value: Any) -> None:
    print(json.dumps(value), flush=True)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns under each other; what came from the Hub cannot steer the terminal."""
    clean = [["".join(c for c in cell if c.isprintable()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)] if clean else []
    for row in clean:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(model: LocalModel) -> str:
    return Path(model.path).name


def _state(model: LocalModel) -> str:
    if not model.present:
        return "not there now"
    if model.damaged:
        return "damaged: remove it and download it again"
    return "verified" if model.verified_ms else ("" if model.managed else "used where it is")


def _gate(gate: str) -> str:
    return "" if gate == "open" else "its licence must be accepted first"


def _size(file: Path | None) -> int:
    return file.stat().st_size if file is not None else 0
