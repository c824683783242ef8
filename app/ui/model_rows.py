"""What the rows of the model lists say: models on this computer, the catalogue, search results, quants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.known import Entry
from app.core.library import Download, DownloadState, LocalModel, Quant, Repo, RepoRow
from app.core.verdicts import Fit, Verdict
from app.ui.catalogue import tile, usual_quants
from app.ui.model_words import (
    FIT_LOOKS,
    GATE_WORDS,
    disk_size,
    gibibytes,
    licence_words,
    many,
    needed_words,
    percent,
    short_parameters,
    verdict_words,
    waiting_words,
    when,
)
from app.ui.row_list import Cell, Column, Row
from app.ui.words import state_words

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices
    from app.ui.repo_asking import RepoAsking

MODEL_COLUMNS = (
    Column("Licence", "CC BY-NC 4.0", keep=2),
    Column("Parameters", "14.8 B", keep=1, right=True),
    Column("Size", "about 14.37 GB", keep=3, right=True),
    Column("Runs here", "xxxx Partly on the GPU", keep=5),
    Column("State", "xxxx Downloading 43 %", keep=4),
)
RESULT_COLUMNS = (
    Column("Licence", "Apache 2.0 xxx", keep=4),
    Column("Architecture", "Architecture", keep=1),
    Column("Parameters", "14.8 B", keep=5, right=True),
    Column("Downloads", "Downloads", keep=3, right=True),
    Column("Access", "xxxx Licence to accept", keep=2),
)
QUANT_COLUMNS = (
    Column("On disk", "14.37 GB", keep=4, right=True),
    Column("Memory", "14.3 GiB", keep=3, right=True),
    Column("Runs here", "xxxx Partly, 24 of 33 layers", keep=5),
)
_SIZES = (130, 75, 50, 36, 28, 25, 22, 15, 13, 9.5, 8.5, 7.5, 5, 4, 3.5, 2, 1.3, 0.7)
"""Billions of weights; a little above the sizes that models come in."""
_USUAL_BITS = 4.89
_PUT_ASIDE = "Put aside"
BUSY = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.VERIFYING)
_BUTTONS = {
    DownloadState.QUEUED: "Pause",
    DownloadState.RUNNING: "Pause",
    DownloadState.VERIFYING: "Pause",
    DownloadState.WAITING: "Retry now",
    DownloadState.PAUSED: "Resume",
    DownloadState.FAILED: "Retry",
    DownloadState.DONE: "Chat",
}


def fit_cell(found: Verdict, *, long: bool = False) -> Cell:
    """A verdict as its shape, its colour and its words."""
    name, tone, words = FIT_LOOKS[found.fit]
    return Cell(verdict_words(found) if long else words, name, tone)


def download_cell(row: Download) -> Cell:
    """Where a download is, for a column."""
    share = row.have_bytes / max(1, row.wanted.size_bytes)
    done = percent(row)
    return {
        DownloadState.QUEUED: Cell("In the queue", "clock", "muted", share),
        DownloadState.RUNNING: Cell(f"Downloading {done} %", "download", "accent", share),
        DownloadState.VERIFYING: Cell(f"Verifying {done} %", "shield", "ok", share),
        DownloadState.WAITING: Cell(f"Waiting, {done} %", "clock", "warn", share),
        DownloadState.PAUSED: Cell(f"Paused, {done} %", "pause", "muted", share),
        DownloadState.FAILED: Cell("Stopped", "error", "danger", share),
        DownloadState.DONE: Cell("Ready", "fit-gpu", "ok"),
    }[row.state]


def button_for(row: Download | None) -> str:
    """What the button beside a download does."""
    return _BUTTONS[row.state] if row is not None else "Download"


# --- on this computer -----------------------------------------------------------------------------------------------


def local_models(services: ModelServices) -> list[LocalModel]:
    """Every model on this computer, the ones that come with the app last."""
    found = list(services.local.models())
    paths = {model.path for model in found}
    bundled = {entry.path: entry for entry in services.models.entries() if entry.bundled}
    for path, entry in bundled.items():
        if path not in paths:
            known = services.known(entry.id)
            found.append(
                LocalModel(
                    path,
                    entry.name,
                    entry.size_bytes,
                    n_params=(known.parameters if known is not None else None) or 0,
                    licence=known.licence if known is not None else "",
                )
            )
    return sorted(found, key=lambda model: model.path in bundled)


def local_rows(services: ModelServices, checking: Mapping[str, tuple[int, int]]) -> list[Row]:
    """The models on this computer. `checking`: path -> bytes read so far and in all, of those being verified."""
    entries = {entry.path: entry for entry in services.models.entries()}
    rows = []
    for model in local_models(services):
        entry = entries.get(model.path)
        bundled = entry is not None and entry.bundled
        known = services.known(entry.id) if bundled and entry is not None else services.known_repo(model.repo_id)
        found = services.fitting.verdict(
            model.size_bytes,
            path=model.path if model.present else "",
            n_params=model.n_params or None,
            architecture=model.architecture,
        )
        state = _local_state(services, model, checking.get(model.path))
        rows.append(
            Row(
                key=model.path,
                title=model.name,
                tile=tile(model.name),
                tag="comes with Orcinus" if bundled else model.quant,
                note=(known.note if known is not None else "") or (entry.note if entry is not None else ""),
                cells=(
                    Cell(licence_words(model.licence or (known.licence if known is not None else ""))),
                    Cell(short_parameters(model.n_params)),
                    Cell(disk_size(model.size_bytes) if model.size_bytes else ""),
                    fit_cell(found),
                    state,
                ),
                button="Chat",
                button_enabled=model.present and not model.damaged,
                tip=f"{model.path}\n{needed_words(found)}",
            )
        )
    return _fill_first(rows)


def _local_state(services: ModelServices, model: LocalModel, checked: tuple[int, int] | None) -> Cell:
    if checked is not None:
        done, whole = checked
        return Cell(f"Verifying {100 * done // max(1, whole)} %", "shield", "ok", done / max(1, whole))
    if not model.present:
        return Cell("File is gone", "warning", "warn")
    if model.damaged:
        return Cell("Damaged", "error", "danger")
    model_id = services.model_id(model.path)
    if services.models.is_put_aside(model_id):
        return Cell(_PUT_ASIDE, "warning", "warn")
    state = services.models.state(model_id)
    if state.kind == "loading":
        return Cell(f"Loading {state.progress:.0%}".replace("%", " %"), "clock", "accent", state.progress)
    if state.kind == "failed":
        return Cell(state_words(state), "error", "danger")
    if state.kind == "ready":
        return Cell("Ready, loaded", "fit-gpu", "ok")
    if model.verified_ms:
        return Cell("Ready, verified", "shield", "ok")
    return Cell("To be verified", "clock", "muted") if model.sha256 else Cell("Ready", "fit-gpu", "ok")


def _fill_first(rows: list[Row]) -> list[Row]:
    """One filled button a list: of the loaded model, else of the first that can be used."""
    usable = [row for row in rows if row.button_enabled and row.cells[-1].text != _PUT_ASIDE]
    chosen = next((row for row in usable if row.cells[-1].text == "Ready, loaded"), usable[0] if usable else None)
    return [replace(row, filled=row is chosen) for row in rows]


# --- the catalogue --------------------------------------------------------------------------------------------------


def choice_of(services: ModelServices, asking: RepoAsking, known: Entry) -> tuple[Quant | None, Verdict, bool]:
    """The quant of a known model for this computer, how it runs, and whether its size is the Hub's own.

    Where nothing runs here, the smallest stands for all and is not recommended.
    """
    repo = asking.known(known.repo)
    quants = repo.quants if repo is not None else usual_quants(known.parameters)
    n_params = (repo.n_params if repo is not None else None) or known.parameters
    n_ctx_train = known.context_tokens

    def judge(quant: Quant) -> Verdict:
        return services.fitting.verdict(
            quant.size_bytes, n_params=n_params, architecture=known.architecture, n_ctx_train=n_ctx_train
        )

    best = services.fitting.recommended(
        quants, n_params=n_params, architecture=known.architecture, n_ctx_train=n_ctx_train
    )
    if best is not None:
        return best, judge(best), repo is not None
    if not quants:
        return None, Verdict(Fit.UNKNOWN, 0), False
    smallest = min(quants, key=lambda quant: quant.size_bytes)
    return smallest, judge(smallest), repo is not None


def download_of(rows: Sequence[Download], repo_id: str, quant: str = "") -> Download | None:
    """The queue's row for a repository, and for a quant of it where one is named; the liveliest first."""
    found = [
        row
        for row in rows
        if row.wanted.repo_id.lower() == repo_id.lower() and (not quant or row.wanted.quant == quant)
    ]
    return min(found, key=lambda row: row.state is DownloadState.DONE, default=None)


