"""Answers that a person marked in chats, as training data: good ones as dialogues, good over bad as preferences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.core.chat import Chat, Mark, Message, MessageTree
from app.core.role import Role
from app.datasets.training import Dialogue, Examples, Preference, Turn


def examples_of_chats(chats: Iterable[tuple[Chat, Sequence[Message]]]) -> tuple[Examples, ...]:
    """What was marked in these chats, in the ways in which it can be chosen."""
    chats = list(chats)
    dialogues: list[Dialogue] = []
    preferences: list[Preference] = []
    spoiled = 0
    for chat, messages in chats:
        found, bad = good_dialogues(chat, messages)
        dialogues += found
        spoiled += bad
        preferences += good_over_bad(chat, messages)
    left_out = f"{spoiled} left out: an answer before was marked as bad" if spoiled else ""
    return (
        Examples("Answers marked as good", tuple(dialogues), left_out=left_out),
        Examples("Pairs of a good and a bad answer", preferences=tuple(preferences), are_pairs=True),
    )


def good_dialogues(chat: Chat, messages: Sequence[Message]) -> tuple[list[Dialogue], int]:
    """The conversations that end with an answer marked as good; of two, one within the other, the longer.

    Left out, and counted, is one with an answer before that was marked as bad: a model would learn that one too.
    """
    tree = MessageTree(messages)
    good = [one for one in messages if one.mark is Mark.GOOD and one.text.strip()]
    paths = {one.id: tree.path(one.id) for one in good}
    within = {message.id for path in paths.values() for message in path[:-1]}
    found: list[Dialogue] = []
    spoiled = 0
    for one in good:
        path = paths[one.id]
        if any(message.mark is Mark.BAD for message in path):
            spoiled += 1
        elif one.id not in within:
            found.append(Dialogue(f"{chat.id}.{one.id}", (*_system(chat, one), *_turns(path))))
    return found, spoiled


def good_over_bad(chat: Chat, messages: Sequence[Message]) -> list[Preference]:
    """Every two answers to the same question, of which one was marked as good and the other as bad."""
    tree = MessageTree(messages)
    found: list[Preference] = []
    for good in messages:
        if good.mark is not Mark.GOOD or good.parent_id is None:
            continue
        *before, question = tree.path(good.parent_id)
        for other_id in tree.siblings(good.id):
            bad = tree[other_id]
            if bad.mark is Mark.BAD and bad.text.strip() and good.text.strip() != bad.text.strip():
                system = _system(chat, good)
                found.append(
                    Preference(
                        f"{chat.id}.{good.id}.{bad.id}",
                        system[0].text if system else "",
                        question.text,
                        good.text,
                        bad.text,
                        _turns(before),
                        good.provenance,
                        bad.provenance,
                    )
                )
    return found


def _turns(path: Iterable[Message]) -> tuple[Turn, ...]:
    said = (message for message in path if message.role is not Role.SYSTEM)
    return tuple(Turn(message.role, message.text, message.provenance) for message in said)


def _system(chat: Chat, answer: Message) -> tuple[Turn, ...]:
    """The system prompt that the answer was given by."""
    text = answer.provenance.system_prompt if answer.provenance is not None else chat.system_prompt
    return (Turn(Role.SYSTEM, text),) if text.strip() else ()
