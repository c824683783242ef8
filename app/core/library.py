"""Models as the library sees them: what the Hub offers, what is being downloaded, what lies on this computer.

Plain values that hub, storage, services and the window share. Sizes are bytes, times Unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """Whether a repository wants its licence accepted before it hands out files."""

    OPEN = "open"
    AUTO = "auto"
    """Accepting the licence is enough."""
    MANUAL = "manual"
    """Its owners decide on each request."""


class Order(StrEnum):
    """In which order the Hub lists what it found."""

    DOWNLOADS = "downloads"
    TRENDING = "trending"
    LIKES = "likes"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class RepoRow:
    """One repository in a list of search results. None and "" where the Hub does not tell."""

    repo_id: str
    downloads: int = 0
    likes: int = 0
    updated_ms: int | None = None
    licence: str = ""
    gate: Gate = Gate.OPEN
    architecture: str = ""
    n_params: int | None = None
    n_ctx_train: int | None = None


@dataclass(frozen=True, slots=True)
class RepoPage:
    """Some search results; `more` is what the next call needs to go on, "" at the end."""

    rows: tuple[RepoRow, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository at a commit. `sha256` is the Hub's LFS oid, 64 hex digits."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Quant:
    """One thing to choose and download: a quant, in one file or in several parts in order."""

    label: str
    """As in the file's name: "Q4_K_M"; the file's name itself where none is in it."""
    files: tuple[RemoteFile, ...]
    bits: float = 0.0
    """About so many bits a weight; 0 where it is not known."""
    quality: str = ""
    """In plain words."""

    @property
    def size_bytes(self) -> int:
        """All parts together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Repo:
    """One repository at one commit, with all that can be chosen from it."""

    repo_id: str
    revision: str
    """What was asked for: a branch, a tag or a commit."""
    commit: str
    """40 hex digits: what a download is pinned to."""
    licence: str = ""
    gate: Gate = Gate.OPEN
    downloads: int = 0
    likes: int = 0
    updated_ms: int | None = None
    architecture: str = ""
    n_params: int | None = None
    n_ctx_train: int | None = None
    template: str = ""
    base_models: tuple[str, ...] = ()
    quants: tuple[Quant, ...] = ()
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    card: str = ""
    """The model card as Markdown, without its metadata block. Untrusted."""


class DownloadState(StrEnum):
    """Where a download is."""

    QUEUED = "queued"
    """Waits for its turn."""
    RUNNING = "running"
    VERIFYING = "verifying"
    """All bytes are there; their SHA-256 is being computed."""
    WAITING = "waiting"
    """The network or the Hub failed in a way that passes; tries again by itself."""
    PAUSED = "paused"
    FAILED = "failed"
    """Will not go on by itself; `trouble` says why."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a download failed or waits, worded for people, and what the person can do about it.

    `remedy` is one of "", "retry", "token" (enter or change the access token), "licence" (open the model's page on the
    Hub), "folder" (choose another models folder), "relist" (look at the repository again).
    """

    title: str
    detail: str = ""
    hint: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to download: the files of one quant, pinned to a commit."""

    repo_id: str
    commit: str
    quant: str
    files: tuple[RemoteFile, ...]
    name: str
    """For people: the catalogue's name, else the repository's."""
    endpoint: str = "https://huggingface.co"
    entry_id: str = ""
    """The catalogue's entry, if it is one."""
    licence: str = ""
    """As the Hub names it, to be shown with the model later."""

    @property
    def sha256(self) -> tuple[str, ...]:
        """Of each file."""
        return tuple(file.sha256 for file in self.files)

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Download:
    """One row of the queue, as it is saved and shown. Never saved: `have_bytes`, `speed`, `retry_in_s`."""

    id: int
    wanted: Wanted
    state: DownloadState = DownloadState.QUEUED
    position: int = 0
    """Lower comes first."""
    trouble: Trouble | None = None
    have_bytes: int = 0
    """Of all files together; while VERIFYING, so many are hashed."""
    speed: float = 0.0
    """Bytes a second over the last seconds."""
    retry_in_s: float = 0.0
    path: str = ""
    """The first file on disk, once DONE."""

    @property
    def left_s(self) -> float | None:
        """Seconds to go at this speed; None while nothing comes."""
        left = self.wanted.size_bytes - self.have_bytes
        return left / self.speed if self.speed > 0 else None


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this computer. `path` is its first file and its id everywhere else in the program."""

    path: str
    name: str
    size_bytes: int = 0
    quant: str = ""
    architecture: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    licence: str = ""
    repo_id: str = ""
    commit: str = ""
    sha256: tuple[str, ...] = ()
    """Of each file as the Hub listed it; empty for a file that did not come from there."""
    verified_ms: int = 0
    """When the content was last proven right; 0 for never."""
    managed: bool = False
    """In the models folder, so that removing it deletes its files."""
    present: bool = True
    """Whether the file is where it was."""
    damaged: bool = False
    """Its content was found to be wrong; it is not offered for chats."""
    inexact: str = ""
    """Why it may write otherwise beside other answers than alone, see exactness.py; "" for no such reason, or where it
    was not looked for."""
