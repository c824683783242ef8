"""A download survives the end of the program at any moment: the queue goes on by itself, and little comes twice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.core.library import RemoteFile, Wanted
from app.storage.stores import open_stores
from tests.standin_hub.server import StandInHub

ROOT = Path(__file__).parent.parent
KILLS = 3
LOST_BYTES = 100_000
"""On the wire or in a buffer at the moment of a kill, over four connections: both ends' buffers are small."""


@pytest.mark.long
def test_killed_again_and_again_it_ends_right_and_fetches_hardly_anything_twice(home, starter):
    chance = random.Random(1)
    content = starter.read_bytes()
    with StandInHub() as standin:
        repo = standin.add("them/Model-GGUF", {"m.Q4_K_M.gguf": content})
        file = repo.files["m.Q4_K_M.gguf"]
        files = (RemoteFile("m.Q4_K_M.gguf", file.size, file.sha256),)
        wanted = Wanted(repo.repo_id, repo.commit, "Q4_K_M", files, "Model", standin.url)
        standin.speed, standin.send_buffer = 300_000, 8192
        for _ in range(KILLS):
            child = start(home, wanted)
            more = standin.sent_bytes + chance.randrange(file.size // 12, file.size // 6)
            while standin.sent_bytes < more and child.poll() is None:
                threading.Event().wait(0.01)
            child.kill()
            child.communicate()
        standin.speed = None
        out, err = start(home, wanted).communicate(timeout=300)
        assert out.startswith("done"), out + err
        (path,) = json.loads(out.removeprefix("done "))
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == file.sha256
        assert standin.sent_bytes <= file.size + KILLS * LOST_BYTES
    stores = open_stores(home / "orcinus.db")
    remembered = stores.remembered()
    assert remembered.downloads == ()
    assert remembered.model_files[path].model.verified_ms > 0
    stores.close()
    assert not (home / "models" / ".partial").exists()


def start(home: Path, wanted: Wanted) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.download_child",
            str(home / "orcinus.db"),
            json.dumps(dataclasses.asdict(wanted)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
