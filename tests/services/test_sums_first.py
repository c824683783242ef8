"""What is exported tells the SHA-256 of the models that made it, also right after they answered."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from test_experiments import PLAN, run

from app.core.chat import Provenance
from app.paths import find_paths
from app.services.experiments import RunFile
from tests.services.conftest import Services

STARTER = find_paths().resources_dir / "starter" / "starter.gguf"
LARGE = 24 << 20


def large(tmp_path: Path) -> Provenance:
    """What a model made that takes its time to be read."""
    path = tmp_path / "large.gguf"
    with path.open("wb") as file:
        file.truncate(LARGE)
    return Provenance(model_path=str(path), model_size_bytes=LARGE, model_mtime_ns=path.stat().st_mtime_ns)


def digest(path: Path) -> tuple[str, ...]:
    return (hashlib.sha256(path.read_bytes()).hexdigest(),)


def answered(services: Services, path: Path) -> int:
    chat = services.chat(str(path))
    services.say(chat, "Hello")
    return chat.chat.id


def test_a_chat_that_was_answered_just_now_is_exported_with_its_models_sum(build, tmp_path: Path):
    services = build()
    shutil.copy(STARTER, tmp_path / "mine.gguf")
    chat_id = answered(services, tmp_path / "mine.gguf")
    written: list[str] = []
    services.library.exported.connect(written.append)
    for name in ("chat.md", "chat.json"):
        services.library.export_chat(chat_id, str(tmp_path / name))
    services.wait(lambda: len(written) == 2)
    for name in written:
        assert digest(STARTER)[0] in Path(name).read_text("utf-8")


def test_a_run_that_ended_just_now_is_exported_with_its_models_sum(build, tmp_path: Path):
    services = build()
    run_id = run(services, PLAN).run.run_id
    written: list[str] = []
    services.experiments.exported.connect(written.append)
    for kind in (RunFile.ANSWERS_JSONL, RunFile.ANSWERS_CSV, RunFile.REPORT):
        services.experiments.export(run_id, kind, str(tmp_path / kind))
    services.wait(lambda: len(written) == 3)
    lines = [json.loads(line) for line in (tmp_path / RunFile.ANSWERS_JSONL).read_text("utf-8").splitlines()]
    assert {tuple(line["provenance"]["model_sha256"]) for line in lines} == {digest(STARTER)}
    assert {line["provenance"]["model_path"] for line in lines} == {STARTER.name}
    for name in written:
        text = Path(name).read_text("utf-8")
        assert digest(STARTER)[0] in text
        assert str(STARTER.parent) not in text


def test_a_table_that_tells_of_no_model_waits_for_none(build, tmp_path: Path, slowly):
    services = build()
    run_id = run(services, PLAN).run.run_id
    written: list[str] = []
    services.experiments.exported.connect(written.append)
    for kind in (RunFile.ANSWERS_CSV, RunFile.CHECKS_CSV):
        services.experiments.export(run_id, kind, str(tmp_path / kind))
    services.wait(lambda: any(notice.actions for notice in services.notices) and bool(written))
    assert [Path(one).name for one in written] == [RunFile.CHECKS_CSV]
    (waiting,) = [notice for notice in services.notices if notice.actions]
    waiting.actions[0][1]()
    services.wait(lambda: len(written) == 2)


def test_a_model_that_is_another_by_now_keeps_no_export_waiting(build, tmp_path: Path):
    services = build()
    shutil.copy(STARTER, tmp_path / "mine.gguf")
    chat_id = answered(services, tmp_path / "mine.gguf")
    os.utime(tmp_path / "mine.gguf", ns=(1, 1))
    written: list[str] = []
    services.library.exported.connect(written.append)
    services.library.export_chat(chat_id, str(tmp_path / "chat.md"))
    services.wait(lambda: bool(written))
    assert "SHA-256" not in (tmp_path / "chat.md").read_text("utf-8")


@pytest.fixture
def slowly(monkeypatch):
    """Files are read so slowly that an export waits as long as the test does."""
    monkeypatch.setattr("app.services.sums_first._PATIENCE_MS", 10)
    monkeypatch.setattr("app.services.model_sums._SHARE", 0.0001)
    monkeypatch.setattr("app.services.model_sums.ModelSums.want", _in_no_hurry(monkeypatch))


def _in_no_hurry(monkeypatch):
    from app.services.model_sums import ModelSums

    want = ModelSums.want
    return lambda self, how, **_more: want(self, how, soon=False)


def test_whoever_waits_long_is_told_why_and_need_not_wait(build, tmp_path: Path, slowly):
    services = build()
    how, gone_on = large(tmp_path), []
    services.library.origins.sums_first([how], lambda fill: gone_on.append(fill(how)), services.notices.append)
    services.wait(lambda: bool(services.notices))
    assert gone_on == []
    (notice,) = services.notices
    assert "SHA-256" in notice.detail
    ((words, without),) = notice.actions
    assert words == "Write it without"
    without()
    assert gone_on == [how]
    without()
    assert gone_on == [how], "it is written once"


def test_the_sums_come_to_whoever_waits_on_any_thread(build, tmp_path: Path):
    services = build()
    how, fills = large(tmp_path), []
    services.library.origins.sums_first([how], fills.append)
    services.wait(lambda: bool(fills))
    found = services.ask(lambda stores: fills[0](how))
    assert found.model_sha256 == digest(tmp_path / "large.gguf")
    services.library.origins.sums_first([how], fills.append)
    assert len(fills) == 2, "what is known is not waited for"


def test_a_model_that_is_about_to_be_deleted_keeps_nobody_waiting(build, tmp_path: Path, slowly):
    services = build()
    how, gone_on = large(tmp_path), []
    services.library.origins.sums_first([how], lambda fill: gone_on.append(fill(how)))
    services.wait(lambda: bool(services.library.origins._sums._tickets))
    services.library.origins.let_go(how.model_path)
    services.wait(lambda: bool(gone_on))
    assert gone_on == [how]


def test_a_chat_whose_export_waits_is_written_when_the_program_ends(build, tmp_path: Path, slowly):
    services = build()
    shutil.copy(STARTER, tmp_path / "mine.gguf")
    chat_id = answered(services, tmp_path / "mine.gguf")
    services.library.export_chat(chat_id, str(tmp_path / "chat.md"))
    services.wait(lambda: bool(services.library.origins._sums_first._waiting))
    build.close(services)
    assert "Hello" in (tmp_path / "chat.md").read_text("utf-8")


def test_a_run_whose_export_waits_is_written_when_the_program_ends(build, tmp_path: Path, slowly):
    services = build()
    run_id = run(services, PLAN).run.run_id
    services.experiments.export(run_id, RunFile.REPORT, str(tmp_path / "report.html"))
    services.wait(lambda: bool(services.library.origins._sums_first._waiting))
    build.close(services)
    assert "</html>" in (tmp_path / "report.html").read_text("utf-8")
