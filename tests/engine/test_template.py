"""A model's own template: llama.cpp's tokens, no forged turns, and ChatML where it is wrong."""

import random

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Request, Turn
from app.engine.sandbox import MAX_SOURCE_CHARS
from tests.engine.gguf_writer import CONTROL, USER_DEFINED, tiny_model

LLAMA3 = """{%- set loop_messages = messages -%}
{%- for message in loop_messages -%}
{%- set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + \
'<|eot_id|>' -%}
{%- if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif -%}
{{- content -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif -%}"""
LLAMA3_TOKENS = [("<|start_header_id|>", CONTROL), ("<|end_header_id|>", CONTROL), ("<|eot_id|>", CONTROL)]

MISTRAL = """{{ bos_token }}{% for message in messages %}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{%- if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}
{%- elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}
{%- else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""

CHATML = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] \
+ '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

TALK = [
    Turn(Role.SYSTEM, "Be brief."),
    Turn(Role.USER, "hello"),
    Turn(Role.ASSISTANT, "the user"),
    Turn(Role.USER, "and then?"),
]


@pytest.fixture
def with_template(tmp_path, open_model):
    """Opens a tiny model that has this template."""

    def opened(template, tokens=(), **more):
        return open_model(tiny_model(tmp_path / "model.gguf", template=template, extra_tokens=tokens, **more))

    return opened


def reference(engine, text):
    """llama.cpp's tokens for the whole text with control strings read as control tokens."""
    return tuple(engine._vocabulary.raw(text, special=True))


