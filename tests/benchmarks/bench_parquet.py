"""Time and memory that the first questions, and a sample, of a large Parquet file take. Run: bench_parquet.py [MB]."""

import random
import struct
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import cramjam

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.datasets.questions import Wanted, read_questions

NAMES = ("id", "system_prompt", "question", "response")
GROUP, PAGE = 50_000, 1000
WORDS = (
    "the of and to in is that for it as was with be by on not he his but at are this have from which one had".split()
)


def varint(number):
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def number(field, value, before):
    return bytes([field - before << 4 | 6]) + varint(value * 2)


def text(field, value, before):
    return bytes([field - before << 4 | 8]) + varint(len(value)) + value


def members(field, kind, parts, before):
    count = bytes([len(parts) << 4 | kind]) if len(parts) < 15 else bytes([15 << 4 | kind]) + varint(len(parts))
    return bytes([field - before << 4 | 9]) + count + b"".join(parts)


def page(values):
    plain = b"".join(struct.pack("<I", len(one)) + one for one in values)
    packed = bytes(cramjam.snappy.compress_raw(plain))
    about = number(1, len(values), 0) + number(2, 0, 1) + number(3, 3, 2) + number(4, 3, 3) + b"\0"
    head = number(1, 0, 0) + number(2, len(plain), 1) + number(3, len(packed), 2) + bytes([2 << 4 | 12]) + about + b"\0"
    return head + packed


def write(path, megabytes):
    """A file of required text columns, plain and compressed with Snappy, as OpenOrca's is; how many rows it has."""
    chance, rows, groups = random.Random(2), 0, []
    pool = [" ".join(chance.choices(WORDS, k=300)).encode() for _ in range(500)]
    with path.open("wb") as file:
        file.write(b"PAR1")
        while file.tell() < megabytes << 20:
            chunks = []
            for name in NAMES:
                start = file.tell()
                for first in range(0, GROUP, PAGE):
                    if name == "id":
                        file.write(page([f"flan.{rows + first + one}".encode() for one in range(PAGE)]))
                    else:
                        file.write(page([chance.choice(pool)[chance.randrange(900) :] for _ in range(PAGE)]))
                size = file.tell() - start
                about = number(1, 6, 0) + members(3, 8, [varint(len(name)) + name.encode()], 1) + number(4, 1, 3)
                about += number(5, GROUP, 4) + number(7, size, 5) + number(9, start, 7) + b"\0"
                chunks.append(number(2, start, 0) + bytes([1 << 4 | 12]) + about + b"\0")
            groups.append(members(1, 12, chunks, 0) + number(3, GROUP, 1) + b"\0")
            rows += GROUP
        root = text(4, b"schema", 0) + number(5, len(NAMES), 4) + b"\0"
        leaves = [number(1, 6, 0) + number(3, 0, 1) + text(4, name.encode(), 3) + b"\0" for name in NAMES]
        footer = number(1, 1, 0) + members(2, 12, [root, *leaves], 1) + number(3, rows, 2) + members(4, 12, groups, 3)
        file.write(footer + b"\0" + struct.pack("<I", len(footer) + 1) + b"PAR1")
    return rows


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.parquet"
        rows = write(path, megabytes)
        print(f"{path.stat().st_size / 1e6:,.0f} MB, {rows:,} rows")
        for name, wanted in (("first 1,000", Wanted()), ("sample of 1,000", Wanted(sample_seed=1))):
            start = time.perf_counter()
            found = read_questions(path, wanted)
            took = time.perf_counter() - start
            assert len(found.questions) == 1000
            print(f"{name}: {took:.2f} s")
        tracemalloc.start()
        read_questions(path)
        print(f"first 1,000, most memory held: {tracemalloc.get_traced_memory()[1] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
