"""Chats, their messages, the trash and drafts."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from app.core.chat import MessageState, MessageTree, Provenance
from app.core.errors import StorageError
from app.core.role import Role
from app.storage.backups import Backups
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.opening import open_database
from app.storage.replies import pack, unpack

DAY_MS = 24 * 3600 * 1000


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path):
    opened = open_database(tmp_path / "orcinus.db")
    yield opened
    opened.close()


@pytest.fixture
def chats(database: Database, clock: Clock) -> ChatStore:
    return ChatStore(database, clock=clock)


def answered(chats: ChatStore, chat_id: int, parent_id: int | None, question: str, answer: str) -> int:
    _, reply = chats.add_turn(chat_id, parent_id, question)
    chats.finish(reply.id, MessageState.DONE, answer)
    return reply.id


def test_a_chat_comes_back_as_it_was(chats: ChatStore):
    made = chats.create("starter", title="Whales", system_prompt="Be brief.", overrides={"top_k": 3, "seed": None})
    chats.pin(made.id, True)
    chats.set_model(made.id, "/models/a.gguf")
    chats.set_system_prompt(made.id, "Be long.")
    chats.set_overrides(made.id, {"stop": ("\n", "x")})
    found = chats.chat(made.id)
    assert (found.title, found.model_id, found.system_prompt) == ("Whales", "/models/a.gguf", "Be long.")
    assert found.overrides == {"stop": ["\n", "x"]}
    assert found.pinned is True
    assert made.overrides == {"top_k": 3, "seed": None}


def test_an_answer_keeps_its_tokens_and_how_it_came_about(chats: ChatStore):
    chat = chats.create("starter")
    provenance = Provenance(
        model_name="Starter",
        model_path="/m.gguf",
        system_prompt="Be brief.",
        template="chatml",
        sampling={"temperature": 0.7, "top_k": None, "stop": ("a", "b")},
        seed=4_294_967_294,
        context_tokens=512,
        prompt_tokens=40,
        cached_tokens=30,
        completion_tokens=3,
        ttft_ms=12.5,
        tokens_per_s=200.0,
        duration_ms=100.0,
        stop_reason="eog",
        first_sent_id=7,
        error="",
    )
    _, reply = chats.add_turn(chat.id, None, "Hi")
    finished = chats.finish(reply.id, MessageState.DONE, "Hello", (0, 5, 4_294_967_295), provenance)
    assert chats.messages(chat.id)[-1] == finished
    assert finished.provenance == provenance
    assert finished.token_ids == (0, 5, 4_294_967_295)


def test_token_ids_are_packed_as_little_endian_words():
    assert pack((1, 258)) == b"\x01\x00\x00\x00\x02\x01\x00\x00"
    assert unpack(pack((1, 258))) == (1, 258)
    assert unpack(b"\x01\x00\x00\x00\x02") == (1,)


def test_a_system_prompt_used_by_many_answers_is_kept_once(chats: ChatStore, database: Database):
    chat = chats.create("starter")
    leaf = None
    for prompt in ("Be brief.", "Be brief.", "Be long.", "Be brief."):
        _, reply = chats.add_turn(chat.id, leaf, "Hi")
        chats.finish(reply.id, MessageState.DONE, "Hello", (), Provenance(system_prompt=prompt, seed=reply.id))
        leaf = reply.id
    kept = database.rows("SELECT text FROM wording WHERE text LIKE 'Be%' ORDER BY id")
    assert kept == [("Be brief.",), ("Be long.",)]
    prompts = [m.provenance.system_prompt for m in chats.messages(chat.id) if m.provenance]
    assert prompts == ["Be brief.", "Be brief.", "Be long.", "Be brief."]


def test_provenance_that_was_damaged_is_read_as_far_as_it_goes(chats: ChatStore, database: Database):
    chat = chats.create("starter")
    _, reply = chats.add_turn(chat.id, None, "Hi")
    chats.finish(reply.id, MessageState.DONE, "Hello", (1,), Provenance(model_name="m", seed=3))
    database.run("""UPDATE answer SET details = '{"seed": "odd", "prompt_tokens": 7, "unknown": []}'""")
    found = chats.messages(chat.id)[-1].provenance
    assert found is not None
    assert (found.seed, found.prompt_tokens, found.model_name) == (0, 7, "m")
    database.run("UPDATE answer SET details = '{'")
    database.run("UPDATE wording SET text = '[1]'")
    assert chats.messages(chat.id)[-1].provenance == Provenance(system_prompt="[1]")
    database.run("UPDATE chat SET overrides = 'x'")
    assert chats.chat(chat.id).overrides == {}


def test_a_sent_turn_stands_in_the_file_with_its_empty_reply_and_becomes_the_leaf(chats: ChatStore):
    chat = chats.create("starter")
    user, reply = chats.add_turn(chat.id, None, "My name is Ada.")
    assert [user, reply] == chats.messages(chat.id)
    assert (user.role, user.state, reply.state) == (Role.USER, MessageState.DONE, MessageState.STREAMING)
    assert reply.parent_id == user.id
    assert chats.chat(chat.id).leaf_id == reply.id


def test_regenerating_and_editing_add_versions_and_lose_none(chats: ChatStore):
    chat = chats.create("starter")
    first = answered(chats, chat.id, None, "Hi", "Hello")
    question_id = chats.messages(chat.id)[0].id
    again = chats.add_reply(chat.id, question_id)
    chats.finish(again.id, MessageState.STOPPED, "Hey")
    edited, _ = chats.add_turn(chat.id, None, "Hi there")
    tree = MessageTree(chats.messages(chat.id))
    assert tree.siblings(first) == (first, again.id)
    assert tree.siblings(question_id) == (question_id, edited.id)
    chats.set_leaf(chat.id, first)
    assert chats.chat(chat.id).leaf_id == first


def test_a_growing_reply_is_what_its_chunks_say(chats: ChatStore):
    chat = chats.create("starter")
    _, reply = chats.add_turn(chat.id, None, "Tell")
    for chunk in ("One ", "", "whale", "."):
        chats.append_chunk(reply.id, chunk)
    assert chats.messages(chat.id)[-1].text == "One whale."
    assert chats.finish(reply.id, MessageState.STOPPED).text == "One whale."
    assert chats.messages(chat.id)[-1].state is MessageState.STOPPED


def test_nothing_can_be_added_to_a_reply_that_has_ended(chats: ChatStore):
    chat = chats.create("starter")
    reply_id = answered(chats, chat.id, None, "Hi", "Hello")
    with pytest.raises(StorageError):
        chats.append_chunk(reply_id, "!")
    with pytest.raises(StorageError):
        chats.finish(reply_id, MessageState.DONE, "Other")
    with pytest.raises(ValueError):
        chats.finish(reply_id, MessageState.STREAMING, "Other")
    assert chats.messages(chat.id)[-1].text == "Hello"


def test_replies_cut_off_by_the_last_end_keep_what_had_come(chats: ChatStore):
    chat = chats.create("starter")
    _, reply = chats.add_turn(chat.id, None, "Tell")
    chats.append_chunk(reply.id, "One wh")
    other = chats.create("starter")
    chats.add_turn(other.id, None, "Tell")
    assert chats.recover() == 2
    assert chats.recover() == 0
    found = chats.messages(chat.id)[-1]
    assert (found.text, found.state) == ("One wh", MessageState.INTERRUPTED)
    assert [hit.message_id for hit in chats.search("one wh")] == [reply.id]


def test_a_reply_that_goes_on_keeps_its_text_but_not_the_tokens_of_a_part(chats: ChatStore):
    chat = chats.create("starter")
    _, reply = chats.add_turn(chat.id, None, "Tell")
    chats.finish(reply.id, MessageState.STOPPED, "One whale", (1, 2), Provenance(seed=3))
    reopened = chats.reopen(reply.id)
    assert (reopened.text, reopened.state) == ("One whale", MessageState.STREAMING)
    assert chats.search("whale") == []
    chats.append_chunk(reply.id, " sings")
    chats.recover()
    found = chats.messages(chat.id)[-1]
    assert (found.text, found.token_ids) == ("One whale sings", ())
    assert [hit.message_id for hit in chats.search("whale sings")] == [reply.id]
    with pytest.raises(StorageError):
        chats.reopen(chats.messages(chat.id)[0].id)


def test_a_refused_question_is_taken_back_but_never_one_that_was_answered(chats: ChatStore):
    chat = chats.create("starter")
    first = answered(chats, chat.id, None, "Hi", "Hello")
    user, reply = chats.add_turn(chat.id, first, "far too long")
    with pytest.raises(ValueError):
        chats.take_back(chat.id, [first], None)
    chats.take_back(chat.id, [reply.id, user.id], first)
    assert [message.text for message in chats.messages(chat.id)] == ["Hi", "Hello"]
    assert chats.chat(chat.id).leaf_id == first
    assert chats.search("long") == []
    assert chats.add_turn(chat.id, first, "again")[0].id > reply.id


def test_a_turn_never_hangs_on_a_message_of_another_chat(chats: ChatStore):
    here, there = chats.create("starter"), chats.create("starter")
    message_id = answered(chats, there.id, None, "Hi", "Hello")
    for wrong in (lambda: chats.add_turn(here.id, message_id, "x"), lambda: chats.set_leaf(here.id, message_id)):
        with pytest.raises(ValueError):
            wrong()
    assert chats.messages(here.id) == []


def test_the_list_has_pinned_chats_first_then_the_last_written_in_whatever_the_clock_says(
    chats: ChatStore, clock: Clock
):
    ids = []
    for years in (0, 10, -10, 3):
        clock.ms = 1_700_000_000_000 + years * 365 * DAY_MS
        ids.append(chats.create("starter", title=str(years)).id)
    assert [row.id for row in chats.rows()] == ids[::-1]
    clock.ms = 1
    answered(chats, ids[0], None, "Hi", "Hello")
    chats.pin(ids[1], True)
    assert [row.id for row in chats.rows()] == [ids[1], ids[0], ids[3], ids[2]]


def test_messages_come_in_the_order_they_were_written_when_the_clock_jumps(chats: ChatStore, clock: Clock):
    chat = chats.create("starter")
    leaf = None
    for number, years in enumerate((0, 10, -10, 5)):
        clock.ms = 1_700_000_000_000 + years * 365 * DAY_MS
        leaf = answered(chats, chat.id, leaf, f"q{number}", f"a{number}")
    assert [m.text for m in chats.messages(chat.id)] == ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"]


def test_a_title_made_by_the_app_never_replaces_a_persons(chats: ChatStore):
    chat = chats.create("starter")
    chats.rename(chat.id, "made", by_person=False)
    assert chats.chat(chat.id).title == "made"
    chats.rename(chat.id, "mine")
    chats.rename(chat.id, "made again", by_person=False)
    assert chats.chat(chat.id).title == "mine"


def test_a_deleted_chat_waits_in_the_trash_for_30_days(chats: ChatStore, clock: Clock):
    kept, gone = chats.create("starter", title="kept"), chats.create("starter", title="gone")
    chats.trash(kept.id)
    chats.trash(gone.id)
    assert chats.rows() == []
    assert [row.title for row in chats.rows(trashed=True)] == ["gone", "kept"]
    assert chats.search("kept") == []
    chats.restore(kept.id)
    clock.ms += 30 * DAY_MS
    assert chats.purge_old() == 0
    clock.ms += 1
    assert chats.purge_old() == 1
    assert [row.title for row in chats.rows()] == ["kept"]
    assert chats.rows(trashed=True) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda chats: chats.chat(99),
        lambda chats: chats.rename(99, "x"),
        lambda chats: chats.pin(99, True),
        lambda chats: chats.trash(99),
        lambda chats: chats.add_turn(99, None, "x"),
        lambda chats: chats.reopen(99),
    ],
)
def test_using_a_chat_that_is_gone_says_so(chats: ChatStore, use):
    with pytest.raises(StorageError) as caught:
        use(chats)
    assert caught.value.title


def test_purging_a_chat_leaves_no_trace_of_its_words(tmp_path: Path):
    backups = Backups(tmp_path / "backups")
    database = open_database(tmp_path / "orcinus.db", backups=backups)
    chats = ChatStore(database, backups)
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(3000)]
    doomed = chats.create("canaryid", title="canarytitle", system_prompt="canaryprompt")
    leaf = None
    for number in range(120):
        other = chats.create("starter", title=rng.choice(words))
        answered(chats, other.id, None, " ".join(rng.choices(words, k=200)), " ".join(rng.choices(words, k=200)))
        leaf = answered(
            chats, doomed.id, leaf, f"canary{number} " + "long " * 900 + f"canary{number}", f"canary{number}a"
        )
    _, reply = chats.add_turn(doomed.id, leaf, "canaryquestion")
    chats.append_chunk(reply.id, "canarychunk")
    chats.finish(reply.id, MessageState.DONE, None, (1,), Provenance(system_prompt="canaryold", model_name="canarym"))
    chats.save_draft(doomed.id, "canarydraft")
    chats.add_turn(doomed.id, reply.id, "canarylast")
    backups.make(database.connection)
    database.empty_journal()
    files = [tmp_path / "orcinus.db", *backups.all()]
    assert all(b"canary" in file.read_bytes() for file in files)

    chats.purge(doomed.id)

    assert backups.all() == files[1:]
    everything = [file for file in tmp_path.rglob("*") if file.is_file() and not file.name.endswith("-shm")]
    assert len(everything) >= 2
    assert [file.name for file in everything if b"canary" in file.read_bytes().lower()] == []
    assert len(chats.rows()) == 120
    assert chats.search(words[0][:3])
    database.close()


def test_drafts_are_kept_per_chat_and_gone_once_sent(chats: ChatStore):
    chat = chats.create("starter")
    chats.save_draft(0, "not begun")
    chats.save_draft(chat.id, "half a quest")
    assert (chats.draft(0), chats.draft(chat.id), chats.draft(99)) == ("not begun", "half a quest", "")
    first = chats.add_turn(chat.id, None, "An edit", clear_draft=False)[1]
    assert chats.draft(chat.id) == "half a quest"
    chats.add_turn(chat.id, first.id, "half a question")
    assert chats.draft(chat.id) == ""
    chats.save_draft(0, "")
    assert chats.draft(0) == ""


def test_any_text_can_be_kept(chats: ChatStore):
    rng = random.Random(3)
    chat = chats.create("starter")
    chunks = ["".join(chr(rng.randrange(sys.maxunicode + 1)) for _ in range(50)) for _ in range(200)]
    _, reply = chats.add_turn(chat.id, None, "\ud83d lone \x00 nul")
    for chunk in chunks:
        chats.append_chunk(reply.id, chunk)
    chats.rename(chat.id, chunks[0])
    chats.set_system_prompt(chat.id, chunks[1])
    chats.set_overrides(chat.id, {"stop": [chunks[2]]})
    chats.save_draft(chat.id, chunks[3])
    chats.finish(reply.id, MessageState.DONE, None, (), Provenance(system_prompt=chunks[4], model_path=chunks[5]))
    user, reply = chats.messages(chat.id)
    assert user.text == "\ufffd lone  nul"
    for text in (reply.text, chats.chat(chat.id).title, chats.draft(chat.id)):
        assert text.encode().decode() == text
        assert "\x00" not in text
    assert reply.provenance is not None
    assert len(reply.text) > 9000


def test_a_paste_of_10_mb_is_kept_whole(chats: ChatStore):
    chat = chats.create("starter")
    paste = "0123456789 whale\n" * 620_000
    chats.add_turn(chat.id, None, paste)
    assert chats.messages(chat.id)[0].text == paste
