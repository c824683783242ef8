"""A run that is shared by two processes of one model: to who asks they are one engine that is quicker."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import EngineDiedError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import host, memory
from app.engine.base import Done, Request, StopReason, Tagged, Turn, Wish
from app.engine.engine_process import HostProcess
from app.engine.host import HostedEngine
from app.engine.llama import load as load_here
from app.engine.loader import Loader
from app.engine.records import Records
from app.services.engine_room import EngineRoom, ModelSpec
from app.services.side_by_side import Answered, Begun, PutBack, SideBySide, Task

HOST = (sys.executable, "-m", "tests.engine.scripted_host")
HOT = Sampling(temperature=1.2, top_k=None, top_p=None, max_tokens=8)
PLENTY = 20_000
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch) -> None:
    monkeypatch.setattr(memory, "physical_cores", lambda: 2)


class Shared:
    """An engine, its processes in the order of their starts, and which of them was given which request."""

    def __init__(self, path: str, loading: Loading = Loading(), start: tuple[str, ...] = HOST) -> None:  # noqa: B008
        self.processes: list[HostProcess] = []
        engine = host.load(path, loading, StopFlag(), start=start, on_start=self.processes.append)
        assert engine is not None
        self.engine: HostedEngine = engine
        self.given: dict[int, int] = {}
        self.deaths: list[EngineDiedError] = []
        self.enough = False
        engine.on_death = self.deaths.append

    def wishes(self, most: int = PLENTY, of_second: int = 20, at_most: int = 8) -> Iterator[Wish]:
        """So many requests for at most so many tokens, or until the second process has had that many."""
        for number in range(most):
            if self.enough or sum(self.given.values()) >= of_second:
                return
            prompt = self.engine.render([Turn(Role.USER, f"Tell me of number {number}.")])
            self.given[number] = self.processes.index(self.engine._sharing.asking)
            yield Request(prompt.tokens, replace(HOT, seed=number, max_tokens=at_most)), StopFlag()

    def run(self, wishes: Iterator[Wish], **more: Any) -> list[Tagged]:
        values = {"width": 16, "from_scratch": True, "stop": StopFlag(), **more}
        return list(self.engine.stream_many(wishes, **values))


def texts(told: list[Tagged]) -> dict[int, tuple[int, ...]]:
    """The ids of each answer."""
    return {one.index: one.event.token_ids for one in told if isinstance(one.event, Done)}


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., Shared]]:
    """A scripted engine; `otherwise` says what the first and the second process do of their own."""
    made: list[Shared] = []

    def make(*otherwise: dict[str, Any], loading: Loading = Loading(), **orders: Any) -> Shared:  # noqa: B008
        loads = str(tmp_path / f"loads {len(made)}")
        told = {"threads": 1, "load_steps": 1, **orders, "loads": loads, "otherwise": otherwise}
        made.append(Shared(json.dumps(told), loading))
        return made[-1]

    yield make
    for one in made:
        one.engine.close()
        assert not any(process.is_alive for process in one.processes)


def test_answers_are_those_of_one_at_a_time_whichever_process_gives_them(starter):
    shared = Shared(str(starter), Loading(context_tokens=1024), ())
    told = shared.run(shared.wishes())
    found = texts(told)
    assert sorted(found) == sorted(shared.given), "each was answered, and nobody else"
    assert len(shared.processes) == 2
    assert not shared.processes[1].is_alive, "the second is there for the run alone"
    assert shared.engine.is_alive
    by_second = [number for number, process in shared.given.items() if process == 1]
    assert len(by_second) >= 20
    wanted = {*by_second[:12], *list(shared.given)[:4]}
    asked = [wish for number, wish in enumerate(shared.wishes(max(wanted) + 1, PLENTY)) if number in wanted]
    alone = shared.run(iter(asked), width=1)
    assert [ids for _, ids in sorted(texts(alone).items())] == [found[number] for number in sorted(wanted)]
    shared.engine.close()


@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_the_death_of_either_is_the_death_of_both_and_told_once(scripted, caplog, which):
    shared = scripted(*([{}] * which), {"at_of_many": 30 if which else 4000, "how": "SIGABRT"})
    with pytest.raises(EngineDiedError, match="stopped unexpectedly"):
        shared.run(shared.wishes(of_second=PLENTY))
    assert len(shared.deaths) == 1
    assert len(shared.processes) == 2
    assert not shared.engine.is_alive
    assert not any(process.is_alive for process in shared.processes)
    assert caplog.text.count("The engine's process ended with") == 1
    caplog.clear()


@pytest.mark.parametrize(
    "otherwise",
    [
        {"at": "load", "how": "SIGABRT"},
        {"room_for": -1},
        {"notices": ["The context is 512 tokens: for more there is too little memory."]},
    ],
    ids=["died", "refused", "not just the same"],
)
def test_where_the_second_cannot_help_the_first_does_all(scripted, caplog, otherwise):
    shared = scripted({}, otherwise)
    told = []
    for one in shared.engine.stream_many(shared.wishes(), StopFlag(), 16, from_scratch=True):
        told.append(one)
        if len(shared.processes) == 2 and not shared.processes[1].is_alive:
            shared.enough = True
    assert sorted(texts(told)) == sorted(shared.given)
    assert set(shared.given.values()) == {0}
    assert len(shared.processes) == 2
    assert shared.engine.is_alive
    assert not shared.deaths
    caplog.clear()


def test_a_second_that_cannot_be_started_is_done_without(scripted, monkeypatch, caplog):
    shared = scripted()

    def refused() -> HostProcess:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(shared.engine._sharing, "_start", refused)
    assert len(texts(shared.run(shared.wishes(40)))) == 40
    assert "temporarily unavailable" in caplog.text


def test_a_run_stays_with_one_process_unless_a_second_is_worth_it(scripted, monkeypatch):
    many = 40
    shared = scripted()
    for more in ({"width": 8}, {"from_scratch": False}):
        shared.run(shared.wishes(many), **more)
    shared.run(shared.wishes(16))
    with monkeypatch.context() as patch:
        patch.setattr(memory, "physical_cores", lambda: 1)
        shared.run(shared.wishes(many))
    with monkeypatch.context() as patch:
        patch.setattr(memory, "free_bytes", lambda: -1)
        shared.run(shared.wishes(many))
    assert len(shared.processes) == 1
    wished, two, on_a_gpu = scripted(loading=Loading(threads=1)), scripted(threads=2), scripted(gpu_layers=4)
    for one in (wished, two, on_a_gpu):
        assert len(texts(one.run(one.wishes(many)))) == many
        assert len(one.processes) == 1


def test_a_stop_ends_what_both_are_at(scripted):
    shared, stop, far = scripted(), StopFlag(), 800
    told, said = [], Counter()
    for one in shared.engine.stream_many(shared.wishes(of_second=PLENTY, at_most=far), stop, 16, from_scratch=True):
        told.append(one)
        said[one.index] += 1
        if isinstance(one.event, Done):
            del said[one.index]
        # far from their ends, which must not come before the stop does
        if {shared.given[index] for index, count in said.items() if count <= far / 2} == {0, 1}:
            stop.set()
    assert sorted(texts(told)) == sorted(shared.given)
    stopped = [one.index for one in told if isinstance(one.event, Done) and one.event.reason is StopReason.STOPPED]
    assert {shared.given[index] for index in stopped} == {0, 1}
    assert shared.engine.is_alive
    assert not shared.processes[1].is_alive


def test_one_answer_is_stopped_alone_whichever_process_writes_it(scripted):
    shared, flags = scripted(), {}

    stopped: dict[int, int] = {}

    def noted() -> Iterator[Wish]:
        for request, flag in shared.wishes(of_second=PLENTY):
            flags[len(flags)] = flag
            yield request, flag

    told = []
    for one in shared.engine.stream_many(noted(), StopFlag(), 16, from_scratch=True):
        told.append(one)
        process = shared.given[one.index]
        if process not in stopped and any(shared.given.values()) and not isinstance(one.event, Done):
            stopped[process] = one.index
            flags[one.index].set()
            shared.enough = len(stopped) == 2
    ended = {one.index: one.event.reason for one in told if isinstance(one.event, Done)}
    assert sorted(stopped) == [0, 1]
    assert {index for index, reason in ended.items() if reason is StopReason.STOPPED} <= set(stopped.values())
    assert len(ended) == len(shared.given)


def test_a_run_that_is_left_in_the_middle_leaves_an_engine_that_goes_on(scripted):
    shared = scripted()
    run = shared.engine.stream_many(shared.wishes(of_second=PLENTY), StopFlag(), 16, from_scratch=True)
    next(one for one in run if sum(shared.given.values()) >= 20)
    run.close()
    assert [process.is_alive for process in shared.processes] == [True, False]
    shared.given.clear()
    assert len(texts(shared.run(shared.wishes(5)))) == 5


def test_the_window_comes_before_the_second_process(scripted):
    shared = scripted()
    run = shared.engine.stream_many(shared.wishes(), StopFlag(), 16, from_scratch=True)
    next(one for one in run if len(shared.processes) == 2)
    first, second = (os.getpriority(os.PRIO_PROCESS, process.pid) for process in shared.processes)
    assert second > first == os.getpriority(os.PRIO_PROCESS, 0)
    run.close()


def test_a_prompt_is_made_by_the_process_that_waits_for_it(scripted, monkeypatch):
    """The other one is in the middle of its run, which a question would break."""
    shared, value = scripted(), HostProcess.value
    asked: list[HostProcess] = []

    def noted(process: HostProcess, kind: str, *values: Any, **more: Any) -> Any:
        asked.append(process)
        return value(process, kind, *values, **more)

    monkeypatch.setattr(HostProcess, "value", noted)
    shared.run(shared.wishes())
    assert [shared.processes.index(one) for one in asked] == list(shared.given.values())


@pytest.mark.parametrize("how", ["SIGABRT", "SIGKILL"])
def test_in_a_run_of_tasks_a_death_of_the_second_costs_nobody_an_answer(tmp_path, caplog, how):
    """As an experiment does it: those in the works are asked for again, the file is blamed once."""
    at_its_end = str(tmp_path / "the second is at its end")
    orders = {
        "threads": 1,
        "load_steps": 1,
        "loads": str(tmp_path / "loads"),
        "otherwise": [
            {"at_of_many": 200, "how": "wait", "until": at_its_end},
            {"at_of_many": 60, "how": how, "leaves": at_its_end},
        ],
    }
    path, many = tmp_path / "a.gguf", 200
    path.write_text(json.dumps(orders))
    records = Records(tmp_path / "trials.json", "this one")
    loader, deaths = Loader(load_here, HOST, records, trusted=(str(path),)), []
    died = loader._died
    loader._died = lambda record, wished, error: (deaths.append(error), died(record, wished, error))
    room = EngineRoom(loader)
    tasks = [Task((Turn(Role.USER, f"Number {number}"),), HOT) for number in range(many)]
    run = SideBySide(room, ModelSpec("a", str(path), Loading()), tasks, StopFlag())
    answered: list[int] = []
    begun: set[int] = set()
    for told in run.run(StopFlag()):
        if isinstance(told, Begun):
            begun.add(told.index)
        elif isinstance(told, PutBack):
            begun.discard(told.index)
        elif isinstance(told, Answered):
            assert told.index in begun
            assert told.at_once in (1, 16)
            answered.append(told.index)
    assert sorted(answered) == list(range(many))
    assert len(deaths) == 1
    assert records.of(str(path)).deaths == 0, "it has answered since"
    room.empty()
    assert caplog.text.count("The engine's process ended with") == 1
    caplog.clear()


def test_closing_the_program_ends_both(tmp_path, caplog):
    orders = {"threads": 1, "load_steps": 1, "loads": str(tmp_path / "loads"), "otherwise": []}
    path = tmp_path / "a.gguf"
    path.write_text(json.dumps(orders))
    loader = Loader(load_here, HOST, Records(tmp_path / "trials.json", "this one"), trusted=(str(path),))
    engine = loader(str(path), Loading(), StopFlag())
    assert isinstance(engine, HostedEngine)
    processes: set[HostProcess] = set()

    def wishes() -> Iterator[Wish]:
        for number in range(PLENTY):
            processes.add(engine._sharing.asking)
            yield Request((1, 2, number % 50 + 16), HOT), StopFlag()

    run = engine.stream_many(wishes(), StopFlag(), 16, from_scratch=True)
    next(one for one in run if len(processes) == 2)
    loader.end_now()
    with pytest.raises(EngineDiedError) as caught:
        list(run)
    assert caught.value.by_us
    assert len(processes) == 2
    assert not any(process.is_alive for process in processes)
    assert "The engine's process ended with" not in caplog.text
