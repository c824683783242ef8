"""All experiments: listed, opened, gone on with, looked through, compared, exported, deleted and brought back."""

from __future__ import annotations

import csv
import dataclasses
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.lab import Cell, CellState, Check, Contestant, Judge, Place, Plan, Question
from app.core.plan_file import filled, read_plan
from app.core.prompt_variables import resolve
from app.datasets.questions import Wanted
from app.engine.scripted import Script
from app.services.experiments import OpenRun, RunFile, RunState

QUESTIONS = tuple(Question(str(at), f"Question {at}") for at in range(1, 6))
PLAN = Plan(
    "Two prompts",
    "starter",
    (Contestant("Terse", "Be brief."), Contestant("Kind", "Be kind.")),
    QUESTIONS,
    overrides={"max_tokens": 30},
    checks=(Check("contains", {"texts": ["one"]}), Check("length", {"unit": "tokens", "high": 20})),
)
SCRIPT = Script(replies=("one two", "three four"))


def made(services: Any, plan: Plan = PLAN) -> int:
    rows: list[Any] = []
    services.experiments.create(plan, rows.append)
    services.wait(lambda: bool(rows))
    return rows[0].id


def opened(services: Any, run_id: int) -> OpenRun:
    found: list[OpenRun] = []
    services.experiments.open(run_id, found.append)
    services.wait(lambda: bool(found))
    return found[0]


def run(services: Any, plan: Plan = PLAN) -> OpenRun:
    """Made, opened, and run to its end."""
    held = opened(services, made(services, plan))
    held.run.start()
    services.wait(lambda: not held.run.busy and not held.findings.busy)
    return held


def results(services: Any, run_id: int) -> Any:
    found: list[Any] = []
    services.experiments.read_results(run_id, found.append)
    services.wait(lambda: bool(found))
    return found[0]


def test_a_run_is_listed_opened_and_looked_through_while_it_grows(build):
    services = build(SCRIPT)
    told: list[int] = []
    services.experiments.progressed.connect(told.append)
    run_id = made(services)
    assert [(row.name, row.state) for row in services.experiments.rows()] == [("Two prompts", RunState.DRAFT)]
    held = opened(services, run_id)
    held.run.start()
    services.wait(lambda: not held.run.busy and not held.findings.busy)
    assert set(told) == {run_id}
    services.wait(lambda: services.experiments.row(run_id).state is RunState.DONE)
    cells = held.run.cells()
    assert len(cells) == 10
    for place, cell in cells.items():
        found = held.findings.of(place)
        assert [one.passed for one in found] == ["one" in cell.text, True]
        assert held.findings.passed(place) is ("one" in cell.text)
    passed = sum("one" in cell.text for cell in cells.values())
    assert sum(held.findings.share(at)[0] for at in (0, 1)) == passed
    assert [held.findings.share(at)[1] for at in (0, 1)] == [5, 5]


def test_a_run_of_an_earlier_day_is_looked_through_with_what_made_its_answers(build):
    services = build(SCRIPT)
    run_id = run(services).run.run_id
    build.close(services)
    services = build(SCRIPT)
    held = opened(services, run_id)
    services.wait(lambda: len([place for place in held.run.cells() if held.findings.of(place)]) == 10)
    assert all(held.findings.of(place)[1].passed for place in held.run.cells()), "tokens were counted by the model"
    whole: list[Cell] = []
    services.experiments.read_cell(held.run, Place(0, 0, 0), whole.append)
    services.wait(lambda: bool(whole))
    assert whole[0].provenance.model_name
    assert opened(services, run_id) is held


def test_of_a_run_that_nobody_looks_at_it_is_told_when_it_is_done(build):
    services = build(SCRIPT)
    held = run(services)
    services.wait(lambda: [notice.title for notice in services.notices] == ["“Two prompts” is done"])
    services.experiments.looked_at = held.run.run_id
    held.run.retry([Place(0, 0, 0)])
    held.run.start()
    services.wait(lambda: not held.run.busy)
    assert len(services.notices) == 1


def test_an_answer_that_is_asked_for_again_is_looked_through_again(build):
    services = build(SCRIPT)
    held = run(services)
    place = Place(0, 0, 0)
    before = held.findings.share(0)
    held.run.retry([place])
    assert held.findings.of(place) is None
    assert held.findings.share(0)[1] == 4
    held.run.start()
    services.wait(lambda: not held.run.busy and not held.findings.busy)
    assert held.findings.share(0)[1] == before[1]


def test_a_draft_can_be_changed_until_it_is_started(build):
    services = build(SCRIPT)
    run_id = made(services)
    first = opened(services, run_id)
    other = Plan("Other", "starter", PLAN.contestants, QUESTIONS[:1])
    done: list[bool] = []
    services.experiments.change(run_id, other, lambda: done.append(True))
    services.wait(lambda: bool(done))
    held = opened(services, run_id)
    assert held is not first
    assert held.run.plan == other
    held.run.start()
    services.wait(lambda: not held.run.busy)
    services.experiments.change(run_id, PLAN, lambda: done.append(True))
    services.wait(lambda: "This experiment has begun" in [notice.title for notice in services.notices])
    assert len(done) == 1


