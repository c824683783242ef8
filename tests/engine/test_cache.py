"""What of the KV cache is kept for the next prompt."""

import random

from app.engine.cache import KvSequence, common_length


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
    assert sequence.keep_common((1, 2, 9, 9)) == 2
    assert memory.cells == sequence.tokens == [1, 2]


def test_the_last_token_is_always_left_to_be_read():
    memory, sequence = filled([1, 2, 3, 4])
    assert sequence.keep_common((1, 2, 3, 4)) == 3
    assert memory.cells == [1, 2, 3]
    assert sequence.keep_common((1, 2)) == 1


def test_a_memory_that_cannot_forget_its_end_is_emptied():
    memory, sequence = filled([1, 2, 3, 4], whole_only=True)
    assert sequence.keep_common((1, 2, 9)) == 0
    assert memory.cells == sequence.tokens == []


def test_a_memory_that_cannot_forget_its_end_still_grows():
    _, sequence = filled([1, 2, 3, 4], whole_only=True)
    assert sequence.keep_common((1, 2, 3, 4, 5)) == 4


def test_what_llama_cpp_kept_of_a_failed_decode_is_cut_off():
    memory, sequence = filled([1, 2])
    memory.cells.extend([7, 8])
    sequence.cut(len(sequence.tokens))
    assert memory.cells == [1, 2]
