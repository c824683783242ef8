"""A growing reply: whole characters, no part of a stop string, and ids that say what was shown."""

import random

import pytest

from app.core.options import Sampling
from app.engine.base import Delta, Request, StopReason
from app.engine.reply import Reply, ReplyText, StopStrings


def test_characters_split_over_tokens_come_whole_in_20000_random_splits():
    chance = random.Random(1)
    alphabet = ["a", "é", "你", "😀", "👩‍👩‍👧", "\n", "ß", "\U0010ffff"]
    for _ in range(20_000):
        text = "".join(chance.choices(alphabet, k=6))
        data = text.encode()
        cuts = sorted(chance.choices(range(len(data) + 1), k=5))
        reply = ReplyText()
        shown = [reply.feed(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert "\ufffd" not in "".join(shown)
        assert "".join(shown) + reply.finish() == text


def test_bytes_that_are_no_utf8_become_replacement_characters():
    reply = ReplyText()
    assert reply.feed(b"a\xffb") == "a\ufffdb"
    assert reply.feed(b"\xe4\xbd") == ""
    assert reply.finish() == "\ufffd"


def test_nul_is_never_shown_as_it_could_not_be_kept():
    reply = ReplyText(["stop"])
    assert [reply.feed(piece) for piece in (b"a\0", b"\0", b"b")] == ["a", "", "b"]
    assert reply.decoded == reply.shown == 2
    assert reply.feed(b"st\0op") == ""
    assert reply.stopped, "what is looked for is looked for in what would be shown"


def test_the_first_space_alone_is_dropped_where_it_is_not_part_of_the_text():
    reply = ReplyText(drop_first_space=True)
    assert [reply.feed(piece) for piece in (b"", b" ", b" a", b" b")] == ["", "", " a", " b"]


def test_text_is_shown_as_it_comes_where_nothing_could_become_a_stop_string():
    stops = StopStrings(["STOP"])
    assert [stops.feed(text) for text in ("Hel", "lo S", "ay")] == ["Hel", "lo ", "Say"]


def test_no_part_of_a_stop_string_is_ever_shown():
    chance = random.Random(2)
    for _ in range(5000):
        strings = ["".join(chance.choices("ab<", k=chance.randrange(1, 5))) for _ in range(3)]
        text = "".join(chance.choices("ab<c", k=30))
        stops, shown, at = StopStrings(strings), "", 0
        while at < len(text) and not stops.hit:
            size = chance.randrange(1, 4)
            shown += stops.feed(text[at : at + size])
            at += size
        shown += stops.rest()
        assert text.startswith(shown)
        assert not any(string in shown for string in strings)
        if stops.hit:
            assert any(text[len(shown) :].startswith(string) for string in strings)
        else:
            assert shown == text


def test_what_was_held_back_is_shown_when_the_reply_ends_without_the_stop_string():
    stops = StopStrings(["</end>"])
    assert stops.feed("text </en") == "text "
    assert stops.rest() == "</en"


def test_empty_stop_strings_stop_nothing():
    stops = StopStrings(["", ""])
    assert stops.feed("text") == "text"
    assert not stops.hit


def reply(stop=(), max_tokens=None):
    return Reply(Request((1,), Sampling(stop=stop, max_tokens=max_tokens)))


def events(growing, reason):
    return list(growing.end(reason, 7, lambda text: tuple(text.encode()) if text else ()))


def test_ids_of_a_reply_cut_by_a_stop_string_are_those_of_the_text_that_was_shown():
    growing = reply(stop=("XY",))
    for token, piece in enumerate([b"one ", b"two", b" thX", b"Y"]):
        growing.add(100 + token, piece)
    assert growing.over is StopReason.STOP_STRING
    assert events(growing, StopReason.STOP_STRING)[-1].token_ids == (100, 101, *b" th")


def test_ids_are_kept_whole_where_the_stop_string_begins_with_a_token():
    growing = reply(stop=("XY",))
    for token, piece in enumerate([b"one", b"X", b"Y"]):
        growing.add(100 + token, piece)
    done = events(growing, StopReason.STOP_STRING)[-1]
    assert done.token_ids == (100,)
    assert done.completion_tokens == 3


def test_a_reply_is_over_at_its_longest():
    growing = reply(max_tokens=2)
    growing.add(1, b"a")
    assert growing.over is None
    growing.add(2, b"b")
    assert growing.over is StopReason.LENGTH


def test_half_a_character_at_the_end_comes_with_the_last_events():
    growing = reply()
    growing.add(1, b"a\xf0\x9f")
    last = events(growing, StopReason.STOPPED)
    assert last[0] == Delta("\ufffd", 1)
    assert last[-1].token_ids == (1,)


def test_an_empty_reply_has_no_times():
    done = events(reply(), StopReason.END)[-1]
    assert (done.ttft_ms, done.tokens_per_s, done.completion_tokens, done.token_ids) == (0.0, 0.0, 0, ())
    assert done.duration_ms >= 0


@pytest.mark.parametrize("pieces", [[b"a"], [b"a", b"b", b"c"]])
def test_the_rate_counts_from_the_first_token_to_the_last(pieces):
    growing = reply()
    for token, piece in enumerate(pieces):
        growing.add(token, piece)
    done = events(growing, StopReason.END)[-1]
    assert (done.tokens_per_s > 0) == (len(pieces) > 1)