def catalogue_rows(services: ModelServices, asking: RepoAsking) -> list[Row]:
    """The models known by name that do not come with the app, each with the quant for this computer."""
    local = {model.repo_id.lower(): model for model in services.local.models() if model.repo_id and model.present}
    queue = services.downloads.rows()
    rows = []
    for known in services.catalogue:
        if known.file:
            continue
        quant, found, exact = choice_of(services, asking, known)
        row = download_of(queue, known.repo)
        here = local.get(known.repo.lower())
        button, enabled, state = button_for(row), True, Cell("Not downloaded", "", "muted")
        if here is not None:
            button, state = "Chat", Cell("On this computer", "fit-gpu", "ok")
        elif row is not None:
            state = download_cell(row)
        elif asking.waits_for(known.repo):
            button, enabled, state = "Download", False, Cell("Asking the Hub…", "clock", "muted")
        elif found.fit is Fit.TOO_BIG:
            button = "Look at it"
        label = here.quant if here is not None else row.wanted.quant if row is not None else ""
        size = here.size_bytes if here is not None else quant.size_bytes if quant is not None else 0
        exact = exact or here is not None
        rows.append(
            Row(
                key=known.id,
                title=known.name,
                tile=tile(known.name),
                tag=label or (quant.label if quant is not None else ""),
                note=known.note,
                cells=(
                    Cell(licence_words(known.licence)),
                    Cell(short_parameters(known.parameters)),
                    Cell(("" if exact else "about ") + (disk_size(size) if exact else f"{size / 1e9:.1f} GB")),
                    fit_cell(found),
                    state,
                ),
                button=button,
                button_enabled=enabled,
                tip=_trouble_tip(row) or needed_words(found),
            )
        )
    if not queue and not any(model.managed for model in services.local.models()):
        first = next((row for row in rows if row.button == "Download" and row.button_enabled), None)
        rows = [replace(row, filled=row is first) for row in rows]
    return rows