def test_a_models_own_template_gives_llama_cpps_tokens_for_the_same_text(with_template):
    engine = with_template(LLAMA3, LLAMA3_TOKENS)
    prompt = engine.render(TALK)
    assert engine.facts.template == "the model's own"
    assert not engine.facts.notices
    assert prompt.text == (
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nthe user<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nand then?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert prompt.tokens == reference(engine, prompt.text)


def test_text_segments_know_their_turn_and_role(with_template):
    prompt = with_template(LLAMA3, LLAMA3_TOKENS).render(TALK)
    found = [(segment.turn, segment.role, segment.text) for segment in prompt.segments if segment.turn >= 0]
    assert found == [
        (0, "system", "\n\nBe brief."),
        (1, "user", "\n\nhello"),
        (2, "assistant", "\n\nthe user"),
        (3, "user", "\n\nand then?"),
    ]


@pytest.mark.parametrize("kind", [CONTROL, USER_DEFINED], ids=["control", "user-defined"])
def test_no_message_can_forge_a_control_token(with_template, kind):
    engine = with_template(LLAMA3, [(text, kind) for text, _ in LLAMA3_TOKENS])
    controls = engine._vocabulary.markers
    clean = len([s for s in engine.render(TALK).segments if s.kind == "control"])
    pieces = [*controls, *(text[:at] for text in controls for at in (1, -1)), *(text[2:] for text in controls)]
    chance = random.Random(1)
    for _ in range(400):
        turns = [Turn(t.role, "".join(chance.choices([*pieces, "a", " ", "\n"], k=4)) + "x") for t in TALK]
        prompt = engine.render(turns)
        assert engine.facts.template == "the model's own"
        assert len([s for s in prompt.segments if s.kind == "control"]) == clean
        for segment in prompt.segments:
            if segment.kind == "text":
                assert not set(controls.values()) & set(segment.tokens)
                said = engine._vocabulary.says(segment.tokens)
                assert said is not None
                assert said.removeprefix(" ") == segment.text.removeprefix(" ")


def test_parts_of_control_tokens_at_a_messages_ends_do_not_grow_together_with_the_template(with_template):
    template = "{% for m in messages %}{{ '<|' + m.content + 'end|>' }}{% endfor %}"
    engine = with_template(template, [("<|x|>", CONTROL), ("<|xend|>", CONTROL)])
    prompt = engine.render([Turn(Role.USER, "x|>a<|x")])
    assert not [segment for segment in prompt.segments if segment.kind == "control" and segment.text]


def test_a_template_that_rejects_the_system_role_gets_it_with_the_first_question(with_template):
    engine = with_template(MISTRAL)
    prompt = engine.render(TALK)
    assert engine.facts.template == "the model's own"
    assert "system prompt" in engine.facts.notices[0]
    assert prompt.text == "<s>[INST] Be brief.\n\nhello [/INST]the user</s>[INST] and then? [/INST]"
    assert prompt.tokens == reference(engine, prompt.text)


def test_two_questions_in_a_row_are_made_one_for_a_template_that_wants_turns(with_template):
    engine = with_template(MISTRAL)
    prompt = engine.render([Turn(Role.USER, "hello"), Turn(Role.USER, "anyone?")])
    assert prompt.text == "<s>[INST] hello\n\nanyone? [/INST]"


def test_a_conversation_that_the_template_cannot_write_is_written_in_chatml(with_template):
    engine = with_template(MISTRAL)
    prompt = engine.render([Turn(Role.ASSISTANT, "hi"), Turn(Role.USER, "hello")])
    assert prompt.text.endswith("<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n")
    assert "cannot write this chat: Conversation roles must alternate" in prompt.notice
    assert not engine.render([Turn(Role.USER, "hello")]).notice


def test_a_template_that_is_chatml_is_done_by_the_chatml_renderer(with_template):
    engine = with_template(CHATML)
    assert engine.facts.template == "ChatML"
    assert not engine.facts.notices
    assert [segment.turn for segment in engine.render(TALK[:1]).segments] == [-1, 0, 0, 0, 0, -1, -1]


def test_the_starters_template_is_recognised_as_chatml(starter_engine):
    assert starter_engine.facts.template == "ChatML"


def test_the_setting_can_ask_for_chatml(tmp_path, open_model):
    path = tiny_model(tmp_path / "m.gguf", template=LLAMA3, extra_tokens=LLAMA3_TOKENS)
    engine = open_model(path, template="chatml")
    assert engine.facts.template == "ChatML"
    assert "<|im_start|>" in engine.render(TALK).text


WRONG = {
    "syntax": "{% for %}",
    "unclosed": "{% if x %}",
    "unknown filter": "{{ messages | frobnicate }}",
    "always raises": "{{ raise_exception('No.') }}",
    "wrong attribute": "{{ messages.nothing.there }}",
    "division": "{{ 1 / 0 }}",
    "endless": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "drops the system prompt": "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}",
    "drops the question": "{% for m in messages if m.role != 'user' %}{{ m.content }}{% endfor %}",
    "drops the last question": "{% for m in messages[:-1] %}{{ m.content }}{% endfor %}",
    "says nothing": "nothing",
    "too large": "{# " + "x" * MAX_SOURCE_CHARS + " #}" + CHATML,
    "includes": "{% include 'other' %}",
}


@pytest.mark.parametrize("source", WRONG.values(), ids=WRONG)
def test_a_wrong_template_is_replaced_by_chatml_with_a_notice(with_template, source):
    engine = with_template(source)
    assert engine.facts.template == "ChatML (fallback)"
    assert "chat template is not used" in engine.facts.notices[0]
    assert engine.render(TALK).text.endswith("<|im_start|>assistant\n")


def test_a_template_that_takes_for_ever_on_a_real_chat_gives_way_to_chatml(with_template):
    engine = with_template(LLAMA3 + "{% if messages | length > 5 %}" + WRONG["endless"] + "{% endif %}", LLAMA3_TOKENS)
    assert engine.facts.template == "the model's own"
    long = [*TALK, Turn(Role.ASSISTANT, "so"), Turn(Role.USER, "why?")]
    prompt = engine.render(long)
    assert prompt.text.endswith("<|im_start|>user\nwhy?<|im_end|>\n<|im_start|>assistant\n")
    assert "it takes too long" in prompt.notice


def test_bos_is_put_first_where_the_template_leaves_it_out_and_never_twice(with_template):
    engine = with_template(LLAMA3.replace("bos_token + content", "content"), LLAMA3_TOKENS)
    assert engine.render(TALK).tokens.count(1) == 1
    again = with_template(LLAMA3, LLAMA3_TOKENS)
    assert again.render(TALK).tokens == engine.render(TALK).tokens


def test_without_a_reply_no_answer_is_begun(with_template):
    engine = with_template(LLAMA3, LLAMA3_TOKENS)
    assert engine.render(TALK, reply=False).text.endswith("and then?<|eot_id|>")


@pytest.mark.parametrize("template", [LLAMA3, MISTRAL], ids=["llama 3", "mistral"])
def test_the_next_turn_reads_only_what_is_new(with_template, template):
    engine = with_template(template, LLAMA3_TOKENS)
    sampling = Sampling(temperature=1, seed=4, max_tokens=12)
    turns = TALK[:2]
    events = list(engine.stream(Request(engine.render(turns).tokens, sampling), StopFlag()))
    text, done = "".join(event.text for event in events if isinstance(event, Delta)), events[-1]
    turns = [*turns, Turn(Role.ASSISTANT, text, done.token_ids), Turn(Role.USER, "go on")]
    events = list(engine.stream(Request(engine.render(turns).tokens, sampling), StopFlag()))
    assert events[-1].cached_tokens >= done.prompt_tokens + done.completion_tokens - 1


def test_an_answer_that_stands_last_is_left_open_to_go_on(with_template):
    engine = with_template(LLAMA3, LLAMA3_TOKENS)
    prompt = engine.render(TALK[:3])
    assert prompt.text.endswith("assistant<|end_header_id|>\n\nthe user")
    assert prompt.tokens == reference(engine, prompt.text)
