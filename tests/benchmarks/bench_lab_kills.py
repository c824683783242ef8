"""An experiment killed at random moments against one that was left alone: whether each cell and judgement is the same.

    python tests/benchmarks/bench_lab_kills.py [-k 20] [--seed N] [--window]

With --window it is the window's experiment that is killed, else that of `lab run`.
Prints what was kept after each kill. The exit code is 1 where anything differs or was lost.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests import experiment_child, lab_plans  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", type=int, default=20, help="kills")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--window", action="store_true", help="the experiment in the window")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    return in_the_window(chance, asked.k) if asked.window else by_the_command(chance, asked.k)


def in_the_window(chance: random.Random, wanted: int) -> int:
    """Kill the whole program."""
    kills = lost = rounds = different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = lab_plans.write_plan(folder)
        experiment_child.finish(plan, folder / "whole")
        whole = experiment_child.results(folder / "whole")
        size = sum(map(len, whole))
        while kills < wanted:
            rounds += 1
            home, kept = folder / f"killed{rounds}", 0
            while kills < wanted and (told := experiment_child.kill_after(plan, home, chance, 0.3)) is not None:
                now = sum(map(len, experiment_child.results(home)))
                kills += 1
                lost += now < kept + told
                kept = now
                print(f"kill {kills}: {kept} of {size} kept", flush=True)
            experiment_child.finish(plan, home)
            found = experiment_child.results(home)
            different += sum(mine.get(at) != one for mine, theirs in zip(found, whole, strict=True)
                             for at, one in theirs.items())  # fmt: skip
    print(f"{kills} kills in {rounds} runs: {different} of {rounds * size} differ, {lost} times something was lost")
    return int(bool(different or lost))


def by_the_command(chance: random.Random, wanted: int) -> int:
    """Kill `lab run`."""
    kills, lost, rounds = 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = lab_plans.write_plan(folder)
        lab_plans.finish(plan, folder / "whole")
        whole = lab_plans.results(folder / "whole")
        different = 0
        while kills < wanted:
            rounds += 1
            out, kept = folder / f"killed{rounds}", 0
            while kills < wanted and (now := lab_plans.kill_after(plan, out, chance, 0.3)) is not None:
                kills += 1
                lost += now <= kept
                kept = now
                print(f"kill {kills}: {kept} of {len(whole)} kept", flush=True)
            lab_plans.finish(plan, out)
            different += sum(one != other for one, other in zip(lab_plans.results(out), whole, strict=True))
    print(
        f"{kills} kills in {rounds} runs: {different} of {rounds * len(whole)} differ, {lost} times something was lost"
    )
    return int(bool(different or lost))


if __name__ == "__main__":
    sys.exit(main())
