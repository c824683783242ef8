"""A program of its own in which two columns answer for a long time, until it is killed.

Each line it prints is a fact: "kept N" once N characters of the first answer are on the disk. Not a test itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.core.lab import Contestant
from app.engine.scripted import Script, scripted_loader
from app.storage.stores import Stores
from tests.services.conftest import Services

ANSWER = " ".join(f"word{number}" for number in range(20_000))
FIRST = (Contestant("A", "Be brief."), Contestant("B", "Be kind."))


def told(stores: Stores) -> None:
    """Tell whenever something is on the disk for good."""
    keep = stores.comparison.keep

    def kept(columns: Any, said: Any, *rest: Any, **more: Any) -> None:
        keep(columns, said, *rest, **more)
        if (0, 0) in said:
            sys.stdout.write(f"kept {len(said[0, 0].text)}\n")
            sys.stdout.flush()

    stores.comparison.keep = kept  # type: ignore[method-assign]


def compare(database: Path) -> None:
    """Ask both columns, and wait for what never comes."""
    application = QCoreApplication([])

    def wait(condition: Callable[[], bool]) -> None:
        while not condition():
            application.processEvents()
            time.sleep(0.001)

    services = Services(database, scripted_loader(Script(replies=(ANSWER,), tokens_per_s=200, n_ctx=30_000)), wait)
    services.ask(told)
    comparison = services.library.comparison("starter", FIRST)
    wait(lambda: len(comparison.columns()) == 2)
    comparison.ask("Go on")
    application.exec()


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
