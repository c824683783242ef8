"""What made answers stays known: which bytes the model was, and what came of making an answer once more."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from app.core.chat import MessageState, Provenance
from app.core.lab import Cell, CellState, Contestant, Place, Plan, Question
from app.core.library import LocalModel
from app.core.reproduced import Reproduced
from app.storage.model_notes import ModelNote
from app.storage.replies import provenance_from
from app.storage.stores import Stores, open_stores

OLD = Path(__file__).parent.parent / "data" / "old_databases"
PATH, SIZE, TIME = "/m/a.gguf", 4_000, 1_700_000_000_123_456_789
SUMS = ("ab" * 32, "cd" * 32)
HOW = Provenance(
    model_name="A",
    model_path=PATH,
    model_quant="Q4_K_M",
    model_size_bytes=SIZE,
    model_mtime_ns=TIME,
    engine="llama-cpp-python 0.3.36",
    running={"devices": ("CPU",), "threads": 4, "flash_attention": None, "adapters": ()},
    system_prompt="Be brief.",
    prompt_version="ef" * 32,
    sampling={"temperature": 0.5, "stop": ("x",), "seed": None},
    seed=7,
    at_once=3,
    continued_chars=5,
    continued_tokens=2,
    made_ms=1_700_000_000_000,
    stop_reason="end",
)
PLAN = Plan("Run", "starter", (Contestant("A", "Be brief."),), (Question("q", "Hi?"),))
PLACE = Place(0, 0, 0)


@pytest.fixture
def stores():
    opened = open_stores(None)
    yield opened
    opened.close()


def answered(stores: Stores, how: Provenance = HOW) -> tuple[int, int]:
    """Ids of a chat and of the answer in it."""
    chat = stores.chats.create("starter")
    _, reply = stores.chats.add_turn(chat.id, None, "Hi?")
    stores.chats.finish(reply.id, MessageState.DONE, "Hello.", (1, 2), how)
    return chat.id, reply.id


def ran(stores: Stores) -> int:
    """Id of a run with one answer."""
    run = stores.runs.create(PLAN)
    stores.runs.save(run.id, [Cell(PLACE, CellState.DONE, "Hello.", HOW)])
    return run.id


def test_all_that_made_an_answer_comes_back_from_chats_and_runs(stores: Stores):
    chat_id, _ = answered(stores)
    assert stores.chats.messages(chat_id)[1].provenance == HOW
    assert stores.runs.cell(ran(stores), PLACE, PLAN).provenance == HOW


def test_sums_that_are_found_later_belong_to_answers_of_before(stores: Stores):
    chat_id, _ = answered(stores)
    other_id, _ = answered(stores, dataclasses.replace(HOW, model_mtime_ns=TIME + 1))
    run_id = ran(stores)
    stores.model_sums.keep(PATH, SIZE, TIME, SUMS)
    told = dataclasses.replace(HOW, model_sha256=SUMS)
    assert stores.chats.messages(chat_id)[1].provenance == told
    assert stores.runs.cell(run_id, PLACE, PLAN).provenance == told
    assert [cell.provenance for cell in stores.runs.whole_cells(run_id, PLAN)] == [told]
    other = stores.chats.messages(other_id)[1].provenance
    assert other is not None
    assert other.model_sha256 == (), "the file had another time"


def test_a_file_that_the_hub_proved_need_not_be_read(stores: Stores):
    model = LocalModel(PATH, "A", SIZE, sha256=SUMS, verified_ms=5)
    stores.model_files.keep(ModelNote(model, TIME))
    assert stores.model_sums.of(PATH, SIZE, TIME) == SUMS
    assert stores.model_sums.of(PATH, SIZE, TIME + 1) == ()
    stores.model_files.keep(ModelNote(dataclasses.replace(model, verified_ms=0), TIME))
    assert stores.model_sums.of(PATH, SIZE, TIME) == (), "nobody has proved it since it was touched"


def test_a_model_is_found_by_its_sums_wherever_it_lies(stores: Stores):
    stores.model_sums.keep("/old/a.gguf", SIZE, TIME, SUMS)
    stores.model_sums.keep("/other.gguf", SIZE, TIME, ("00" * 32,))
    stores.model_files.keep(ModelNote(LocalModel("/new/a.gguf", "A", SIZE, sha256=SUMS, verified_ms=5), TIME))
    assert set(stores.model_sums.places(SUMS)) == {("/old/a.gguf", SIZE, TIME), ("/new/a.gguf", SIZE, TIME)}


def test_what_came_of_making_it_once_more_is_kept_with_the_answer_and_goes_with_it(stores: Stores):
    chat_id, reply_id = answered(stores)
    run_id = ran(stores)
    differs = Reproduced(1, 3, "Hel☕\0", ("It was computed on a GPU.",))
    for answer in (reply_id, (run_id, PLACE)):
        assert stores.reproductions.of(answer) is None
        stores.reproductions.keep(answer, differs)
        assert stores.reproductions.of(answer) == differs
        stores.reproductions.keep(answer, Reproduced(2))
        assert stores.reproductions.of(answer) == Reproduced(2)
    stores.chats.purge(chat_id)
    stores.runs.forget_cells(run_id, [PLACE])
    assert stores._database.rows("SELECT * FROM reproduction") == []
    stores.reproductions.keep(reply_id, Reproduced(3))
    assert stores.reproductions.of(reply_id) is None, "there is nothing that it could belong to"


def test_what_was_said_of_one_text_is_not_said_of_the_next(stores: Stores):
    _, reply_id = answered(stores)
    run_id = ran(stores)
    for answer in (reply_id, (run_id, PLACE)):
        stores.reproductions.keep(answer, Reproduced(1))
    stores.chats.reopen(reply_id)
    stores.chats.finish(reply_id, MessageState.DONE, "Hello. And more.", (1, 2, 3), HOW)
    stores.runs.save(run_id, [Cell(PLACE, CellState.DONE, "Another.", HOW)])
    assert stores.reproductions.of(reply_id) is None
    assert stores.reproductions.of((run_id, PLACE)) is None


def test_no_word_of_it_stays_in_the_file_when_a_chat_or_a_run_is_deleted_for_good(tmp_path: Path):
    path = tmp_path / "orcinus.db"
    stores = open_stores(path)
    chat_id, reply_id = answered(stores)
    run_id = ran(stores)
    for answer, word in ((reply_id, "walrus"), ((run_id, PLACE), "narwhal")):
        stores.reproductions.keep(answer, Reproduced(1, 2, f"The {word} said", ()))
    stores.chats.purge(chat_id)
    stores.runs.purge(run_id)
    stores.close()
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"walrus" not in left
    assert b"narwhal" not in left


@pytest.mark.parametrize("damaged", [False, True])
def test_a_database_of_before_opens_and_is_salvaged_with_it(tmp_path: Path, damaged: bool):
    path = tmp_path / "orcinus.db"
    shutil.copy(OLD / "v9.db", path)
    if damaged:
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    stores = open_stores(path)
    assert stores.model_sums.of("/models/a.gguf", SIZE, TIME) == SUMS
    assert stores.reproductions.of(2) == Reproduced(1_700_000_000_000)
    of_cell = stores.reproductions.of((1, Place(1, 1, 1)))
    assert of_cell == Reproduced(1_700_000_000_001, 3, "Hel☕", ("It was computed on a GPU.",))
    stores.close()


def test_what_json_made_of_it_is_read_again_and_what_is_damaged_is_left_out():
    plain = json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(HOW, model_sha256=SUMS))))
    assert provenance_from(plain) == dataclasses.replace(HOW, model_sha256=SUMS)
    odd = {**plain, "seed": "seven", "running": [], "model_sha256": "ab", "of a later version": 1, "system_prompt": 5}
    assert provenance_from(odd) == dataclasses.replace(HOW, seed=0, running={}, system_prompt="")
