"""A comparison is there again after a restart as it was left, whatever ended the program."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.chat import MessageState
from app.core.errors import StorageError
from app.core.lab import Contestant
from app.engine.scripted import Script
from app.services.origin import of_exchange
from app.storage.stores import open_stores
from tests.services import comparing_child

PLAIN = Contestant("Plain", "You are a helpful assistant.", "ab" * 32)
LOUD = Contestant("Loud", "Answer in capital letters.", overrides={"seed": 7})


def opened(services, *first: Contestant, columns: int = 2):
    comparison = services.library.comparison("starter", first)
    services.wait(lambda: len(comparison.columns()) == columns)
    return comparison


def ask(services, comparison, text: str) -> list[str]:
    assert comparison.ask(text)
    services.wait(lambda: not comparison.busy)
    return [column.exchanges[-1].text for column in comparison.columns()]


def rows(services) -> int:
    return services.ask(lambda stores: len(stores.comparison.exchanges()))


def test_after_a_restart_all_is_there_and_the_conversation_goes_on(build):
    services = build()
    comparison = opened(services, PLAIN, LOUD)
    comparison.set_overrides({"temperature": 0.3})
    comparison.set_variable("who", "Ada")
    ask(services, comparison, "My name is Ada.")
    comparison.set_draft("What is")
    left, moment = comparison.columns(), comparison.moment
    build.close(services)
    services = build()
    again = opened(services)
    assert [replace(column, reading=(0, 0)) for column in left] == list(again.columns())
    assert (again.draft, again.variables, again.moment) == ("What is", {"who": "Ada"}, moment)
    assert [again.sampling(at).seed for at in (0, 1)] == [42, 7]
    assert again.sampling(0).temperature == 0.3
    plain, loud = ask(services, again, "What is my name?")
    assert "Ada" in plain
    assert "ADA" in loud
    assert again.draft == ""
    build.close(services)
    services = build()
    assert [len(column.exchanges) for column in opened(services).columns()] == [2, 2]


def test_an_answer_of_before_the_restart_still_tells_what_made_it_and_is_made_once_more(build):
    services = build()
    comparison = opened(services, PLAIN, LOUD)
    ask(services, comparison, "Who are you?")
    build.close(services)
    services = build()
    origin = of_exchange(opened(services).columns()[1])
    assert origin.how.system_prompt == LOUD.system_prompt
    assert (origin.how.seed, origin.how.at_once) == (7, 2)
    attempt, ended = services.library.origins.reproduce(origin), []
    attempt.ended.connect(ended.append)
    attempt.start()
    services.wait(lambda: bool(ended))
    assert ended[0].is_equal


def test_the_model_that_was_chosen_answers_unless_it_is_gone(build, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF" + bytes(100))
    services = build(Script())
    comparison = opened(services, PLAIN, LOUD)
    comparison.set_model(str(other))
    build.close(services)
    services = build(Script())
    assert opened(services).model_id == str(other), "also while its folder is still being looked through"
    build.close(services)
    other.unlink()
    assert opened(build(Script())).model_id == "starter"


def test_starting_over_forgets_what_was_said_in_every_copy_too(build):
    services = build(Script(replies=("A whale.",)))
    comparison = opened(services, PLAIN, LOUD)
    ask(services, comparison, "Sing of whales")
    services.wait(lambda: rows(services) == 2)
    services.ask(lambda stores: stores._backups.make(stores._database.connection))
    copies = list((services.database.parent / "backups").glob("*.db"))
    assert any(b"A whale." in copy.read_bytes() for copy in copies)
    comparison.begin_anew()
    services.wait(lambda: rows(services) == 0)
    for file in (services.database, services.database.with_name("orcinus.db-wal"), *copies):
        assert not file.exists() or b"whale" not in file.read_bytes().lower(), file
    build.close(services)
    services = build(Script())
    assert [(one.contestant.name, one.exchanges) for one in opened(services).columns()] == [("Plain", ()), ("Loud", ())]


def test_only_what_changed_is_written(build):
    services = build(Script(replies=("One.", "Two.")))
    comparison = opened(services, PLAIN, LOUD)
    ask(services, comparison, "First")
    ask(services, comparison, "Second")
    services.wait(lambda: rows(services) == 4)
    written = []

    def watch(stores) -> None:
        keep = stores.comparison.keep
        stores.comparison.keep = lambda columns, said, gone, **more: (
            written.append((sorted(said), sorted(gone))) or keep(columns, said, gone, **more)
        )

    services.ask(watch)
    comparison.set_draft("x")
    services.wait(lambda: written == [([], [])])
    comparison.remove(0)
    services.wait(lambda: len(written) == 2)
    moved, gone = written[1]
    assert (moved, gone) == ([(0, 0), (0, 1)], [(1, 0), (1, 1)]), "the second column stands first now"
    assert rows(services) == 2


def test_columns_that_were_put_there_before_the_kept_ones_were_read_stay(build):
    services = build(Script(replies=("Old.",)))
    ask(services, opened(services, PLAIN, LOUD), "Hello")
    build.close(services)
    services = build(Script())
    comparison = services.library.comparison("starter", ())
    comparison.replace((Contestant("New", "Be new."),))
    services.wait(lambda: rows(services) == 0)
    assert [column.contestant.name for column in comparison.columns()] == ["New"]
    build.close(services)
    assert opened(build(Script()), columns=1).columns()[0].contestant.name == "New"


def test_what_cannot_be_written_is_told_and_written_whole_later(build, monkeypatch):
    monkeypatch.setattr("app.services.comparison_record._RETRY_MS", 20)
    services = build(Script(replies=("Said.",)))
    comparison = opened(services, PLAIN, LOUD)
    refusals = iter([StorageError("The disk is full", "No room.", "Free some.")])

    def refuse(stores) -> None:
        keep = stores.comparison.keep

        def once(*given, **more) -> None:
            for error in refusals:
                raise error
            keep(*given, **more)

        stores.comparison.keep = once

    services.ask(refuse)
    ask(services, comparison, "Hello")
    services.wait(lambda: rows(services) == 2)
    assert [notice.title for notice in services.notices] == ["The disk is full"]
    build.close(services)
    assert [one.exchanges[0].text for one in opened(build(Script())).columns()] == ["Said.", "Said."]


def test_a_damaged_answer_costs_itself_alone(build):
    services = build(Script(replies=("One.",)))
    ask(services, opened(services, PLAIN, LOUD), "Hello")
    services.wait(lambda: rows(services) == 2)
    spoil = "UPDATE column_answer SET made = '{', state = 'odd', token_ids = x'07' WHERE column_at = 0"
    services.ask(lambda stores: stores._database.run(spoil))
    build.close(services)
    first, second = (one.exchanges[0] for one in opened(build(Script())).columns())
    assert (first.text, first.state, first.provenance) == ("One.", MessageState.INTERRUPTED, None)
    assert (second.state, second.provenance.stop_reason) == (MessageState.DONE, "end")


@pytest.mark.parametrize("facts", [1, 4])
def test_killed_while_answers_are_written_they_are_there_as_far_as_they_were_kept(tmp_path: Path, facts: int):
    root = Path(comparing_child.__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.services.comparing_child", str(tmp_path / "orcinus.db")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert child.stdout is not None
    kept = [int(child.stdout.readline().split()[1]) for _ in range(facts)]
    child.kill()
    child.wait()
    child.stdout.close()
    stores = open_stores(tmp_path / "orcinus.db")
    found = stores.comparison.exchanges()
    stores.close()
    assert list(found) == [(0, 0), (1, 0)]
    assert {(one.question, one.state) for one in found.values()} == {("Go on", MessageState.INTERRUPTED)}
    assert all(comparing_child.ANSWER.startswith(one.text.strip()) for one in found.values())
    assert kept[0] == 0, "the question was kept before the first word of an answer"
    assert len(found[0, 0].text) >= kept[-1]
    assert facts == 1 or kept[-1] > 0
    if facts > 1:
        assert {one.provenance.system_prompt for one in found.values()} == {"Be brief.", "Be kind."}
        assert {one.provenance.model_name for one in found.values()} == {"Orcinus Starter"}
