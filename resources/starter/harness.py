"""Plays chats through llama.cpp, counts right answers and writes the table."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp

from . import tasks
from .entities import Entities
from .memory import Fact, draw_fact
from .styles import NEUTRAL
from .turns import Turn
from .wording import pick

LONGEST_ANSWER = 400


@dataclass
class Row:
    """One line of the table. target: the share to reach, None where there is none."""

    name: str
    target: float | None
    passed: int = 0
    cases: int = 0

    @property
    def share(self) -> float:
        """Passed over cases, 0 to 1."""
        return self.passed / max(1, self.cases)


@dataclass
class Evaluation:
    """The model, the dice and the table so far."""

    model: llama_cpp.Llama
    rng: random.Random
    cases: int
    temperature: float = 0.0
    rows: dict[str, Row] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    stopped: int = 0
    answers: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0

    def answer(self, system: str, history: list[tuple[str, str]], user: str) -> str:
        """The model's answer; counts whether it stopped by itself."""
        messages = [("system", system)] if system else []
        for asked, answered in history:
            messages += [("user", asked), ("assistant", answered)]
        text = "".join(f"<|im_start|>{role}\n{body}<|im_end|>\n" for role, body in (*messages, ("user", user)))
        ids = self.model.tokenize(f"{text}<|im_start|>assistant\n".encode(), add_bos=False, special=True)
        began = time.monotonic()
        result = self.model.create_completion(
            ids, max_tokens=LONGEST_ANSWER, temperature=self.temperature, stop=[], seed=1
        )
        self.seconds += time.monotonic() - began
        self.answers += 1
        self.stopped += result["choices"][0]["finish_reason"] == "stop"
        self.answer_tokens += result["usage"]["completion_tokens"]
        return str(result["choices"][0]["text"])

    def chat(self, system: str, users: list[str]) -> list[tuple[str, str]]:
        """Plays the users' texts one by one."""
        history: list[tuple[str, str]] = []
        for user in users:
            history.append((user, self.answer(system, history, user)))
        return history

    def count(
        self, name: str, target: float | None, right: bool, system: str, history: list[tuple[str, str]], wanted: str
    ) -> None:
        """Adds one case to a row."""
        row = self.rows.setdefault(name, Row(name, target))
        row.cases += 1
        row.passed += right
        if not right:
            asked, got = history[-1]
            before = [user for user, _ in history[:-1]]
            self.failures.append(
                f"[{name}] system={system!r} asked={asked!r}\n   wanted {wanted!r}\n   got    {got!r}\n"
                f"   before {before}"
            )

    def expect(self, name: str, target: float | None, system: str, users: list[str], wanted: str) -> None:
        """Plays a chat whose last answer must be exactly the wanted one."""
        history = self.chat(system, users)
        self.count(name, target, history[-1][1] == wanted, system, history, wanted)

    # -- material

    def entities(self) -> Entities:
        """Held-out names and words, mostly made up."""
        return Entities(self.rng, self.rng.choice((0.0, 1.0, 1.0)), held_out=True)

    def task(self) -> Turn:
        """A turn that needs no memory, never a question for the model's name."""
        return tasks.any_task(self.rng, self.entities())

    def distractors(self, count: int, known: set[str]) -> list[str]:
        """So many other turns, a third of them other facts; known: keys of facts that must not come again."""
        users: list[str] = []
        while len(users) < count:
            if self.rng.random() < 0.35:
                other = draw_fact(self.rng, self.entities())
                if other.key not in known:
                    known.add(other.key)
                    users.append(other.tell(self.rng))
            else:
                users.append(self.task().user)
        return users

    def plain_system(self, index: int) -> str:
        """The prompts under which the app starts, and other neutral ones."""
        neutral = pick(self.rng, NEUTRAL, a=self.rng.choice(tasks.NOUNS), n=self.entities().name())
        return ("", "You are a helpful assistant.", neutral)[index % 3]

    def some_fact(self, index: int) -> Fact:
        """A user's name every second time, else any fact."""
        return draw_fact(self.rng, self.entities(), "name" if index % 2 else None)


def overall(run: Evaluation, prefix: str, name: str, target: float) -> None:
    """Sums rows up into one."""
    parts = [row for row in run.rows.values() if row.name.startswith(prefix)]
    run.rows[name] = Row(name, target, sum(row.passed for row in parts), sum(row.cases for row in parts))


def table(run: Evaluation, path: Path) -> str:
    """The Markdown table."""
    run.rows["stops by itself"] = Row("stops by itself", 0.99, run.stopped, run.answers)
    lines = [
        "# What the starter model can do",
        "",
        f"Measured on `{path.name}` ({path.stat().st_size:,} bytes) at temperature {run.temperature:g} through",
        f"llama-cpp-python {llama_cpp.__version__} by `python -m resources.starter.evaluate`.",
        "Names and words are never those of the training; the model's own answers are the history.",
        "",
        "| check | right | cases | share | target | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in run.rows.values():
        verdict = "" if row.target is None else "reached" if row.share >= row.target else "**missed**"
        target = "" if row.target is None else f"{100 * row.target:.0f} %"
        lines.append(f"| {row.name} | {row.passed} | {row.cases} | {100 * row.share:.1f} % | {target} | {verdict} |")
    lines += [
        "",
        f"{run.answers:,} answers, {run.answer_tokens / run.seconds:,.0f} tokens a second with prompts, 2 threads.",
    ]
    return "\n".join(lines) + "\n"
