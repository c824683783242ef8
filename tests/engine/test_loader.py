"""What is learnt from an engine's deaths: fewer layers on the GPU, and a file that is put aside."""

from __future__ import annotations

import json
import sys

import pytest

from app.core.errors import EngineDiedError, ModelFileError
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine.base import Request
from app.engine.host import HostedEngine
from app.engine.llama import LlamaEngine
from app.engine.llama import load as load_here
from app.engine.loader import Loader
from tests.engine.test_host import ASK, HOST

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths here are signals")


@pytest.fixture
def loader():
    return Loader(load_here, HOST)


def die(engine, caplog) -> None:
    with pytest.raises(EngineDiedError):
        list(engine.stream(Request(engine.render(ASK).tokens, Sampling()), StopFlag()))
    engine.close()
    caplog.clear()


def open_it(loader, orders, **loading) -> HostedEngine:
    engine = loader(json.dumps(orders), Loading(**loading), StopFlag())
    assert isinstance(engine, HostedEngine)
    return engine


def test_after_a_death_with_a_gpu_half_of_the_layers_go_there_then_none(loader, caplog):
    orders = {"at": 3, "how": "SIGABRT", "gpu_layers": 33}
    first = open_it(loader, orders)
    assert (first.facts.gpu_layers, first.facts.notices) == (33, ())
    die(first, caplog)
    second = open_it(loader, orders)
    assert second.facts.gpu_layers == 16
    assert "16 layers" in second.facts.notices[0]
    die(second, caplog)
    third = open_it(loader, orders)
    assert third.facts.gpu_layers == 0
    assert "without the GPU" in third.facts.notices[0]
    third.close()


def test_a_death_while_loading_leaves_the_gpu_out_the_next_time(loader, caplog):
    orders = {"at": "load", "gpu_layers": 33}
    with pytest.raises(EngineDiedError):
        open_it(loader, orders)
    caplog.clear()
    assert loader._records[(json.dumps(orders), 0, 0)].gpu_layers == 0


def test_fewer_layers_than_asked_for_stay_fewer(loader, caplog):
    orders = {"at": 3, "how": "SIGABRT", "gpu_layers": 33}
    die(open_it(loader, orders), caplog)
    engine = open_it(loader, orders, gpu_layers=4)
    assert engine.facts.gpu_layers == 4
    engine.close()


def test_three_deaths_in_a_row_put_a_file_aside_until_it_is_forgiven(loader, caplog):
    orders = {"at": 3, "how": "SIGSEGV"}
    for _ in range(3):
        die(open_it(loader, orders), caplog)
    with pytest.raises(ModelFileError) as caught:
        open_it(loader, orders)
    assert "three" in caught.value.detail or "3 times" in caught.value.detail
    open_it(loader, {"fine": True}).close()
    loader.forgive(json.dumps(orders))
    open_it(loader, orders).close()


def test_deaths_with_good_replies_between_them_are_not_in_a_row(loader, caplog):
    orders = {"at": 3, "how": "SIGSEGV"}
    for _ in range(2):
        die(open_it(loader, orders), caplog)
    open_it(loader, orders).close()
    die(open_it(loader, orders), caplog)
    open_it(loader, orders).close()


def test_where_no_process_can_be_started_the_engine_runs_here(starter, caplog):
    loader = Loader(load_here, ("/no/such/program",))
    engine = loader(str(starter), Loading(threads=1), StopFlag())
    assert isinstance(engine, LlamaEngine)
    assert "runs in the window's" in caplog.text
    engine.close()
