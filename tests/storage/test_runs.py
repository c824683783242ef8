"""What an experiment has found out is kept: every answer, who made it how, and every vote."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from app.core.chat import Provenance
from app.core.errors import StorageError
from app.core.judging import Duel, Judgement
from app.core.lab import Cell, CellState, Check, Contestant, Judge, Place, Plan, Question, Rater, Threshold, Vote
from app.storage.opening import open_database
from app.storage.runs import RunState, RunStore
from app.storage.stores import Stores, open_stores

PLAN = Plan(
    "Replies ☕",
    "starter",
    (
        Contestant("Terse", "Be brief.", overrides={"temperature": 0.1, "top_k": None, "stop": ("###", "x\ny")}),
        Contestant("Kind", 'Be "kind".\n\\ <|im_end|>', version="ab" * 32, model_id="/models/a.gguf"),
    ),
    (
        Question("q1", "Where is it?", reference="Here.", tags=("refund", "late")),
        Question("q2", "When?", system_prompt="You are a clock.", checks=(Check("contains", {"texts": ["noon"]}),)),
    ),
    seeds=(1, 7),
    overrides={"max_tokens": 32},
    checks=(Check("length", {"high": 20}, "short enough"),),
    judge=Judge("starter", "Judge.", {"temperature": 0.0}),
    thresholds=(Threshold("checks", 0.5, "Terse"), Threshold("wins", 0.1)),
)
HOW = Provenance(
    model_name="Starter",
    model_path="/m/starter.gguf",
    system_prompt="Be brief.",
    template="ChatML",
    sampling={"temperature": 0.1, "stop": ("x",), "seed": 1},
    seed=1,
    prompt_tokens=20,
    ttft_ms=3.5,
    stop_reason="end",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orcinus.db"


@pytest.fixture
def stores(path: Path):
    opened = open_stores(path)
    yield opened
    opened.close()


def done(contestant: int, question: int, seed: int = 0, text: str = "Hello.", how: Provenance | None = HOW) -> Cell:
    return Cell(Place(contestant, question, seed), CellState.DONE, text, how)


def test_a_run_comes_back_with_its_plan_its_answers_and_how_they_were_made(stores: Stores, path: Path):
    run = stores.runs.create(PLAN)
    failed = Cell(Place(1, 1, 1), CellState.FAILED, "", dataclasses.replace(HOW, system_prompt="x"), "Too long.")
    stores.runs.save(run.id, [done(0, 0), done(0, 1, 1, "Ünïcode\0")])
    stores.runs.save(run.id, [failed])
    again = Stores(open_database(path))
    assert again.runs.plan(run.id) == PLAN
    assert [(cell.place, cell.state, cell.text, cell.error) for cell in again.runs.cells(run.id)] == [
        (Place(0, 0, 0), CellState.DONE, "Hello.", ""),
        (Place(0, 1, 1), CellState.DONE, "Ünïcode", ""),
        (Place(1, 1, 1), CellState.FAILED, "", "Too long."),
    ]
    assert again.runs.cell(run.id, Place(0, 0, 0), PLAN) == done(0, 0)
    places = [cell.place for cell in again.runs.cells(run.id)]
    assert again.runs.whole_cells(run.id, PLAN) == [again.runs.cell(run.id, place, PLAN) for place in places]
    whole = again.runs.cell(run.id, Place(1, 1, 1), PLAN).provenance
    assert whole is not None
    assert whole.system_prompt == 'Be "kind".\n\\ <|im_end|>\n\nYou are a clock.', "it is the plan's, not kept twice"
    assert again.runs.cell(run.id, Place(1, 0, 0), PLAN) == Cell(Place(1, 0, 0))
    row = again.runs.rows()[0]
    assert (row.name, row.state, row.cells, row.ended, row.votes) == ("Replies ☕", RunState.DRAFT, 8, 3, 0)
    again.close()


def test_what_many_answers_share_is_kept_once(stores: Stores):
    run = stores.runs.create(PLAN)
    stores.runs.save(run.id, [done(0, 0), done(0, 1)])
    stores.runs.save(run.id, [done(1, 0)])
    assert stores._database.row("SELECT count(*) FROM made_by") == (1,)


def test_a_cell_that_has_not_ended_is_refused(stores: Stores):
    run = stores.runs.create(PLAN)
    with pytest.raises(ValueError, match="running"):
        stores.runs.save(run.id, [Cell(Place(0, 0, 0), CellState.RUNNING)])
    assert stores.runs.cells(run.id) == []


def test_what_the_judge_says_is_kept_also_where_it_is_no_verdict(stores: Stores):
    run = stores.runs.create(PLAN)
    said = [
        Judgement(Duel(0, 0, 0, 1), 1.0, "A is better.\nA", at_ms=5),
        Judgement(Duel(0, 0, 1, 0), None, "I like both very much", at_ms=6),
        Judgement(Duel(1, 0, 0, 1), 0.5, "tie", at_ms=7),
    ]
    stores.runs.save(run.id, [], said)
    stores.runs.save(run.id, [], said[:1])
    assert sorted(stores.runs.judgements(run.id), key=lambda one: one.duel) == said
    mine = Vote(Rater.PERSON, 1, 1, 0, 1, 0.0, "too long", 9)
    vote_id = stores.runs.add_vote(run.id, mine)
    assert mine in stores.runs.votes(run.id)
    assert len(stores.runs.votes(run.id)) == 3
    assert stores.runs.row(run.id).votes == 3
    stores.runs.remove_vote(vote_id)
    assert mine not in stores.runs.votes(run.id)


def test_what_made_a_verdict_is_kept_with_it_and_gone_with_it(stores: Stores):
    run = stores.runs.create(PLAN)
    pair, other = Duel(0, 0, 0, 1), Duel(1, 0, 0, 1)
    made = Provenance(
        "Judge", "/m/j.gguf", "Q8_0", 9, 3, running={"devices": ("CPU",)}, system_prompt="Judge.", template="ChatML",
        sampling={"temperature": 0.0, "stop": ()}, seed=7, prompt_tokens=80, completion_tokens=5, tokens_per_s=2.5,
        stop_reason="end", made_ms=5,
    )  # fmt: skip
    refused = dataclasses.replace(made, completion_tokens=0, error="Too long.", stop_reason="")
    said = [
        Judgement(pair, 1.0, "A", at_ms=5, provenance=made),
        Judgement(other, None, error="Too long.", at_ms=6, provenance=refused),
        Judgement(Duel(1, 0, 1, 0), 0.5, "the same", at_ms=7),
    ]
    stores.runs.save(run.id, [done(0, 0), done(1, 0)], said)
    assert stores.runs.judged_by(run.id, PLAN) == {pair: made, other: refused}
    assert stores.runs.judged_by(run.id, PLAN, pair) == {pair: made}
    assert [one.provenance for one in stores.runs.judgements(run.id)] == [None] * 3, "a list does without"
    stores.model_sums.keep("/m/j.gguf", 9, 3, ("ab" * 32,))
    assert stores.runs.judged_by(run.id, PLAN, pair)[pair].model_sha256 == ("ab" * 32,)
    again = dataclasses.replace(made, seed=8)
    stores.runs.save(run.id, [], [Judgement(pair, 0.0, "B", at_ms=9, provenance=again)])
    assert stores.runs.judged_by(run.id, PLAN, pair)[pair].seed == 8
    stores.runs.forget_judge_errors(run.id)
    assert list(stores.runs.judged_by(run.id, PLAN)) == [pair]
    stores.runs.forget_cells(run.id, [Place(0, 0, 0)])
    assert stores.runs.judged_by(run.id, PLAN) == {}


def test_an_answer_that_is_asked_for_again_loses_what_was_judged_of_it(stores: Stores):
    run = stores.runs.create(PLAN)
    verdicts = [Judgement(Duel(0, 0, 0, 1), 1.0), Judgement(Duel(1, 0, 1, 0), 0.0)]
    stores.runs.save(run.id, [done(0, 0), done(1, 0), done(1, 1)], verdicts)
    stores.runs.forget_cells(run.id, [Place(1, 0, 0)])
    assert [cell.place for cell in stores.runs.cells(run.id)] == [Place(0, 0, 0), Place(1, 1, 0)]
    assert [one.duel for one in stores.runs.judgements(run.id)] == [Duel(1, 0, 1, 0)]


def test_a_plan_can_be_changed_until_there_is_an_answer(stores: Stores):
    run = stores.runs.create(PLAN)
    changed = dataclasses.replace(PLAN, name="Other", seeds=(1,))
    stores.runs.set_plan(run.id, changed)
    assert stores.runs.plan(run.id) == changed
    assert (stores.runs.row(run.id).name, stores.runs.row(run.id).cells) == ("Other", 4)
    stores.runs.save(run.id, [done(0, 0)])
    with pytest.raises(StorageError, match="has begun"):
        stores.runs.set_plan(run.id, PLAN)
    assert stores.runs.plan(run.id) == changed


def test_a_draft_may_be_unfinished_and_a_run_may_not(stores: Stores):
    half = dataclasses.replace(PLAN, contestants=(), thresholds=())
    run = stores.runs.create(half)
    assert stores.runs.plan(run.id) == half
    assert stores.runs.row(run.id).cells == 0
    stores.runs.set_state(run.id, RunState.PAUSED)
    with pytest.raises(StorageError, match="damaged"):
        stores.runs.plan(run.id)


def test_a_run_that_was_at_work_when_the_app_ended_waits_to_go_on(stores: Stores, path: Path):
    run = stores.runs.create(PLAN)
    stores.runs.set_state(run.id, RunState.RUNNING)
    stores.close()
    again = open_stores(path)
    assert again.runs.row(run.id).state is RunState.PAUSED
    again.close()


def test_a_deleted_run_is_gone_from_the_file_and_from_its_copies(stores: Stores, path: Path):
    run, other = stores.runs.create(PLAN), stores.runs.create(PLAN)
    stores.runs.save(run.id, [done(0, 0, text="a secret whale")])
    stores.runs.save(other.id, [done(0, 0, text="stays")])
    assert stores._backups is not None
    stores._backups.make(stores._database.connection)
    stores.runs.trash(run.id)
    assert [row.id for row in stores.runs.rows()] == [other.id]
    assert [row.id for row in stores.runs.rows(trashed=True)] == [run.id]
    stores.runs.restore(run.id)
    stores.runs.purge(run.id)
    with pytest.raises(StorageError, match="gone"):
        stores.runs.row(run.id)
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert len(files) > 1
    assert not any(b"a secret whale" in file.read_bytes() for file in files)
    assert [cell.text for cell in stores.runs.cells(other.id)] == ["stays"]


def test_runs_leave_the_trash_after_a_month(path: Path):
    database = open_database(path)
    now = [1_000_000]
    runs = RunStore(database, clock=lambda: now[0])
    old = runs.create(PLAN)
    runs.trash(old.id)
    now[0] += 29 * 86_400_000
    runs.purge_old()
    assert len(runs.rows(trashed=True)) == 1
    now[0] += 2 * 86_400_000
    runs.purge_old()
    assert runs.rows(trashed=True) == []
    database.close()


def test_runs_are_salvaged_from_a_damaged_file(path: Path):
    shutil.copy(Path(__file__).parent.parent / "data" / "old_databases" / "v4.db", path)
    raw = bytearray(path.read_bytes())
    raw[:100] = b"\0" * 100
    path.write_bytes(raw)
    stores = open_stores(path)
    assert "damaged" in stores.remembered().notices[0]
    (run,) = stores.runs.rows()
    assert stores.runs.plan(run.id) == PLAN
    assert [cell.text for cell in stores.runs.cells(run.id)] == ["Hello.", "It is noon."]
    assert stores.runs.cell(run.id, Place(0, 0, 0), PLAN).provenance == HOW
    assert [(vote.rater, vote.outcome) for vote in stores.runs.votes(run.id)] == [(Rater.JUDGE, 0.5), (Rater.PERSON, 1)]
    stores.close()
