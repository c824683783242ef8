"""The window is closed at any moment: the program ends with code 0 and leaves no process and no damage behind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.storage.stores import open_stores
from tests.engine.gguf_writer import tiny_model

ROOT = Path(__file__).parent.parent
STAGES = {"start": 0.6, "loading": 0.5, "reading": 0.2, "generating": 0.5, "idle": 0.1}
"""What the program may be at, and for how long at most it is left at it."""
_NEVER_S = 600.0
_HARMLESS = ("", "This plugin does not support propagateSizeHints()")
WAYS = ("window", "quit", "SIGTERM", "SIGINT")


@dataclass(frozen=True)
class Quit:
    """How a program ended. `trouble` is empty when all is well."""

    stage: str
    way: str
    trouble: str
    seconds: float


def quit_once(home: Path, model: Path, stage: str, wait_s: float, way: str) -> Quit:
    """Start the program in this data folder, let it quit, and look at what it leaves."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.quit_child", stage, str(wait_s), way, str(model)],
        cwd=ROOT, env={**os.environ, "ORCINUS_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        told = running.stdout.readline()
        began = time.monotonic()
        _, err = running.communicate(timeout=_NEVER_S)
    except subprocess.TimeoutExpired:
        running.kill()
        return Quit(stage, way, "it never ended", _NEVER_S)
    seconds, found = time.monotonic() - began, []
    if told != "quits\n":
        found.append(f"it ended before it should: {told!r}")
    if running.returncode:
        found.append(f"exit code {running.returncode}")
    said = "\n".join(line for line in err.splitlines() if line not in _HARMLESS)
    if said.strip():
        found.append(said[-2000:])
    found += [f"process {pid} is left" for pid in engines_of(home)]
    crash = home / "logs" / "crash.log"
    if crash.exists() and crash.read_text().strip():
        found.append(crash.read_text()[-2000:])
    stores = open_stores(home / "orcinus.db")
    found += stores.remembered().notices
    stores.close()
    return Quit(stage, way, "\n".join(found), seconds)


def engines_of(home: Path) -> list[int]:
    """Engine processes that a program with this data folder started, and that still run."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, state = (
                (folder / "cmdline").read_bytes(),
                (folder / "stat").read_text().rsplit(")", 1)[1].split()[0],
            )
            if b"--engine-host" in command and state != "Z" and os.fsencode(home) in (folder / "environ").read_bytes():
                left.append(int(folder.name))
        except OSError:
            continue
    return left


def random_quit(home: Path, model: Path, chance: random.Random, stage: str = "") -> Quit:
    """A quit at a random moment."""
    stage = stage or chance.choice(list(STAGES))
    return quit_once(home, model, stage, chance.uniform(0, STAGES[stage]), chance.choice(WAYS))


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="signals end a program at once there")
def test_five_quits_at_random_moments_are_clean(tmp_path):
    chance, model = random.Random(5), tiny_model(tmp_path / "tiny.gguf", context=4096)
    for stage in STAGES:  # on one data folder: each start also finds what the one before left
        assert random_quit(tmp_path / "home", model, chance, stage).trouble == ""
