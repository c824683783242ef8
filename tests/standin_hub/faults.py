"""What can be made to go wrong at the stand-in Hub, how often, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """One way of going wrong."""

    STATUS = "status"
    """Answer with `status` and `headers` instead."""
    PORTAL = "portal"
    """A log-in page of somebody else's network, 200 and HTML."""
    SILENT = "silent"
    """Take the request and never answer."""
    DROP = "drop"
    """Close the connection after `after` bytes of the body."""
    RESET = "reset"
    """The same with a TCP reset."""
    STALL = "stall"
    """Send `after` bytes of the body, then nothing, with the connection open."""
    TRICKLE = "trickle"
    """After `after` bytes of the body go on with `rate` bytes a second."""
    SHORT = "short"
    """Announce and send `after` bytes too few, as if that were all."""
    IGNORE_RANGE = "ignore range"
    """Answer a ranged request with 200 and the whole file."""
    WRONG_OFFSET = "wrong offset"
    """Answer with the bytes `after` further on, and say so in Content-Range."""
    LYING_OFFSET = "lying offset"
    """The same, with a Content-Range that claims what was asked for."""
    CORRUPT = "corrupt"
    """Flip one bit of the file's byte number `after`, if it is among those that are sent."""
    CHANGED = "changed"
    """Announce another file's SHA-256."""


@dataclass
class Fault:
    """Happens to the next `times` requests (None: to all) at `on`: "api", "resolve" (HEAD or GET), or "cdn".

    path: only to requests with this in their path. min_offset: only to ranged requests that start there or later.
    """

    kind: Kind
    on: str = "cdn"
    times: int | None = 1
    after: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    rate: int = 1000
    path: str = ""
    min_offset: int = 0

    def meets(self, on: str, path: str, offset: int) -> bool:
        """Whether it happens to this request."""
        return self.on == on and self.times != 0 and self.path in path and offset >= self.min_offset

    def spend(self) -> None:
        """It has happened once more."""
        if self.times is not None:
            self.times -= 1
