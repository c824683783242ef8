"""Answers that were marked in chats, as training data."""

from __future__ import annotations

import json

from app.core.chat import Chat, Mark, Message, MessageState, Provenance
from app.core.role import Role
from app.datasets.rated_chats import examples_of_chats, good_dialogues, good_over_bad
from app.datasets.training import ChatFormat, PairFormat, written, written_preferences

CHAT = Chat(7, "Why", "starter", system_prompt="Be new.")


def message(number, parent, role, text, mark=None, system="Be kind."):
    how = Provenance(system_prompt=system) if role is Role.ASSISTANT else None
    return Message(number, 7, parent, role, text, MessageState.DONE, mark=mark, provenance=how)


def asked(number, parent, text="Why?"):
    return message(number, parent, Role.USER, text)


def answer(number, parent, text, mark=None, system="Be kind."):
    return message(number, parent, Role.ASSISTANT, text, mark, system)


def texts(dialogue):
    return [turn.text for turn in dialogue.turns]


def test_a_dialogue_ends_with_an_answer_marked_as_good_and_has_the_prompt_it_was_given_by():
    messages = [asked(1, None), answer(2, 1, "So.", Mark.GOOD), asked(3, 2, "How?"), answer(4, 3, "Thus.")]
    (found,), spoiled = good_dialogues(CHAT, messages)
    assert texts(found) == ["Be kind.", "Why?", "So."]
    assert (found.key, spoiled) == ("7.2", 0)


def test_of_two_good_answers_in_one_conversation_the_longer_dialogue_holds_both():
    messages = [asked(1, None), answer(2, 1, "So.", Mark.GOOD), asked(3, 2, "How?"), answer(4, 3, "Thus.", Mark.GOOD)]
    (found,), _ = good_dialogues(CHAT, messages)
    assert texts(found) == ["Be kind.", "Why?", "So.", "How?", "Thus."]


def test_versions_are_dialogues_of_their_own():
    messages = [asked(1, None), answer(2, 1, "So.", Mark.GOOD), answer(3, 1, "Because.", Mark.GOOD, system="")]
    found, _ = good_dialogues(CHAT, messages)
    assert [texts(one) for one in found] == [["Be kind.", "Why?", "So."], ["Why?", "Because."]]


def test_a_conversation_with_a_bad_answer_in_it_is_left_out_and_counted():
    messages = [asked(1, None), answer(2, 1, "No.", Mark.BAD), asked(3, 2, "How?"), answer(4, 3, "Thus.", Mark.GOOD)]
    assert good_dialogues(CHAT, messages) == ([], 1)
    (chosen, _) = examples_of_chats([(CHAT, messages)])
    assert chosen.left_out == "1 left out: an answer before was marked as bad"


def test_a_good_answer_is_preferred_to_each_bad_one_to_the_same_question():
    messages = [
        asked(1, None),
        answer(2, 1, "So.", Mark.GOOD),
        answer(3, 1, "No.", Mark.BAD),
        answer(4, 1, "Hm."),
        asked(5, 2, "How?"),
        answer(6, 5, "Thus.", Mark.GOOD),
        answer(7, 5, "Never.", Mark.BAD),
    ]
    first, second = good_over_bad(CHAT, messages)
    assert (first.system, first.prompt, first.chosen, first.rejected) == ("Be kind.", "Why?", "So.", "No.")
    assert [turn.text for turn in second.before] == ["Why?", "So."]
    (line,) = written_preferences([first, second], PairFormat.TEXT).splitlines()
    assert json.loads(line) == {"system": "Be kind.", "prompt": "Why?", "chosen": "So.", "rejected": "No."}
    lines = [json.loads(one) for one in written_preferences([first, second], PairFormat.MESSAGES).splitlines()]
    assert lines[1] == {
        "prompt": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "So."},
            {"role": "user", "content": "How?"},
        ],
        "chosen": [{"role": "assistant", "content": "Thus."}],
        "rejected": [{"role": "assistant", "content": "Never."}],
    }


def test_what_was_never_marked_is_no_example():
    chosen, pairs = examples_of_chats([(CHAT, [asked(1, None), answer(2, 1, "So.")])])
    assert (chosen.dialogues, pairs.preferences, chosen.left_out) == ((), (), "")
    assert written(chosen.dialogues, ChatFormat.OPENAI) == ""
