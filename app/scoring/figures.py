"""Numbers as reports and pages word them."""

from __future__ import annotations


def signed(value: float) -> str:
    """Points, rounded, with a real minus: "+12", "−5", "0"."""
    number = round(value)
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "0"


def percent(share: float) -> str:
    """A share from 0 to 1: "57 %"."""
    return f"{share * 100:.0f} %"


def short_of_all(share: float) -> str:
    """The same where "100 %" would say that there is no doubt left: only a full share gives that."""
    return percent(share if share == 1 else min(0.99, share))
