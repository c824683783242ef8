"""Reads rows straight from the pages of a database file, with no need for a sound header, schema or tree.

The layout is that of https://sqlite.org/fileformat2.html: table leaves (1.5), records (2.1), the write-ahead log (4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

Value = int | float | str | bytes | None
Record = tuple[Value, ...]

_LEAF: Final = 0x0D
_HEADER_BYTES: Final = 100
_WAL_HEADER: Final = struct.Struct(">8I")
_WAL_FRAME: Final = struct.Struct(">6I")
_WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
_INT_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_MOST_COLUMNS: Final = 64


class Pages:
    """The pages of a file as the last complete transaction left them, the log beside it included.

    What a page says is never trusted: whatever does not fit together is passed over.
    """

    def __init__(self, path: Path) -> None:
        self._main = _bytes_of(path)
        self.size = _page_size(self._main)
        self._newer = _committed_frames(_bytes_of(path.with_name(path.name + "-wal")), self.size)

    def rows(self) -> Iterator[tuple[int, Record]]:
        """Every row of every table: its rowid and its columns."""
        count = max(len(self._main) // self.size, max(self._newer, default=0))
        for number in range(1, count + 1):
            page = self._page(number)
            start = _HEADER_BYTES if number == 1 else 0
            if len(page) == self.size and page[start] == _LEAF:
                yield from self._cells(page, start)

    def _page(self, number: int) -> bytes:
        return self._newer.get(number) or self._main[(number - 1) * self.size : number * self.size]

    def _cells(self, page: bytes, start: int) -> Iterator[tuple[int, Record]]:
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        pointers = page[start + 8 : start + 8 + 2 * count]
        for at in range(0, len(pointers) - 1, 2):
            offset = int.from_bytes(pointers[at : at + 2], "big")
            if offset < start + 8:
                continue
            try:
                length, offset = _varint(page, offset)
                rowid, offset = _varint(page, offset)
                record = _record(self._payload(page, offset, length))
            except (IndexError, ValueError, struct.error):
                continue
            yield _signed(rowid), record

    def _payload(self, page: bytes, offset: int, length: int) -> bytes:
        """The payload of a cell, from overflow pages too; shorter than `length` where one of those is lost."""
        usable = self.size
        if length > len(self._main) + sum(map(len, self._newer.values())):
            raise ValueError("longer than the whole file")
        most, least = usable - 35, (usable - 12) * 32 // 255 - 23
        if length <= most:
            return page[offset : offset + length]
        here = least + (length - least) % (usable - 4)
        here = here if here <= most else least
        parts, left = [page[offset : offset + here]], length - here
        following = int.from_bytes(page[offset + here : offset + here + 4], "big")
        seen: set[int] = set()
        while following and left > 0 and following not in seen:
            seen.add(following)
            overflow = self._page(following)
            if len(overflow) < usable:
                break
            parts.append(overflow[4 : 4 + left])
            left -= len(parts[-1])
            following = int.from_bytes(overflow[:4], "big")
        return b"".join(parts)


def _record(payload: bytes) -> Record:
    header_end, at = _varint(payload, 0)
    kinds: list[int] = []
    while at < header_end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != header_end or len(kinds) > _MOST_COLUMNS:
        raise ValueError("not a record")
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind <= 6:
        end = at + _INT_BYTES[kind]
        if end > len(payload):
            raise ValueError("cut off")
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind < 12:
        raise ValueError("no such kind")
    end = at + (kind - 12) // 2
    if at > len(payload):
        raise ValueError("cut off")
    part = payload[at:end]
    return (part.decode(errors="replace") if kind % 2 else part), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _page_size(main: bytes) -> int:
    size = int.from_bytes(main[16:18], "big")
    size = 65536 if size == 1 else size
    # ours are always of the usual size, so a header that says otherwise is damaged
    return size if size == 4096 or (size >= 512 and not size & (size - 1) and main[:6] == b"SQLite") else 4096


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _committed_frames(log: bytes, page_size: int) -> dict[int, bytes]:
    """The newest committed content of each page that the log holds."""
    if len(log) < _WAL_HEADER.size:
        return {}
    magic, _, size, _, salt_1, salt_2, *stated = _WAL_HEADER.unpack_from(log)
    order = ">" if magic == _WAL_MAGIC[1] else "<"
    if magic not in _WAL_MAGIC or size != page_size:
        return {}
    sums = _checksum(log[:24], order, (0, 0))
    if sums != tuple(stated):
        return {}
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for at in range(_WAL_HEADER.size, len(log) - _WAL_FRAME.size - size + 1, _WAL_FRAME.size + size):
        number, pages_after, frame_salt_1, frame_salt_2, *stated = _WAL_FRAME.unpack_from(log, at)
        content = log[at + _WAL_FRAME.size : at + _WAL_FRAME.size + size]
        sums = _checksum(log[at : at + 8] + content, order, sums)
        if (frame_salt_1, frame_salt_2) != (salt_1, salt_2) or sums != tuple(stated):
            break
        pending[number] = content
        if pages_after:
            committed.update(pending)
            pending.clear()
    return committed


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        first = first + words[at] + second & 0xFFFFFFFF
        second = second + words[at + 1] + first & 0xFFFFFFFF
    return first, second
