"""Under which heading a chat stands in the list, and how its time is told."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.chat import ChatRow

PINNED = "Pinned"
TODAY = "Today"
YESTERDAY = "Yesterday"
WEEK = "Previous 7 days"
OLDER = "Older"


def moment(milliseconds: int) -> datetime:
    """A stored time as this computer's clock shows it."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone()


def section_of(chat: ChatRow, now: datetime) -> str:
    """The heading a chat stands under. `now` is in this computer's own time zone."""
    if chat.pinned:
        return PINNED
    days = (now.date() - moment(chat.updated_ms).date()).days
    if days <= 0:
        return TODAY
    if days == 1:
        return YESTERDAY
    return WEEK if days <= 7 else OLDER


def time_label(chat: ChatRow, now: datetime) -> str:
    """When a chat was last used, as short as it can be told: "10:42", "Tue", "3 Mar", "3 Mar 2024"."""
    when = moment(chat.updated_ms)
    days = (now.date() - when.date()).days
    if days <= 0:
        return when.strftime("%H:%M")
    if days <= 7:
        return when.strftime("%a")
    return f"{when.day} {when.strftime('%b')}" + ("" if when.year == now.year else f" {when.year}")


def by_section(chats: tuple[ChatRow, ...], now: datetime) -> list[tuple[str, list[ChatRow]]]:
    """The chats under their headings, both in the order they are shown; headings without chats are left out."""
    found: dict[str, list[ChatRow]] = {name: [] for name in (PINNED, TODAY, YESTERDAY, WEEK, OLDER)}
    for chat in chats:
        found[section_of(chat, now)].append(chat)
    return [(name, listed) for name, listed in found.items() if listed]


def told_time(milliseconds: int, now: datetime) -> str:
    """A day and a time as people say them: "Today 10:21", "Yesterday 17:40", "Mon 09:12", "3 Mar", "3 Mar 2024"."""
    when = moment(milliseconds)
    days = (now.date() - when.date()).days
    clock = when.strftime("%H:%M")
    if days <= 1:
        return f"{'Yesterday' if days == 1 else 'Today'} {clock}"
    if days < 7:
        return f"{when:%a} {clock}"
    return f"{when.day} {when:%b}" + ("" if when.year == now.year else f" {when.year}")
