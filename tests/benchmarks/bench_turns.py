"""What the cache is worth: later turns, asking again, a start from a snapshot, and Stop; run it on a quiet machine.

    python tests/benchmarks/bench_turns.py [MODEL.gguf] [--turns 10] [--new 48] [-n 16] [--history 1000] [-t THREADS]
                                           [--prompt 2000] [--parts turns,again,snapshot,stop]

All through the engine's own process. Asked for: turn 10's time to the first token at most 1.3 times turn 2's with as
much new text; asking again at most two token times; after a restart from a snapshot at least 50 times faster than
reading the history; Stop silent within 300 ms in the middle of a long prompt, and one token while generating.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app.core.options import Loading, Sampling  # noqa: E402
from app.core.stopping import StopFlag  # noqa: E402
from app.engine import host  # noqa: E402
from app.engine.base import Delta, Done, Engine, Reading, Request  # noqa: E402

STARTER = ROOT / "resources" / "starter" / "starter.gguf"
_CHANCE = random.Random(1)


def ids(engine: Engine, count: int) -> tuple[int, ...]:
    return tuple(_CHANCE.randrange(300, engine.facts.n_vocab) for _ in range(count))


def ask(engine: Engine, tokens: tuple[int, ...], n_gen: int, conversation: int) -> tuple[float, float, Done]:
    """Seconds to the first token, seconds for each further one, and the end."""
    request = Request(tokens, Sampling(seed=1, max_tokens=n_gen), conversation, endless=True)
    began, times = time.perf_counter(), []
    for event in engine.stream(request, StopFlag()):
        if isinstance(event, Delta):
            times.append(time.perf_counter())
    return times[0] - began, (times[-1] - times[0]) / max(1, n_gen - 1), event


def turns(engine: Engine, count: int, new: int, n_gen: int, rounds: int = 3) -> None:
    """Each round is a chat; the turns of a chat follow each other closely, so that the machine is the same for them."""
    ratios = []
    for chat in range(1, rounds + 1):
        history: tuple[int, ...] = ids(engine, new)
        taken = []
        for _ in range(count):
            seconds, _each, done = ask(engine, history, n_gen, chat)
            taken.append(seconds)
            history += done.token_ids + ids(engine, new)
        ratios.append(taken[-1] / taken[1])
        print("  chat", chat, "time to first token in ms:", " ".join(f"{seconds * 1000:.0f}" for seconds in taken))
    print(f"turn {count} / turn 2: {median(ratios):.2f} (at most 1.30)")


def again(engine: Engine, length: int, n_gen: int) -> None:
    prompt, ratios = ids(engine, length), []
    ask(engine, prompt, n_gen, 50)
    for _ in range(5):
        seconds, each, _ = ask(engine, prompt, n_gen, 50)
        ratios.append(seconds / each)
    print(f"asking again: first token after {median(ratios):.2f} token times (at most 2)")


def snapshot(path: str, loading: Loading, history: int, n_gen: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken, prompt = [], None
        for _ in range(2):
            engine = host.load(path, loading, StopFlag())
            engine.keep_in(folder, 1 << 34)
            if prompt is None:
                prompt = ids(engine, history)
                ask(engine, ids(engine, 32), n_gen, 9)  # warms up
            else:
                ask(engine, prompt[:32], n_gen, 9)
            began = time.perf_counter()
            # all of the history is in place when its last token has been read
            in_place = None
            for event in engine.stream(Request(prompt, Sampling(max_tokens=1), 7), StopFlag()):
                if isinstance(event, Reading) and event.done >= event.total - 1 and in_place is None:
                    in_place = time.perf_counter() - began
            first = time.perf_counter() - began
            taken.append((in_place, first))
            engine.rest()
            engine.close()
    (read, read_first), (loaded, loaded_first) = taken
    print(f"history of {history}: read in {read * 1000:.0f} ms, from its snapshot in {loaded * 1000:.1f} ms:", end=" ")
    print(f"{read / loaded:.0f} times faster (at least 50); to the first token {read_first / loaded_first:.0f} times")


def silence(engine: Engine, prompt: int) -> None:
    """Seconds from the wish to stop to the end, in the middle of a prompt; tokens after it while generating."""
    delays, more = [], []
    for run in range(5):
        stop, asked_at = StopFlag(), []

        def later(stop: StopFlag = stop, asked_at: list[float] = asked_at) -> None:
            asked_at.append(time.perf_counter())
            stop.set()

        timer = threading.Timer(0.4 + 0.37 * run, later)
        engine.drop(60)
        timer.start()
        *_, event = engine.stream(Request(ids(engine, prompt), Sampling(max_tokens=400), 60, endless=True), stop)
        timer.cancel()
        if asked_at and isinstance(event, Done) and not event.completion_tokens:
            delays.append(time.perf_counter() - asked_at[0])
        count = after = 0
        stop = StopFlag()
        for event in engine.stream(Request(ids(engine, 16), Sampling(max_tokens=400), 61, endless=True), stop):
            count += isinstance(event, Delta)
            after += isinstance(event, Delta) and stop.is_set()
            if count == 5:
                stop.set()
        more.append(after)
    if delays:
        print(f"Stop in the middle of a prompt: silent after {median(delays) * 1000:.0f} ms, ", end="")
        print(f"at most {max(delays) * 1000:.0f} ms (300)")
    print(f"Stop while generating: {max(more)} tokens after it at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=STARTER)
    for name, default in (
        ("--turns", 10), ("--new", 48), ("-n", 16), ("--history", 1000), ("-t", 0), ("--prompt", 2000)
    ):  # fmt: skip
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--parts", default="turns,again,snapshot,stop")
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    need = max(asked.turns * (asked.new + asked.n), asked.history, asked.prompt) + 512
    loading = Loading(context_tokens=-(-need // 256) * 256, threads=asked.t or None)
    engine = host.load(str(asked.model), loading, StopFlag())
    assert engine is not None
    if "turns" in parts:
        turns(engine, asked.turns, asked.new, asked.n)
    if "again" in parts:
        again(engine, asked.history, asked.n)
    if "stop" in parts:
        silence(engine, asked.prompt)
    engine.close()
    if "snapshot" in parts:
        snapshot(str(asked.model), loading, asked.history, asked.n)


if __name__ == "__main__":
    main()
