"""Parquet files of another program, sound and broken."""

import random
from pathlib import Path

import pytest

from app.core.errors import AppError
from app.datasets.parquet import ParquetFile
from app.datasets.parquet_pages import PageError, hybrid, unpacked

DATA = Path(__file__).parents[1] / "data" / "parquet"
FLAT = ["id", "system_prompt", "question", "response", "score", "rank", "good"]
SOUND = [f"{codec}-v{version}" for codec in ("none", "snappy", "gzip", "zstd") for version in (1, 2)]


def row(i):
    return (
        f"flan.{i}",
        "" if i % 3 else "You are an AI assistant. Think step by step.",
        f"Question {i}: what is {i} + {i}? äöü 東京",
        None if i % 7 == 3 else f"It is {2 * i}.",
        i / 2,
        i,
        None if i % 5 == 0 else i % 2 == 0,
    )


@pytest.mark.parametrize("name", SOUND)
def test_every_value_is_read(name):
    with ParquetFile(DATA / f"{name}.parquet") as file:
        assert file.rows == 120
        assert [column.name for column in file.columns if column.flat] == FLAT
        assert list(file.read(FLAT)) == [row(i) for i in range(120)]


def test_only_wanted_rows_are_given():
    with ParquetFile(DATA / "zstd-v2.parquet") as file:
        assert list(file.read(["id", "rank"], [0, 49, 50, 119])) == [(f"flan.{i}", i) for i in (0, 49, 50, 119)]
        assert list(file.read(["rank"], [])) == []


def test_groups_without_a_wanted_row_are_not_read():
    with ParquetFile(DATA / "none-v1.parquet") as file:
        reads = []
        page = file._page
        file._page = lambda at, end: reads.append(at) or page(at, end)
        list(file.read(["question"], [0]))
        few = len(reads)
        list(file.read(["question"]))
        assert few < (len(reads) - few) / 3


def test_a_column_that_cannot_be_null_is_read():
    with ParquetFile(DATA / "required.parquet") as file:
        assert [one for (one,) in file.read(["question"])] == [row(i)[2] for i in range(10)]
        assert list(file.read(["question", "response"])) == [row(i)[2:4] for i in range(10)]


@pytest.mark.parametrize(("name", "said"), [("delta", "encoding"), ("brotli", "Brotli")])
def test_what_is_not_read_is_named(name, said):
    with ParquetFile(DATA / f"{name}.parquet") as file, pytest.raises(AppError, match=said):
        list(file.read(["question", "response"]))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1PAR1", b"x" * 100, b"PAR1\xff\xff\xff\x7fPAR1", b"PAR1" * 5])
def test_what_is_no_parquet_is_refused(tmp_path, data):
    path = tmp_path / "x.parquet"
    path.write_bytes(data)
    with pytest.raises(AppError, match=r"x\.parquet cannot be read as Parquet"):
        ParquetFile(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(AppError, match="cannot be opened"):
        ParquetFile(tmp_path / "none.parquet")


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    whole = (DATA / "snappy-v1.parquet").read_bytes()
    path = tmp_path / "x.parquet"
    for end in range(0, len(whole), 997):
        path.write_bytes(whole[:end])
        with pytest.raises(AppError):
            ParquetFile(path)


@pytest.mark.parametrize("name", SOUND)
def test_damage_ends_in_a_sentence_or_other_values(tmp_path, name):
    whole = (DATA / f"{name}.parquet").read_bytes()
    path = tmp_path / "x.parquet"
    chance, said = random.Random(name), set()
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            # most of them in the headers at the end
            low = 0 if chance.random() < 0.4 else int(len(broken) * 0.7)
            broken[chance.randrange(low, len(broken))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        path.write_bytes(broken)
        try:
            with ParquetFile(path) as file:
                names = [column.name for column in file.columns if column.flat]
                for _ in zip(range(1000), file.read(names), strict=False):
                    pass
        except AppError as error:
            said.add(error.detail)
    assert said
    assert "" not in said


def test_no_more_is_unpacked_than_a_page_may_have():
    with pytest.raises(PageError, match="says that it has"):
        unpacked(b"", 1, 1 << 40)
    # 300 MB of zeros as a snappy page would be 14 MB; a header of 4 bytes that promises them is enough here
    with pytest.raises(PageError):
        unpacked(b"\xff\xff\xff\x7f\0", 1, 100)


def test_runs_and_packed_bits_are_read():
    # the example of the format's own description: 0 to 7 in three bits
    assert hybrid(bytes([0b11, 0b10001000, 0b11000110, 0b11111010]), 3, 8) == list(range(8))
    assert hybrid(bytes([10, 4]), 3, 5) == [4] * 5
    assert hybrid(bytes([4]), 0, 2) == [0, 0]
    with pytest.raises(PageError):
        hybrid(bytes([0, 4]), 3, 5)
