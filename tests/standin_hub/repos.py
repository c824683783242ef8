"""What the stand-in Hub has: repositories, their files at each commit, and people with tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

MILLION = 1_000_000


@dataclass
class HostedFile:
    """One file. The listed values may lie: for files too large to hold here, and for hostile repositories."""

    content: bytes = b""
    lfs: bool = True
    listed_size: int | None = None
    listed_sha256: str | None = None

    @property
    def size(self) -> int:
        return len(self.content) if self.listed_size is None else self.listed_size

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest() if self.listed_sha256 is None else self.listed_sha256

    @property
    def oid(self) -> str:
        """Git's own name for what is checked in: the pointer's for a large file."""
        return hashlib.sha1(self.sha256.encode(), usedforsecurity=False).hexdigest()

    def __post_init__(self) -> None:
        if self.listed_sha256 is None:
            self.listed_sha256 = hashlib.sha256(self.content).hexdigest()  # once: contents may be large


@dataclass
class Account:
    """Whose token it is, and which gated or private repositories it may read."""

    name: str
    granted: set[str] = field(default_factory=set)


@dataclass
class HostedRepo:
    """One repository; `files` are those of `main`. `gated` is False, "auto" or "manual"."""

    repo_id: str
    files: dict[str, HostedFile] = field(default_factory=dict)
    gated: Any = False
    private: bool = False
    downloads: int = 100
    likes: int = 10
    trending: int = 1
    last_modified: str = "2024-01-02T03:04:05.000Z"
    created_at: str = "2023-10-02T14:00:00.000Z"
    tags: list[str] = field(default_factory=lambda: ["gguf", "license:apache-2.0", "region:us"])
    gguf: dict[str, Any] = field(
        default_factory=lambda: {"total": 7242 * MILLION, "architecture": "llama", "context_length": 32768}
    )
    card_data: dict[str, Any] = field(default_factory=lambda: {"license": "apache-2.0"})
    library_name: str = "gguf"
    pipeline_tag: str = "text-generation"
    branches: dict[str, dict[str, HostedFile]] = field(default_factory=dict)
    """Further branches, with the files of each."""
    git_tags: dict[str, str] = field(default_factory=dict)
    """Tag -> the branch it stands at."""
    old_ids: tuple[str, ...] = ()
    """Former names: requests for them are redirected here."""

    @property
    def commit(self) -> str:
        return self.commit_of("main")

    def commit_of(self, branch: str) -> str:
        """40 hex digits that change whenever the branch's files do."""
        listing = "".join(f"{path}\0{file.sha256}\n" for path, file in sorted(self.at(branch).items()))
        return hashlib.sha1(f"{self.repo_id}@{branch}\n{listing}".encode(), usedforsecurity=False).hexdigest()

    def at(self, branch: str) -> dict[str, HostedFile]:
        """The files of a branch."""
        return self.files if branch == "main" else self.branches[branch]

    def find(self, revision: str) -> tuple[str, dict[str, HostedFile]] | None:
        """The commit and files that a branch, tag or commit means; None if there is no such revision."""
        for branch in ("main", *self.branches):
            commit = self.commit_of(branch)
            if revision in {branch, commit, f"refs/heads/{branch}"}:
                return commit, self.at(branch)
        if revision in self.git_tags:
            return self.find(self.git_tags[revision])
        return None
