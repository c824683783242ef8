"""Answers as training data."""

import csv
import io
import json

from app.core.chat import Message, MessageState, Role
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, Rater, Vote
from app.datasets.questions import read_questions
from app.datasets.training import (
    ChatFormat,
    Dialogue,
    Turn,
    dialogue_of_chat,
    dialogues_of_run,
    preferences_of_run,
    winners,
    written,
    written_preferences,
)

PLAN = Plan(
    "p",
    "starter",
    (Contestant("Long", "Be long."), Contestant("Short", "Be short."), Contestant("None", "")),
    (Question("q1", "Why?", system_prompt="You know."), Question("q2", "How?")),
)
CELLS = [
    Cell(Place(one, two, 0), CellState.DONE, f"answer {one} to {two}, ünïcode\n")
    for one in range(3)
    for two in range(2)
]


def message(number, role, text):
    return Message(number, 1, None, role, text, MessageState.DONE)


def vote(question, first, second, outcome):
    return Vote(Rater.PERSON, question, 0, first, second, outcome)


def test_a_chat_ends_with_its_last_answer():
    path = [
        message(1, Role.USER, "a"),
        message(2, Role.ASSISTANT, "b"),
        message(3, Role.USER, "c"),
        message(4, Role.ASSISTANT, " "),
    ]
    assert dialogue_of_chat("7", "Be kind.", path) == Dialogue(
        "7", (Turn(Role.SYSTEM, "Be kind."), Turn(Role.USER, "a"), Turn(Role.ASSISTANT, "b"))
    )
    assert dialogue_of_chat("7", "", path[:1]) is None


def test_openai_lines_hold_messages():
    first = json.loads(written(dialogues_of_run(PLAN, CELLS), ChatFormat.OPENAI).splitlines()[0])
    assert first == {
        "messages": [
            {"role": "system", "content": "Be long.\n\nYou know."},
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "answer 0 to 0, ünïcode\n"},
        ]
    }


def test_sharegpt_is_a_list_of_conversations():
    found = json.loads(written(dialogues_of_run(PLAN, CELLS), ChatFormat.SHAREGPT))
    assert len(found) == 6
    assert found[5]["id"] == "q2.None.1"
    assert found[5]["conversations"] == [
        {"from": "human", "value": "How?"}, {"from": "gpt", "value": "answer 2 to 1, ünïcode\n"},
    ]  # fmt: skip


def test_openorca_columns_come_back_as_they_went(tmp_path):
    dialogues = dialogues_of_run(PLAN, CELLS)
    for form, name in ((ChatFormat.OPENORCA_JSONL, "x.jsonl"), (ChatFormat.OPENORCA_CSV, "x.csv")):
        path = tmp_path / name
        path.write_bytes(written(dialogues, form).encode())
        found = read_questions(path).questions
        assert [(one.key, one.system_prompt, one.text, one.reference) for one in found] == [
            (one.key, one.system, one.turns[-2].text, one.turns[-1].text) for one in dialogues
        ]


def test_longer_dialogues_do_not_fit_openorca_and_are_left_out():
    long = Dialogue(
        "1", (Turn(Role.USER, "a"), Turn(Role.ASSISTANT, "b"), Turn(Role.USER, "c"), Turn(Role.ASSISTANT, "d"))
    )
    assert list(csv.DictReader(io.StringIO(written([long], ChatFormat.OPENORCA_CSV)))) == []
    assert len(json.loads(written([long], ChatFormat.OPENAI))["messages"]) == 4


def test_preferences_follow_the_votes_and_leave_ties_out():
    votes = [
        vote(0, 0, 1, 1.0),
        vote(0, 1, 0, 0.5),
        vote(0, 0, 2, 0.0),
        vote(1, 0, 1, 0.5),
        vote(1, 1, 2, 1.0),
        vote(1, 2, 1, 1.0),
    ]
    found = preferences_of_run(PLAN, CELLS, votes)
    assert [(one.key, one.chosen, one.rejected) for one in found] == [
        ("q1.Long.Short.1", CELLS[0].text, CELLS[2].text), ("q1.None.Long.1", CELLS[4].text, CELLS[0].text),
    ]  # fmt: skip
    lines = [json.loads(line) for line in written_preferences(found).splitlines()]
    assert lines[0] == {"system": "You know.", "prompt": "Why?", "chosen": CELLS[0].text, "rejected": CELLS[2].text}


def test_equal_answers_and_failed_ones_teach_no_preference():
    cells = [
        Cell(Place(0, 0, 0), CellState.DONE, "a"),
        Cell(Place(1, 0, 0), CellState.DONE, "a "),
        Cell(Place(2, 0, 0), CellState.FAILED),
    ]
    assert preferences_of_run(PLAN, cells, [vote(0, 0, 1, 1.0), vote(0, 1, 2, 1.0)]) == []
    assert len(dialogues_of_run(PLAN, cells)) == 2


def test_winners_won_more_than_half_of_their_duels():
    votes = [vote(0, 0, 1, 1.0), vote(0, 0, 2, 0.5), vote(0, 1, 2, 0.5)]
    assert [cell.place for cell in winners(PLAN, CELLS, votes)] == [Place(0, 0, 0)]
