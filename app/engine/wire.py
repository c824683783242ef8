"""What an engine's host and the program say to each other: values of the contract as JSON, each with its length.

JSON and nothing richer: the host reads untrusted model files, so nothing that it sends may become code.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

from app.core import errors
from app.core.errors import AppError, EngineError, ModelMemoryError
from app.core.options import Loading, Sampling
from app.core.placement import Placed, Placement
from app.core.role import Role
from app.engine.base import (
    Delta,
    Done,
    Failed,
    ModelFacts,
    Prompt,
    Reading,
    Request,
    Segment,
    StopReason,
    Tagged,
    Turn,
)

MAX_MESSAGE = 256 << 20
"""Bytes; the longest prompt of the longest context is far below."""
_LENGTH = struct.Struct("<I")
_NAME = "_"
_VALUES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Delta,
        Done,
        Failed,
        Loading,
        ModelFacts,
        Placed,
        Placement,
        Prompt,
        Reading,
        Request,
        Sampling,
        Segment,
        Turn,
    )
}
_ENUMS: tuple[type[Enum], ...] = (Role, StopReason)


class Closed(Exception):  # noqa: N818 - it says what happened
    """The other side is gone."""


class Channel:
    """Sends and receives whole messages over two functions on bytes."""

    def __init__(self, read: Callable[[int], bytes], write: Callable[[bytes], None]) -> None:
        """`read` gives exactly so many bytes, or raises Closed at the end; `write` takes all, or raises Closed."""
        self._read = read
        self._write = write

    def send(self, kind: str, *values: Any) -> None:
        """One message.

        Raises:
            Closed: nobody is there to take it.
        """
        body = json.dumps([kind, *map(_plain, values)], separators=(",", ":")).encode()
        self._write(_LENGTH.pack(len(body)) + body)

    def receive(self) -> tuple[str, tuple[Any, ...]]:
        """The next message: its kind and values.

        Raises:
            Closed: the other side is gone, or says what cannot be understood.
        """
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if not 0 < length <= MAX_MESSAGE:
            raise Closed
        try:
            kind, *values = json.loads(self._read(length))
            return kind, tuple(map(_restored, values))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Closed from error


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, Delta):
        return {_NAME: "Delta", "t": value.text, "n": value.completion_tokens}
    if isinstance(value, Tagged):
        return {_NAME: "Tagged", "i": value.index, "e": _plain(value.event), "m": value.more}
    if dataclasses.is_dataclass(value):
        named = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {_NAME: type(value).__name__, **named}
    if isinstance(value, AppError):
        layers = value.gpu_layers if isinstance(value, ModelMemoryError) else 0
        parts = [value.title, value.detail, value.hint]
        return {_NAME: "error", "kind": type(value).__name__, "parts": parts, "layers": layers}
    if isinstance(value, tuple | list):
        return list(value) if value and type(value[0]) is int else [_plain(one) for one in value]
    return value


def _restored(value: Any) -> Any:
    """The value as it was sent; sequences come back as tuples."""
    if isinstance(value, list):
        return tuple(value) if value and type(value[0]) is int else tuple(map(_restored, value))
    if not isinstance(value, dict):
        return value
    name = value.pop(_NAME)
    if name == "Delta":
        return Delta(str(value["t"]), int(value["n"]))
    if name == "Tagged":
        return Tagged(int(value["i"]), _restored(value["e"]), bool(value["m"]))
    if name == "error":
        return _error(value)
    kind = _VALUES[name]
    enums = _enum_fields(kind)
    return kind(**{key: enums[key](one) if key in enums else _restored(one) for key, one in value.items()})


@cache
def _enum_fields(kind: type) -> dict[str, type[Enum]]:
    return {name: hint for name, hint in get_type_hints(kind).items() if hint in _ENUMS}


def _error(value: dict[str, Any]) -> AppError:
    kind = getattr(errors, str(value["kind"]), EngineError)
    title, detail, hint = map(str, value["parts"])
    if not (isinstance(kind, type) and issubclass(kind, AppError)):
        kind = EngineError
    if issubclass(kind, ModelMemoryError):
        return kind(title, detail, hint, gpu_layers=int(value["layers"]))
    return kind(title, detail, hint)
