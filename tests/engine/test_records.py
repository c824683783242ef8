"""What is remembered of model files: kept whole or not at all, and worth no more than a new trial when it is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.engine import records as records_module
from app.engine.records import Records, identity


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" * 1000)
    return path


def aside(kept: Path | None, path: Path) -> Records:
    records = Records(kept, "v1")
    record = records.of(str(path))
    record.deaths, record.report = 3, "what happened: äöü"
    records.save()
    return records


def test_what_was_learnt_is_known_after_a_restart(tmp_path, model):
    aside(tmp_path / "kept.json", model)
    again = Records(tmp_path / "kept.json", "v1")
    assert list(again.put_aside) == [str(model)]
    assert again.of(str(model)).report == "what happened: äöü"


def test_nothing_is_written_where_nothing_can_be_kept(tmp_path, model):
    assert aside(None, model).put_aside
    assert os.listdir(tmp_path) == ["model.gguf"]


def test_a_folder_that_cannot_be_written_to_costs_a_warning(tmp_path, model, caplog):
    records = aside(tmp_path / "no such folder" / "kept.json", model)
    assert records.put_aside
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", '{"a": 7}', '{"a": {"path": "x"}}', "\ud800", "[" * 100_000, '{"a": {"deaths": "x"}}'],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path, model, text):
    (tmp_path / "kept.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    records = Records(tmp_path / "kept.json", "v1")
    assert not records.of(str(model)).passed
    aside(tmp_path / "kept.json", model)
    assert Records(tmp_path / "kept.json", "v1").put_aside


def test_one_damaged_record_costs_no_other(tmp_path, model):
    aside(tmp_path / "kept.json", model)
    table = json.loads((tmp_path / "kept.json").read_text())
    (good,) = table.values()
    table |= {"worse": {**good, "deaths": -1}, "odd": {**good, "passed": "yes"}, "more": {**good, "new": 1}}
    (tmp_path / "kept.json").write_text(json.dumps(table))
    assert list(Records(tmp_path / "kept.json", "v1").put_aside) == [str(model)]
    assert len(Records(tmp_path / "kept.json", "v1")._records) == 1


def test_a_file_is_the_same_wherever_it_lies_and_another_once_it_is_changed(tmp_path, model):
    before = identity(str(model))
    moved = model.rename(tmp_path / "moved.gguf")
    assert identity(str(moved)) == before
    os.utime(moved, ns=(1, 1))
    other_time = identity(str(moved))
    moved.write_bytes(b"GGUF" * 1001)
    os.utime(moved, ns=(1, 1))
    assert len({before, other_time, identity(str(moved)), identity(str(model))}) == 4


def test_a_file_that_took_the_place_of_one_put_aside_is_not_put_aside(tmp_path, model):
    records = aside(tmp_path / "kept.json", model)
    model.write_bytes(b"GGUF, another")
    assert not records.of(str(model)).is_put_aside
    assert not records.put_aside


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    assert identity(str(tmp_path / "pipe.gguf"))


def test_a_file_that_is_gone_for_now_stays_put_aside(tmp_path, model):
    records = aside(tmp_path / "kept.json", model)
    model.rename(tmp_path / "elsewhere.gguf")
    records.look_again()
    assert records.put_aside


def test_the_files_used_longest_ago_are_forgotten_first(tmp_path, monkeypatch):
    monkeypatch.setattr(records_module, "_MOST_FILES", 3)
    records = Records(tmp_path / "kept.json", "v1")
    for name in "abcad":
        records.of(name).passed = True
    records.save()
    again = Records(tmp_path / "kept.json", "v1")
    assert [again.of(name).passed for name in "abcd"] == [True, False, True, True]


def test_each_part_of_a_model_in_several_files_belongs_to_what_it_is(tmp_path):
    first, second = (tmp_path / f"m-{part:05}-of-00002.gguf" for part in (1, 2))
    for path in (first, second):
        path.write_bytes(b"GGUF" * 1000)
        os.utime(path, ns=(5, 5))
    before = identity(str(first))
    assert identity(str(first)) == before
    os.utime(second, ns=(3, 3))
    other_time = identity(str(first))
    second.write_bytes(b"GGUF" * 1001)
    os.utime(second, ns=(5, 5))
    assert len({before, other_time, identity(str(first))}) == 3


def test_a_split_model_whose_later_part_was_downloaded_again_is_not_put_aside(tmp_path):
    first, second = (tmp_path / f"m-{part:05}-of-00002.gguf" for part in (1, 2))
    for path in (first, second):
        path.write_bytes(b"GGUF" * 1000)
    records = aside(tmp_path / "kept.json", first)
    second.write_bytes(b"GGUF" * 1001)
    records.look_again()
    assert not records.put_aside


# --- two programs at once -------------------------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path) -> Path:
    path = tmp_path / "other.gguf"
    path.write_bytes(b"GGUF, another")
    return path


def test_what_two_programs_learn_at_the_same_time_is_kept_of_both(tmp_path, model, other):
    kept = tmp_path / "kept.json"
    window, run = Records(kept, "v1"), Records(kept, "v1")
    window.of(str(model)).passed = True
    window.save()
    record = run.of(str(other))
    record.deaths, record.report = 3, "what happened"
    run.save()
    window.of(str(model)).deaths = 1
    window.save()
    again = Records(kept, "v1")
    assert (again.of(str(model)).passed, again.of(str(model)).deaths) == (True, 1)
    assert list(again.put_aside) == [str(other)] == list(window.put_aside)


def test_what_another_program_learnt_of_a_file_holds_here_once_something_is_written(tmp_path, model, other):
    kept = tmp_path / "kept.json"
    window = Records(kept, "v1")
    held = window.of(str(model))
    held.passed = True
    window.save()
    aside(kept, model)
    window.of(str(other)).passed = True
    window.save()
    assert held.is_put_aside, "whoever loads the model holds on to its record"
    assert list(window.put_aside) == [str(model)]


def test_what_is_forgiven_in_one_program_is_not_brought_back_by_another(tmp_path, model, other):
    kept = tmp_path / "kept.json"
    aside(kept, model)
    run = Records(kept, "v1")
    window = Records(kept, "v1")
    window.of(str(other)).passed = True
    window.forget(str(model))
    run.of(str(other)).deaths = 1
    run.save()
    assert not run.put_aside
    assert not Records(kept, "v1").put_aside
    assert Records(kept, "v1").of(str(other)).deaths == 1


def test_what_was_put_aside_elsewhere_meanwhile_can_be_forgiven(tmp_path, model):
    kept = tmp_path / "kept.json"
    window = Records(kept, "v1")
    aside(kept, model)
    window.forget(str(model))
    assert not Records(kept, "v1").put_aside


def test_a_file_of_records_that_is_gone_costs_nothing_that_is_known_here(tmp_path, model, other):
    kept = tmp_path / "kept.json"
    records = aside(kept, model)
    kept.unlink()
    records.of(str(other)).passed = True
    records.save()
    assert list(Records(kept, "v1").put_aside) == [str(model)]


def test_a_record_from_before_a_field_was_added_is_read(tmp_path, model):
    aside(tmp_path / "kept.json", model)
    table = json.loads((tmp_path / "kept.json").read_text())
    for record in table.values():
        del record["no_room"]
    (tmp_path / "kept.json").write_text(json.dumps(table))
    assert Records(tmp_path / "kept.json", "v1").put_aside
