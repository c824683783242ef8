"""Tries a built bundle or an installed program as a person would, without a network and with a home that is new.

    python3 packaging/smoke.py PROGRAM [--in ROOT] [--portable] [--figures FILE]

It answers on the command line, imports a GGUF file and answers with it; its window opens, answers, opens that file for
a second start, lives through a kill of the engine's process, and leaves no process behind. The home folder has spaces,
Chinese and a whale in its name. At last nothing may lie outside the places that the README names.

`--in ROOT` runs it in an empty system made by `clean_room.py`, without a network, as a user without rights. Keys are
typed where there is X (it needs Xvfb, xdotool); on Windows and macOS the window is opened and closed, and that is said.
Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from desktops import Desktop, desktop
from places import Place

WAIT_S = 60.0
HOME_NAME = "Ada Łovelace 文件 🐋"
MODEL_NAME = "Ein Modell 模型 🐳.gguf"
PLAN = """
name = "Smoke"
model = "starter"
[[prompt]]
name = "Loud"
text = "Answer in capital letters."
[[prompt]]
name = "Pirate"
text = "Answer like a pirate."
[[question]]
text = "What is the capital of France?"
reference = "The capital of France is Paris."
[[check]]
kind = "language"
codes = ["en"]
[[check]]
kind = "json"
schema = { type = "object" }
[[check]]
kind = "regex"
pattern = "(?i)paris"
[[check]]
kind = "similar"
"""
"""Asks for every package that looks through answers."""


class Smoke:
    """One try of one program."""

    def __init__(self, place: Place, desk: Desktop) -> None:
        self.place = place
        self.desk = desk
        self.figures: dict[str, object] = {}

    def run(self) -> None:
        """All of it; ends the program with a sentence at the first thing that is wrong."""
        self.command_line()
        self.window()
        self.what_lies_where()

    def command_line(self) -> None:
        """The program answers without a window, and with a file that was imported."""
        said = self.place.output("--version")
        expect(said.strip() != "", "it tells its version: " + said.strip())
        report = json.loads(self.place.output("doctor", "--json"))
        expect("sound" in report["starter_model"], "the starter model came along: " + report["starter_model"])
        backends = {one["name"]: one for one in report["hardware"]["backends"]}
        expect(backends.get("CPU", {}).get("state") == "ready", "the processor: " + backends["CPU"]["reason"])
        self.figures["backends"] = {name: f"{one['state']}: {one['reason']}" for name, one in backends.items()}
        self.answers("ask", "--json", "My name is Ada.", "What is my name?")
        model = self.place.home / "models to add" / MODEL_NAME
        model.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.place.starter(), model)
        self.place.hand_over(model)
        inside = self.place.seen(model)
        self.place.output("models", "import", inside, "--how", "copy", "--json")
        self.answers("ask", "--json", "--model", MODEL_NAME.removesuffix(".gguf"), "What is the capital of France?")
        self.experiment()
        self.offline()

    def experiment(self) -> None:
        """Answers are looked through, and a report is written."""
        plan = self.place.home / "models to add" / "plan 文.toml"
        plan.write_text(PLAN, encoding="utf-8")
        results = plan.with_name("results 文")
        self.place.hand_over(plan)
        said = self.place.output("lab", "run", self.place.seen(plan), "--out", self.place.seen(results))
        report = results / "report.html"
        expect(report.is_file() and report.stat().st_size > 1000, "an experiment has a report: " + said.split("\n")[1])

    def offline(self) -> None:
        """All that is needed for the Hub is there, which without a network can only say so."""
        code, said = self.place.told("models", "search", "whale")
        expect(code in {0, 1} and "Traceback" not in said, f"the Hub is asked: {said.strip()[:60]!r}")

    def answers(self, *words: str) -> None:
        """The program replies to all that was asked on its command line."""
        lines = [json.loads(line) for line in self.place.output(*words).splitlines() if line.startswith("{")]
        replies = [line["reply"] for line in lines if "reply" in line]
        expect(bool(replies) and all(replies), f"{words[-1]!r} is answered: {replies[-1] if replies else 'nothing'!r}")

    def window(self) -> None:
        """The window, from its start to its end."""
        begun = time.monotonic()
        program = self.place.start()
        try:
            wait(lambda: self.desk.has_window() or program.poll() is not None, "its window")
            expect(program.poll() is None, "the window is up")
            self.figures["window_s"] = round(time.monotonic() - begun, 2)
            wait(lambda: self.place.database.exists(), "its database")
            if self.desk.types:
                self.talk(program)
            else:
                print("  (nothing is typed on this system)")
                time.sleep(5)
                expect(program.poll() is None, "it stays open")
            self.desk.close_window(program)
            wait(lambda: program.poll() is not None, "its end")
            expect(program.returncode == 0, f"it ends with code {program.returncode}")
            wait(lambda: not self.place.processes(), "the end of all its processes")
            expect(True, "it leaves no process behind")
        finally:
            if program.poll() is None:
                program.kill()

    def talk(self, program: subprocess.Popen[bytes]) -> None:
        """Write to the model, give the window a file, and kill the engine."""
        self.desk.focus()
        self.says("Hello!")
        self.figures["idle_memory_mb"] = self.idle_memory()
        second = self.place.start(self.place.seen(self.place.home / "models to add" / MODEL_NAME))
        wait(lambda: second.poll() is not None, "the end of the second start")
        expect(program.poll() is None, "a second start hands its file to the window")
        wait(
            lambda: any(MODEL_NAME in str(row[0]) for row in self.rows("SELECT model_id FROM chat")), "the file's chat"
        )
        self.says("What is the capital of Italy?")
        engine = self.place.engine()
        self.place.kill(engine)
        wait(lambda: engine not in self.place.processes(), "the end of the engine's process")
        expect(program.poll() is None, "the window lives on when the engine's process is killed")
        self.says("And of Spain?")
        expect(self.place.engine() != engine, "another engine's process answered")

    def says(self, text: str) -> None:
        """Type a message and wait for the whole answer."""
        answered = "SELECT text FROM message WHERE role = 'assistant' AND state = 'done' AND text <> '' ORDER BY id"
        asked = "SELECT 1 FROM message WHERE role = 'user' AND text = ?"
        before = len(self.rows(answered))
        for _ in range(5):
            self.desk.keys("ctrl+l", "ctrl+a")
            self.desk.type(text)
            self.desk.keys("Return")
            if until(lambda: self.rows(asked, text), 6):  # what is typed before the window listens is lost
                break
        wait(lambda: len(self.rows(answered)) > before, f"an answer to {text!r}")
        expect(True, f"{text!r} is answered in the window: {self.rows(answered)[-1][0]!r}")

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        """What the program has written down; nothing where it is being written."""
        import sqlite3

        try:
            connection = sqlite3.connect(f"{self.place.database.as_uri()}?mode=ro", uri=True, timeout=2)
            try:
                return connection.execute(query, values).fetchall()
            finally:
                connection.close()
        except sqlite3.OperationalError:
            return []

    def idle_memory(self) -> dict[str, float]:
        """Megabytes of each process's own share, once it has settled; nothing where the system does not tell."""
        time.sleep(3)
        found = {}
        for pid, name in self.place.processes().items():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            share = next((line.split()[1] for line in lines if line.startswith("Pss:")), "0")
            found["engine" if "--engine-host" in name else "window"] = round(int(share) / 1024, 1)
        return found

    def what_lies_where(self) -> None:
        """Nothing was written but where the README says."""
        strays = [str(path) for path in self.place.strays()]
        expect(not strays, f"nothing lies outside its folders{': ' + ', '.join(strays[:9]) if strays else ''}")


