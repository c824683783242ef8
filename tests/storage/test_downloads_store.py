"""The queue of downloads lasts, and one damaged row does not take the others along."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.library import Download, DownloadState, RemoteFile, Trouble, Wanted
from app.storage.database import Database
from app.storage.downloads import DownloadStore, SavedDownload
from app.storage.opening import open_database

FILES = (RemoteFile("a ç-00001-of-00002.gguf", 5_000_000_000, "a" * 64), RemoteFile("b.gguf", 1, "b" * 64))
WANTED = Wanted("them/M-GGUF", "c" * 40, "Q4_K_M", FILES, "M ☕", "http://127.0.0.1:1", "entry", "mit")


@pytest.fixture
def database(tmp_path: Path):
    opened = open_database(tmp_path / "orcinus.db")
    yield opened
    opened.close()


def test_a_download_comes_back_as_it_was_saved(database: Database):
    store = DownloadStore(database)
    trouble = Trouble("No room", "Full.", "Free some.", "folder")
    failed = Download(3, WANTED, DownloadState.FAILED, 2, trouble)
    running = Download(4, WANTED, DownloadState.RUNNING, 1, have_bytes=77, speed=5.0)
    store.save(failed, "/models")
    store.save(running, "/other")
    assert store.all() == [
        SavedDownload(Download(4, WANTED, DownloadState.RUNNING, 1), "/other"),
        SavedDownload(failed, "/models"),
    ]
    store.save(Download(3, WANTED, DownloadState.PAUSED, 0), "/models")
    assert [saved.download.state for saved in store.all()] == [DownloadState.PAUSED, DownloadState.RUNNING]
    store.place({3: 9})
    assert [saved.download.id for saved in store.all()] == [4, 3]
    store.remove(4)
    store.remove(4)
    assert [saved.download.id for saved in store.all()] == [3]


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"files": []}', '{"files": [{"path": "x"}]}', "7"])
def test_a_damaged_row_is_left_out_and_told(database: Database, broken: str):
    store = DownloadStore(database)
    store.save(Download(1, WANTED), "/models")
    store.save(Download(2, WANTED), "/models")
    database.run("UPDATE download SET wanted = ? WHERE id = 1", broken)
    assert [saved.download.id for saved in store.all()] == [2]
    (notice,) = database.take_notices()
    assert "download" in notice
