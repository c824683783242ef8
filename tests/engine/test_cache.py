"""What of the KV cache is kept for the next prompt."""

import random

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Request, Turn
from app.engine.cache import KvSequence, Wanted
from app.engine.moving import common_length


class Memory:
    """llama.cpp's memory calls on a plain list; `whole_only` as recurrent models have it."""

    def __init__(self, whole_only=False):
        self.cells = []
        self.whole_only = whole_only

    def llama_get_memory(self, _context):
        return self

    def llama_memory_seq_rm(self, _memory, _sequence, start, _end):
        start = max(0, start)
        if self.whole_only and 0 < start < len(self.cells):
            return False
        del self.cells[start:]
        return True


def filled(tokens, whole_only=False):
    memory = Memory(whole_only)
    sequence = KvSequence(memory, None)
    sequence.tokens.extend(tokens)
    memory.cells.extend(tokens)
    return memory, sequence


def test_the_common_length_is_that_of_the_shared_beginning():
    chance = random.Random(1)
    for _ in range(500):
        one = chance.choices(range(3), k=chance.randrange(12))
        other = chance.choices(range(3), k=chance.randrange(12))
        size = common_length(one, other)
        assert one[:size] == other[:size]
        assert size in (len(one), len(other)) or one[size] != other[size]


def test_all_but_the_common_beginning_is_forgotten():
    memory, sequence = filled([1, 2, 3, 4])
    assert sequence.keep_common(Wanted([1, 2, 9, 9])) == 2
    assert memory.cells == sequence.tokens == [1, 2]


def test_the_last_token_is_always_left_to_be_read():
    memory, sequence = filled([1, 2, 3, 4])
    assert sequence.keep_common(Wanted([1, 2, 3, 4])) == 3
    assert memory.cells == [1, 2, 3]
    assert sequence.keep_common(Wanted([1, 2])) == 1


def test_a_memory_that_cannot_forget_its_end_is_emptied():
    memory, sequence = filled([1, 2, 3, 4], whole_only=True)
    assert sequence.keep_common(Wanted([1, 2, 9])) == 0
    assert memory.cells == sequence.tokens == []


def test_a_memory_that_cannot_forget_its_end_still_grows():
    _, sequence = filled([1, 2, 3, 4], whole_only=True)
    assert sequence.keep_common(Wanted([1, 2, 3, 4, 5])) == 4


def test_what_llama_cpp_kept_of_a_failed_decode_is_cut_off():
    memory, sequence = filled([1, 2])
    memory.cells.extend([7, 8])
    sequence.cut(len(sequence.tokens))
    assert memory.cells == [1, 2]


GREEDY = Sampling(temperature=0, max_tokens=40)
SYSTEM = Turn(Role.SYSTEM, "You are a helpful assistant.")


def chat(engine, conversation, *texts):
    """Plays the texts as turns of one conversation; the replies and the ends."""
    turns, replies, ends = [SYSTEM], [], []
    for text in texts:
        turns.append(Turn(Role.USER, text))
        request = Request(engine.render(turns).tokens, GREEDY, conversation)
        events = list(engine.stream(request, StopFlag()))
        replies.append("".join(event.text for event in events if isinstance(event, Delta)))
        ends.append(events[-1])
        turns.append(Turn(Role.ASSISTANT, replies[-1], events[-1].token_ids))
    return replies, ends


@pytest.fixture
def engine(starter, open_model):
    return open_model(starter, context_tokens=1024)


ADA = ("My name is Ada.", "What is my name?")
BO = ("My name is Zorvik.", "What is my name?")


def test_chats_that_take_turns_keep_what_was_read_of_each(engine):
    apart = {name: chat(engine, name, *texts)[0] for name, texts in ((1, ADA), (2, BO))}
    engine.forget()
    cached = {1: [], 2: []}
    said = {1: [], 2: []}
    for step in (1, 2):
        for name, texts in ((1, ADA), (2, BO)):
            replies, ends = chat(engine, name, *texts[:step])
            said[name] = replies
            cached[name].append(ends[-1])
    assert said == apart
    for name in (1, 2):
        first, second = cached[name]
        assert second.prompt_tokens - second.cached_tokens < first.prompt_tokens, "only the new turn was read"
    assert engine._decoder.cache.conversations == (1, 2)


def test_a_new_chat_takes_over_the_system_prompt_that_another_has_read(engine):
    chat(engine, 1, "Hello")
    _, (end,) = chat(engine, 2, "What is the capital of France?")
    assert end.cached_tokens >= len(engine.render([SYSTEM], reply=False).tokens) - 1
    assert chat(engine, 2, "What is the capital of France?")[0] == ["The capital of France is Paris."]


def test_the_chat_used_longest_ago_makes_room_for_a_fifth(engine):
    for name in (1, 2, 3, 4):
        chat(engine, name, "Hello")
    chat(engine, 1, "Hello")
    chat(engine, 5, "Hello")
    assert engine._decoder.cache.conversations == (3, 4, 1, 5)


def test_one_chat_may_fill_the_whole_context_and_the_others_make_room(starter, open_model):
    engine = open_model(starter, context_tokens=512)
    for name in (1, 2, 3):
        chat(engine, name, "Tell me a story.")
    long = Request(tuple(random.Random(3).choices(range(300, 900), k=500)), Sampling(max_tokens=8), 4)
    end = list(engine.stream(long, StopFlag()))[-1]
    assert isinstance(end, Done)
    assert end.prompt_tokens == 500
    assert engine._decoder.cache.conversations == (4,)


def test_room_that_runs_out_while_generating_is_made_too(starter, open_model):
    """What two chats hold fits exactly; the reply of one then needs more."""
    engine = open_model(starter, context_tokens=256)
    filler = Request(tuple(random.Random(4).choices(range(300, 900), k=150)), Sampling(max_tokens=1), 1)
    list(engine.stream(filler, StopFlag()))
    (reply,), (end,) = chat(engine, 2, "Tell me a story.")
    assert end.completion_tokens == 40
    fresh = open_model(starter, context_tokens=256)
    assert chat(fresh, 2, "Tell me a story.")[0] == [reply]


def test_replies_are_the_same_whatever_else_is_warm(engine):
    alone = chat(engine, 1, *ADA, "List three fruits.", "What is 3 + 4?")[0]
    for name in (2, 3, 4):
        chat(engine, name, "Tell me a story.")
    assert chat(engine, 5, *ADA, "List three fruits.", "What is 3 + 4?")[0] == alone


def test_forgetting_leaves_nothing_warm(engine):
    chat(engine, 1, "Hello")
    engine.forget()
    assert engine._decoder.cache.conversations == ()
    assert chat(engine, 1, "Hello")[1][0].cached_tokens == 0
