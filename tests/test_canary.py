"""An access token is in the keychain and on requests to its own Hub, and nowhere else, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.stores import open_stores
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import Account
from tests.standin_hub.server import StandInHub

ROOT = Path(__file__).parent.parent
CANARY = "hf_" + "Canary" * 6


@pytest.fixture
def hub(starter: Path) -> Iterator[StandInHub]:
    """A Hub with a gated model that this token may read, under its old name too, and one that it may not."""
    with StandInHub() as standin:
        more = {"gated": "manual", "downloads": 5}
        standin.add("them/Model", {"m.Q8_0.gguf": starter.read_bytes()}, old_ids=("them/Model-Old",), **more)
        standin.add("them/Model-Refused", {"r.Q8_0.gguf": b"GGUF"}, **more)
        standin.tokens[CANARY] = Account("ada", {"them/Model"})
        yield standin


def a_bad_line(hub: StandInHub) -> None:
    """All that sends a download elsewhere, or makes it ask again."""
    elsewhere = {"Location": f"{hub.cdn_url}/elsewhere"}
    hub.faults[:] = [
        Fault(Kind.STATUS, "resolve", status=503, headers={"Retry-After": "0"}),
        Fault(Kind.STATUS, "resolve", status=302, headers=elsewhere),
        Fault(Kind.DROP, after=300_000),
        Fault(Kind.STATUS, status=302, headers=elsewhere),
        Fault(Kind.STATUS, status=403),
        Fault(Kind.PORTAL),
    ]


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, with what it printed."""
    command = [sys.executable, "-m", *arguments]
    told, environ = more.pop("told", ""), {**os.environ, **more}
    return subprocess.run(command, cwd=ROOT, env=environ, input=told, capture_output=True, text=True, timeout=500)


def nowhere(text: str, *places: Path) -> None:
    """It is in no file below these places, and in no file's name."""
    for file in (path for place in places for path in place.rglob("*")):
        assert text not in str(file)
        assert not file.is_file() or text.encode() not in file.read_bytes(), file


def only_at_home(hub: StandInHub) -> None:
    """The Hub got it, the other host did not."""
    assert CANARY in {asked.token for asked in hub.asked_of("hub")}
    assert len(hub.asked_of("cdn")) >= 4
    assert not [asked for asked in hub.asked_of("cdn") if "Canary" in str(asked) or asked.token]
    assert not [asked for asked in hub.asked_of("hub") if "Canary" in asked.path or "Canary" in str(asked.query)]


def test_the_window_leaves_the_token_nowhere(hub, home, tmp_path):
    a_bad_line(hub)
    done = run("tests.canary_child", told=f"{CANARY}\n", HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "hf"))
    assert done.returncode == 0, done.stderr
    assert "knows you as ada" in done.stdout
    assert "The licence of this model is not accepted yet" in done.stdout
    assert "Something went wrong inside Orcinus" in done.stdout
    assert "Canary" not in done.stdout + done.stderr
    logged = (home / "logs" / "orcinus.log").read_text("utf-8")
    assert "A job failed in a way nobody foresaw" in logged
    assert "Nobody foresaw this" in logged
    assert list((home / "models").rglob("*.gguf"))
    nowhere("Canary", tmp_path)
    only_at_home(hub)


def test_the_command_line_leaves_the_token_nowhere(hub, home, tmp_path):
    stores = open_stores(home / "orcinus.db")
    stores.settings.set("app", "token_elsewhere", True)
    stores.close()
    a_bad_line(hub)
    told = ""
    for arguments, code in (
        (("search", "Model"), 0),
        (("files", "them/Model-Old", "--json"), 0),
        (("download", "them/Model-Refused"), 1),
        (("download", "them/Model-Refused", "--json"), 1),
        (("download", "them/Model-Old", "Q8_0", "--json"), 0),
        (("verify", "m.Q8_0.gguf", "--json"), 0),
    ):
        done = run("app", "models", *arguments, HF_ENDPOINT=hub.url, HF_TOKEN=CANARY, HF_HOME=str(tmp_path / "hf"))
        assert done.returncode == code, done.stderr
        told += done.stdout + done.stderr
    assert "The licence of this model is not accepted yet" in told
    assert "Canary" not in told
    nowhere("Canary", tmp_path)
    only_at_home(hub)
