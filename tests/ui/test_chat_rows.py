"""Messages as rows: names, small print, versions, the lines between, and the conversation as text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from app.core.chat import Message, MessageState, MessageTree, Provenance
from app.core.role import Role
from app.ui.chat_rows import conversation_text, duration, footer, rows_of


@dataclass(frozen=True)
class Line:
    before_id: int | None
    kind: str
    text: str


def question(number: int, parent: int | None = None, text: str = "Why?") -> Message:
    return Message(number, 1, parent, Role.USER, text)


def answer(number: int, parent: int, text: str = "Because.", **more) -> Message:
    return Message(number, 1, parent, Role.ASSISTANT, text, **more)


HOW = Provenance(model_name="Orca", completion_tokens=1214, tokens_per_s=48.04, duration_ms=4512, stop_reason="end")


def test_a_reply_says_how_long_it_is_how_fast_it_came_and_how_long_it_took():
    assert footer(answer(2, 1, provenance=HOW)) == "1,214 tokens · 48.0 tok/s · 4.5 s"


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (MessageState.STOPPED, "stopped", ""),  # the bar with the buttons says it, in colour
        (MessageState.FAILED, "", ""),
        (MessageState.DONE, "length", "cut off at its longest reply"),
        (MessageState.DONE, "context", "cut off: the context is full"),
        (MessageState.DONE, "repeated", "the model repeated itself, so it was stopped"),
        (MessageState.DONE, "end", ""),
    ],
)
def test_a_reply_that_was_cut_off_says_why(state, reason, words):
    how = Provenance(completion_tokens=1, stop_reason=reason)
    assert footer(answer(2, 1, state=state, provenance=how)) == " · ".join(part for part in ("1 token", words) if part)


@pytest.mark.parametrize(
    ("moved", "words"),
    [(812, "6 turns dropped: 812 tokens moved, 1,040 read"), (0, "6 turns dropped: 1,040 tokens read")],
)
def test_a_reply_for_which_turns_were_dropped_says_how_the_others_were_kept(moved, words):
    how = Provenance(prompt_tokens=2040, cached_tokens=1000, moved_tokens=moved, dropped_turns=6)
    assert footer(answer(2, 1, provenance=how)) == words


def test_a_reply_that_failed_says_why_long_after_the_notice_is_gone():
    assert footer(answer(2, 1, state=MessageState.FAILED, provenance=Provenance(error="No room."))) == "No room."


@pytest.mark.parametrize(
    ("state", "reason", "offered"),
    [
        (MessageState.STOPPED, "stopped", True),
        (MessageState.INTERRUPTED, "", True),
        (MessageState.DONE, "length", True),
        (MessageState.DONE, "repeated", True),
        (MessageState.DONE, "end", False),
        (MessageState.FAILED, "", True),
    ],
)
def test_a_reply_that_was_cut_off_can_go_on_while_nothing_follows_it(state, reason, offered):
    reply = answer(2, 1, state=state, provenance=Provenance(stop_reason=reason))
    last = rows_of([question(1), reply], MessageTree([question(1), reply]), (), "Orca")[-1]
    assert last.can_go_on is offered
    followed = rows_of([question(1), reply], MessageTree([question(1), reply, question(3, 2)]), (), "Orca")[-1]
    assert not followed.can_go_on


def test_a_reply_that_failed_before_its_first_word_cannot_go_on():
    reply = dataclasses.replace(answer(2, 1, state=MessageState.FAILED), text="")
    assert not rows_of([question(1), reply], MessageTree([question(1), reply]), (), "Orca")[-1].can_go_on


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (3, "0.01 s"),
        (420, "0.42 s"),
        (994.9, "0.99 s"),
        (996, "1.0 s"),
        (9949, "9.9 s"),
        (9951, "10 s"),
        (59_600, "1 min"),
        (125_000, "2 min 5 s"),
    ],
)
def test_times_are_told_as_people_say_them(milliseconds, words):
    assert duration(milliseconds) == words


def test_rows_carry_versions_and_lines_stand_before_their_messages():
    tree = MessageTree([question(1), answer(2, 1), answer(3, 1, provenance=HOW), question(4, 3)])
    lines = [Line(1, "context", "Nothing above"), Line(None, "system_prompt", "Changed")]
    rows = rows_of(tree.path(4), tree, lines, "Starter")
    assert [(row.kind, row.text) for row in rows] == [
        ("marker", "Nothing above"),
        ("user", "Why?"),
        ("assistant", "Because."),
        ("user", "Why?"),
        ("marker", "Changed"),
    ]
    assert (rows[2].version, rows[2].versions, rows[2].title) == (2, 2, "Orca")
    assert len({row.id for row in rows}) == len(rows)


def test_a_reply_that_does_not_say_who_gave_it_is_the_chats_model():
    tree = MessageTree([question(1), answer(2, 1)])
    assert rows_of(tree.path(2), tree, [], "Starter")[1].title == "Starter"


def test_the_conversation_as_text_names_who_spoke():
    text = conversation_text([question(1), answer(2, 1, provenance=HOW)], "Starter")
    assert text == "**You**\n\nWhy?\n\n**Orca**\n\nBecause."
