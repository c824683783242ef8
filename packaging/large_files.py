"""Refuses files over 1 MB: history keeps them for good. The starter model is the one that has to be there."""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT_BYTES = 1_000_000
ALLOWED = {"resources/starter/starter.gguf"}


def main(names: list[str]) -> int:
    """Name the files that are too large; returns 1 if there are any."""
    files = [name for name in names if name not in ALLOWED and Path(name).is_file()]
    large = [name for name in files if Path(name).stat().st_size > LIMIT_BYTES]
    for name in large:
        print(f"{name} is over 1 MB")
    return 1 if large else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
