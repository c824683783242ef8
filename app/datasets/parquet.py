"""Read the flat columns of a Parquet file row by row, without holding more than a page of each in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from app.core.errors import AppError
from app.datasets.parquet_pages import MOST_VALUES, PageError, levels, plain, unpacked, values
from app.datasets.thrift import Reader, Struct, ThriftError

_MAGIC = b"PAR1"
_LARGEST_FOOTER = 32 << 20
_LARGEST_HEADER = 1 << 16
_DATA, _INDEX, _DICTIONARY, _DATA_2 = range(4)
_REPEATED = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf of the schema. place: its number among all leaves. flat: one value a row, or null where `optional`."""

    name: str
    place: int
    kind: int
    optional: bool
    flat: bool


class ParquetFile:
    """An open file; close it, or use it in a with-statement. Text comes as str, numbers and booleans as they are.

    Raises:
        AppError: on opening and reading, when it is no Parquet file, is cut off, encrypted, or written in a way that
            is not read here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise AppError(f"{path.name} cannot be opened", f"{error.strerror or error}.", "Choose another.") from error
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            footer = _footer(self._file, self._size)
            self.columns = _columns(footer[2])
            self._groups = [(int(group[3]), group[1]) for group in footer[4]]
            self.rows = sum(rows for rows, _ in self._groups)
        except AppError:
            self._file.close()
            raise
        except _BROKEN as error:
            self._file.close()
            raise self._wrong(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def read(self, names: Sequence[str], wanted: Sequence[int] | None = None) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, row by row; `wanted` are numbers of rows from 0, rising, None for every row.

        Pages are read when their first row is asked for; groups of rows without a wanted one are left out.
        """
        by_name = {column.name: column for column in self.columns if column.flat}
        columns = [by_name[name] for name in names]
        left = iter(wanted) if wanted is not None else None
        start = 0
        try:
            next_row = next(left, -1) if left is not None else -1
            for count, chunks in self._groups:
                if left is None or start <= next_row < start + count:
                    read = [self._chunk(chunks[column.place], column, count) for column in columns]
                    for row, found in enumerate(zip(*read, strict=True), start):
                        if left is None:
                            yield tuple(map(_worded, found))
                        elif row == next_row:
                            yield tuple(map(_worded, found))
                            next_row = next(left, -1)
                            if not start <= next_row < start + count:
                                break
                start += count
        except _BROKEN as error:
            raise self._wrong(error) from error

    def _chunk(self, chunk: Struct, column: Column, rows: int) -> Iterator[Any]:
        """The values of a column in one group of rows."""
        if 8 in chunk or 9 in chunk or 3 not in chunk:
            raise PageError("it is encrypted")
        if chunk.get(1):
            raise PageError("its columns lie in other files")
        about = chunk[3]
        at, end = about.get(11) or about[9], about.get(11) or about[9]
        end += about[7]
        if not 0 < at <= end <= self._size:
            raise PageError("a column lies outside of the file")
        dictionary: list[Any] = []
        left = rows
        while left > 0:
            header, data, at = self._page(at, end)
            if header[1] == _DICTIONARY:
                count = _count(header[7][1])
                page = unpacked(data, about[4], header[2])
                dictionary = list(plain(page, column.kind, min(count, len(page) * 8)))
            elif header[1] in (_DATA, _DATA_2):
                count = _count(header[5 if header[1] == _DATA else 8][1])
                if not 0 < count <= left:
                    raise PageError("a page has more values than rows, or none")
                left -= count
                yield from _data_page(header, data, about[4], column, dictionary)

    def _page(self, at: int, end: int) -> tuple[Struct, bytes, int]:
        """The header and packed bytes of the page at `at`, and where the next one begins."""
        if at >= end:
            raise PageError("a column ends too early")
        self._file.seek(at)
        reader = Reader(self._file.read(min(_LARGEST_HEADER, end - at)))
        header = reader.struct()
        start, size = at + reader.at, header[3]
        if not 0 <= size <= end - start:
            raise PageError("a page reaches over the end of its column")
        self._file.seek(start)
        return header, self._file.read(size), start + size

    def _wrong(self, error: Exception) -> AppError:
        known = isinstance(error, PageError | ThriftError) and str(error)
        why = known or "its headers do not fit together"
        return AppError(
            f"{self.path.name} cannot be read as Parquet",
            f"{why[:1].upper()}{why[1:]}.",
            "The file may be damaged: fetch it again, or save it as CSV or JSONL.",
        )


_BROKEN = (
    PageError, ThriftError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError
)  # fmt: skip


def _footer(file: BinaryIO, size: int) -> Struct:
    file.seek(max(0, size - 8))
    tail = file.read(8)
    if tail[4:] == b"PARE":
        raise PageError("it is encrypted")
    if size < 12 or tail[4:] != _MAGIC:
        raise PageError("it does not end as Parquet files do, so it is none or is cut off")
    length = int.from_bytes(tail[:4], "little")
    if length > min(size - 12, _LARGEST_FOOTER):
        raise PageError("its table of contents is longer than it can be")
    file.seek(size - 8 - length)
    footer = Reader(file.read(length)).struct()
    for group in footer[4]:
        if group[3] < 0:
            raise PageError("a group has fewer rows than none")
    return footer


def _columns(schema: list[Struct]) -> tuple[Column, ...]:
    """The leaves of the schema, which lies there as a list, each branch before what is below it."""
    found: list[Column] = []
    # for each open branch: how many children are still to come
    open_branches = [schema[0][5]]
    for element in schema[1:]:
        while open_branches and not open_branches[-1]:
            open_branches.pop()
        if not open_branches:
            raise PageError("its schema has loose ends")
        open_branches[-1] -= 1
        if children := element.get(5):
            open_branches.append(children)
            continue
        name = element[4].decode("utf-8", "replace")
        repetition = element.get(3, 0)
        flat = len(open_branches) == 1 and repetition != _REPEATED
        found.append(Column(name, len(found), element[1], repetition == 1, flat))
    return tuple(found)


def _data_page(header: Struct, data: bytes, codec: int, column: Column, dictionary: Sequence[Any]) -> Iterator[Any]:
    if header[1] == _DATA:
        about = header[5]
        page = unpacked(data, codec, header[2])
        there = None
        if column.optional:
            length = int.from_bytes(page[:4], "little")
            there, page = levels(page[4 : 4 + length], about[1]), page[4 + length :]
        encoding = about[2]
    else:
        about = header[8]
        before = about[5] + about[6]
        if about[5] < 0 or about[6] < 0 or before > len(data):
            raise PageError("a page reaches over its own end")
        there = levels(data[about[6] : before], about[1]) if column.optional else None
        packed = codec if about.get(7, True) else 0
        page, encoding = unpacked(data[before:], packed, header[2] - before), about[4]
    if there is None:
        yield from values(page, encoding, column.kind, about[1], dictionary)
        return
    found = values(page, encoding, column.kind, sum(there), dictionary)
    for one in there:
        yield next(found) if one else None


def _count(count: int) -> int:
    if not 0 <= count <= MOST_VALUES:
        raise PageError(f"a page says that it has {count:,} values")
    return count


def _worded(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
