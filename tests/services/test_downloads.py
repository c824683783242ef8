"""The queue of downloads, against a stand-in Hub: two at a time, kept through any end, verified before use."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.library import Download, DownloadState, RemoteFile, Wanted
from app.engine.scripted import Script
from app.services.speed import Speed
from app.storage.stores import open_stores
from tests.services.conftest import Services
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.server import StandInHub

SIZE = 600_000


@pytest.fixture
def services(build, standin: StandInHub) -> Services:
    return begin(build)


def begin(build: Callable[..., Services], *, start: bool = True) -> Services:
    services = build(Script())
    if start:
        services.downloads.start()
    return services


def host(standin: StandInHub, name: str, *, parts: int = 1, size: int = SIZE, **more) -> Wanted:
    """Put a model on the Hub; what a person who picked it wants."""
    names = [f"{name}.gguf"] if parts == 1 else [f"{name}-{n:05}-of-{parts:05}.gguf" for n in range(1, parts + 1)]
    chance = random.Random(name)
    repo = standin.add(f"them/{name}-GGUF", {path: b"GGUF" + chance.randbytes(size) for path in names}, **more)
    files = tuple(RemoteFile(path, repo.files[path].size, repo.files[path].sha256) for path in names)
    return Wanted(repo.repo_id, repo.commit, "Q4_K_M", files, name, standin.url, licence="mit")


def wait_for(services: Services, download_id: int, *states: DownloadState) -> Download:
    services.wait(lambda: (row := services.downloads.row(download_id)) is not None and row.state in states)
    row = services.downloads.row(download_id)
    assert row is not None
    return row


def fetch(services: Services, wanted: Wanted) -> Download:
    return wait_for(services, services.downloads.add(wanted), DownloadState.DONE)


def test_a_download_ends_as_a_verified_model_that_can_be_chosen(services, standin, tmp_path):
    wanted = host(standin, "One")
    finished: list[tuple[int, str, bool]] = []
    services.downloads.finished.connect(
        lambda row, path: finished.append((row, path, any(e.id == path for e in services.models.entries())))
    )
    row = fetch(services, wanted)
    path = tmp_path / "models" / "them" / "One-GGUF" / "One.gguf"
    assert row.path == str(path)
    assert finished == [(row.id, str(path), True)], "it can be chosen when it is told"
    model = services.model_library.model(str(path))
    assert model is not None
    assert (model.repo_id, model.commit, model.licence) == (wanted.repo_id, wanted.commit, "mit")
    assert model.sha256 == (wanted.files[0].sha256,)
    assert model.verified_ms > 0
    assert model.managed
    assert services.ask(lambda stores: stores.downloads.all()) == []


def test_all_parts_of_a_split_model_are_one_download(services, standin):
    wanted = host(standin, "Split", parts=3)
    row = fetch(services, wanted)
    model = services.model_library.model(row.path)
    assert model is not None
    assert model.size_bytes == wanted.size_bytes
    assert len(model.sha256) == 3


def test_two_run_at_a_time_and_the_others_wait_for_their_turn(services, standin):
    standin.most = SIZE // 2
    ids = [services.downloads.add(host(standin, name)) for name in ("A", "B", "C")]
    services.wait(lambda: [row.state for row in services.downloads.rows()].count(DownloadState.RUNNING) == 2)
    assert [row.state for row in services.downloads.rows()][2] is DownloadState.QUEUED
    services.downloads.pause(ids[0])
    wait_for(services, ids[2], DownloadState.RUNNING, DownloadState.DONE)
    standin.most = None
    services.downloads.resume(ids[0])
    for download_id in ids:
        wait_for(services, download_id, DownloadState.DONE)


def test_it_is_saved_before_the_first_byte(services, standin):
    standin.most = SIZE // 2
    kept: list[int] = []

    def watch(stores) -> None:
        save = stores.downloads.save

        def slowly(*row) -> None:
            threading.Event().wait(0.1)  # who does not wait for it has asked by then
            kept.append(len(standin.asked))
            save(*row)

        stores.downloads.save = slowly

    services.ask(watch)
    download_id = services.downloads.add(host(standin, "One"))
    assert services.downloads.row(download_id).state is DownloadState.QUEUED
    wait_for(services, download_id, DownloadState.RUNNING)
    assert kept[0] == 0
    assert [saved.download.id for saved in services.ask(lambda stores: stores.downloads.all())] == [download_id]


def test_pausing_keeps_what_came_and_resuming_goes_on_from_there(services, standin):
    standin.most = SIZE // 2
    wanted = host(standin, "One")
    download_id = services.downloads.add(wanted)
    services.wait(lambda: services.downloads.row(download_id).have_bytes > 100_000)
    services.downloads.pause(download_id)
    assert services.downloads.row(download_id).state is DownloadState.PAUSED, "at once"
    services.wait(lambda: not services.downloads._at_work)
    sent = standin.sent_bytes
    standin.most = None
    services.downloads.resume(download_id)
    wait_for(services, download_id, DownloadState.DONE)
    assert standin.sent_bytes - sent < wanted.size_bytes - 50_000
    assert standin.sent_bytes <= wanted.size_bytes * 1.5


def test_pausing_and_resuming_in_quick_succession_ends_well(services, standin):
    standin.most = SIZE // 2
    download_id = services.downloads.add(host(standin, "One"))
    wait_for(services, download_id, DownloadState.RUNNING)
    for _ in range(5):
        services.downloads.pause(download_id)
        services.downloads.resume(download_id)
    standin.most = None
    assert wait_for(services, download_id, DownloadState.DONE, DownloadState.FAILED).state is DownloadState.DONE


def test_the_same_again_is_the_same_row_and_what_is_here_is_not_fetched_again(services, standin):
    wanted = host(standin, "One")
    first = services.downloads.add(wanted)
    assert services.downloads.add(wanted) == first
    wait_for(services, first, DownloadState.DONE)
    asked = len(standin.asked)
    assert services.downloads.add(wanted) == 0
    assert "on this computer already" in services.notices[-1].title
    assert len(standin.asked) == asked


def test_nothing_to_download_is_refused_in_words(services):
    assert services.downloads.add(Wanted("a/b", "c" * 40, "Q4_K_M", (), "B")) == 0
    assert services.notices[-1].title == "There is nothing to download"


def test_a_cancelled_download_is_gone_with_all_that_came(services, standin, tmp_path):
    standin.most = SIZE // 2
    download_id = services.downloads.add(host(standin, "One"))
    services.wait(lambda: services.downloads.row(download_id).have_bytes > 50_000)
    services.downloads.cancel(download_id)
    assert services.downloads.rows() == ()
    partial = tmp_path / "models" / ".partial"
    services.wait(lambda: not services.downloads._at_work and not list(partial.glob("*.part")))
    assert services.ask(lambda stores: stores.downloads.all()) == []


@pytest.mark.parametrize("at_once", [1, 2])
def test_cancelled_and_wanted_again_at_once_it_comes_all_the_same(services, standin, tmp_path, at_once):
    services.preferences.set_fetching("at_once", at_once)
    standin.speed = 200_000
    wanted = host(standin, "One", size=10 * SIZE)  # not over before it is cancelled
    for _ in range(3):
        download_id = services.downloads.add(wanted)
        services.wait(lambda: services.downloads.row(download_id).have_bytes > 20_000)  # noqa: B023
        services.downloads.cancel(download_id)
    standin.speed = None
    standin.hang_up()  # and no longer slowly
    assert Path(fetch(services, wanted).path).read_bytes()[:4] == b"GGUF"
    services.wait(lambda: not (tmp_path / "models" / ".partial").exists())


def test_the_same_file_of_two_repositories_is_fetched_once(services, standin):
    wanted = host(standin, "One")
    copy = standin.add("them/Copy-GGUF", dict(standin.repos[0].files))
    first = services.downloads.add(wanted)
    second = services.downloads.add(replace(wanted, repo_id=copy.repo_id, commit=copy.commit))
    assert second != first
    paths = {wait_for(services, row_id, DownloadState.DONE).path for row_id in (first, second)}
    assert len(paths) == 2
    assert standin.sent_bytes == wanted.size_bytes


def test_what_ran_goes_on_after_a_restart_and_what_was_paused_stays_paused(build, standin):
    standin.most = SIZE // 2
    services = begin(build)
    ran, paused = (services.downloads.add(host(standin, name)) for name in ("Ran", "Paused"))
    services.wait(lambda: all(services.downloads.row(row).have_bytes > 30_000 for row in (ran, paused)))
    services.downloads.pause(paused)
    services.wait(lambda: paused not in services.downloads._at_work)
    build.close(services)
    sent = standin.sent_bytes
    standin.most = None
    services = begin(build, start=False)
    states = {row.id: row.state for row in services.downloads.rows()}
    assert states == {ran: DownloadState.QUEUED, paused: DownloadState.PAUSED}
    services.downloads.start()
    wait_for(services, ran, DownloadState.DONE)
    assert services.downloads.row(paused).state is DownloadState.PAUSED
    services.wait(lambda: services.downloads.row(paused).have_bytes > 0)
    assert standin.sent_bytes - sent < SIZE
    services.downloads.resume(paused)
    wait_for(services, paused, DownloadState.DONE)


def test_the_order_can_be_changed_and_is_kept(build, standin):
    services = begin(build, start=False)
    a, b, c = (services.downloads.add(host(standin, name)) for name in "ABC")
    services.downloads.move(c, 0)
    assert [row.id for row in services.downloads.rows()] == [c, a, b]
    services.downloads.move(a, 99)
    assert [row.id for row in services.downloads.rows()] == [c, b, a]
    build.close(services)
    assert [row.id for row in begin(build, start=False).downloads.rows()] == [c, b, a]


def test_everything_can_be_paused_and_resumed_at_once(services, standin):
    standin.most = SIZE // 2
    ids = [services.downloads.add(host(standin, name)) for name in "ABC"]
    wait_for(services, ids[0], DownloadState.RUNNING)
    services.downloads.pause_all()
    assert {row.state for row in services.downloads.rows()} == {DownloadState.PAUSED}
    services.wait(lambda: not services.downloads._at_work)
    standin.most = None
    services.downloads.resume_all()
    for download_id in ids:
        wait_for(services, download_id, DownloadState.DONE)


def test_a_gated_model_fails_with_its_remedy_and_goes_on_with_a_token(services, standin):
    wanted = host(standin, "Gated", gated="auto")
    download_id = services.downloads.add(wanted)
    row = wait_for(services, download_id, DownloadState.FAILED)
    assert row.trouble is not None
    assert row.trouble.remedy == "token"
    from tests.standin_hub.repos import Account

    standin.tokens["hf_" + "a" * 30] = Account("ada", {wanted.repo_id})
    services.preferences.set_fetching("endpoint", standin.url)
    services.preferences.set_fetching("token_elsewhere", True)
    services.discover.set_token("hf_" + "a" * 30)
    services.wait(services.discover.has_token)
    services.downloads.retry_now(download_id)
    wait_for(services, download_id, DownloadState.DONE)
    assert all(not asked.token for asked in standin.asked_of("cdn")), "the token goes to the Hub alone"


def test_a_failure_is_still_there_after_a_restart(build, standin):
    services = begin(build)
    wanted = host(standin, "Gone")
    standin.repos.clear()
    download_id = services.downloads.add(wanted)
    failed = wait_for(services, download_id, DownloadState.FAILED)
    services.ask(lambda stores: None)
    build.close(services)
    (row,) = begin(build).downloads.rows()
    assert (row.state, row.trouble) == (DownloadState.FAILED, failed.trouble)


def test_a_dropped_connection_shows_as_waiting_and_retry_now_ends_the_wait(services, standin):
    standin.faults.append(Fault(Kind.STATUS, on="resolve", times=1, status=429, headers={"Retry-After": "600"}))
    download_id = services.downloads.add(host(standin, "One"))
    row = wait_for(services, download_id, DownloadState.WAITING)
    assert row.retry_in_s > 100
    assert row.trouble is not None
    services.downloads.retry_now(download_id)
    wait_for(services, download_id, DownloadState.DONE)


def test_wrong_bytes_never_become_a_model(services, standin):
    standin.faults.append(Fault(Kind.CORRUPT, times=None, after=1000))
    download_id = services.downloads.add(host(standin, "One"))
    row = wait_for(services, download_id, DownloadState.FAILED)
    assert row.trouble is not None
    assert services.model_library.models() == ()
    assert [entry.id for entry in services.models.entries()] == ["starter"]


def test_a_download_that_is_no_model_fails_in_words(services, standin):
    repo = standin.add("them/Junk-GGUF", {"junk.gguf": b"no GGUF" * 100})
    file = repo.files["junk.gguf"]
    wanted = Wanted(
        repo.repo_id, repo.commit, "Q4_0", (RemoteFile("junk.gguf", file.size, file.sha256),), "Junk", standin.url
    )
    row = wait_for(services, services.downloads.add(wanted), DownloadState.FAILED)
    assert row.trouble is not None
    assert row.trouble.title == "This is no model"
    assert services.model_library.models() == ()


def test_another_folder_is_used_when_the_old_one_would_not_do(services, standin, tmp_path):
    blocked = tmp_path / "models"
    blocked.write_bytes(b"a file where the folder should be")
    download_id = services.downloads.add(host(standin, "One"))
    row = wait_for(services, download_id, DownloadState.FAILED)
    assert row.trouble is not None
    services.model_library.set_folder(str(tmp_path / "other"))
    services.wait(lambda: services.model_library.folder() == str(tmp_path / "other"))
    services.downloads.resume(download_id)
    row = wait_for(services, download_id, DownloadState.DONE)
    assert Path(row.path).is_relative_to(tmp_path / "other")


def test_a_queue_that_cannot_be_saved_is_not_started(services, standin, monkeypatch):
    from app.core.errors import DiskFullError

    def full(*_: object) -> None:
        raise DiskFullError("The disk is full")

    services.ask(lambda stores: monkeypatch.setattr(stores.downloads, "save", full))
    download_id = services.downloads.add(host(standin, "One"))
    row = wait_for(services, download_id, DownloadState.FAILED)
    assert row.trouble is not None
    assert row.trouble.title == "The disk is full"
    assert standin.asked == []


def test_a_finished_download_is_known_even_if_the_database_never_heard_of_it(build, standin, tmp_path):
    services = begin(build)
    row = fetch(services, host(standin, "One"))
    build.close(services)
    stores = open_stores(tmp_path / "orcinus.db")
    stores.models.remove(row.path)
    stores.model_files.remove(row.path)
    stores.close()
    services = begin(build)
    services.model_library.refresh(asked=False)
    services.wait(lambda: services.model_library.model(row.path) is not None)
    model = services.model_library.model(row.path)
    assert model is not None
    assert model.verified_ms > 0


def test_speed_is_that_of_the_last_seconds_and_falls_to_nothing_in_a_stall():
    now = [0.0]
    speed = Speed(lambda: now[0])
    assert speed.now() == 0
    for second in range(20):
        now[0] = second
        speed.at(second * 1000)
    assert speed.now() == pytest.approx(1000)
    now[0] += 4
    assert 0 < speed.now() < 1000
    now[0] += 8
    assert speed.now() == 0
    speed.at(10)
    assert speed.now() == 0, "what was thrown away does not count as coming"
