"""`orcinus models search | files | download`: what the Hub has, on the command line."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli_terminal import (
    INTERRUPTED,
    ProgressLine,
    gigabytes,
    print_json,
    print_table,
    stop_on_interrupt,
    tell,
)
from app.core.errors import UsageError
from app.core.library import Order, Quant, Repo, Wanted
from app.core.stopping import StopFlag
from app.core.verdicts import Fit, Verdict, estimate, recommended, verdict
from app.setup import Parts, headless, models_folder, read_header

if TYPE_CHECKING:
    from app.hub.session import Hub

_USUAL_CONTEXT = 8192
_FITS = {
    Fit.GPU: "fits on the GPU",
    Fit.PARTLY: "partly on the GPU",
    Fit.MEMORY: "fits in memory",
    Fit.TOO_BIG: "too big",
    Fit.UNKNOWN: "",
}


def search(asked: argparse.Namespace) -> int:
    """Print the repositories that the Hub finds."""
    from app.hub import listing

    with headless() as parts, stop_on_interrupt() as stop:
        hub = _hub(parts)
        page = listing.search(hub, asked.text, Order(asked.sort), asked.min, asked.max, asked.licence, stop=stop)
        rows = list(page.rows)
        while page.more and len(rows) < asked.n and not stop.is_set():
            page = listing.more(hub, page, stop=stop)
            rows += page.rows
    rows = rows[: max(0, asked.n)]
    if asked.json:
        print_json([asdict(row) for row in rows])
    elif rows:
        head = ("REPOSITORY", "WEIGHTS", "KIND", "DOWNLOADS", "LIKES", "LICENCE", "")
        weights = [f"{row.n_params / 1e9:.1f} B" if row.n_params else "" for row in rows]
        lines = []
        for row, weight in zip(rows, weights, strict=True):
            counts = (f"{row.downloads:,}", f"{row.likes:,}")
            lines.append((row.repo_id, weight, row.architecture, *counts, row.licence, _gate(row.gate)))
        print_table([head, *lines])
    else:
        print("Nothing was found. Fewer words find more.")
    return 0


def files(asked: argparse.Namespace) -> int:
    """Print what can be downloaded from a repository."""
    with headless() as parts, stop_on_interrupt() as stop:
        repo, _ = _repo(parts, _hub(parts), asked.repo, stop)
    found = _verdicts(repo)
    best = recommended(found, repo.n_params)
    if asked.json:
        rows = [
            asdict(quant)
            | {"size_bytes": quant.size_bytes, "needed_bytes": here.needed_bytes, "fit": str(here.fit)}
            | {"recommended": quant is best}
            for quant, here in found
        ]
        print_json(asdict(repo) | {"quants": rows})
        return 0
    facts = [repo.licence, _gate(repo.gate), f"memory for {_context(repo):,} tokens of context"]
    print(f"{repo.repo_id} at {repo.revision} ({repo.commit[:12]}): " + ", ".join(filter(None, facts)))
    rows_of_text = [("QUANT", "ON DISK", "IN MEMORY", "HERE", "")]
    for quant, here in found:
        words = [quant.quality, f"{len(quant.files)} files" if len(quant.files) > 1 else ""]
        words.append("recommended for this computer" if quant is best else "")
        size, needed = gigabytes(quant.size_bytes), gigabytes(here.needed_bytes)
        rows_of_text.append((quant.label, size, needed, _FITS[here.fit], ", ".join(filter(None, words))))
    print_table(rows_of_text)
    return 0


def download_model(asked: argparse.Namespace) -> int:
    """Download one quant, or go on with it."""
    from app.hub.download import download
    from app.services.shelf import arrive

    with headless() as parts, stop_on_interrupt() as stop:
        hub, folder = _hub(parts), models_folder(parts)
        repo, quant = _chosen(parts, hub, asked, stop)
        wanted = _wanted(parts, hub, repo, quant)
        line = ProgressLine(wanted.size_bytes, as_json=asked.json)
        connections = _fetching(parts).connections
        steps = download(hub, wanted, Path(folder), stop, connections=connections)
        path = ""
        with closing(line), closing(steps):
            try:
                while True:
                    line.show(next(steps))
            except StopIteration as end:
                path = str(end.value or "")
            if path:
                line.finish()
        if not path:
            print(f"Paused at {line.words}. The same command goes on from there.", file=sys.stderr)
            return INTERRUPTED
        note = arrive(path, wanted, folder, read_header)
    tell(asked, note.model, f"{path}\nThe file is the one that the Hub lists, and ready to chat.")
    return 0


def _verdicts(repo: Repo) -> list[tuple[Quant, Verdict]]:
    """How each quant would run on this computer, as it is right now."""
    from app.engine.llama import this_machine

    machine, n_ctx = this_machine(), _context(repo)
    return [
        (quant, verdict(estimate(quant.size_bytes, repo.n_params, repo.architecture), n_ctx, machine))
        for quant in repo.quants
    ]


def _context(repo: Repo) -> int:
    return min(_USUAL_CONTEXT, repo.n_ctx_train or _USUAL_CONTEXT)


def _fetching(parts: Parts) -> Any:
    from app.services.resolution import Resolution

    return Resolution(parts.catalog, parts.remembered.settings).fetching()


def _hub(parts: Parts) -> Hub:
    from app.services.hub_access import HubAccess

    return HubAccess(lambda: _fetching(parts)).maker()()


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
        best = recommended(_verdicts(repo), repo.n_params)
        hint = f"{best.label} suits this computer." if best else ""
        raise UsageError(f"Say which file of {repo.repo_id} you want", f"There are: {labels}.", hint)
    return repo, quant


def _wanted(parts: Parts, hub: Hub, repo: Repo, quant: Quant) -> Wanted:
    entry = parts.catalog.of_repo(repo.repo_id)
    name, entry_id = (entry.name, entry.id) if entry else (repo.repo_id.rpartition("/")[2], "")
    licence = (entry.licence if entry else "") or repo.licence
    return Wanted(repo.repo_id, repo.commit, quant.label, quant.files, name, hub.endpoint, entry_id, licence)


def _gate(gate: str) -> str:
    return "" if gate == "open" else "its licence must be accepted first"
