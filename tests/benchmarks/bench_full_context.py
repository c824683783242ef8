"""What a chat costs when its context is full: what was read of the kept turns moved, against read again.

    python tests/benchmarks/bench_full_context.py [MODEL.gguf] [-c 1024] [-s STEPS] [-w WORDS] [-t THREADS]

Two conversations of the same words grow in one context each, by turns, until each has dropped its oldest turns STEPS
times: one moves, the other reads. Printed are medians of the time to the first token, in the turns in which turns were
dropped and in the others, and how many tokens were read for each new one.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.context import Kept  # noqa: E402
from app.core.options import Loading, Sampling  # noqa: E402
from app.core.overflow import Overflow  # noqa: E402
from app.core.role import Role  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine.base import Delta, Done, Turn  # noqa: E402
from app.engine.llama import LlamaEngine, load  # noqa: E402
from app.engine.turn import Fitted, play  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
WORDS = "the a boat lamp green small river stone and is was name of in to remember my your".split()


@dataclass
class Course:
    """A conversation and what its turns cost."""

    engine: LlamaEngine
    overflow: Overflow
    turns: list[Turn] = field(default_factory=lambda: [Turn(Role.SYSTEM, "You are a helpful assistant.")])
    kept: Kept | None = None
    dropping: list[float] = field(default_factory=list)
    ordinary: list[float] = field(default_factory=list)
    read: int = 0
    new: int = 0

    def say(self, text: str) -> None:
        """One turn: its time to the first token in seconds goes to its kind."""
        self.turns.append(Turn(Role.USER, text))
        sampling = Sampling(temperature=0, max_tokens=8)
        told: list[str] = []
        for event in play(self.engine, self.turns, sampling, StopFlag(), 1, self.overflow, self.kept):
            if isinstance(event, Delta):
                told.append(event.text)
            elif isinstance(event, Fitted):
                fitted = event
            elif isinstance(event, Done):
                done = event
        self.turns.append(Turn(Role.ASSISTANT, "".join(told), done.token_ids))
        self.kept = Kept(fitted.cut, self.engine.facts.n_ctx)
        (self.dropping if fitted.newly_dropped else self.ordinary).append(done.ttft_ms / 1000)
        if fitted.newly_dropped or self.dropping:
            self.read += done.prompt_tokens - done.cached_tokens
            self.new += len(self.engine.render([self.turns[-2]]).tokens)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=str(STARTER))
    parser.add_argument("-c", type=int, default=1024, help="context in tokens")
    parser.add_argument("-s", type=int, default=4, help="how many times turns are dropped")
    parser.add_argument("-w", type=int, default=40, help="words of a question")
    parser.add_argument("-t", type=int, default=None, help="threads")
    asked = parser.parse_args()
    loading = Loading(context_tokens=asked.c, threads=asked.t, kv_type="f16")
    courses = []
    for moves in (True, False):
        engine = load(asked.model, loading, StopFlag())
        assert engine is not None
        courses.append(Course(engine, Overflow(move_kept=moves)))
    if not courses[0].engine.facts.can_move:
        raise SystemExit("What this model has read cannot be moved.")
    chance = random.Random(1)
    while len(courses[1].dropping) < asked.s:
        text = " ".join(chance.choices(WORDS, k=asked.w))
        for course in courses:
            course.say(text)
    for course, words in zip(courses, ("moved", "read again"), strict=True):
        drop, turn = median(course.dropping), median(course.ordinary)
        print(
            f"{words:10}  first token after dropping {drop * 1000:8.1f} ms, else {turn * 1000:7.1f} ms;"
            f" {course.read / course.new:.2f} tokens read for each new one"
        )
    print(f"moving is {median(courses[1].dropping) / median(courses[0].dropping):.1f} times as fast as reading again")
    for course in courses:
        course.engine.close()


if __name__ == "__main__":
    main()
