"""Answers as training data."""

import csv
import hashlib
import io
import json
from dataclasses import replace
from pathlib import PurePath

import pytest

from app.core.chat import Provenance
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question, Rater, Vote
from app.core.role import Role
from app.datasets.made_beside import beside, made_of, written_made
from app.datasets.questions import read_questions
from app.datasets.training import (
    ChatFormat,
    Dialogue,
    Examples,
    PairFormat,
    Turn,
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


def vote(question, first, second, outcome):
    return Vote(Rater.PERSON, question, 0, first, second, outcome)


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


def made(cell: Cell) -> Cell:
    """The cell with what made it."""
    seed = cell.place.contestant * 10 + cell.place.question
    return replace(cell, provenance=Provenance("Tiny", "/home/ada/tiny.gguf", model_size_bytes=5, seed=seed))


def seeds(answers) -> list[int]:
    return [answer["provenance"]["seed"] for answer in answers]


def filled(how: Provenance) -> Provenance:
    return replace(how, model_sha256=("ab" * 32,))


@pytest.mark.parametrize("form", ChatFormat)
def test_what_made_each_answer_stands_in_a_file_beside_in_the_same_order(form: ChatFormat):
    cells = [*map(made, CELLS)]
    long = Dialogue("long", (Turn(Role.USER, "a"), Turn(Role.ASSISTANT, "b"), Turn(Role.USER, "c"),
                             Turn(Role.ASSISTANT, "d", made(CELLS[5]).provenance)))  # fmt: skip
    examples = Examples("All", (long, *dialogues_of_run(PLAN, cells)))
    assert written(examples.dialogues, form) == written((long, *dialogues_of_run(PLAN, CELLS)), form), "not in the data"
    text = written_made(examples, form, filled)
    assert "ada" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    if "openorca" not in form:
        first = lines.pop(0)
        assert (first["number"], first["id"], first["answers"][0]["provenance"]) == (1, "long", None)
        assert seeds(first["answers"][1:]) == [21]
    assert [line["number"] for line in lines] == list(range(1 + ("openorca" not in form), 7 + ("openorca" not in form)))
    assert [(line["id"], seeds(line["answers"])) for line in lines] == [
        (one.key, [cell.provenance.seed]) for one, cell in zip(examples.dialogues[1:], cells, strict=True)
    ]
    (answer,) = lines[-1]["answers"]
    assert answer["answer_sha256"] == hashlib.sha256(CELLS[-1].text.encode()).hexdigest()
    assert answer["provenance"]["model_sha256"] == ["ab" * 32]
    assert answer["provenance"]["model_path"] == "tiny.gguf"


def test_of_a_pair_both_answers_say_what_made_them():
    cells = [*map(made, CELLS)]
    pairs = preferences_of_run(PLAN, cells, [vote(0, 1, 0, 1.0), vote(1, 0, 2, 1.0)])
    long = replace(pairs[1], before=(Turn(Role.USER, "a"), Turn(Role.ASSISTANT, "b", cells[4].provenance)))
    examples = Examples("Pairs", preferences=(long, pairs[0]), are_pairs=True)
    assert [how.seed for how in made_of(examples)] == [20, 1, 21, 10, 0]
    lines = [json.loads(line) for line in written_made(examples, PairFormat.MESSAGES, filled).splitlines()]
    assert seeds([*lines[0]["before"], lines[0]["chosen"], lines[0]["rejected"]]) == [20, 1, 21]
    (line,) = [json.loads(line) for line in written_made(examples, PairFormat.TEXT, filled).splitlines()]
    assert (line["number"], line["id"], line["before"]) == (1, pairs[0].key, [])
    assert seeds([line["chosen"], line["rejected"]]) == [10, 0]


def test_the_file_beside_has_the_files_name():
    assert PurePath(beside("/data/Rated answers.jsonl")) == PurePath("/data/Rated answers.made-by.jsonl")