def test_a_name_is_changed_and_travels_with_what_is_exported(build, tmp_path: Path):
    services = build(SCRIPT)
    run_id = run(services).run.run_id
    services.experiments.rename(run_id, "  A better\n name ")
    services.experiments.rename(run_id, " ")
    services.wait(lambda: services.experiments.row(run_id).name == "A better name")
    assert results(services, run_id).plan.name == "A better name"


def test_deleting_stops_a_run_and_can_be_undone(build):
    services = build(Script(replies=("word " * 200,), tokens_per_s=400))
    held = opened(services, made(services))
    held.run.start()
    services.wait(lambda: bool(held.run.cells()))
    services.experiments.delete(held.run.run_id)
    assert services.experiments.rows() == ()
    services.wait(lambda: not held.run.busy)
    notice = services.notices[-1]
    assert notice.title == "“Two prompts” was deleted"
    trashed: list[Any] = []
    services.experiments.trash_listed.connect(trashed.append)
    services.experiments.list_trash()
    services.wait(lambda: bool(trashed))
    assert [row.id for row in trashed[0]] == [held.run.run_id]
    notice.actions[0][1]()
    services.wait(lambda: bool(services.experiments.rows()))
    services.experiments.delete(held.run.run_id)
    services.experiments.purge(held.run.run_id)
    services.wait(lambda: trashed[-1] == ())
    assert services.ask(lambda stores: stores.runs.rows()) == []


def test_results_are_written_as_report_tables_and_json_lines(build, tmp_path: Path):
    services = build(SCRIPT)
    plan = Plan(
        "Two & <three>",
        "starter",
        PLAN.contestants,
        QUESTIONS[:2],
        checks=PLAN.checks,
        judge=Judge("", "Say A, B, tie"),
    )
    run_id = run(services, plan).run.run_id
    written: list[str] = []
    services.experiments.exported.connect(written.append)
    for kind in RunFile:
        services.experiments.export(run_id, kind, str(tmp_path / kind))
    services.wait(lambda: len(written) == len(RunFile))
    report = (tmp_path / RunFile.REPORT).read_text("utf-8")
    assert "Two &amp; &lt;three&gt;" in report
    assert "<svg" in report
    lines = [json.loads(line) for line in (tmp_path / RunFile.ANSWERS_JSONL).read_text("utf-8").splitlines()]
    assert [(one["prompt"], one["question"]) for one in lines] == [
        (name, key) for name in ("Terse", "Kind") for key in ("1", "2")
    ]
    table = list(csv.DictReader((tmp_path / RunFile.ANSWERS_CSV).read_text("utf-8-sig").splitlines()))
    assert [one["answer"] for one in table] == [one["answer"] for one in lines]
    checks = list(csv.DictReader((tmp_path / RunFile.CHECKS_CSV).read_text("utf-8-sig").splitlines()))
    assert len(checks) == 8


def test_a_file_that_cannot_be_written_is_told(build, tmp_path: Path):
    services = build(SCRIPT)
    run_id = run(services).run.run_id
    services.experiments.export(run_id, RunFile.REPORT, str(tmp_path / "no" / "such" / "folder.html"))
    services.wait(lambda: "error" in [notice.level for notice in services.notices])


def test_a_plan_file_is_read_with_its_questions_and_written_whole(build, tmp_path: Path):
    services = build(Script())
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "more.csv").write_text("id,question,response\nq1,What?,That.\n", "utf-8")
    (tmp_path / "plan.toml").write_text(
        'name = "P"\nmodel = "model.gguf"\nquestion_files = ["more.csv"]\n[[prompt]]\nname = "A"\ntext = "Hi"\n',
        "utf-8",
    )
    plans: list[Plan] = []
    services.experiments.read_plan_file(str(tmp_path / "plan.toml"), plans.append)
    services.wait(lambda: bool(plans))
    assert plans[0].model_id == str((tmp_path / "model.gguf").resolve())
    assert plans[0].questions == (Question("q1", "What?", "That."),)
    written: list[str] = []
    services.experiments.exported.connect(written.append)
    services.experiments.write_plan_file(plans[0], str(tmp_path / "again.toml"))
    services.wait(lambda: bool(written))
    services.experiments.read_plan_file(str(tmp_path / "again.toml"), plans.append)
    services.wait(lambda: len(plans) == 2)
    assert plans[1] == plans[0]
    (tmp_path / "plan.toml").write_text('name = "P"\nmodle = "x"\n', "utf-8")
    services.experiments.read_plan_file(str(tmp_path / "plan.toml"), plans.append)
    services.wait(lambda: bool(services.notices))
    assert "modle" in services.notices[-1].title


