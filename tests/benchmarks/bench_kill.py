"""200 kill -9 while a reply streams at 200 tokens/s: what was shown against what the next start finds.

python3 packaging/dev.py bench kill [KILLS]
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.test_crash import kill_once


def main() -> int:
    """Print the losses; returns 1 if anything was lost that must not be."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        losses = [kill_once(Path(folder) / "orcinus.db", chance.uniform(0.02, 1.5)) for _ in range(kills)]
    missing = sorted(loss.missing_s for loss in losses)
    print(f"kills {kills}, messages shown {sum(loss.shown for loss in losses)}")
    print(f"shown messages lost {sum(loss.gone for loss in losses)}, damaged {sum(loss.damaged for loss in losses)}")
    print(f"reply text missing: median {missing[len(missing) // 2]:.3f} s, most {missing[-1]:.3f} s (at most 0.5 s)")
    return int(any(loss.gone or loss.damaged for loss in losses) or missing[-1] > 0.5)


if __name__ == "__main__":
    raise SystemExit(main())