def expect(condition: bool, what: str) -> None:
    """Say what holds; or what does not, and end."""
    if not condition:
        raise SystemExit(f"NOT: {what}")
    print(f"  ok  {what}", flush=True)


def until(condition: Callable[[], object], limit_s: float) -> bool:
    """Whether the condition came to hold in time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def wait(condition: Callable[[], object], what: str) -> None:
    """Wait for something that has to come."""
    if not until(condition, WAIT_S):
        raise SystemExit(f"NOT: {what} did not come within {WAIT_S:.0f} s")


@contextmanager
def home_of_its_own(root: Path | None) -> Iterator[Path]:
    """A new home folder with a name that programs stumble over, in the empty system where there is one."""
    above = root / "home" if root is not None else Path(tempfile.mkdtemp(prefix="orcinus-smoke-"))
    home = above / HOME_NAME
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        yield home
    finally:
        shutil.rmtree(home if root is not None else above, ignore_errors=True)


def main() -> None:
    """Read the arguments and try."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description="Try a built program as a person would.")
    parser.add_argument("program", help="the executable; with --in, as the empty system sees it")
    parser.add_argument("--in", dest="root", type=Path, help="an empty system to run it in (Linux, as root)")
    parser.add_argument("--portable", action="store_true", help="make a folder `data` beside it first")
    parser.add_argument("--figures", type=Path, help="a file for what was measured, as JSON")
    asked = parser.parse_args()
    with home_of_its_own(asked.root) as home, desktop() as desk:
        place = Place(asked.program, home, asked.root, portable=asked.portable, environ=desk.environ)
        smoke = Smoke(place, desk)
        smoke.run()
    print(json.dumps(smoke.figures, indent=1, ensure_ascii=False))
    if asked.figures:
        asked.figures.write_text(json.dumps(smoke.figures, indent=1, ensure_ascii=False), encoding="utf-8")
    print("All is well.", flush=True)


if __name__ == "__main__":
    main()
