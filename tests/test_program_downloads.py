"""The whole program and its downloads: what was running goes on by itself, and ends as a model to chat with."""

from __future__ import annotations

from pathlib import Path

from app.core.library import Download, DownloadState, RemoteFile, Wanted
from app.main import Program
from app.paths import find_paths
from app.storage.stores import open_stores
from tests.standin_hub.server import StandInHub


def test_a_download_cut_off_by_the_last_end_goes_on_and_the_model_answers(qtbot, qapp, home, starter, monkeypatch):
    monkeypatch.setattr("app.hub.download_job.known_places", lambda: ())
    content = starter.read_bytes()
    with StandInHub() as standin:
        repo = standin.add("them/Starter-GGUF", {"again.Q8_0.gguf": content})
        file = repo.files["again.Q8_0.gguf"]
        files = (RemoteFile("again.Q8_0.gguf", file.size, file.sha256),)
        wanted = Wanted(repo.repo_id, repo.commit, "Q8_0", files, "Again", standin.url)
        partial = home / "models" / ".partial"
        partial.mkdir(parents=True)
        (partial / f"{file.sha256}.part").write_bytes(content[:2_000_000])
        stores = open_stores(home / "orcinus.db")
        stores.downloads.save(Download(1, wanted, DownloadState.RUNNING), str(home / "models"))
        stores.close()
        program = Program(qapp, find_paths())
        program.open([])
        path = home / "models" / "them" / "Starter-GGUF" / "again.Q8_0.gguf"
        qtbot.waitUntil(lambda: str(path) in {entry.id for entry in program.models.entries()}, timeout=20_000)
        assert standin.sent_bytes <= len(content) - 2_000_000
        chat = program.library.new_chat(str(path))
        chat.send("My name is Ada. What is my name?")
        qtbot.waitUntil(lambda: not chat.busy, timeout=20_000)
        assert chat.path()[-1].text
        program.window.close()
        assert program.close() == (True, True)
        program.window.deleteLater()
        program.deleteLater()
        qapp.processEvents()
    stores = open_stores(home / "orcinus.db")
    assert stores.downloads.all() == []
    assert Path(stores.models.all()[0].path) == path
    stores.close()
