"""What was read of kept turns is moved when others are dropped, or read again: counted in tokens that were decoded."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest

from app.core.context import Kept
from app.core.options import Sampling
from app.core.overflow import Overflow, WhenFull
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Request, Turn
from app.engine.llama import LlamaEngine
from app.engine.moving import WORTH_MOVING, common_length, place_of
from app.engine.turn import Fitted, play
from tests.engine.counting import count_decoded

GREEDY = Sampling(temperature=0, max_tokens=24)
MOVE, READ = Overflow(move_kept=True), Overflow(move_kept=False)
SYSTEM = Turn(Role.SYSTEM, "You are a helpful assistant.")
QUESTIONS = (
    "My name is Ada.",
    "What is the capital of France?",
    "What is 3 + 4?",
    "List three fruits.",
    "What is my name?",
    "What is the capital of Italy?",
)


@dataclass
class Said:
    """One reply: what was sent, its text and figures, and how many tokens llama.cpp decoded to read the prompt."""

    fitted: Fitted
    text: str
    done: Done
    decoded: int


class Conversation:
    """Plays turns with one engine and counts what it decodes."""

    def __init__(self, engine: LlamaEngine, number: int = 1, system: Turn = SYSTEM) -> None:
        self.engine, self.number = engine, number
        self.turns = [system]
        self.kept: Kept | None = None

    def says(self, text: str, overflow: Overflow = MOVE, stop: StopFlag | None = None) -> Said:
        self.turns.append(Turn(Role.USER, text))
        said = self.answers(overflow, stop)
        self.turns.append(Turn(Role.ASSISTANT, said.text, said.done.token_ids))
        self.kept = Kept(said.fitted.cut, self.engine.facts.n_ctx)
        return said

    def answers(self, overflow: Overflow = MOVE, stop: StopFlag | None = None) -> Said:
        """The reply to what was said last, which is not added to the turns."""
        counted = count_decoded(self.engine)
        events = list(play(self.engine, self.turns, GREEDY, stop or StopFlag(), self.number, overflow, self.kept))
        text = "".join(event.text for event in events if isinstance(event, Delta))
        done = events[-1]
        assert isinstance(events[0], Fitted)
        assert isinstance(done, Done)
        return Said(events[0], text, done, sum(counted()) - max(0, done.completion_tokens))

    def grows_until_it_drops(self, overflow: Overflow = MOVE) -> Said:
        """Goes on until turns are left out; the reply with which they were."""
        for number in range(60):
            said = self.says(QUESTIONS[number % len(QUESTIONS)], overflow)
            if said.fitted.newly_dropped:
                return said
        raise AssertionError("it never filled the context")


@pytest.fixture
def chat(starter, open_model):
    """A conversation with the starter and this context."""

    def begun(context_tokens=256, number=1, **loading):
        return Conversation(open_model(starter, context_tokens=context_tokens, **loading), number)

    return begun


@pytest.fixture
def fresh(starter, open_model):
    """What an engine that has never seen the chat says to these very turns."""

    def answer(conversation: Conversation, cut) -> str:
        engine = open_model(starter, context_tokens=conversation.engine.facts.n_ctx)
        sent = [conversation.turns[0], *conversation.turns[1 : 1 + cut.head], *conversation.turns[1 + cut.end :]]
        events = engine.stream(Request(engine.render(sent).tokens, GREEDY), StopFlag())
        return "".join(event.text for event in events if isinstance(event, Delta))

    return answer


# --- where the ids stand --------------------------------------------------------------------------------------------


def test_the_place_of_ids_is_found_wherever_they_moved_to():
    chance = random.Random(1)
    for _ in range(200):
        head, gap, tail = (chance.choices(range(50), k=chance.randrange(20, 60)) for _ in range(3))
        held, wanted = head + gap + tail, [*head, *tail, 99]
        place, length = place_of(wanted, held, len(head))
        assert (place, length) == (len(head) + len(gap), len(tail))


def test_no_place_is_found_for_what_is_not_there_or_not_worth_it():
    ids = list(range(100))
    assert place_of([*ids[:10], *range(500, 560)], ids, 10) == (0, 0)
    assert place_of([*ids[:10], *ids[50 : 50 + WORTH_MOVING - 1]], ids, 10) == (0, 0)
    assert place_of(ids, ids, 10) == (0, 0), "they stand where they are wanted"


def test_the_longest_of_several_places_is_taken():
    piece = list(range(WORTH_MOVING))
    held = [100, *piece, 200, *piece, 300, 301, 302]
    assert place_of([100, 7, *piece, 300, 301], held, 2)[1] == len(piece) + 2


def test_ten_thousand_equal_ids_take_no_time_to_compare():
    assert common_length([1] * 100_000, [1] * 99_999 + [2]) == 99_999
    assert place_of([5] + [1] * 50_000, [5] + [1] * 50_000, 1)[1] > 0


# --- moved ----------------------------------------------------------------------------------------------------------


def test_the_kept_turns_are_moved_and_only_the_question_is_read(chat):
    talk = chat()
    said = talk.grows_until_it_drops()
    question = len(talk.engine.render([SYSTEM, Turn(Role.USER, talk.turns[-2].text)]).tokens)
    system = len(talk.engine.render([SYSTEM], reply=False).tokens)
    assert said.done.moved_tokens > 60
    assert said.done.moved_tokens < said.done.cached_tokens
    assert said.decoded == said.done.prompt_tokens - said.done.cached_tokens
    # the end of the last answer's turn, and the question
    assert said.decoded <= question - system + 4
    assert said.text.strip()


def test_replies_after_a_move_are_sensible_for_many_moves(chat):
    talk, moves = chat(256), 0
    for number in range(24):
        said = talk.says(QUESTIONS[number % len(QUESTIONS)])
        moves += said.done.moved_tokens > 0
        if number % len(QUESTIONS) == 1:
            assert "Paris" in said.text
        if number % len(QUESTIONS) == 5:
            assert "Rome" in said.text
    assert moves >= 3


def test_a_move_holds_on_regenerating_and_going_on(chat):
    talk = chat()
    moved = talk.grows_until_it_drops()
    del talk.turns[-1]
    again = talk.answers()
    assert (again.text, again.done.token_ids) == (moved.text, moved.done.token_ids)
    assert again.decoded <= 2
    assert again.done.moved_tokens == 0


def test_stop_during_a_move_leaves_a_sound_cache(chat):
    """A rotation of the keys that is cut off half way would go unnoticed by llama.cpp."""
    talk, other = chat(), chat()
    moved = talk.grows_until_it_drops()
    while len(other.turns) < len(talk.turns) - 2:
        other.says(talk.turns[len(other.turns)].text)
    stop = StopFlag()
    stop.set()
    other.turns.append(talk.turns[-2])
    stopped = other.answers(stop=stop)
    assert stopped.done.completion_tokens == 0
    assert stopped.done.moved_tokens == moved.done.moved_tokens
    again = other.answers()
    assert again.text == moved.text
    assert again.done.moved_tokens == 0


# --- read again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when_full", [WhenFull.DROP_OLDEST, WhenFull.FIRST_AND_LATEST])
def test_without_moving_every_reply_is_that_of_a_fresh_engine(chat, fresh, when_full):
    talk = chat(256)
    overflow = Overflow(when_full.value, move_kept=False)
    dropped = 0
    for number in range(18):
        said = talk.says(QUESTIONS[number % len(QUESTIONS)], overflow)
        dropped += bool(said.fitted.newly_dropped)
        assert said.done.moved_tokens == 0
        if said.fitted.newly_dropped or number == 17:
            answer = talk.turns.pop()
            assert fresh(talk, said.fitted.cut) == said.text
            talk.turns.append(answer)
    assert dropped >= 2


def test_switching_moving_off_reads_again_what_had_been_moved(chat, fresh):
    talk = chat()
    talk.grows_until_it_drops()
    said = talk.says("What is my name?", READ)
    system = len(talk.engine.render([SYSTEM], reply=False).tokens)
    assert said.done.cached_tokens <= system + 3
    assert said.decoded == said.done.prompt_tokens - said.done.cached_tokens
    talk.turns.pop()
    assert fresh(talk, said.fitted.cut) == said.text


@pytest.mark.parametrize("kv_type", ["q8_0", "q4_0"])
def test_a_quantised_cache_is_read_again(chat, kv_type):
    """Moving one ends the process in this version of llama.cpp."""
    talk = chat(256, kv_type=kv_type, flash_attention="on")
    assert not talk.engine.facts.can_move
    said = talk.grows_until_it_drops()
    assert said.done.moved_tokens == 0
    assert said.decoded == said.done.prompt_tokens - said.done.cached_tokens
    assert said.text


def test_a_move_that_llama_cpp_could_not_do_is_read_again(chat, fresh):
    talk = chat()
    settle = talk.engine._decoder.add

    def fails_once(tokens):
        done = settle(tokens)
        if talk.engine._decoder.cache.moved:
            talk.engine._decoder._library.lines.append("update: failed to compute K-shift")
        return done

    talk.engine._decoder.add = fails_once
    said = talk.grows_until_it_drops()
    assert said.done.moved_tokens == 0
    assert said.done.cached_tokens == 0
    talk.turns.pop()
    assert fresh(talk, said.fitted.cut) == said.text


# --- what must never be moved ---------------------------------------------------------------------------------------


def test_a_system_prompt_that_lost_its_beginning_is_read_again(chat):
    long = Turn(Role.SYSTEM, "Answer in capital letters. " + "You are a helpful assistant who is kind. " * 3)
    talk = chat(1024)
    talk.turns[0] = long
    for text in QUESTIONS[:3]:
        talk.says(text)
    talk.turns[0] = replace(long, text=long.text.removeprefix("Answer in capital letters. "))
    said = talk.says("What is my name?")
    assert said.done.moved_tokens == 0
    assert said.decoded >= said.done.prompt_tokens - 12


def test_cells_that_two_chats_share_stay_where_they_are(chat, fresh):
    """The second chat took over all that the first has read. A cell has one position, whoever uses it."""
    first = chat(1024)
    for text in QUESTIONS[:5]:
        first.says(text)
    second = Conversation(first.engine, 2)
    second.turns = list(first.turns)
    second.says("What is 3 + 4?")
    second.turns.append(Turn(Role.USER, "What is my name?"))

    def drops_two_exchanges() -> Done:
        sent = [SYSTEM, *second.turns[5:]]
        at = len(first.engine.render([SYSTEM], reply=False).tokens)
        tokens = first.engine.render(sent).tokens
        request = Request(tokens, GREEDY, second.number, left_out_at=at, may_move=True)
        done = list(first.engine.stream(request, StopFlag()))[-1]
        assert isinstance(done, Done)
        return done

    assert drops_two_exchanges().moved_tokens == 0
    first.turns.append(Turn(Role.USER, "What is my name?"))
    said = first.answers()
    assert said.text == fresh(first, said.fitted.cut)
    first.engine.drop(1)
    second.answers()
    assert drops_two_exchanges().moved_tokens > 50, "nobody else uses them any more"


def test_another_chat_takes_over_nothing_that_was_moved(chat):
    talk = chat()
    moved = talk.grows_until_it_drops()
    start = moved.fitted.left_out_at
    twin = Conversation(talk.engine, 2)
    twin.turns = [SYSTEM, *talk.turns[1 + moved.fitted.cut.end : -1]]
    said = twin.answers()
    assert said.done.cached_tokens <= start


def test_a_snapshot_remembers_what_was_moved(starter, open_model, tmp_path, fresh):
    def started() -> LlamaEngine:
        engine = open_model(starter, context_tokens=256)
        engine.keep_in(str(tmp_path / "kv"), 10**9)
        return engine

    talk = Conversation(started(), 5)
    talk.grows_until_it_drops()
    warm = talk.says("What is my name?")
    talk.engine.close()
    del talk.turns[-2:]
    talk.turns.append(Turn(Role.USER, "What is my name?"))
    talk.engine = started()
    restored = talk.answers()
    assert restored.text == warm.text
    assert restored.decoded <= 2 + len(talk.engine.render([Turn(Role.USER, "What is my name?")]).tokens)
    talk.engine.close()
    talk.engine = started()
    exact = talk.answers(READ)
    assert exact.done.cached_tokens <= exact.fitted.left_out_at
    assert fresh(talk, exact.fitted.cut) == exact.text


def test_a_chat_that_comes_back_from_disk_at_the_moment_it_overflows_is_moved_too(starter, open_model, tmp_path):
    def started() -> LlamaEngine:
        engine = open_model(starter, context_tokens=256)
        engine.keep_in(str(tmp_path / "kv"), 10**9)
        return engine

    probe = Conversation(started(), 6)
    probe.grows_until_it_drops()
    steps = len(probe.turns) // 2
    probe.engine.close()
    talk = Conversation(started(), 7)
    for number in range(steps - 1):
        talk.says(QUESTIONS[number % len(QUESTIONS)])
    talk.engine.close()
    talk.engine = started()
    said = talk.says(QUESTIONS[(steps - 1) % len(QUESTIONS)])
    assert said.fitted.newly_dropped
    assert said.done.moved_tokens > 60
