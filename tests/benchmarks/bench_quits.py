"""The whole program quits at random moments: while it starts, tries, loads, reads, generates or rests.

    python tests/benchmarks/bench_quits.py [-n 200] [--seed 1]

Counted are clean exits: code 0, nothing said on standard error, no process left, no damage in the data folder, which
all of them share. Printed, too: how long the program took to end.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.engine.gguf_writer import tiny_model
from tests.test_quits import STAGES, Quit, random_quit


def main() -> int:
    """Returns 1 if a quit was not clean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, quits = random.Random(asked.seed), list[Quit]()
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_model(Path(folder) / "tiny.gguf", context=4096)
        for number in range(asked.n):
            if number % 20 == 0:  # a new person, for whom the model is new
                home = Path(folder) / f"home-{number}"
            quits.append(random_quit(home, model, chance))
            if number % 20 == 19:
                print(f"{number + 1}: {sum(not one.trouble for one in quits)} clean", flush=True)
            if quits[-1].trouble:
                print(f"{number}: {quits[-1].stage}, {quits[-1].way}: {quits[-1].trouble}", flush=True)
    seconds = sorted(one.seconds for one in quits)
    clean = sum(not one.trouble for one in quits)
    stages = Counter(one.stage for one in quits)
    print(f"{clean} clean exits of {len(quits)}: " + ", ".join(f"{stages[stage]} at {stage}" for stage in STAGES))
    print(f"time to the end: median {seconds[len(seconds) // 2]:.2f} s, most {seconds[-1]:.2f} s")
    return int(clean < len(quits))


if __name__ == "__main__":
    raise SystemExit(main())
