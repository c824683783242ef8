"""However a piece of work ends, nothing of it is left running, and Ctrl+C is not lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings

import pytest
from huggingface_hub import get_async_session

from app.hub.event_loop import WorkLoop, wind_up


async def forever(ended: list[str], name: str) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        ended.append(name)


async def strikes(ended: list[str]) -> None:
    """As Ctrl+C does: in the middle of whatever runs at the moment."""
    ended.append("struck")
    raise KeyboardInterrupt


async def work(ended: list[str]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(forever(ended, "first"))
        group.create_task(forever(ended, "second"))
        await asyncio.sleep(0)
        group.create_task(strikes(ended))


@pytest.fixture
def loop():
    return WorkLoop()


def test_everything_that_was_begun_hears_of_the_end(loop):
    ended: list[str] = []
    task = loop.create_task(forever(ended, "the work"))
    loop.call_soon(lambda: loop.create_task(forever(ended, "what it began")))
    loop.run_until_complete(asyncio.sleep(0.01))
    wind_up(loop, task)
    assert sorted(ended) == ["the work", "what it began"]
    assert loop.is_closed()


@pytest.mark.parametrize("made", [work, strikes])
def test_ctrl_c_inside_a_task_goes_on_to_whoever_waits_and_leaves_nothing(loop, caplog, made):
    ended: list[str] = []
    task = loop.create_task(made(ended))
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(0.01))
    try:
        wind_up(loop, task)
    except KeyboardInterrupt:
        assert made is work, "it struck once more, on its way out of the group"
    assert sorted(ended) == (["first", "second", "struck"] if made is work else ["struck"])
    assert loop.is_closed()
    del task
    gc.collect()
    assert caplog.text == ""


def test_ctrl_c_while_all_is_called_off_is_not_lost(loop):
    async def stubborn() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise KeyboardInterrupt

    ended: list[str] = []
    task = loop.create_task(stubborn())
    loop.call_soon(lambda: loop.create_task(forever(ended, "another")))
    loop.run_until_complete(asyncio.sleep(0.01))
    with pytest.raises(KeyboardInterrupt):
        wind_up(loop, task)
    assert ended == ["another"]
    assert loop.is_closed()


def test_what_was_to_stop_an_interrupted_run_does_not_stop_the_end(loop):
    ended: list[str] = []
    task = loop.create_task(forever(ended, "the work"))
    loop.run_until_complete(asyncio.sleep(0.01))
    for _ in range(3):
        loop.call_soon(loop.stop)
    wind_up(loop, task)
    assert ended == ["the work"]
    assert loop.is_closed()


def test_what_did_not_hear_that_it_is_called_off_is_called_off_again(loop):
    """As a connection that stands in the very moment: its task would go on with the download."""
    ended: list[str] = []

    async def deaf() -> None:
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        await forever(ended, "at last")

    task = loop.create_task(deaf())
    loop.run_until_complete(asyncio.sleep(0.01))
    wind_up(loop, task)
    assert ended == ["at last"]
    assert loop.is_closed()


def test_an_error_that_nobody_looked_at_is_not_told_later(loop, caplog):
    async def fails() -> None:
        raise ValueError("nobody waits any more")

    task = loop.create_task(fails())
    loop.run_until_complete(asyncio.sleep(0.01))
    wind_up(loop, task)
    del task
    gc.collect()
    assert caplog.text == ""


@pytest.mark.parametrize("turns", range(16))
def test_no_connection_is_left_open_whenever_its_request_is_called_off(loop, standin, turns):
    """In every turn of the loop, from the request's beginning to its end; in some, the client forgets what it has."""

    async def ask(client) -> None:
        await client.get(standin.url)

    async def called_off() -> None:
        async with get_async_session() as client:
            task = asyncio.create_task(ask(client))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        task = loop.create_task(called_off())
        loop.run_until_complete(task)
        wind_up(loop, task)
        del task
        gc.collect()
    assert [str(one.message) for one in told] == []