def _trouble_tip(row: Download | None) -> str:
    if row is None:
        return ""
    if row.state is DownloadState.WAITING:
        return waiting_words(row)
    return row.trouble.title if row.trouble is not None else ""


# --- the Hub --------------------------------------------------------------------------------------------------------


def largest_fitting(services: ModelServices) -> int | None:
    """How many weights a model in its usual quant may have to run here; None where nothing is known of the machine."""
    for billions in _SIZES:
        n_params = round(billions * 1e9)
        found = services.fitting.verdict(round(n_params * _USUAL_BITS / 8), n_params=n_params)
        if found.fit is Fit.UNKNOWN:
            return None
        if found.fit is not Fit.TOO_BIG:
            return n_params
    return round(_SIZES[-1] * 1e9)


def result_rows(services: ModelServices, found: Sequence[RepoRow]) -> list[Row]:
    """What a search found."""
    local = {model.repo_id.lower() for model in services.local.models() if model.repo_id}
    rows = []
    for repo in found:
        owner, _, name = repo.repo_id.partition("/")
        changed = when(repo.updated_ms)
        facts = [owner, f"{many(repo.likes)} likes", f"changed {changed}" if changed else ""]
        gate = GATE_WORDS[repo.gate]
        here = repo.repo_id.lower() in local
        access = Cell("On this computer", "fit-gpu", "ok") if here else Cell(gate, "lock", "warn") if gate else Cell()
        rows.append(
            Row(
                key=repo.repo_id,
                title=name or repo.repo_id,
                tile=tile(name or repo.repo_id),
                note=" · ".join(fact for fact in facts if fact),
                cells=(
                    Cell(licence_words(repo.licence)),
                    Cell(repo.architecture),
                    Cell(short_parameters(repo.n_params)),
                    Cell(many(repo.downloads)),
                    access,
                ),
                tip=repo.repo_id,
            )
        )
    return rows


def quant_key(quant: Quant) -> str:
    """What tells a quant from the others of its repository: two may have one label."""
    return quant.files[0].path if quant.files else quant.label


def quant_rows(services: ModelServices, repo: Repo, known: Entry | None, n_ctx: int, wanted: str = "") -> list[Row]:
    """The quants of a repository for a context of so many tokens. `wanted`: the key of the one asked for."""
    n_params = repo.n_params or (known.parameters if known is not None else None)
    best = services.fitting.recommended(repo.quants, n_ctx, n_params=n_params, architecture=repo.architecture)
    asked_for = next((quant for quant in repo.quants if quant_key(quant) == wanted), None)
    queue = services.downloads.rows()
    local = {model.quant: model for model in services.local.models() if model.repo_id == repo.repo_id and model.present}
    rows = []
    for quant in repo.quants:
        found = services.fitting.verdict(
            quant.size_bytes, n_params=n_params, architecture=repo.architecture, n_ctx=n_ctx
        )
        row = download_of(queue, repo.repo_id, quant.label)
        here = quant.label in local
        bits = f"about {quant.bits:.1f} bits" if quant.bits else ""
        parts = f"{len(quant.files)} parts" if len(quant.files) > 1 else ""
        state = "on this computer" if here else download_cell(row).text.lower() if row is not None else ""
        rows.append(
            Row(
                key=quant_key(quant),
                title=quant.label,
                tag="asked for" if quant is asked_for else "",
                mark="Recommended" if quant is best else "",
                note=" · ".join(part for part in (state, quant.quality, bits, parts) if part),
                cells=(
                    Cell(disk_size(quant.size_bytes)),
                    Cell(gibibytes(found.needed_bytes)),
                    fit_cell(found, long=True),
                ),
                button="Chat" if here else button_for(row),
                filled=quant is (asked_for or best),
                button_enabled=bool(quant.files),
                tip=needed_words(found),
            )
        )
    return rows
