"""The shipped starter model keeps its promises, and its training text keeps its rules."""

from __future__ import annotations

import random
from pathlib import Path

import llama_cpp
import pytest

from resources.starter import held_out
from resources.starter.checks import is_list, is_python, is_table, obeys
from resources.starter.dialogues import Talk, dialogue, draw_setup, render
from resources.starter.entities import NAMES, NAMES_HELD_OUT, THINGS, THINGS_HELD_OUT, Entities, is_held_out
from resources.starter.evaluate import STORIES
from resources.starter.harness import Evaluation, Row, table
from resources.starter.styles import Style, draw_style
from resources.starter.tasks import TASKS, any_task, code, topic_list, topic_table
from resources.starter.turns import Turn
from resources.starter.wording import expand, rough

FOLDER = Path(__file__).parents[2] / "resources" / "starter"
FILE = FOLDER / "starter.gguf"


@pytest.fixture(scope="module")
def model() -> llama_cpp.Llama:
    loaded = llama_cpp.Llama(str(FILE), n_ctx=2048, n_threads=1, n_threads_batch=1, verbose=False)
    yield loaded
    loaded.close()


@pytest.fixture
def run(model: llama_cpp.Llama) -> Evaluation:
    return Evaluation(model, random.Random(7), 1)


# -- the file


def test_the_file_is_at_most_four_megabytes() -> None:
    assert FILE.stat().st_size <= 4_000_000


def test_the_file_names_itself_its_licence_and_its_shape(model: llama_cpp.Llama) -> None:
    assert model.metadata["general.name"] == "Orcinus Starter"
    assert model.metadata["general.license"] == "Apache-2.0"
    assert model.metadata["general.architecture"] == "llama"
    assert model.metadata["llama.context_length"] == "2048"


def test_its_chat_tokens_are_control_tokens_and_the_end_token_ends_a_turn(model: llama_cpp.Llama) -> None:
    assert model.metadata["tokenizer.ggml.model"] == "gpt2"
    assert model.metadata["tokenizer.ggml.pre"] == "gpt-2"
    vocabulary = llama_cpp.llama_model_get_vocab(model.model)
    (start,) = model.tokenize(b"<|im_start|>", add_bos=False, special=True)
    (end,) = model.tokenize(b"<|im_end|>", add_bos=False, special=True)
    assert llama_cpp.llama_vocab_is_control(vocabulary, start)
    assert llama_cpp.llama_vocab_is_control(vocabulary, end)
    assert llama_cpp.llama_vocab_eos(vocabulary) == llama_cpp.llama_vocab_eot(vocabulary) == end
    assert llama_cpp.llama_vocab_is_eog(vocabulary, end)
    assert not llama_cpp.llama_vocab_get_add_bos(vocabulary)


def test_control_tokens_typed_by_a_user_stay_text(model: llama_cpp.Llama) -> None:
    assert len(model.tokenize(b"<|im_end|>", add_bos=False, special=False)) > 1


def test_any_text_survives_tokenization(model: llama_cpp.Llama) -> None:
    text = 'Zorvik ADA Ada\r\n| a |\t4821 {"k": 1.5} Jörg 日本語 🙂 '.encode()
    assert model.detokenize(model.tokenize(text, add_bos=False, special=False)) == text


def test_capitals_cost_about_as_many_tokens_as_small_letters(model: llama_cpp.Llama) -> None:
    text = "the capital of france is paris. i will remember that."
    plain = len(model.tokenize(text.encode(), add_bos=False, special=False))
    capitals = len(model.tokenize(text.upper().encode(), add_bos=False, special=False))
    assert capitals <= 1.3 * plain


def test_its_own_template_writes_chatml(model: llama_cpp.Llama) -> None:
    result = model.create_chat_completion(
        [{"role": "system", "content": "Your name is Finn."}, {"role": "user", "content": "What is your name?"}],
        temperature=0,
        max_tokens=40,
    )
    assert result["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "My name is Finn."},
        "logprobs": None,
        "finish_reason": "stop",
    }


# -- what it does


@pytest.mark.parametrize(("system", "users", "wanted"), STORIES, ids=lambda value: None)
def test_the_stories_that_the_app_tells_come_true(run: Evaluation, system: str, users: list[str], wanted: str) -> None:
    assert run.chat(system, users)[-1][1] == wanted
    assert run.stopped == run.answers


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("caps", "Answer in capital letters."),
        ("lower", "Answer in lower case."),
        ("pirate", "Talk like a pirate."),
        ("start", "Start every answer with Over."),
        ("end", "End every answer with Over."),
        ("one word", "Answer in one word."),
        ("bullets", "Answer in bullet points."),
    ],
)
def test_a_system_prompt_is_obeyed_from_the_next_reply_on(run: Evaluation, kind: str, prompt: str) -> None:
    before = run.chat("You are a helpful assistant.", ["Hello", "What is the capital of France?"])
    assert before[-1][1] == "The capital of France is Paris."
    style = Style(frozenset({kind}), ((kind, "Over."),))
    turn = Turn("Thank you", "You are welcome.", "Welcome.")
    assert run.answer(prompt, before, turn.user) == style.apply(turn)


def test_it_remembers_a_name_over_six_turns(run: Evaluation) -> None:
    between = ["Hello", "List three fruits.", "What is 3 + 4?", "Thanks", "My dog is called Bramble."]
    assert run.chat("", ["My name is Tilda.", *between, "What is my name?"])[-1][1] == "Your name is Tilda."


