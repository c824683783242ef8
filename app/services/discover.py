"""Looks for models on the Hub: the newest wish wins, and the window never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.library import Order, Repo, RepoPage
from app.core.stopping import StopFlag
from app.hub.reference import Reference, is_reference, parse
from app.hub.token import token_of_hf_login
from app.services.hub_access import HubAccess
from app.services.lane import Job, Lane, Outcome, Ticket


class Discover(QObject):
    """Searches, opens repositories and looks after the access token. Lives in the GUI thread.

    Signals:
        found(RepoPage, bool): search results; whether they continue the list.
        failed(AppError): the search came to nothing.
        repo_found(Repo): a repository that was opened; `asked` tells what was asked for.
        repo_failed(str, AppError): a repository, as it was asked for, cannot be shown.
        token_changed(bool): whether there is an access token.
        tested(str, object): what a test of the connection said; the AppError if it failed, else None.
    """

    found = Signal(object, bool)
    failed = Signal(object)
    repo_found = Signal(object)
    repo_failed = Signal(str, object)
    token_changed = Signal(bool)
    tested = Signal(str, object)

    def __init__(self, access: HubAccess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._access = access
        self._lists = Lane("search", self)
        self._repos = Lane("repository", self)
        self._token = Lane("token", self)
        self._page = RepoPage()
        self._searching: Ticket | None = None
        self._opening: Ticket | None = None
        self._has_token: bool | None = None
        self.asked = Reference("")
        """What the repository last opened was asked for by: a revision, a file or a quant may have been named."""

    # --- searching --------------------------------------------------------------------------------------------------

    def search(
        self,
        text: str,
        order: Order = Order.DOWNLOADS,
        min_params: int | None = None,
        max_params: int | None = None,
        licence: str = "",
    ) -> None:
        """Look for GGUF repositories; answers with `found` or `failed`, unless another wish comes first."""
        hub = self._access.maker()

        def job(stop: StopFlag) -> Iterator[object]:
            from app.hub import listing  # slow to import

            yield listing.search(hub(), text, order, min_params, max_params, licence, stop=stop)

        self._page = RepoPage()
        self._list(job, go_on=False)

    def more(self) -> None:
        """Look for the rows that follow those of the last search."""
        page, hub = self._page, self._access.maker()
        if not page.more or self.is_searching:
            return

        def job(stop: StopFlag) -> Iterator[object]:
            from app.hub import listing  # slow to import

            yield listing.more(hub(), page, stop=stop)

        self._list(job, go_on=True)

    @property
    def has_more(self) -> bool:
        """Whether the last search has rows that were not shown yet."""
        return bool(self._page.more)

    @property
    def is_searching(self) -> bool:
        """Whether an answer is waited for."""
        return self._searching is not None

    def is_reference(self, text: str) -> bool:
        """Whether this names a repository, to be opened, rather than being words to search for."""
        return is_reference(text, self._access.endpoint)

    def cancel(self) -> None:
        """Wait for nothing any more."""
        for ticket in (self._searching, self._opening):
            if ticket is not None:
                ticket.cancel()
        self._searching = self._opening = None

    # --- one repository ---------------------------------------------------------------------------------------------

    def open(self, reference: str, revision: str = "") -> None:
        """Look at a repository, named in any way that can be pasted; answers with `repo_found` or `repo_failed`.

        `revision`: a branch, tag or commit; it wins over one in the reference.
        """
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        try:
            self.asked = parse(reference, self._access.endpoint)
        except AppError as error:
            self.repo_failed.emit(reference, error)
            return
        asked, hub = self.asked, self._access.maker()

        def job(stop: StopFlag) -> Iterator[object]:
            from app.hub import listing  # slow to import

            yield listing.repo(hub(), asked.repo_id, revision or asked.revision or "main", stop=stop)

        def opened(repo: Repo) -> None:
            self._opening = None
            self.repo_found.emit(repo)

        def failed(error: AppError) -> None:
            self._opening = None
            self.repo_failed.emit(reference, error)

        self._opening = self._ask(self._repos, job, opened, failed, lambda ticket: ticket is self._opening)

    # --- the token and the connection -------------------------------------------------------------------------------

    def has_token(self) -> bool:
        """Whether there is an access token, as far as is known; the first question looks: see `token_changed`."""
        if self._has_token is None:
            self._has_token = False
            self._do_with_token(lambda: None)
        return self._has_token

    def set_token(self, text: str) -> None:
        """Keep an access token in the system's keychain; an empty text forgets it. Failure comes with `tested`."""
        keeper = self._access.keeper
        self._do_with_token(lambda: keeper.keep(text) if text.strip() else keeper.forget())

    def use_login_token(self) -> None:
        """Take the token that `hf auth login` keeps on this computer."""
        keeper = self._access.keeper

        def take() -> None:
            if token := token_of_hf_login():
                keeper.keep(token)
            else:
                raise AppError(
                    "Nobody is signed in on this computer",
                    "The Hugging Face command line keeps no token here.",
                    "Run “hf auth login” once, or paste a token.",
                )

        self._do_with_token(take)

    def test_connection(self) -> None:
        """Ask the Hub whether it answers and knows the token; answers with `tested`."""
        hub = self._access.maker()

        def job(stop: StopFlag) -> Iterator[object]:
            yield hub().check(stop)

        self._ask(
            self._token, job, lambda sentence: self.tested.emit(sentence, None), self._untested, lambda _ticket: True
        )

    def close(self) -> bool:
        """End the lanes; for the end of the program. Whether they ended in time."""
        ended = [lane.close() for lane in (self._lists, self._repos, self._token)]
        return all(ended)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _list(self, job: Job, *, go_on: bool) -> None:
        if self._searching is not None:
            self._searching.cancel()

        def found(page: RepoPage) -> None:
            self._searching, self._page = None, page
            self.found.emit(page, go_on)

        def failed(error: AppError) -> None:
            self._searching = None
            self.failed.emit(error)

        self._searching = self._ask(self._lists, job, found, failed, lambda ticket: ticket is self._searching)

    def _do_with_token(self, work: Callable[[], None]) -> None:
        access = self._access

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            try:
                work()
            finally:
                # a token that cannot be kept is still held until the end of the program
                yield access.token() is not None

        self._ask(self._token, job, self._token_known, self._untested, lambda _ticket: True)

    def _token_known(self, there: bool) -> None:
        self._has_token = there
        self.token_changed.emit(there)

    def _untested(self, error: AppError) -> None:
        self.tested.emit(error.title, error)

    def _ask(
        self,
        lane: Lane,
        job: Job,
        then: Callable[[Any], None],
        failed: Callable[[AppError], None],
        is_wanted: Callable[[Ticket], bool],
    ) -> Ticket:
        ticket = lane.submit(job)

        def items(batch: tuple[object, ...]) -> None:
            if is_wanted(ticket):
                then(batch[0])

        def ended(outcome: Outcome) -> None:
            if outcome.error is not None and is_wanted(ticket):
                failed(outcome.error)

        ticket.items.connect(items)
        ticket.ended.connect(ended)
        return ticket