def test_a_plan_file_means_the_same_on_another_computer_and_another_day(build, tmp_path: Path):
    services = build(Script())
    services.preferences.set_for_model("starter", "top_k", 7)
    elsewhere = str(tmp_path / "secret home" / "other.gguf")
    prompts = (Contestant("a", "Today is {{date}}."), Contestant("b", "", model_id=elsewhere))
    plan = replace(PLAN, contestants=prompts, overrides={})
    services.experiments.write_plan_file(plan, str(tmp_path / "plan.toml"))
    services.wait(lambda: (tmp_path / "plan.toml").exists())
    text = (tmp_path / "plan.toml").read_text("utf-8")
    assert "secret home" not in text
    kept = read_plan(text)
    assert kept.contestants[1].model_id == "other.gguf"
    assert kept.model_values["starter"]["top_k"] == 7
    assert filled(kept, {"starter": "S", "other.gguf": "O"}).contestants[0].system_prompt.startswith("Today is ")
    services.preferences.set_for_model("starter", "top_k", 50)
    plans: list[Plan] = []
    services.experiments.read_plan_file(str(tmp_path / "plan.toml"), plans.append)
    services.wait(lambda: bool(plans))
    assert (plans[0].overrides, plans[0].model_values) == ({"top_k": 7}, {}), "in the form it is a change that is seen"


def test_what_a_started_run_says_is_no_variable_any_more_where_it_is_typed_again(build):
    services = build(SCRIPT)
    written = dataclasses.replace(PLAN, contestants=(Contestant("Odd", r"Say {{x}} and \{{y}}."),))
    run_id = made(services, written)
    plans: list[Plan] = []
    services.experiments.typed_plan(run_id, plans.append)
    services.wait(lambda: bool(plans))
    assert plans[0].contestants == written.contestants, "nothing was filled in yet"
    held = opened(services, run_id)
    held.run.start()
    services.wait(lambda: not held.run.busy and not held.findings.busy)
    services.experiments.typed_plan(run_id, plans.append)
    services.wait(lambda: len(plans) == 2)
    assert resolve(plans[1].contestants[0].system_prompt, {}).text == written.contestants[0].system_prompt


def test_what_is_put_together_is_there_after_a_restart(build):
    services = build(Script())
    half = Plan("Half done", "", (), (Question("1", "What?"),), overrides={"top_k": None})
    services.experiments.keep_draft(half)
    build.close(services)
    services = build(Script())
    found: list[Plan | None] = []
    services.experiments.read_draft(found.append)
    services.wait(lambda: bool(found))
    assert found == [half]
    services.experiments.keep_draft(None)
    services.experiments.read_draft(found.append)
    services.wait(lambda: len(found) == 2)
    assert found[1] is None
    services.ask(lambda stores: stores.state.set("experiment_draft", {"name": 7}))
    services.experiments.read_draft(found.append)
    services.wait(lambda: len(found) == 3)
    assert found[2] is None


def test_question_sets_are_kept_under_their_name_and_deleted_with_undo(build):
    services = build(Script())
    sets = services.experiments.question_sets
    sets.notice.connect(services.notices.append)
    sets.keep("Mine", QUESTIONS)
    services.wait(lambda: bool(sets.sets()))
    sets.keep(" mine ", QUESTIONS[:2])
    services.wait(lambda: sets.sets()[0].count == 2)
    assert len(sets.sets()) == 1
    sets.rename(sets.sets()[0].id, "Yours")
    services.wait(lambda: sets.sets()[0].name == "Yours")
    sets.delete(sets.sets()[0].id)
    services.wait(lambda: sets.sets() == () and bool(services.notices[-1].actions))
    services.notices[-1].actions[0][1]()
    services.wait(lambda: bool(sets.sets()))
    found: list[Any] = []
    sets.questions(sets.sets()[0].id, found.append)
    services.wait(lambda: bool(found))
    assert found[0] == QUESTIONS[:2]


def test_files_of_questions_are_read_outside_the_gui_thread(build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from app.services import question_sets

    services = build(Script())
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "What?", "response": "That."}\n' * 3, "utf-8")
    threads: list[str] = []
    read = question_sets.read_questions

    def watched(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return read(*given)

    monkeypatch.setattr(question_sets, "read_questions", watched)
    found: list[Any] = []
    errors: list[Any] = []
    sets = services.experiments.question_sets
    sets.read_file(str(path), Wanted(limit=2), found.append, errors.append)
    sets.read_file(str(tmp_path / "none.csv"), Wanted(), found.append, errors.append)
    services.wait(lambda: bool(found) and bool(errors))
    assert [one.text for one in found[0].questions] == ["What?", "What?"]
    assert threads[0] != threading.current_thread().name


def test_runs_that_are_not_at_work_are_let_go_of_after_a_while(build):
    services = build(SCRIPT)
    small = Plan("Small", "starter", PLAN.contestants[:1], QUESTIONS[:1])
    ids = [made(services, small) for _ in range(7)]
    for run_id in ids:
        opened(services, run_id)
    assert services.experiments.progress(ids[0]) is None
    assert services.experiments.progress(ids[-1]) is not None
    assert opened(services, ids[0]).run.cell(Place(0, 0, 0)).state is CellState.QUEUED