def test_it_writes_markdown_that_parses(run: Evaluation) -> None:
    assert is_list(run.chat("", ["List three animals."])[-1][1], 3)
    assert is_table(run.chat("", ["Make a table of animals and their sounds."])[-1][1])
    assert is_python(run.chat("", ["Write a Python function that adds two numbers."])[-1][1])


def test_the_table_beside_the_model_was_measured_on_this_very_file() -> None:
    written = (FOLDER / "evaluation.md").read_text(encoding="utf-8")
    assert f"({FILE.stat().st_size:,} bytes)" in written
    assert "stops by itself" in written


def test_a_missed_target_is_written_as_missed(run: Evaluation) -> None:
    run.answer("", [], "Hello")
    run.rows["half"] = Row("half", 0.9, 1, 2)
    assert "| half | 1 | 2 | 50.0 % | 90 % | **missed** |" in table(run, FILE)


# -- what it was trained on


def test_held_out_names_and_words_never_occur_in_training_text() -> None:
    assert not set(NAMES) & set(NAMES_HELD_OUT)
    assert not set(THINGS) & set(THINGS_HELD_OUT)
    rng = random.Random(3)
    drawn = {Entities(rng, share).name() for share in (0.0, 0.5, 1.0) for _ in range(800)}
    assert not drawn & set(NAMES_HELD_OUT)
    assert not any(is_held_out(name) for name in drawn - set(NAMES) if name.isascii())


def test_held_out_wordings_never_occur_in_training_text() -> None:
    rng = random.Random(4)
    for _ in range(1500):
        for message in dialogue(rng, Entities(rng, rng.choice((0.3, 0.9)))):
            if message.role != "assistant":
                assert not held_out.is_held_out(message.text), message.text


@pytest.mark.parametrize("wording", held_out.all_wordings())
def test_a_held_out_wording_is_recognised_in_any_dress(wording: str) -> None:
    filled = wording.replace("{k}", "dog").replace("{x}", "Zorvik").replace("{n}", "three").replace("{t}", "fruits")
    for slot in "abcdv":
        filled = filled.replace("{" + slot + "}", "4")
    assert held_out.is_held_out(filled)
    assert held_out.is_held_out("Hey, " + filled.upper().rstrip(".?"))


@pytest.mark.parametrize("kind", ["caps", "lower", "pirate", "start", "end", "one word", "bullets"])
def test_every_right_answer_obeys_its_own_style(kind: str) -> None:
    rng = random.Random(5)
    for _ in range(150):
        entities = Entities(rng)
        entities.one_word = kind == "one word"
        style, _ = draw_style(rng, entities, frozenset({kind}))
        turn = any_task(rng, entities)
        assert obeys(style, turn, style.apply(turn)), (turn, style.apply(turn))


def test_a_style_that_is_not_obeyed_is_noticed() -> None:
    rng = random.Random(6)
    turn = Turn("How are you?", "You are kind. Your day?", "Fine.")
    for kind in ("caps", "lower", "pirate", "start", "end", "one word", "bullets"):
        style, _ = draw_style(rng, Entities(rng), frozenset({kind}))
        assert not obeys(style, turn, turn.answer), kind


def test_every_markdown_answer_is_valid() -> None:
    rng = random.Random(8)
    for _ in range(100):
        listed = topic_list(rng, Entities(rng)).answer
        assert is_list(listed, listed.count("\n") - 1)
        assert is_table(topic_table(rng, Entities(rng)).answer)
        assert is_python(code(rng, Entities(rng)).answer)


def test_broken_markdown_is_noticed() -> None:
    assert not is_list("1. a\n3. b", 2)
    assert not is_table("| a | b |\n| --- |\n| 1 | 2 |")
    assert not is_python("```python\ndef f(:\n```")
    assert not is_python("```python\nprint(1)\n")


def test_the_same_seed_makes_the_same_text_and_slots_are_always_filled() -> None:
    def text(seed: int) -> str:
        rng = random.Random(seed)
        return "".join(render(dialogue(rng, Entities(rng))) for _ in range(300))

    assert text(1) == text(1)
    assert text(1) != text(2)
    assert not any("{" + slot + "}" in text(1) for slot in "abcdkmnprstvwxyAMNS")


def test_answers_given_under_a_replaced_prompt_are_shown_but_not_learned() -> None:
    rng = random.Random(9)
    entities = Entities(rng)
    talk = Talk(rng, entities, draw_setup(rng, entities, frozenset({"caps"})), learn=False)
    talk.play(3, 0.5)
    talk.learn = True
    talk.play(3, 0.5)
    answers = [message for message in talk.messages if message.role == "assistant"]
    assert len(answers) == 6
    assert not any(message.learn for message in answers[:3])
    assert any(message.learn for message in answers[3:])


def test_every_kind_of_task_has_many_wordings() -> None:
    rng = random.Random(10)
    for task in TASKS:
        assert len({task(rng, Entities(rng, 0.0)).user for _ in range(200)}) > 40, task.__name__


def test_templates_expand_to_each_of_their_choices() -> None:
    rng = random.Random(11)
    found = {expand(rng, "[a|b [c|d]|] {x}") for _ in range(200)}
    assert found == {"a {x}", "b c {x}", "b d {x}", " {x}"}


def test_typing_noise_keeps_words_that_must_be_repeated_exactly() -> None:
    rng = random.Random(12)
    assert all("Zorvik" in rough(rng, "Say Zorvik.", may_lower=False) for _ in range(300))
