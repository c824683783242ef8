"""The pages of a Parquet column: unpacked, and read as values one after another.

https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import cramjam

LARGEST_PAGE = 128 << 20
"""Bytes that a page may unpack to; writers aim at 1 MB."""

MOST_VALUES = 8_000_000
"""Values that one page may have."""

_CODECS = {3: "LZO", 4: "Brotli", 5: "LZ4", 7: "LZ4"}
_PLAIN, _PLAIN_DICTIONARY, _RLE, _RLE_DICTIONARY = 0, 2, 3, 8
_FORMATS = {1: ("<i", 4), 2: ("<q", 8), 4: ("<f", 4), 5: ("<d", 8)}
_BOOLEAN, _BYTE_ARRAY = 0, 6


class PageError(ValueError):
    """A page is broken, larger than is sensible, or written in a way that is not read."""


def unpacked(data: bytes, codec: int, size: int) -> bytes:
    """The bytes of a page; exactly `size` of them, or it is broken.

    Raises:
        PageError: it is.
    """
    if not 0 <= size <= LARGEST_PAGE:
        raise PageError(f"a page says that it has {size:,} bytes")
    if codec == 0:
        found = data
    elif codec == 2:
        found = _gunzipped(data, size)
    elif codec in (1, 6):
        found = _decompressed(data, codec, size)
    else:
        name = _CODECS.get(codec, f"method {codec}")
        raise PageError(f"it is compressed with {name}; Snappy, gzip and Zstandard are read")
    if len(found) != size:
        raise PageError("a page has not the size that it says")
    return found


def _gunzipped(data: bytes, size: int) -> bytes:
    found = b""
    try:
        while data and len(found) <= size:
            unpacker = zlib.decompressobj(31)
            found += unpacker.decompress(data, size + 1 - len(found))
            data = unpacker.unused_data if unpacker.eof else b""
    except zlib.error as error:
        raise PageError("a compressed page is broken") from error
    return found


def _decompressed(data: bytes, codec: int, size: int) -> bytes:
    room = bytearray(size)
    if not size:
        return b""
    try:
        if codec == 1:
            count = cramjam.snappy.decompress_raw_into(data, room)
        else:
            count = cramjam.zstd.decompress_into(data, room)
    except (cramjam.DecompressionError, ValueError, OSError) as error:
        raise PageError("a compressed page is broken") from error
    return bytes(room[:count])


def levels(data: bytes, count: int) -> list[int]:
    """Whether each of `count` values is there: 1, or 0 for null."""
    return hybrid(data, 1, count)


def hybrid(data: bytes, width: int, count: int) -> list[int]:
    """`count` numbers of `width` bits in Parquet's mix of runs and packed bits.

    Raises:
        PageError: the bytes end before that.
    """
    if width > 32:
        raise PageError(f"a number of {width} bits")
    found: list[int] = []
    at, size = 0, (width + 7) // 8
    while len(found) < count:
        head, at = _varint(data, at)
        if head & 1:
            groups = head >> 1
            chunk = data[at : at + groups * width]
            at += groups * width
            # the last group may be cut off where the values end
            have = min(groups * 8, count - len(found), len(chunk) * 8 // width if width else groups * 8)
            if not have:
                raise PageError("it ends too early")
            found += _bits(chunk, width, have)
        else:
            times = min(head >> 1, count - len(found))
            if not times or at + size > len(data):
                raise PageError("it ends too early")
            found += [int.from_bytes(data[at : at + size], "little")] * times
            at += size
    return found


def values(data: bytes, encoding: int, kind: int, count: int, dictionary: Sequence[Any]) -> Iterator[Any]:
    """`count` values that are there: bytes, numbers or booleans.

    kind: Parquet's physical type. dictionary: the values of the dictionary page, if there was one.

    Raises:
        PageError: they cannot be read.
    """
    if encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY):
        width = data[0] if data else 0
        for index in hybrid(data[1:], width, count):
            if index >= len(dictionary):
                raise PageError("a value is not in the dictionary")
            yield dictionary[index]
    elif encoding == _PLAIN:
        yield from plain(data, kind, count)
    elif encoding == _RLE and kind == _BOOLEAN:
        yield from map(bool, hybrid(data[4:], 1, count))
    else:
        raise PageError(f"a column has encoding {encoding}; plain and dictionary are read")


def plain(data: bytes, kind: int, count: int) -> Iterator[Any]:
    """`count` values one after another, as they are."""
    if kind == _BYTE_ARRAY:
        at, end = 0, len(data)
        for _ in range(count):
            start = at + 4
            at = start + int.from_bytes(data[at:start], "little")
            if at > end or start > end:
                raise PageError("it ends too early")
            yield data[start:at]
    elif kind == _BOOLEAN:
        if count > len(data) * 8:
            raise PageError("it ends too early")
        yield from map(bool, _bits(data, 1, count))
    elif kind in _FORMATS:
        form, size = _FORMATS[kind]
        if count * size > len(data):
            raise PageError("it ends too early")
        for one in struct.iter_unpack(form, memoryview(data)[: count * size]):
            yield one[0]
    else:
        raise PageError(f"a column is of type {kind}, which is not read")


def _bits(data: bytes, width: int, count: int) -> list[int]:
    """Numbers of `width` bits, packed from the lowest bit on, eight of them in `width` bytes."""
    if not width:
        return [0] * count
    mask = (1 << width) - 1
    found: list[int] = []
    for start in range(0, len(data), width):
        group = int.from_bytes(data[start : start + width], "little")
        found += [group >> place & mask for place in range(0, 8 * width, width)]
        if len(found) >= count:
            break
    return found[:count]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7
    raise PageError("it ends too early")
