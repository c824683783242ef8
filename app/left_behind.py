"""Chats in the folders that stand in where the usual one cannot be written to: told of once that works again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import StorageError
from app.paths import HOME_VARIABLE, Paths, stand_ins
from app.services.notice import Notice
from app.storage.remembered import read_remembered
from app.storage.stores import Stores

log = logging.getLogger(__name__)

_TOLD = "left_behind"
"""Under this key: folder -> id of its newest chat when the person did not want to hear of it again."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Chats in a folder that is not used now. `newest` is the id of the newest."""

    folder: Path
    chats: int
    newest: int

    def notice(self, not_again: Callable[[], None]) -> Notice:
        """What to tell; `not_again` is called when the person has heard enough of it."""
        kept = "1 chat is" if self.chats == 1 else f"{self.chats:,} chats are"
        return Notice(
            f"{kept} kept in another folder",
            f"They are in {self.folder}, from when the usual folder could not be written to. They stay there.",
            f"To open them, start Orcinus with the environment variable {HOME_VARIABLE} set to that folder.",
            "warning",
            (("Do not tell again", not_again),),
        )


def left_behind(stores: Stores, paths: Paths) -> tuple[LeftBehind, ...]:
    """What lies in the other folders that nobody was told of for good; reads files."""
    told = _told(stores)
    found = []
    for folder, database in stand_ins(paths):
        try:
            ids = [chat.id for chat in read_remembered(database).chats]
        except StorageError as error:
            log.warning("What lies in %s cannot be read: %s", folder, error)
            continue
        if ids and told.get(str(folder)) != max(ids):
            found.append(LeftBehind(folder, len(ids), max(ids)))
    return tuple(found)


def tell_no_more(stores: Stores, left: LeftBehind) -> None:
    """Be silent about it from now on, until another chat gets there."""
    stores.state.set(_TOLD, {**_told(stores), str(left.folder): left.newest})


def _told(stores: Stores) -> dict[str, object]:
    told = stores.state.get(_TOLD)
    return told if isinstance(told, dict) else {}
