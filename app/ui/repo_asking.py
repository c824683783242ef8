"""Asks the Hub about one repository after another, and remembers what it said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.core.errors import AppError
from app.core.library import Repo

if TYPE_CHECKING:
    from app.services.discover import Discover


class RepoAsking(QObject):
    """Discover answers the newest wish alone; here a page that is opened goes before rows that are waiting.

    Signals: `opened(str, Repo)` and `open_failed(str, AppError)` answer `open` with the text that was asked for;
    `listed(Repo)` and `list_failed(str, AppError)` answer `want`; `waiting_changed()`.
    """

    opened = Signal(str, object)
    open_failed = Signal(str, object)
    listed = Signal(object)
    list_failed = Signal(str, object)
    waiting_changed = Signal()

    def __init__(self, discover: Discover, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._discover = discover
        self._page: tuple[str, str] | None = None
        self._wanted: list[str] = []
        self._asked = ""
        self._known: dict[str, Repo] = {}
        discover.repo_found.connect(self._found)
        discover.repo_failed.connect(self._failed)

    def known(self, repo_id: str) -> Repo | None:
        """What the Hub said of this repository's main branch since the program started."""
        return self._known.get(repo_id)

    def waits_for(self, repo_id: str) -> bool:
        """Whether a row waits for this repository."""
        return repo_id in self._wanted

    def open(self, text: str, revision: str = "") -> None:
        """Ask for a page: whatever a person may paste, or a repository's id, at a branch, tag or commit."""
        self._page = (text, revision)
        self._asked = text
        self._discover.open(text, revision)

    def want(self, repo_id: str) -> None:
        """Ask for a row's repository, after what is asked already."""
        if repo_id not in self._wanted:
            self._wanted.append(repo_id)
            self.waiting_changed.emit()
        if not self._asked:
            self._ask_next()

    def leave(self) -> None:
        """Nobody waits for the page any more."""
        self._page = None

    def _ask_next(self) -> None:
        self._asked = self._wanted[0] if self._wanted else ""
        if self._asked:
            self._discover.open(self._asked)

    @Slot(object)
    def _found(self, repo: Repo) -> None:
        if not repo.revision or repo.revision == "main":
            self._known[repo.repo_id] = repo
        if self._page is not None:
            text, self._page = self._page[0], None
            self.opened.emit(text, repo)
        if self._asked in self._wanted and repo.repo_id.lower() == self._asked.lower():
            self._wanted.remove(self._asked)
            self.listed.emit(repo)
            self.waiting_changed.emit()
        self._go_on()

    @Slot(str, object)
    def _failed(self, text: str, error: AppError) -> None:
        if self._page is not None:
            asked, self._page = self._page[0], None
            self.open_failed.emit(asked, error)
        elif self._asked in self._wanted:
            self._wanted.remove(self._asked)
            self.list_failed.emit(self._asked, error)
            self.waiting_changed.emit()
        del text
        self._go_on()

    def _go_on(self) -> None:
        if self._page is None:
            self._ask_next()
