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
