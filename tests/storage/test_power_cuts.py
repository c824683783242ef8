"""What was saved is there after a power cut at any moment, on a disk that keeps only what it was told to sync."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.storage.chats import ChatStore
from app.storage.opening import open_database
from tests.storage.daily_use import broken_promises, use
from tests.storage.faulty_disks import Disk, PowerCuts


def cut_and_look(folder: Path, points: int, seed: int, *, synchronous: str = "", turns: int = 60) -> tuple[int, int]:
    """Use a database for an evening, cut the power at random points, start again each time.

    Returns in how many of them something saved was lost, and in how many the file was damaged.
    """
    rng = random.Random(seed)
    cuts = PowerCuts()
    (folder / "evening").mkdir(parents=True)
    with Disk(f"power{seed}", cuts.record) as disk:
        database = open_database(folder / "evening" / "orcinus.db", vfs=disk.disk_name)
        if synchronous:
            database.connection.pragma("synchronous", synchronous)
        database.connection.wal_autocheckpoint(40)
        use(database, cuts.promise, rng, turns)
        database.close()
    lost = damaged = 0
    where = sorted(rng.sample(range(len(cuts.log)), points))
    for number, (files, promised) in enumerate(cuts.cuts(where, rng)):
        after = folder / f"cut{number}"
        after.mkdir()
        for name, content in files.items():
            (after / name).write_bytes(content)
        database = open_database(after / "orcinus.db")
        damaged += bool(database.take_notices())
        ChatStore(database).recover()
        lost += bool(broken_promises(database, promised))
        database.close()
    return lost, damaged


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_saved_is_lost_by_a_power_cut(tmp_path: Path, seed: int):
    assert cut_and_look(tmp_path, 30, seed) == (0, 0)


def test_the_same_check_finds_what_a_lazy_disk_setting_loses(tmp_path: Path):
    lost, _ = cut_and_look(tmp_path, 30, 3, synchronous="normal")
    assert lost
