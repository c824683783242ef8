"""Prints what the stores promise and cost: kills, power cuts, damage, and times on large chats.

    python tests/benchmarks/bench_storage.py [kills] [cuts] [damage] [times]

Without words all four run. Ends with 1 if a promise was broken.
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from app.core.chat import MessageState, Provenance
from app.storage.replies import pack
from app.storage.stores import open_stores
from tests.storage.damage import damage, fill
from tests.storage.test_kills import TOKEN_CHARACTERS, kill_once
from tests.storage.test_power_cuts import cut_and_look

KILLS, CUTS, DAMAGED = 200, 1000, 300
TOKENS_PER_S, SAVE_S = 200, 0.25


def kills(folder: Path) -> bool:
    """Kill a program that streams 200 tokens/s and saves as often as the app does."""
    rng = random.Random()
    done = []
    for number in range(KILLS):
        home = folder / str(number // 20)
        home.mkdir(exist_ok=True)
        done.append(kill_once(home, rng, 1 / TOKENS_PER_S, SAVE_S, (0.06, 1.2)))
    lost, damaged = sum(one.lost for one in done), sum(one.damaged for one in done)
    missing_s = max(one.missing_characters for one in done) / TOKEN_CHARACTERS / TOKENS_PER_S
    print(
        f"kills: {KILLS}, saved things {sum(one.promised for one in done)}, lost {lost}, damaged files {damaged}, "
        f"replies cut off {sum(one.interrupted for one in done)}, most text missing {missing_s:.2f} s"
    )
    return not lost and not damaged and missing_s <= 0.5


def cuts(folder: Path) -> bool:
    """Cut the power at 1,000 points; the same with synchronous=NORMAL has to lose something, or this check is blind."""
    parts = 10
    results = [cut_and_look(folder / f"full{seed}", CUTS // parts, seed) for seed in range(parts)]
    lost, damaged = (sum(column) for column in zip(*results, strict=True))
    control, _ = cut_and_look(folder / "normal", CUTS // parts, 0, synchronous="normal")
    print(f"power cuts: {CUTS}, with something saved lost {lost}, with a damaged file {damaged}")
    print(f"power cuts, control with synchronous=NORMAL: {CUTS // parts}, with something saved lost {control}")
    return not lost and not damaged and control > 0


def damaged_files(folder: Path) -> bool:
    """Overwrite random sectors of 300 files; all start, and what was not hit comes back."""
    evening = fill(folder / "orcinus.db", chats=30, turns=10)
    shares = []
    mended = 0
    for seed in range(DAMAGED):
        path = folder / f"damaged{seed}" / "orcinus.db"
        path.parent.mkdir()
        shutil.copy(evening.path, path)
        hit = damage(path, random.Random(seed))
        stores = open_stores(path)
        mended += bool(stores.remembered().notices)
        found = {message.text for row in stores.chats.rows() for message in stores.chats.messages(row.id)}
        stores.close()
        safe = evening.outside(hit)
        shares.append(len(found & safe) / len(safe))
        shutil.rmtree(path.parent)
    print(
        f"damaged files: {DAMAGED}, started {len(shares)}, mended {mended}, "
        f"messages outside the damage back: worst {min(shares):.2%}, mean {statistics.mean(shares):.2%}"
    )
    return len(shares) == DAMAGED and min(shares) >= 0.95


def times(folder: Path) -> bool:
    """Times on a chat of 10,000 messages, and of single writes."""
    path = folder / "large" / "orcinus.db"
    chat_id = _large_chat(path)
    print(f"file: {path.stat().st_size / 1e6:.0f} MB")
    opening = _median(lambda: open_stores(path).close(), 5)
    stores = open_stores(path)
    reading = _median(lambda: stores.chats.messages(chat_id), 5)
    listing = _median(lambda: stores.chats.rows(), 20)
    typing = _median(lambda: stores.chats.search("wh"), 20)
    signs = _median(lambda: stores.chats.search("鯨"), 5)
    leaf = stores.chats.chat(chat_id).leaf_id
    sending = _median(lambda: stores.chats.add_turn(chat_id, leaf, "Tell me about whales"), 50)
    _, reply = stores.chats.add_turn(chat_id, leaf, "Tell me")
    growing = _median(lambda: stores.chats.append_chunk(reply.id, "whale " * 20), 100)
    stores.chats.finish(reply.id, MessageState.DONE)
    copying = _median(lambda: stores._backups.make(stores._database.connection), 3)
    purging = _once(lambda: stores.chats.purge(chat_id))
    stores.close()
    for name, (wall_s, cpu_s) in {
        "open, checked": opening,
        "read 10,000 messages": reading,
        "list 1,000 chats": listing,
        "search, a word begun": typing,
        "search, no words": signs,
        "send": sending,
        "save a chunk": growing,
        "backup": copying,
        "delete the large chat for good": purging,
    }.items():
        print(f"{name}: {wall_s * 1000:.2f} ms, CPU {cpu_s * 1000:.2f} ms")
    return reading[1] < 0.3


def _large_chat(path: Path) -> int:
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefgh", k=rng.randrange(2, 9))) for _ in range(5000)] + ["whale"]
    stores = open_stores(path)
    database = stores._database
    with database.transaction():
        chats = [stores.chats.create("starter", title=f"Chat {number}").id for number in range(1000)]
        for chat_id in (*chats[1:300], chats[0]):
            leaf = None
            for turn in range(5000 if chat_id == chats[0] else 20):
                _, reply = stores.chats.add_turn(chat_id, leaf, " ".join(rng.choices(words, k=30)))
                answer = " ".join(rng.choices(words, k=120))
                provenance = Provenance(
                    model_name="Starter", system_prompt="Be brief. " * 40, seed=turn, sampling={"temperature": 0.7}
                )
                stores.chats.finish(reply.id, MessageState.DONE, answer, tuple(range(150)), provenance)
                leaf = reply.id
    stores.close()
    assert len(pack(range(150))) == 600
    return chats[0]


def _median(work: Callable[[], object], times_run: int) -> tuple[float, float]:
    """Seconds on the clock and seconds of CPU; the first also tells what else the machine does."""
    walls, cpus = zip(*(_once(work) for _ in range(times_run)), strict=True)
    return statistics.median(walls), statistics.median(cpus)


def _once(work: Callable[[], object]) -> tuple[float, float]:
    begin, begin_cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def main(wanted: list[str]) -> int:
    """Run the named parts, or all."""
    parts = {"kills": kills, "cuts": cuts, "damage": damaged_files, "times": times}
    kept = True
    for name, part in parts.items():
        if not wanted or name in wanted:
            with tempfile.TemporaryDirectory() as folder:
                kept &= part(Path(folder))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
