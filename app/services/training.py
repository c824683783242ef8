"""Where training data comes from, and answers marked in chats as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.chat import Chat, Message
from app.core.errors import AppError
from app.services.archive import Archive
from app.storage.stores import Stores

if TYPE_CHECKING:
    from app.datasets.training import Examples

Failed = Callable[[AppError], None]
Files = Sequence[tuple[str, Callable[[], str]]]
"""Paths, and what makes the texts that are to stand there."""


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """Where examples come from: what it is called, who collects them, and who writes the file.

    collect(then, failed) answers in the GUI thread. So does write(files, then, failed), with the last one's path: it
    puts into each file what is given for it, whole or not at all, one after the other; the texts are made on a worker.
    `hint` says what to do where there are none.
    """

    title: str
    collect: Callable[[Callable[[tuple[Examples, ...]], None], Failed], None]
    write: Callable[[Files, Callable[[str], None], Failed], None]
    hint: str = ""


def marked_answers(archive: Archive[Stores], chat_id: int) -> TrainingSource:
    """Answers marked as good or bad, in one chat and in all."""

    def read(stores: Stores) -> tuple[Examples, ...]:
        from app.datasets.rated_chats import examples_of_chats

        def of(chat_ids: Sequence[int]) -> tuple[Examples, ...]:
            chats: list[tuple[Chat, Sequence[Message]]] = []
            chats += [(stores.chats.chat(one), stores.chats.messages(one)) for one in chat_ids]
            return examples_of_chats(chats)

        here = [replace(one, title=f"This chat: {_lower(one.title)}") for one in of([chat_id] if chat_id else [])]
        everywhere = [replace(one, title=f"All chats: {_lower(one.title)}") for one in of(stores.marks.marked_chats())]
        return (*here, *everywhere)

    def write(files: Files, then: Callable[[str], None], failed: Failed) -> None:
        archive.ask(lambda _stores: write_files(files), then, failed)

    return TrainingSource(
        "Rated answers",
        lambda then, failed: archive.ask(read, then, failed),
        write,
        "Mark answers with the thumbs below them.",
    )


def write_files(files: Files) -> str:
    """Make the texts and write them, each whole or not at all; the path of the last one.

    Raises:
        StorageError: one could not be written; those after it were not begun.
    """
    from app.storage.export import write_whole

    path = ""
    for path, text in files:
        write_whole(Path(path), text().encode("utf-8", "replace"))
    return path


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
