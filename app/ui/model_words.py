"""How the model pages word numbers, verdicts and states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.core.library import DownloadState, Gate
from app.core.verdicts import Fit, Verdict
from app.ui.words import gigabytes

if TYPE_CHECKING:
    from app.core.library import Download

FIT_LOOKS: dict[Fit, tuple[str, str, str]] = {
    Fit.GPU: ("fit-gpu", "ok", "Fits on the GPU"),
    Fit.PARTLY: ("fit-partly", "warn", "Partly on the GPU"),
    Fit.MEMORY: ("fit-memory", "accent", "Fits in memory"),
    Fit.TOO_BIG: ("fit-no", "danger", "Too big"),
    Fit.UNKNOWN: ("fit-unknown", "muted", "Not known yet"),
}
"""For each verdict: its shape, the theme's colour for it, and the words."""

FIT_MEANINGS: dict[Fit, str] = {
    Fit.GPU: "fastest",
    Fit.PARTLY: "slower",
    Fit.MEMORY: "no GPU used",
    Fit.TOO_BIG: "will not load now",
}

GATE_WORDS: dict[Gate, str] = {
    Gate.OPEN: "",
    Gate.AUTO: "Licence to accept",
    Gate.MANUAL: "Access on request",
}

LICENCES = {
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "gpl-3.0": "GPL 3.0",
    "agpl-3.0": "AGPL 3.0",
    "bsd-3-clause": "BSD 3-Clause",
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-nc-4.0": "CC BY-NC 4.0",
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "llama2": "Llama 2",
    "llama3": "Llama 3",
    "llama3.1": "Llama 3.1",
    "llama3.2": "Llama 3.2",
    "llama3.3": "Llama 3.3",
    "gemma": "Gemma",
    "other": "Its own licence",
}


def gibibytes(size_bytes: int) -> str:
    """An amount of memory, in powers of two as systems count it: "5.6 GiB", "310 MiB"."""
    if size_bytes >= 2**30:
        return f"{size_bytes / 2**30:.1f} GiB"
    return f"{max(1, round(size_bytes / 2**20))} MiB"


def disk_size(size_bytes: int) -> str:
    """A size on disk with two digits behind the point, as quants of one model differ little: "4.37 GB"."""
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1_000_000_000 else gigabytes(size_bytes)


def short_parameters(count: int | None) -> str:
    """A number of weights for a column: "7.2 B", "360 M"; "" where it is not known."""
    if not count:
        return ""
    if count >= 1e9:
        return f"{count / 1e9:.1f} B" if count < 99.5e9 else f"{count / 1e9:.0f} B"
    return f"{count / 1e6:.0f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def many(count: int) -> str:
    """A count for a column: "1.2 M", "34 k", "812"."""
    if count >= 999_500:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.0f} k" if count >= 10_000 else f"{count:,}"


def licence_words(licence: str) -> str:
    """A licence as people write it; the Hub's own id where we do not know better."""
    return LICENCES.get(licence.lower(), licence)


def verdict_words(verdict: Verdict) -> str:
    """A verdict with what it means in layers: "Partly, 24 of 33 layers"."""
    if verdict.fit is Fit.PARTLY and verdict.n_layers:
        return f"Partly, {verdict.gpu_layers} of {verdict.n_layers} layers"
    return FIT_LOOKS[verdict.fit][2]


def needed_words(verdict: Verdict) -> str:
    """What the memory is for, in a sentence."""
    about = "About" if verdict.estimated else "It takes"
    parts = " + ".join(
        f"{gibibytes(size)} {name if name[:2].isupper() else name.lower()}" for name, size in verdict.parts if size
    )
    return f"{about} {gibibytes(verdict.needed_bytes)}" + (f": {parts}" if parts else "") + "."


def rate(bytes_per_s: float) -> str:
    """A speed: "38.2 MB/s", "640 kB/s", "0 B/s"."""
    if bytes_per_s >= 1e6:
        return f"{bytes_per_s / 1e6:.1f} MB/s"
    return f"{bytes_per_s / 1e3:.0f} kB/s" if bytes_per_s >= 1e3 else f"{bytes_per_s:.0f} B/s"


def duration(seconds: float) -> str:
    """A time to wait, no finer than it is known: "40 s", "1 min 10 s", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest // 10 * 10} s" if rest >= 10 else f"{minutes} min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def when(time_ms: int | None) -> str:
    """A date: "18 Oct 2023"; "" where it is not known."""
    if time_ms is None:
        return ""
    try:
        found = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):  # a date that nobody will live to see
        return ""
    return f"{found.day} {found:%b %Y}"


def percent(download: Download) -> int:
    """How much of a download is there, or is verified while that is what happens."""
    return min(100, int(100 * download.have_bytes / max(1, download.wanted.size_bytes)))


def bytes_words(download: Download) -> str:
    """How much has come, in bytes: "2.01 of 4.37 GB"."""
    have, whole = download.have_bytes, download.wanted.size_bytes
    if whole >= 1_000_000_000:
        return f"{have / 1e9:.2f} of {whole / 1e9:.2f} GB"
    if whole >= 1_000_000:
        return f"{have / 1e6:.0f} of {whole / 1e6:.0f} MB"
    return f"{have / 1e3:.0f} of {whole / 1e3:.0f} kB"


def download_words(download: Download) -> str:
    """Where a download is, in a few words: "1 min 10 s left", "Connection lost, retry in 12 s", "Paused"."""
    state = download.state
    if state is DownloadState.RUNNING:
        left = download.left_s
        return "Connecting…" if left is None and not download.have_bytes else _left_words(left)
    if state is DownloadState.WAITING:
        return waiting_words(download)
    if state is DownloadState.FAILED:
        return download.trouble.title if download.trouble is not None else "Failed"
    return {
        DownloadState.QUEUED: "Waits for its turn",
        DownloadState.VERIFYING: f"Verifying {percent(download)} %",
        DownloadState.PAUSED: "Paused",
        DownloadState.DONE: "Done, verified",
    }[state]


def _left_words(left_s: float | None) -> str:
    return "Nothing comes at the moment" if left_s is None else f"{duration(left_s)} left"


def waiting_words(download: Download) -> str:
    """Why nothing comes, and when it is tried again."""
    why = download.trouble.title if download.trouble is not None else "Waiting"
    if download.retry_in_s <= 0:
        return f"{why}, trying again"
    return f"{why}, retry in {duration(max(1, download.retry_in_s))}"
