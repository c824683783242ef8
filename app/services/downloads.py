"""The queue of downloads: what comes, how fast, and what the person does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.core.library import Download, DownloadState, Trouble, Wanted
from app.core.stopping import StopFlag
from app.hub.trouble import trouble_of
from app.services.archive import Archive
from app.services.hub_access import HubAccess
from app.services.lane import Lane, Outcome, Ticket
from app.services.model_library import ModelLibrary
from app.services.notice import Notice
from app.services.preferences import Preferences
from app.services.shelf import Inspect, arrive
from app.services.speed import Speed
from app.storage.downloads import SavedDownload
from app.storage.model_notes import ModelNote
from app.storage.stores import Stores

if TYPE_CHECKING:
    # slow to import: the lane that counts what is held does it first, so the window never waits for it
    from app.hub.download import Nudge, Step

_SPEED_MS = 500
_AT_WORK = (DownloadState.RUNNING, DownloadState.VERIFYING, DownloadState.WAITING)
_SHOULD_RUN = (*_AT_WORK, DownloadState.QUEUED)


class Downloads(QObject):
    """The downloads that are not done, and those that were done since the start. Lives in the GUI thread.

    Signals:
        changed(): rows came, went, moved or changed their state.
        progressed(int): the row with this id got further, or slower.
        finished(int, str): this download is proven right and can be used; the path of its first file.
        notice(Notice): something to tell.
    """

    changed = Signal()
    progressed = Signal(int)
    finished = Signal(int, str)
    notice = Signal(object)

    def __init__(
        self,
        access: HubAccess,
        library: ModelLibrary,
        preferences: Preferences,
        archive: Archive[Stores],
        inspect: Inspect,
        saved: Sequence[SavedDownload],
        parent: QObject | None = None,
    ) -> None:
        """`saved`: the queue as the last run left it; nothing of it goes on before `start`."""
        super().__init__(parent)
        self._access = access
        self._library = library
        self._preferences = preferences
        self._archive = archive
        self._inspect = inspect
        self._rows = {row.download.id: _as_found(row.download) for row in saved}
        self._folders = {row.download.id: row.folder for row in saved}
        self._kept = set(self._rows)
        self._next_id = max(self._rows, default=0) + 1
        self._at_work: dict[int, Ticket] = {}
        self._taken: dict[Ticket, set[str]] = {}
        """SHA-256 of the files that a job fetches, or throws away: nobody else may, meanwhile."""
        self._nudges: dict[int, Nudge] = {}
        self._speeds: dict[int, Speed] = {}
        self._lanes: list[Lane] = []
        self._free: list[Lane] = []
        self._desk = Lane("download folder", self)
        self._started = False
        self._counted = False
        self._timer = QTimer(self, interval=_SPEED_MS)
        self._timer.timeout.connect(self._show_speeds)
        preferences.fetching_changed.connect(self._settings_changed)

    # --- what is there ----------------------------------------------------------------------------------------------

    def rows(self) -> tuple[Download, ...]:
        """All rows in the order of the queue, done ones of this run among them."""
        return tuple(sorted(self._rows.values(), key=lambda row: (row.position, row.id)))

    def row(self, download_id: int) -> Download | None:
        """One row, if it is there."""
        return self._rows.get(download_id)

    # --- what the person does ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on with what was running when the program ended; once the window is open."""
        self._started = True
        if self._rows:
            self._count_held(list(self._rows))

    def add(self, wanted: Wanted) -> int:
        """Download this; its id, or 0 and a notice where that makes no sense. The same again is the same row."""
        for row in self.rows():
            if _same(row.wanted, wanted) and row.state is not DownloadState.DONE:
                if row.state in (DownloadState.PAUSED, DownloadState.FAILED):
                    self.resume(row.id)
                return row.id
        if refusal := self._refusal(wanted):
            self.notice.emit(refusal)
            return 0
        download_id, self._next_id = self._next_id, self._next_id + 1
        position = max((row.position for row in self._rows.values()), default=0) + 1
        self._rows[download_id] = Download(download_id, wanted, position=position)
        self._folders[download_id] = self._library.folder()
        self._keep(download_id, lambda: self._count_held([download_id]))
        self.changed.emit()
        return download_id

    def pause(self, download_id: int) -> None:
        """Stop for now; what has come is kept."""
        row = self._rows.get(download_id)
        if row is not None and row.state in _SHOULD_RUN:
            self._stop(download_id)
            self._set(download_id, DownloadState.PAUSED)
            self._start_next()

    def resume(self, download_id: int) -> None:
        """Go on, or try again after a failure."""
        row = self._rows.get(download_id)
        if row is None or row.state in (*_SHOULD_RUN, DownloadState.DONE):
            return
        self._choose_folder(row)
        self._set(download_id, DownloadState.QUEUED)
        self._start_next()

    def retry_now(self, download_id: int) -> None:
        """Do not wait any longer; a failed or paused one goes on as well."""
        if download_id in self._nudges:
            self._nudges[download_id].give()
        else:
            self.resume(download_id)

    def cancel(self, download_id: int) -> None:
        """Take a row away and throw away what has come; a done one only leaves the list."""
        row = self._rows.pop(download_id, None)
        if row is None:
            return
        folder = self._folders.pop(download_id)
        self._stop(download_id)
        self._kept.discard(download_id)
        self._archive.ask(lambda stores: stores.downloads.remove(download_id))
        if row.state is not DownloadState.DONE and download_id not in self._at_work:
            self._throw_away(row.wanted, folder)
        elif row.state is not DownloadState.DONE:
            self._at_work[download_id].ended.connect(lambda _: self._throw_away(row.wanted, folder))
        self.changed.emit()
        self._start_next()

    def move(self, download_id: int, position: int) -> None:
        """Put a row at this place of the queue, counted from 0."""
        order = [row.id for row in self.rows()]
        if download_id not in order:
            return
        order.remove(download_id)
        order.insert(max(0, position), download_id)
        places = {row_id: place for place, row_id in enumerate(order) if self._rows[row_id].position != place}
        for row_id, place in places.items():
            self._rows[row_id] = replace(self._rows[row_id], position=place)
        self._archive.ask(lambda stores: stores.downloads.place(places))
        self.changed.emit()

    def pause_all(self) -> None:
        """Pause everything that runs or waits, the last one first so that none moves up."""
        for row in reversed(self.rows()):
            self.pause(row.id)

    def resume_all(self) -> None:
        """Let everything go on."""
        for row in self.rows():
            self.resume(row.id)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop for the end of the program; what ran goes on at the next start. Whether all ended in time."""
        self._started = False
        self._timer.stop()
        for ticket in self._at_work.values():
            ticket.cancel()
        ended = [lane.close(timeout_s) for lane in (*self._lanes, self._desk)]
        return all(ended)

    # --- the work ---------------------------------------------------------------------------------------------------

    def _start_next(self) -> None:
        at_once = self._preferences.fetching().at_once
        for row in self.rows():
            if not self._started or not self._counted or len(self._at_work) >= at_once:
                break
            # saved before the first byte; and whoever was just stopped has to let go of the files first
            is_free = all(taken.isdisjoint(row.wanted.sha256) for taken in self._taken.values())
            if row.state is DownloadState.QUEUED and row.id in self._kept and is_free:
                self._run(row)

    def _run(self, row: Download) -> None:
        from app.hub.download import Nudge, download

        lane = self._free.pop() if self._free else self._new_lane()
        nudge, wanted, folder = Nudge(), row.wanted, self._folders[row.id]
        make_hub = self._access.maker(wanted.endpoint)
        inspect, connections = self._inspect, self._preferences.fetching().connections

        def job(stop: StopFlag) -> Iterator[object]:
            hub = make_hub()
            path = yield from download(hub, wanted, Path(folder), stop, connections=connections, retry_now=nudge)
            if path:
                yield arrive(path, wanted, folder, inspect)

        ticket = lane.submit(job)
        self._at_work[row.id] = ticket
        self._taken[ticket] = set(wanted.sha256)
        self._nudges[row.id] = nudge
        self._speeds[row.id] = Speed()
        ticket.items.connect(lambda batch: self._heard(row.id, ticket, batch))
        ticket.ended.connect(lambda outcome: self._ended(row.id, ticket, lane, outcome))
        self._set(row.id, DownloadState.RUNNING)
        self._timer.start()

    def _new_lane(self) -> Lane:
        self._lanes.append(Lane(f"download {len(self._lanes) + 1}", self))
        return self._lanes[-1]

    def _heard(self, download_id: int, ticket: Ticket, batch: tuple[object, ...]) -> None:
        last = batch[-1]
        if isinstance(last, ModelNote):
            self._done(download_id, last)
        elif download_id in self._rows and self._at_work.get(download_id) is ticket:
            self._show_step(download_id, cast("Step", last))

    def _show_step(self, download_id: int, step: Step) -> None:
        row = self._rows[download_id]
        if row.state not in _AT_WORK:  # paused meanwhile
            return
        speed = self._speeds[download_id]
        if step.state is not row.state:
            speed = self._speeds[download_id] = Speed()
        speed.at(step.have_bytes)
        self._rows[download_id] = replace(
            row,
            state=step.state,
            have_bytes=step.have_bytes,
            speed=speed.now(),
            retry_in_s=step.retry_in_s,
            trouble=step.trouble,
        )
        if step.state is row.state:
            self.progressed.emit(download_id)
        else:
            self.changed.emit()

    def _done(self, download_id: int, note: ModelNote) -> None:
        row = self._rows.get(download_id)
        self._archive.ask(lambda stores: stores.downloads.remove(download_id))
        self._kept.discard(download_id)
        if row is not None:
            self._rows[download_id] = replace(
                row,
                state=DownloadState.DONE,
                have_bytes=row.wanted.size_bytes,
                speed=0.0,
                retry_in_s=0.0,
                trouble=None,
                path=note.model.path,
            )
        self._library.arrived(note)
        self.changed.emit()
        if row is not None:
            self.finished.emit(download_id, note.model.path)

    def _ended(self, download_id: int, ticket: Ticket, lane: Lane, outcome: Outcome) -> None:
        del self._at_work[download_id], self._taken[ticket]
        self._nudges.pop(download_id, None)
        self._speeds.pop(download_id, None)
        self._free.append(lane)
        row = self._rows.get(download_id)
        if outcome.error is not None and row is not None and row.state in _AT_WORK:
            self._set(download_id, DownloadState.FAILED, trouble_of(outcome.error))
        if not self._at_work:
            self._timer.stop()
        self._start_next()

    def _stop(self, download_id: int) -> None:
        if download_id in self._at_work:
            self._at_work[download_id].cancel()
            # told to nobody any more: the next run of this row has its own
            self._nudges.pop(download_id, None)

    def _show_speeds(self) -> None:
        """Without news a speed falls, which only the clock tells."""
        for download_id, speed in self._speeds.items():
            row = self._rows.get(download_id)
            if row is not None and row.state in _AT_WORK and row.speed != (now := speed.now()):
                self._rows[download_id] = replace(row, speed=now)
                self.progressed.emit(download_id)

    # --- what is kept -----------------------------------------------------------------------------------------------

    def _set(self, download_id: int, state: DownloadState, trouble: Trouble | None = None) -> None:
        row = self._rows[download_id]
        self._rows[download_id] = replace(row, state=state, trouble=trouble, speed=0.0, retry_in_s=0.0)
        self._keep(download_id)
        self.changed.emit()

    def _keep(self, download_id: int, then: Callable[[], None] | None = None) -> None:
        row, folder = self._rows[download_id], self._folders[download_id]

        def kept(_: object) -> None:
            if download_id in self._rows:
                self._kept.add(download_id)
                if then is not None:
                    then()
                self._start_next()

        def failed(error: AppError) -> None:
            if download_id in self._rows and download_id not in self._kept:
                self._rows[download_id] = replace(row, state=DownloadState.FAILED, trouble=trouble_of(error))
                self.changed.emit()
            self.notice.emit(Notice.of(error))

        self._archive.ask(lambda stores: stores.downloads.save(row, folder), kept, failed)

    def _choose_folder(self, row: Download) -> None:
        """Where nothing has come yet, or the old folder would not do, the one chosen now is taken."""
        old, new = self._folders[row.id], self._library.folder()
        if old != new and (not row.have_bytes or (row.trouble is not None and row.trouble.remedy == "folder")):
            self._folders[row.id] = new
            self._throw_away(row.wanted, old)

    def _throw_away(self, wanted: Wanted, folder: str) -> None:
        others = {sha for row in self._rows.values() if self._folders[row.id] == folder for sha in row.wanted.sha256}
        others = others.union(*self._taken.values())
        useless = replace(wanted, files=tuple(file for file in wanted.files if file.sha256 not in others))

        def job(_: StopFlag) -> Iterator[object]:
            from app.hub.download import discard

            discard(useless, Path(folder))
            yield None

        def ended(outcome: Outcome) -> None:
            del self._taken[ticket]
            if outcome.error is not None:
                self.notice.emit(Notice.of(outcome.error))
            self._start_next()

        ticket = self._desk.submit(job)
        self._taken[ticket] = set(useless.sha256)
        ticket.ended.connect(ended)

    def _count_held(self, download_ids: list[int]) -> None:
        """Show how much of each is on disk from before."""
        wishes = {row_id: (self._rows[row_id].wanted, self._folders[row_id]) for row_id in download_ids}

        def job(_: StopFlag) -> Iterator[object]:
            from app.hub.download import held_bytes

            yield {row_id: held_bytes(wanted, Path(folder)) for row_id, (wanted, folder) in wishes.items()}

        self._desk.submit(job).items.connect(lambda batch: self._held(batch[0]))

    def _held(self, held: dict[int, int]) -> None:
        for download_id, have_bytes in held.items():
            row = self._rows.get(download_id)
            if row is not None and not row.have_bytes and row.state is not DownloadState.DONE:
                self._rows[download_id] = replace(row, have_bytes=have_bytes)
        self._counted = True
        self.changed.emit()
        self._start_next()

    def _refusal(self, wanted: Wanted) -> Notice | None:
        if not wanted.files or not wanted.size_bytes:
            return Notice("There is nothing to download", f"{wanted.name} has no files.", "Look at it again.")
        if (model := self._library.having(wanted)) is not None:
            return Notice(f"{model.name} is on this computer already", model.path)
        return None

    def _settings_changed(self, key: str) -> None:
        if key == "at_once":
            self._start_next()


def _same(one: Wanted, other: Wanted) -> bool:
    return one.repo_id == other.repo_id and one.sha256 == other.sha256


def _as_found(row: Download) -> Download:
    """As a row is shown at the start: what ran goes on, the rest is as the person left it."""
    return replace(row, state=DownloadState.QUEUED, trouble=None) if row.state in _AT_WORK else row
