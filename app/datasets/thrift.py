"""Thrift's compact protocol as far as Parquet's headers need it: any struct as a dict of field id to value.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

Struct: TypeAlias = dict[int, Any]

_DEEPEST = 32
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


class ThriftError(ValueError):
    """The bytes are no such struct, or end too early."""


class Reader:
    """Reads structs from bytes; `at` is where the next one begins.

    Nothing is taken to be larger than the bytes that are there: a list cannot have more members than bytes are left.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def struct(self, depth: int = 0) -> Struct:
        """The struct that begins here.

        Raises:
            ThriftError: there is none.
        """
        if depth > _DEEPEST:
            raise ThriftError("nested too deeply")
        found: Struct = {}
        field = 0
        while head := self._byte():
            delta, kind = head >> 4, head & 15
            field = field + delta if delta else _unzigzag(self._varint())
            found[field] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return _unzigzag(self._varint())
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind in (_BYTE, _TRUE, _FALSE):
            return self._byte()
        if kind == _MAP:
            return self._map(depth)
        raise ThriftError(f"unknown type {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == 15:
            count = self._varint()
        self._see_room(count)
        if depth > _DEEPEST:
            raise ThriftError("nested too deeply")
        return [self._value(kind, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> dict[Any, Any]:
        count = self._varint()
        if not count:
            return {}
        self._see_room(count)
        if depth > _DEEPEST:
            raise ThriftError("nested too deeply")
        kinds = self._byte()
        pairs = [(self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1)) for _ in range(count)]
        return {key: value for key, value in pairs if isinstance(key, int | bytes)}

    def _see_room(self, count: int) -> None:
        if count > len(self._data) - self.at:
            raise ThriftError("a list is longer than the bytes that are left")

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise ThriftError("it ends too early")
        self.at += 1
        return self._data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self._see_room(count)
        self.at += count
        return self._data[self.at - count : self.at]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise ThriftError("a number is too long")


def _unzigzag(number: int) -> int:
    return number >> 1 ^ -(number & 1)
