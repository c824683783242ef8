"""An answer of the stand-in Hub, before it goes out on a connection."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """Status, headers and body. `body` may be a view of a large file."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | memoryview = b""


@dataclass
class Asked:
    """One request as it came, and what became of it. Header names are in lower case."""

    host: str
    """"hub" or "cdn"."""
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, list[str]] = field(default_factory=dict)
    status: int = 0
    sent: int = 0
    """Bytes of the body that went out."""

    @property
    def token(self) -> str:
        """What it was authorised with; "" for nothing."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def range_start(self) -> int | None:
        """First byte of the range that was asked for."""
        text = self.headers.get("range", "")
        return int(text.removeprefix("bytes=").split("-")[0]) if text.startswith("bytes=") else None

    @property
    def range_end(self) -> int | None:
        """Last byte, inclusive; None where the range is open or missing."""
        last = self.headers.get("range", "").rpartition("-")[2]
        return int(last) if last else None

    def one(self, name: str, otherwise: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [otherwise])[-1]


def as_json(value: Any, **headers: str) -> Answer:
    """An answer with a JSON body."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(200, {"Content-Type": "application/json; charset=utf-8", **named}, json.dumps(value).encode())


def refusal(status: int, code: str, message: str) -> Answer:
    """An error as the Hub words it: in headers first."""
    headers = {"X-Error-Message": message, "Content-Type": "application/json; charset=utf-8"}
    if code:
        headers["X-Error-Code"] = code
    return Answer(status, headers, json.dumps({"error": message}).encode())
