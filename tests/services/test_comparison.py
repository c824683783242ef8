"""Columns side by side: one message, several system prompts, one loaded model."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from app.core.chat import MessageState
from app.core.errors import EngineError
from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.placement import Placement
from app.core.prompts import version_of
from app.engine.scripted import Script
from app.services.compare_setup import MOST_COLUMNS
from app.services.comparison import Comparison
from app.services.comparison_text import as_markdown, cautions

LOUD = Contestant("Loud", "You are a helpful assistant. Answer in capital letters.")
PIRATE = Contestant("Pirate", "You are a helpful assistant. Answer like a pirate.")
PLAIN = Contestant("Plain", "You are a helpful assistant.")
LONG = " ".join(f"word{n}" for n in range(400))
ENDLESS = Script(replies=(" ".join(f"word{n}" for n in range(3500)),), tokens_per_s=200)


@pytest.fixture
def compare(build):
    """A comparison of these columns over a real or a scripted engine."""

    def make(engine, *contestants: Contestant) -> Comparison:
        services = build(engine)
        made = Comparison(services.models, services.preferences, services.models.default_id)
        made.services = services
        made.told = []
        made.notice.connect(made.told.append)
        for contestant in contestants:
            assert made.add(contestant)
        return made

    return make


def ask(comparison: Comparison, text: str) -> list[str]:
    assert comparison.ask(text)
    return wait(comparison)


def wait(comparison: Comparison) -> list[str]:
    comparison.services.wait(lambda: not comparison.busy)
    return [column.exchanges[-1].text if column.exchanges else "" for column in comparison.columns()]


def states(comparison: Comparison) -> list[MessageState]:
    return [column.exchanges[-1].state for column in comparison.columns()]


def test_each_column_answers_by_its_own_prompt_and_what_they_share_is_read_once(compare):
    comparison = compare(None, LOUD, PLAIN, PIRATE)
    loud, plain, pirate = ask(comparison, "What is the capital of France?")
    assert loud == loud.upper()
    assert len({loud, plain, pirate}) == 3
    assert states(comparison) == [MessageState.DONE] * 3
    figures = [column.exchanges[-1].provenance for column in comparison.columns()]
    assert comparison.shared_tokens >= 5
    assert comparison.saved_tokens >= 2 * comparison.shared_tokens
    assert [how.system_prompt for how in figures] == [LOUD.system_prompt, PLAIN.system_prompt, PIRATE.system_prompt]
    assert all(how.seed == 42 for how in figures)


def test_a_column_asked_alone_again_says_the_same_whatever_the_temperature(compare):
    comparison = compare(None, LOUD, PLAIN, PIRATE)
    comparison.set_overrides({"temperature": 2.0, "top_k": None, "top_p": None})
    together = ask(comparison, "Tell me a story.")
    for at in range(3):
        comparison.again(at)
        assert wait(comparison) == together
    other_seed = Contestant("Plain", PLAIN.system_prompt, overrides={"seed": 7})
    comparison.change(1, other_seed)
    comparison.again(1)
    assert wait(comparison)[1] != together[1]


def test_the_conversation_goes_on_in_all_columns(compare):
    comparison = compare(None, PLAIN, LOUD)
    ask(comparison, "My name is Ada.")
    plain, loud = ask(comparison, "What is my name?")
    assert "Ada" in plain
    assert "ADA" in loud
    assert [len(column.exchanges) for column in comparison.columns()] == [2, 2]
    comparison.begin_anew()
    assert [column.exchanges for column in comparison.columns()] == [(), ()]


def test_one_column_is_stopped_and_the_others_go_on(compare):
    comparison = compare(Script(replies=(LONG,), tokens_per_s=20), PLAIN, LOUD)
    comparison.ask("Go on")
    comparison.services.wait(lambda: len(comparison.columns()[0].exchanges[-1].text) > 20)
    comparison.stop(0)
    comparison.services.wait(lambda: states(comparison)[0] is MessageState.STOPPED)
    assert comparison.busy
    comparison.services.pace(None)
    first, second = wait(comparison)
    assert states(comparison) == [MessageState.STOPPED, MessageState.DONE]
    assert LONG.startswith(first.strip())
    assert second == LONG


def test_all_are_stopped_and_keep_what_came(compare):
    comparison = compare(ENDLESS, PLAIN, LOUD)
    comparison.ask("Go on")
    comparison.services.wait(lambda: all(len(one.exchanges[-1].text) > 20 for one in comparison.columns()))
    comparison.stop_all()
    texts = wait(comparison)
    assert states(comparison) == [MessageState.STOPPED] * 2
    assert all(20 < len(text) < len(ENDLESS.replies[0]) for text in texts)
    assert not comparison.told


def test_what_grew_is_told_piece_by_piece(compare):
    comparison = compare(Script(replies=(LONG,)), PLAIN, LOUD)
    grown = {0: "", 1: ""}

    def add(at: int, text: str) -> None:
        grown[at] += text

    comparison.text_added.connect(add)
    texts = ask(comparison, "Go on")
    assert [grown[0], grown[1]] == texts


def test_columns_of_another_model_follow_after_the_others(compare):
    comparison = compare(Script(), PLAIN, Contestant("Other", "", model_id="/other.gguf"), LOUD)
    assert comparison.later_models() == ("other",)
    loads = comparison.services.loads
    ask(comparison, "Hello")
    assert states(comparison) == [MessageState.DONE] * 3
    assert [path for path, _ in loads][-1] == "/other.gguf"
    assert len(loads) == 2, "each model is loaded once"


def test_a_column_that_has_to_wait_for_another_model_says_for_which(compare):
    others = [Contestant(name, "", model_id=f"/{name}.gguf") for name in ("second", "third")]
    comparison = compare(ENDLESS, PLAIN, *others)
    first = comparison.services.models.entry(comparison.model_id).name
    assert [column.waits_for for column in comparison.columns()] == ["", "", ""]
    comparison.ask("Go on")
    assert [column.waits_for for column in comparison.columns()] == ["", first, "second"]
    told: list[int] = []
    comparison.column_changed.connect(told.append)
    comparison.stop(0)
    comparison.services.wait(lambda: states(comparison)[0] is MessageState.STOPPED and 2 in told)
    assert [column.waits_for for column in comparison.columns()] == ["", "", "second"]
    comparison.stop_all()
    wait(comparison)


def test_what_is_other_than_one_may_think_is_said_before(compare):
    comparison = compare(Script(), *[PLAIN] * 4)
    assert cautions(comparison) == ""
    comparison.add(Contestant("Other", "", model_id="/other.gguf"))
    assert cautions(comparison) == "One model answers after the other: other later than the first."
    comparison.change(4, PLAIN)
    assert cautions(comparison) == "With more than 4 columns a text may differ from the one it gets alone."


def test_a_gpu_promises_no_equal_text(compare):
    comparison = compare(Script(placement=Placement(gpu_layers=3)), PLAIN, LOUD)
    ask(comparison, "Hello")
    assert cautions(comparison).startswith("On a GPU the text may differ a little")


def test_what_a_prompt_was_made_from_belongs_to_the_column_and_not_to_its_place(compare):
    first, second = "aa" * 32, "bb" * 32
    comparison = compare(Script(), Contestant("A", "One.", first), PLAIN, Contestant("C", "Three.", second))
    comparison.change(2, Contestant("C", "Three!"))
    assert [column.made_from for column in comparison.columns()] == [first, "", second]
    comparison.remove(0)
    assert [column.made_from for column in comparison.columns()] == ["", second]
    comparison.begin_anew()
    assert [column.made_from for column in comparison.columns()] == ["", second]
    kept = version_of("Three!", second)
    comparison.mark_saved(1, second, kept)
    column = comparison.columns()[1]
    assert (column.made_from, column.contestant.version) == (kept.hash, kept.hash)
    comparison.replace((PLAIN, LOUD))
    assert [column.made_from for column in comparison.columns()] == ["", ""]


def test_columns_from_elsewhere_bring_their_values_and_leave_none_underneath(compare):
    comparison = compare(Script(), PLAIN)
    comparison.set_overrides({"temperature": 1.9, "seed": 3})
    own = Contestant("Own", "", overrides={"temperature": 0.5, "max_tokens": 9})
    comparison.replace((PLAIN, own))
    assert [(comparison.sampling(at).temperature, comparison.sampling(at).seed) for at in (0, 1)] == [
        (1.9, 3),
        (0.5, 3),
    ]
    comparison.replace((PLAIN, own), {"max_tokens": 9, "seed": 7})
    values = [comparison.sampling(at) for at in (0, 1)]
    usual = comparison.services.preferences.resolved(Sampling, comparison.model_id).values.temperature
    assert [(one.temperature, one.seed, one.max_tokens) for one in values] == [(usual, 7, 9), (0.5, 7, 9)]
    assert comparison.columns()[1].contestant.overrides == {"temperature": 0.5}, "what all have is not its own"


def test_columns_go_into_an_experiment_with_their_values_each_under_its_own_name(compare):
    other = Contestant("Plain", "", model_id="/other.gguf", overrides={"seed": 3, "top_k": 5})
    comparison = compare(Script(), PLAIN, other)
    comparison.set_overrides({"temperature": 0.5})
    first, second = comparison.contestants(comparison.model_id)
    assert (first.name, first.model_id, first.overrides) == ("Plain", "", {"temperature": 0.5})
    assert (second.name, second.model_id, second.overrides) == (
        "Plain 2",
        "/other.gguf",
        {"temperature": 0.5, "top_k": 5},
    )
    assert comparison.contestants("another")[0].model_id == comparison.model_id


def test_an_engine_that_fails_is_told_and_what_came_is_kept(compare, caplog):
    comparison = compare(Script(replies=(LONG,), fail_at_token=50), PLAIN, LOUD)
    texts = ask(comparison, "Go on")
    assert MessageState.FAILED in states(comparison)
    assert any(texts)
    failed = next(one for one in comparison.columns() if one.exchanges[-1].state is MessageState.FAILED)
    assert failed.exchanges[-1].provenance.error
    caplog.clear()


def test_a_model_that_cannot_be_loaded_fails_every_column_once(compare):
    error = EngineError("It cannot be loaded", "No reason.", "Choose another.")
    comparison = compare(Script(load_error=error), PLAIN, LOUD)
    ask(comparison, "Hello")
    assert states(comparison) == [MessageState.FAILED] * 2
    assert [notice.title for notice in comparison.told] == ["It cannot be loaded"]


def test_a_question_too_long_for_the_context_fails_with_its_tokens(compare):
    comparison = compare(Script(n_ctx=64), PLAIN, LOUD)
    ask(comparison, LONG)
    assert states(comparison) == [MessageState.FAILED] * 2
    assert "tokens" in comparison.columns()[0].exchanges[-1].provenance.error


def test_at_most_eight_columns_and_nothing_changes_while_they_write(compare):
    comparison = compare(ENDLESS, *[PLAIN] * MOST_COLUMNS)
    assert not comparison.add(LOUD)
    comparison.ask("Go on")
    assert not comparison.ask("And this?")
    comparison.remove(0)
    comparison.change(0, LOUD)
    comparison.again(0)
    assert [column.contestant for column in comparison.columns()] == [PLAIN] * MOST_COLUMNS
    comparison.stop_all()
    wait(comparison)
    comparison.remove(0)
    assert len(comparison.columns()) == MOST_COLUMNS - 1


def test_a_column_is_kept_as_a_chat_that_goes_on(compare):
    comparison = compare(None, PLAIN, LOUD)
    ask(comparison, "My name is Ada.")
    services, kept = comparison.services, []
    services.library.kept.connect(kept.append)
    services.library.keep_conversation(*comparison.as_chat(1))
    services.wait(lambda: bool(kept))
    assert services.library.chats()[0].title == "My name is Ada."
    chat = services.reopen(kept[0])
    assert chat.chat.system_prompt == LOUD.system_prompt
    assert chat.path()[-1].text == comparison.columns()[1].exchanges[-1].text
    assert chat.path()[-1].provenance.seed == 42
    assert "ADA" in services.say(chat, "What is my name?")


def test_a_chat_that_was_a_column_keeps_its_variables_and_the_time_it_was_asked_at(compare, monkeypatch):
    version = "ab" * 32
    comparison = compare(Script(replies=("Yes.",)), Contestant("A", "It is {{time}}. Teach {{who}}.", version), PLAIN)
    comparison.set_variable("who", "Ada")
    comparison.set_variable("unused", "x")
    monkeypatch.setattr("app.services.comparison.datetime", Clock(17))
    ask(comparison, "Hi")
    for module in ("comparison", "compare_setup"):
        monkeypatch.setattr(f"app.services.{module}.datetime", Clock(18))
    ask(comparison, "And now?")
    last = comparison.columns()[0].exchanges[-1].provenance
    assert last.system_prompt == "It is 17:05. Teach Ada."
    chat, exchanges = comparison.as_chat(0)
    assert (chat.system_prompt, chat.prompt_version) == ("It is {{time}}. Teach {{who}}.", version)
    assert chat.variables == {"time": "17:05", "date": "Saturday 21 November 2026", "who": "Ada"}
    assert [question for question, _ in exchanges] == ["Hi", "And now?"]
    comparison.begin_anew()
    assert comparison.prompt(0).text == "It is 18:05. Teach Ada."
    assert comparison.as_chat(1)[0].variables == {}


class Clock:
    """Stands in for `datetime` at five past an hour."""

    def __init__(self, hour: int) -> None:
        self.moment = datetime(2026, 11, 21, hour, 5).astimezone()

    def now(self, tz=None) -> datetime:
        return self.moment.astimezone(tz)


def test_columns_are_copied_as_markdown_with_what_made_each_answer(compare):
    comparison = compare(Script(replies=("Hello there.",)), LOUD, Contestant("Kind", "Be {{manner=kind}}."))
    ask(comparison, "Hi")
    comparison.change(1, Contestant("Kind", "Be {{manner=kind}}.", overrides={"temperature": 1.5}))
    ask(comparison, "And?")
    digest = "ab" * 32
    text = as_markdown(comparison.columns(), lambda how: dataclasses.replace(how, model_sha256=(digest,)))
    head, _, told = text.partition("## What made these answers\n\n")
    loud, _, kind = head.partition("## Kind\n\n")
    name = comparison.columns()[0].exchanges[0].provenance.model_name
    assert loud.startswith(
        "## Loud\n\n> You are a helpful assistant. Answer in capital letters.\n\n**You**\n\nHi\n\n"
        f"**Loud**\n\nHello there.\n\n*{name} · sha256 ababab…abab · seed 42 · temp 0 · top-p 0.95 · context 4096 · "
    )
    assert kind.startswith("> Be kind.\n"), "as it was sent"
    assert loud.count(" · ended by the model itself · made ") == kind.count(" · ended by the model itself · made ") == 2
    assert "\n\n*seed 42 · prompt " in loud
    assert "\n\n*temperature 1.5 · seed 42 · prompt " in kind
    common, _, rest = told.partition("### ")
    assert f"- SHA-256: `{digest}`\n" in common
    assert "- Top-p: `0.95`\n" in common
    assert "Temperature" not in common
    assert rest == (
        "Loud, Kind, answer 1\n\n**Sampler**\n\n- Temperature: `0`\n\n"
        "### Kind, answer 2\n\n**Sampler**\n\n- Temperature: `1.5`\n"
    )


def test_a_column_without_answers_or_with_half_of_one_is_copied_too(compare):
    comparison = compare(ENDLESS, PLAIN, LOUD)
    assert as_markdown(comparison.columns(), lambda how: how) == (
        "## Plain\n\n> You are a helpful assistant.\n\n"
        "## Loud\n\n> You are a helpful assistant. Answer in capital letters.\n"
    )
    comparison.ask("Hi")
    comparison.services.wait(lambda: bool(comparison.columns()[0].exchanges[0].text))
    text = as_markdown(comparison.columns(), lambda how: how)
    assert "**Plain** (still being written)\n\nword" in text
    assert "## What made these answers\n\n**Model**" in text, "who writes is known already"
    comparison.stop(0)
    comparison.services.wait(lambda: not comparison.columns()[0].growing)
    text = as_markdown(comparison.columns(), lambda how: how)
    assert "**Plain** (stopped)\n\nword" in text
    assert " · ended by the person · made " in text
    assert "**Loud** (still being written)\n\nword" in text
    assert "not kept" not in text
    comparison.stop_all()
    comparison.services.wait(lambda: not comparison.busy)


def test_the_newest_question_is_asked_again_by_the_prompts_there_are_now(compare):
    comparison = compare(None, PLAIN, PLAIN)
    ask(comparison, "My name is Ada.")
    ask(comparison, "What is my name?")
    comparison.change(1, LOUD)
    assert comparison.again_all()
    plain, loud = wait(comparison)
    assert plain == "Your name is Ada."
    assert loud == loud.upper()
    assert [len(column.exchanges) for column in comparison.columns()] == [2, 2]


def test_another_question_in_an_earlier_place_takes_the_rest_along(compare):
    comparison = compare(None, PLAIN, LOUD)
    ask(comparison, "My name is Ada.")
    ask(comparison, "What is my name?")
    assert comparison.ask_instead(0, "My name is Tom.")
    wait(comparison)
    assert [[one.question for one in column.exchanges] for column in comparison.columns()] == [["My name is Tom."]] * 2


def test_columns_last_from_one_start_to_the_next_and_damaged_ones_are_left_out(build):
    services = build(Script())
    comparison = services.library.comparison("starter", (PLAIN, LOUD))
    services.wait(lambda: len(comparison.columns()) == 2)
    comparison.change(0, Contestant("Was", "Saved.", "ab" * 32))
    comparison.change(0, PIRATE)
    comparison.set_overrides({"temperature": 0.5})
    build.close(services)
    services = build(Script())
    comparison = services.library.comparison("starter", ())
    services.wait(lambda: len(comparison.columns()) == 2)
    assert [column.contestant for column in comparison.columns()] == [PIRATE, LOUD]
    assert [column.made_from for column in comparison.columns()] == ["ab" * 32, ""]
    assert comparison.sampling(0).temperature == 0.5
    build.close(services)
    services = build(Script())
    services.ask(lambda stores: stores.state.set("comparison", {"columns": [7, {"name": 3, "prompt": "x"}]}))
    comparison = services.library.comparison("starter", ())
    services.wait(lambda: len(comparison.columns()) == 1)
    assert comparison.columns()[0].contestant == Contestant("", "x")
