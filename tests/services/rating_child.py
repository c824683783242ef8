"""A program of its own that votes as fast as votes can be kept, and takes some back, until it is killed.

Each line it prints is a fact: "kept ID" or "gone ID" as the window is told of it. Not a test itself.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.core.judging import Ballot, Duel
from app.core.lab import Contestant, Plan, Question
from app.services.archive import Archive
from app.services.ballots import Ballots
from app.storage.stores import Stores, open_stores


def rate(database: Path) -> None:
    """Vote for ever on one run."""
    application = QCoreApplication([])
    archive: Archive[Stores] = Archive(lambda: open_stores(database))
    chance = random.Random()
    plan = Plan("killed", "starter", (Contestant("a", ""), Contestant("b", "")), (Question("q", "Why?"),))
    ballots: list[Ballots] = []

    def opened(run_id: int) -> None:
        made = Ballots(run_id, archive)
        ballots.append(made)
        made.kept.connect(lambda ballot: told("kept", ballot))
        made.taken_back.connect(lambda ballot: told("gone", ballot))
        made.changed.connect(go_on)

    def told(word: str, ballot: Ballot) -> None:
        sys.stdout.write(f"{word} {ballot.id}\n")
        sys.stdout.flush()

    def go_on() -> None:
        if chance.random() < 0.2 and ballots[0].all():
            ballots[0].take_back()
        else:
            ballots[0].add(Duel(0, 0, 0, 1), chance.choice((0.0, 0.5, 1.0, None)))

    archive.ask(lambda stores: stores.runs.create(plan).id, opened)
    application.exec()


if __name__ == "__main__":
    rate(Path(sys.argv[1]))
