"""Plans that tests run on the starter model, and programs that are killed while they do. Not a test itself."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PLAN = """
name = "Kills"
model = "starter"
seeds = [1, 2]
[sampling]
temperature = 1.1
top_k = 200
max_tokens = 10
[[prompt]]
name = "brief"
text = "Be brief."
[[prompt]]
name = "pirate"
text = "You are a pirate. Answer like one, whatever you are asked."
[prompt.sampling]
temperature = 0
[[check]]
kind = "length"
high = 200
[judge]
model = "starter"
prompt = "Say which answer is better: A, B or tie."
[judge.sampling]
max_tokens = 6
"""
QUESTIONS = ("Tell me a story.", "What is 3 + 4?", "Name a fruit.", "Who are you?", "Say: apple banana", "Where is it?")
_TIMES = {"ttft_ms", "tokens_per_s", "duration_ms", "cached_tokens", "made_ms"}


def write_plan(folder: Path) -> Path:
    """A plan of 24 cells, half of them greedy, and 24 judgements."""
    path = folder / "plan.toml"
    questions = "".join(f"[[question]]\ntext = {json.dumps(text)}\n" for text in QUESTIONS)
    path.write_text(PLAN + questions, "utf-8")
    return path


def command(plan: Path, out: Path) -> list[str]:
    """Run a plan as a person in a terminal does."""
    return [sys.executable, "-m", "app", "lab", "run", str(plan), "--out", str(out), "--json"]


def start(plan: Path, out: Path) -> subprocess.Popen[bytes]:
    """The program, on its way."""
    root = Path(__file__).parent.parent
    return subprocess.Popen(command(plan, out), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def lines(out: Path) -> int:
    """How many answers and judgements are kept."""
    return sum(
        (out / name).read_bytes().count(b"\n") for name in ("cells.jsonl", "votes.jsonl") if (out / name).exists()
    )


def kill_after(plan: Path, out: Path, chance: random.Random, most_s: float) -> int | None:
    """Start, kill -9 a moment after something new was kept; how much was kept, None where it had ended."""
    before, child = lines(out), start(plan, out)
    while child.poll() is None and lines(out) <= before:
        time.sleep(0.01)
    try:
        child.wait(chance.uniform(0, most_s))
    except subprocess.TimeoutExpired:
        child.kill()
    _, told = child.communicate()
    assert child.returncode <= 0, told.decode()
    return None if child.returncode == 0 else lines(out)


def finish(plan: Path, out: Path) -> None:
    """Go on to the end."""
    done = subprocess.run(
        command(plan, out),
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def results(out: Path) -> list[dict[str, Any]]:
    """Everything that was found out, without times."""
    found = []
    for name in ("cells.jsonl", "votes.jsonl"):
        for line in (out / name).read_text("utf-8").splitlines():
            one = json.loads(line)
            one.pop("at_ms", None)
            if one.get("provenance"):
                one["provenance"] = {key: value for key, value in one["provenance"].items() if key not in _TIMES}
            found.append(one)
    return found
