"""A chat's place in the database: made when there is first something to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.core.chat import Chat, Message
from app.core.errors import AppError
from app.services.archive import Archive
from app.storage.stores import Stores

Result = TypeVar("Result")

UNTITLED = "New chat"
_TITLE_CHARACTERS = 60


class ChatRecord:
    """Does work on the storage lane for one chat, which gets its row there first if it is new."""

    def __init__(
        self,
        archive: Archive[Stores],
        chat_id: int,
        created: Callable[[int], None],
        failed: Callable[[AppError], None],
    ) -> None:
        """`created` hears of the id that a new chat (`chat_id` 0) got, `failed` of what nobody else handles."""
        self._archive = archive
        self._created = created
        self._failed = failed
        self._id_on_lane = chat_id
        self._told = chat_id != 0
        self.begun = chat_id != 0
        """Whether the chat has its row, or will have it."""

    def ask(
        self,
        chat: Chat,
        work: Callable[[Stores, int], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[AppError], None] | None = None,
    ) -> None:
        """Do `work` with the stores and the chat's id; then call `then` in the GUI thread, or `failed`."""
        self.begun = True

        def on_lane(stores: Stores) -> tuple[int, Result]:
            if not self._id_on_lane:
                self._id_on_lane = stores.chats.create(
                    chat.model_id,
                    title=chat.title,
                    system_prompt=chat.system_prompt,
                    overrides=chat.overrides,
                    prompt_version=chat.prompt_version,
                    variables=chat.variables,
                ).id
            return self._id_on_lane, work(stores, self._id_on_lane)

        def done(result: tuple[int, Result]) -> None:
            chat_id, value = result
            if not self._told:
                self._told = True
                self._created(chat_id)
            if then is not None:
                then(value)

        self._archive.ask(on_lane, done, failed or self._failed)


def add_turn(
    stores: Stores, chat_id: int, parent_id: int | None, text: str, title: str, *, clear_draft: bool
) -> tuple[Message, Message]:
    """Keep a question with its empty reply, and the title it gives a chat that has none from a person."""
    added = stores.chats.add_turn(chat_id, parent_id, text, clear_draft=clear_draft)
    stores.chats.rename(chat_id, title, by_person=False)
    return added


def keep_conversation(stores: Stores, chat: Chat, exchanges: Sequence[tuple[str, Message]]) -> int:
    """Make a chat of a conversation that was held elsewhere: questions, each with its ended answer. Returns its id."""
    with stores.together():
        kept = stores.chats.create(
            chat.model_id,
            title=chat.title,
            system_prompt=chat.system_prompt,
            overrides=chat.overrides,
            prompt_version=chat.prompt_version,
            variables=chat.variables,
        )
        leaf_id: int | None = None
        for question, answer in exchanges:
            _, reply = stores.chats.add_turn(kept.id, leaf_id, question)
            stores.chats.finish(reply.id, answer.state, answer.text, answer.token_ids, answer.provenance)
            leaf_id = reply.id
    return kept.id


def title_from(text: str) -> str:
    """A chat's title from its first message: its first line, shortened at a word."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), UNTITLED)
    if len(line) <= _TITLE_CHARACTERS:
        return line
    return line[: _TITLE_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
