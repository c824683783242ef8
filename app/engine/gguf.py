"""Reads the header of a GGUF file, and believes nothing in it that the file's own length does not bear out.

llama.cpp can be brought to end the process by a bad header, so no file reaches it unread. The format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
_MAX_ENTRIES = 1 << 16
_MAX_NAME = 63
"""GGML_MAX_NAME - 1, bytes."""
_MAX_KEY = 1 << 10
_CHUNK = 1 << 20

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1),
    25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip
"""Every type a weight can have: its name, values per block, bytes per block."""


class BadGguf(ValueError):  # noqa: N818 - it says what the file is
    """The header contradicts itself or the file; the text says where, in a few words."""


class CutOff(BadGguf):
    """The file ends before what its header announces; `needed` bytes would be there in a whole one, 0 if unknown."""

    def __init__(self, needed: int = 0) -> None:
        super().__init__("the file ends too early")
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's entry. `offset` counts from the start of the tensor data."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def n_values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """How many bytes it takes in the file."""
        _, per_block, block_bytes = TENSOR_TYPES[self.kind]
        return self.n_values // per_block * block_bytes


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A header that agrees with itself and with the file's length."""

    path: Path
    size_bytes: int
    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]
    mtime_ns: int = 0


def read(path: Path) -> GgufFile:
    """Read and check a file's header; the weights are not touched.

    Raises:
        BadGguf: it is no GGUF, or one that cannot be trusted.
        CutOff: it is shorter than it says.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        size = found.st_size
        source = _Source(file, size)
        n_tensors, n_entries = _counts(source)
        metadata = _metadata(source, n_entries)
        tensors = tuple(_tensor(source) for _ in range(n_tensors))
        _check_layout(tensors, _alignment(metadata), source.position, size)
    return GgufFile(path, size, metadata, tensors, found.st_mtime_ns)


class _Source:
    """A file read forwards in chunks; every length is held against the file's size before it is used."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._buffer = b""
        self._at = 0
        self._base = 0

    @property
    def position(self) -> int:
        return self._base + self._at

    def need(self, count: int) -> None:
        """Make sure that this many bytes are still to come."""
        if self.position + count > self._size:
            raise CutOff
        while len(self._buffer) - self._at < count:
            more = self._file.read(max(_CHUNK, count))
            if not more:
                raise CutOff
            self._base += self._at
            self._buffer = self._buffer[self._at :] + more
            self._at = 0

    def number(self, code: str) -> Any:
        count = struct.calcsize("<" + code)
        self.need(count)
        (value,) = struct.unpack_from("<" + code, self._buffer, self._at)
        self._at += count
        return value

    def numbers(self, code: str, count: int) -> tuple[Any, ...]:
        size = struct.calcsize("<" + code) * count
        self.need(size)
        values = struct.unpack_from(f"<{count}{code}", self._buffer, self._at)
        self._at += size
        return values

    def string(self, limit: int) -> str:
        length = self.number("Q")
        if length > limit:
            raise CutOff if length > self._size - self.position else BadGguf("a name in it is far too long")
        self.need(length)
        raw = self._buffer[self._at : self._at + length]
        self._at += length
        return raw.decode("utf-8", "replace")

    def strings(self, count: int) -> list[str]:
        """Texts, in which bytes that are no UTF-8 stay apart; a big vocabulary waits for this loop."""
        self.need(8 * count)
        texts: list[str] = []
        for _ in range(count):
            if len(self._buffer) - self._at < 8:
                self.need(8)
            start = self._at + 8
            length = int.from_bytes(self._buffer[self._at : start], "little")
            self._at = start
            if len(self._buffer) - start < length:
                self.need(length)
                start = self._at
            self._at = start + length
            texts.append(self._buffer[start : self._at].decode("utf-8", "surrogateescape"))
        return texts


def _counts(source: _Source) -> tuple[int, int]:
    source.need(24)
    magic = source.numbers("B", 4)
    if bytes(magic) != MAGIC:
        raise BadGguf("it does not begin like a GGUF file")
    version = source.number("I")
    if version not in (2, 3):
        swapped = version & 0xFFFF == 0 and version > 0
        raise BadGguf("it is written for big-endian machines" if swapped else f"its format version is {version}")
    n_tensors, n_entries = source.number("Q"), source.number("Q")
    if n_tensors > _MAX_ENTRIES or n_entries > _MAX_ENTRIES:
        raise BadGguf(f"it announces {max(n_tensors, n_entries):,} entries")
    return n_tensors, n_entries


def _metadata(source: _Source, count: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(count):
        key = source.string(_MAX_KEY)
        if not key or "\0" in key or key in metadata:
            raise BadGguf(f"the entry {key[:40]!r} is empty or there twice")
        metadata[key] = _value(source, key)
    return metadata


def _value(source: _Source, key: str) -> Any:
    kind = source.number("I")
    if kind == _STRING:
        return source.string(1 << 30)
    if kind == _ARRAY:
        inner, count = source.number("I"), source.number("Q")
        if inner == _STRING:
            return source.strings(count)
        if inner in _SCALARS:
            return _finite(source.numbers(_SCALARS[inner], count), inner, key)
        raise BadGguf(f"the entry {key} has the unknown type {inner}")
    if kind in _SCALARS:
        (value,) = _finite((source.number(_SCALARS[kind]),), kind, key)
        return value
    raise BadGguf(f"the entry {key} has the unknown type {kind}")


def _finite(values: tuple[Any, ...], kind: int, key: str) -> tuple[Any, ...]:
    if _SCALARS[kind] in "fd" and not all(map(math.isfinite, values)):
        raise BadGguf(f"the entry {key} holds something that is not a number")
    return values


def _tensor(source: _Source) -> Tensor:
    name = source.string(_MAX_KEY)
    if not name or len(name.encode()) > _MAX_NAME or "\0" in name:
        raise BadGguf(f"a tensor has the name {name[:40]!r}")
    n_dimensions = source.number("I")
    if not 1 <= n_dimensions <= 4:
        raise BadGguf(f"{name} has {n_dimensions} dimensions")
    shape = tuple(source.numbers("Q", n_dimensions))
    kind, offset = source.number("I"), source.number("Q")
    if kind not in TENSOR_TYPES:
        raise BadGguf(f"{name} has the unknown type {kind}")
    if not all(0 < side < 1 << 40 for side in shape) or math.prod(shape) >= 1 << 62:
        raise BadGguf(f"{name} has an impossible shape")
    if shape[0] % TENSOR_TYPES[kind][1]:
        raise BadGguf(f"the rows of {name} do not fit its type")
    return Tensor(name, shape, kind, offset)


def _alignment(metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if isinstance(alignment, bool) or not isinstance(alignment, int):
        raise BadGguf("its alignment is not a number")
    if not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise BadGguf(f"its alignment is {alignment}")
    return alignment


def _check_layout(tensors: tuple[Tensor, ...], alignment: int, header_end: int, file_size: int) -> None:
    """Tensors lie one behind the other, each where llama.cpp expects it, and all of them in the file."""
    data_start = -(-header_end // alignment) * alignment
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise BadGguf("two tensors have one name")
    end = 0
    for tensor in tensors:
        if tensor.offset != end:
            raise BadGguf(f"{tensor.name} does not lie where it should")
        end += -(-tensor.size_bytes // alignment) * alignment
    last = tensors[-1].offset + tensors[-1].size_bytes if tensors else 0
    if data_start + last > file_size:
        raise CutOff(data_start + last)
