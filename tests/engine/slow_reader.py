"""The real engine's process, which takes its time for each slice of a prompt: for what a person sees meanwhile."""

from __future__ import annotations

import sys
import time
from typing import Any

from app.engine.decoder import Decoder
from app.engine.host_process import main

SLICE_S = 0.03


def slowly(self: Any, tokens: Any, add: Any = Decoder.add) -> bool:
    """Add ids to a sequence, a while later."""
    if len(tokens) > 1:
        time.sleep(SLICE_S)
    return add(self, tokens)


if __name__ == "__main__":
    Decoder.add = slowly
    raise SystemExit(main(*sys.argv[1:]))
