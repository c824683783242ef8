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


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """Where examples come from: what it is called, who collects them, and who writes the file.

    collect(then, failed) answers in the GUI thread. So does write(path, text, then, failed), with the path: it puts
    what `text` gives into the file, whole or not at all; `text` is called on a worker. `hint` says what to do where
    there are none.
    """

    title: str
    collect: Callable[[Callable[[tuple[Examples, ...]], None], Failed], None]
    write: Callable[[str, Callable[[], str], Callable[[str], None], Failed], None]
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

    def write(path: str, text: Callable[[], str], then: Callable[[str], None], failed: Failed) -> None:
        def work(stores: Stores) -> str:
            from app.storage.export import write_whole

            del stores
            write_whole(Path(path), text().encode("utf-8", "replace"))
            return path

        archive.ask(work, then, failed)

    return TrainingSource(
        "Rated answers",
        lambda then, failed: archive.ask(read, then, failed),
        write,
        "Mark answers with the thumbs below them.",
    )


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
