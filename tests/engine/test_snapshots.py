"""What was read of chats survives a restart, and is believed only when everything fits."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import struct

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Request, Turn
from app.engine.llama import LlamaEngine
from app.engine.snapshots import Snapshots, forget, forget_all_but, size_of
from tests.engine.conftest import loaded
from tests.engine.gguf_writer import tiny_model

LIMIT = 10**9
GREEDY = Sampling(temperature=0, max_tokens=24)
LONG = "Tell me about " + "rivers and stones and lamps and " * 12 + "gardens."


def ask(engine, conversation, turns) -> tuple[str, Done]:
    request = Request(engine.render(turns).tokens, GREEDY, conversation)
    events = list(engine.stream(request, StopFlag()))
    assert isinstance(events[-1], Done)
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


def turns_of(name: str) -> list[Turn]:
    return [
        Turn(Role.SYSTEM, "You are a helpful assistant."),
        Turn(Role.USER, f"My name is {name}."),
        Turn(Role.ASSISTANT, f"Nice to meet you, {name}."),
        Turn(Role.USER, LONG),
        Turn(Role.ASSISTANT, "I am only a tiny starter model, so I cannot answer that. Please load a larger model."),
        Turn(Role.USER, "What is my name?"),
    ]


@pytest.fixture
def start(starter, tmp_path):
    """Starts the engine anew, as after a restart; the one before is closed."""
    engines = []

    def started(**loading):
        if engines:
            engines.pop().close()
        engines.append(loaded(loading.pop("path", starter), **{"context_tokens": 1024, **loading}))
        engines[-1].keep_in(str(tmp_path / "kv"), LIMIT)
        return engines[-1]

    yield started
    for engine in engines:
        engine.close()


def test_after_a_restart_a_chat_goes_on_without_reading_it_again(start):
    text, first = ask(start(), 7, turns_of("Ada"))
    assert (text, first.cached_tokens) == ("Your name is Ada.", 0)
    again, second = ask(start(), 7, turns_of("Ada"))
    assert again == text
    assert second.cached_tokens == second.prompt_tokens - 1
    changed = [*turns_of("Ada")[:-1], Turn(Role.USER, "Thank you")]
    assert ask(start(), 7, changed)[0] == "You are welcome."


def test_replies_from_a_snapshot_are_those_of_a_fresh_context(start, starter):
    fresh = loaded(starter, context_tokens=1024)
    for name in ("Ada", "Zorvik", "Müller"):
        wanted = ask(fresh, 1, turns_of(name))[0]
        assert ask(start(), 3, turns_of(name))[0] == wanted
        assert ask(start(), 3, turns_of(name))[0] == wanted
    fresh.close()


def test_a_chat_that_leaves_the_cache_comes_back_from_disk(start):
    engine = start()
    for conversation in range(1, 7):
        ask(engine, conversation, turns_of("Ada" if conversation == 1 else "Bo"))
    assert 1 not in engine._decoder.cache.conversations
    text, end = ask(engine, 1, turns_of("Ada"))
    assert text == "Your name is Ada."
    assert end.cached_tokens == end.prompt_tokens - 1


def test_an_idle_moment_writes_what_a_death_would_lose(start, tmp_path):
    engine = start()
    ask(engine, 7, turns_of("Ada"))
    assert not (tmp_path / "kv" / "7.kv").exists()
    engine.rest()
    written = (tmp_path / "kv" / "7.kv").stat().st_mtime_ns
    engine.rest()
    assert (tmp_path / "kv" / "7.kv").stat().st_mtime_ns == written, "nothing new, nothing written"


def test_a_chat_without_a_number_is_never_kept(start, tmp_path):
    ask(start(), 0, turns_of("Ada"))
    start()
    assert not (tmp_path / "kv" / "0.kv").exists()


@pytest.mark.parametrize("change", [{"kv_type": "q8_0"}, {"flash_attention": "on"}], ids=["KV type", "flash attention"])
def test_a_snapshot_of_another_way_of_loading_is_not_used(start, change):
    ask(start(), 7, turns_of("Ada"))
    text, end = ask(start(**change), 7, turns_of("Ada"))
    assert (text, end.cached_tokens) == ("Your name is Ada.", 0)


def test_a_snapshot_of_another_model_is_not_used(start, starter, tmp_path):
    ask(start(), 7, turns_of("Ada"))
    other = tmp_path / "other.gguf"
    other.write_bytes(starter.read_bytes())
    assert ask(start(path=other), 7, turns_of("Ada"))[1].cached_tokens == 0


def test_a_smaller_context_takes_what_fits_or_reads_again(start):
    ask(start(), 7, turns_of("Ada"))
    assert ask(start(context_tokens=256), 7, turns_of("Ada"))[0] == "Your name is Ada."


def test_no_damage_goes_unnoticed(start, tmp_path):
    """Every part of the file is changed somewhere: never a wrong answer, never a crash."""
    ask(start(), 7, turns_of("Ada"))
    start()
    path = tmp_path / "kv" / "7.kv"
    good, chance = path.read_bytes(), random.Random(1)
    places = [*range(0, 60, 7), *(chance.randrange(len(good)) for _ in range(25)), len(good) - 1]
    snapshots = start()._decoder._snapshots
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        assert snapshots.load(7) is None, place
    for cut in (0, 5, 40, 500, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:cut])
        assert snapshots.load(7) is None
    path.write_bytes(good + b"x")
    assert snapshots.load(7) is None
    path.write_bytes(good)
    assert snapshots.load(7) is not None
    bad = bytearray(good)
    bad[-100] ^= 1
    path.write_bytes(bad)
    assert ask(start(), 7, turns_of("Ada"))[0] == "Your name is Ada."


def test_the_folder_stays_within_its_limit_and_the_oldest_go_first(tmp_path):
    snapshots = Snapshots(tmp_path, "model", 5_000)
    for number in range(1, 9):
        assert snapshots.save(number, range(10), bytes(1_000))
        os.utime(tmp_path / f"{number}.kv", ns=(number, number))
    assert size_of(tmp_path) <= 5_000
    assert snapshots.load(8) is not None
    assert snapshots.load(1) is None
    assert not snapshots.save(9, range(10), bytes(6_000)), "larger than all that may be kept"
    assert snapshots.load(8) is not None


def test_saving_again_replaces_and_needs_no_room_for_both(tmp_path):
    snapshots = Snapshots(tmp_path, "model", 2_000)
    for content in (b"a", b"b"):
        assert snapshots.save(1, (1, 2), content * 1_500)
    assert snapshots.load(1).state == b"b" * 1_500


def test_a_snapshot_from_before_anything_could_be_moved_is_exact(tmp_path):
    snapshots = Snapshots(tmp_path, "model")
    head = {"identity": "model", "sha256": hashlib.sha256(b"x").hexdigest(), "size": 1, "tokens": [1, 2, 3]}
    raw = json.dumps(head).encode()
    (tmp_path / "1.kv").write_bytes(
        b"ORCNKV1\n" + struct.pack("<I", len(raw)) + hashlib.sha256(raw).digest() + raw + b"x"
    )
    assert snapshots.held(1) == ((1, 2, 3), 3)
    assert snapshots.load(1).exact == 3
    snapshots.save(1, (1, 2, 3), b"x", exact=2)
    assert snapshots.held(1) == ((1, 2, 3), 2)


def test_a_disk_that_refuses_costs_only_the_snapshot(tmp_path, caplog):
    folder = tmp_path / "file"
    folder.write_text("not a folder")
    snapshots = Snapshots(folder / "kv", "model")
    assert not snapshots.save(1, (1, 2), b"x")
    assert snapshots.load(1) is None
    assert snapshots.held(1) == ((), 0)
    assert "could not be kept" in caplog.text


def test_what_belongs_to_no_chat_goes(tmp_path):
    snapshots = Snapshots(tmp_path, "model")
    for number in (1, 2, 3):
        snapshots.save(number, (1,), b"x")
    (tmp_path / "2.new").write_bytes(b"half")
    forget(tmp_path, 1)
    assert snapshots.load(1) is None
    forget_all_but(tmp_path, [3])
    assert [path.name for path in tmp_path.iterdir()] == ["3.kv"]
    forget_all_but(tmp_path, [3], limit_bytes=0)
    assert not list(tmp_path.iterdir())
    forget(tmp_path / "nowhere", 1)
    forget_all_but(tmp_path / "nowhere", [1])
    assert size_of(tmp_path / "nowhere") == 0


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX knows them")
def test_only_the_person_can_read_what_was_kept(tmp_path):
    Snapshots(tmp_path / "kv", "model").save(1, (1,), b"x")
    assert (tmp_path / "kv" / "1.kv").stat().st_mode & 0o077 == 0
    assert (tmp_path / "kv").stat().st_mode & 0o077 == 0


def warm(engine, *conversations):
    for conversation in conversations:
        ask(engine, conversation, turns_of("Bo"))


def test_the_chat_used_last_is_written_first(start, tmp_path, monkeypatch):
    engine, written = start(), []
    warm(engine, 1, 2, 3)
    save = Snapshots.save

    def noted(snapshots, conversation, *values):
        written.append(conversation)
        return save(snapshots, conversation, *values)

    monkeypatch.setattr(Snapshots, "save", noted)
    engine.rest()
    assert written == [3, 2, 1]
    times = [(tmp_path / "kv" / f"{number}.kv").stat().st_mtime_ns for number in (1, 2, 3)]
    assert times == sorted(times), "their order on the disk is that in which they were used"


def test_writing_down_ends_between_two_chats(start, tmp_path, monkeypatch):
    engine, stop = start(), StopFlag()
    warm(engine, 1, 2, 3)
    save = Snapshots.save

    def stopped(snapshots, *values):
        stop.set()
        return save(snapshots, *values)

    monkeypatch.setattr(Snapshots, "save", stopped)
    engine.rest(stop)
    assert [path.name for path in (tmp_path / "kv").iterdir()] == ["3.kv"]


def test_one_used_earlier_never_takes_the_room_of_one_used_later(tmp_path):
    snapshots = Snapshots(tmp_path, "model", 2_500)
    assert snapshots.save(3, range(10), bytes(1_000), used_ns=3_000)
    assert snapshots.save(2, range(10), bytes(1_000), used_ns=2_000)
    assert not snapshots.save(1, range(10), bytes(1_000), used_ns=1_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.kv", "3.kv"]
    assert snapshots.save(4, range(10), bytes(1_000), used_ns=4_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.kv", "4.kv"]


def test_a_snapshot_belongs_to_what_flash_attention_came_to(start):
    """The same setting may come to another end on a GPU, and then values lie in another order."""
    engine = start()
    before = engine._identity()

    def with_placement(**changes):
        where = dataclasses.replace(facts.placement, **changes)
        engine._facts = dataclasses.replace(facts, placement=where)
        return engine._identity()

    facts = engine._facts
    assert with_placement(flash_attention=False) == before
    unknown = with_placement(flash_attention=None)
    assert len({before, with_placement(flash_attention=True), unknown}) == 3
    assert with_placement(flash_attention=None, gpu_layers=3) != unknown


def test_a_snapshot_belongs_to_all_files_of_a_model(tmp_path, open_model):
    engine = open_model(tiny_model(tmp_path / "m.gguf", n_files=3))
    before = engine._identity()
    os.utime(tmp_path / "m-00002-of-00003.gguf", ns=(1, 1))
    assert engine._identity() != before


def test_a_snapshot_that_cannot_be_read_costs_no_warm_chat(start, tmp_path, monkeypatch):
    monkeypatch.setattr(LlamaEngine, "_identity", lambda _engine: "whatever it is")
    ask(start(flash_attention="off"), 7, turns_of("Ada"))
    engine = start(flash_attention="on")
    warm(engine, 1, 2)
    assert (tmp_path / "kv" / "7.kv").exists()
    assert ask(engine, 7, turns_of("Ada"))[0] == "Your name is Ada."
    assert engine._decoder.cache.conversations == (0, 1, 2, 7)
    assert not (tmp_path / "kv" / "7.kv").exists()
