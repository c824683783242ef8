"""An experiment killed at random moments against one that was left alone: whether each cell and judgement is the same.

    python tests/benchmarks/bench_lab_kills.py [-k 20] [--seed N]

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

from tests import lab_plans  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", type=int, default=20, help="kills")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args()
    chance, kills, lost, rounds = random.Random(asked.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = lab_plans.write_plan(folder)
        lab_plans.finish(plan, folder / "whole")
        whole = lab_plans.results(folder / "whole")
        different = 0
        while kills < asked.k:
            rounds += 1
            out, kept = folder / f"killed{rounds}", 0
            while kills < asked.k and (now := lab_plans.kill_after(plan, out, chance, 0.3)) is not None:
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
