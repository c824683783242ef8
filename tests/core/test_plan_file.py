"""A plan is read from TOML as it was meant, written without loss, and refused with the place that is wrong."""

from __future__ import annotations

import dataclasses
import json
import tomllib

import pytest

from app.core.errors import PlanError
from app.core.judging import DEFAULT_JUDGE_PROMPT
from app.core.lab import Check, Contestant, Judge, Plan, Question, Threshold
from app.core.plan_file import filled, read_plan, write_plan
from app.core.plan_table import plan_of, table_of

WRITTEN = """
name = "Support replies, round 3"
model = "starter"
seeds = [1, 42]
question_files = ["more.txt"]

[sampling]
temperature = 0.2
top_k = "off"
stop = ["###"]

[[prompt]]
name = "Terse"
text = "Answer in one sentence."
[prompt.sampling]
max_tokens = 40

[[prompt]]
name = "Kind"
file = "kind.md"
model = "/models/other.gguf"

[[question]]
key = "refund"
text = '''
Where is my refund?
I sent it back.'''
reference = "Within five days."
tags = ["refund", "late"]
[[question.check]]
kind = "contains"
texts = ["five", "days"]
which = "any"

[[question]]
text = "Does it fit?"

[[check]]
kind = "length"
high = 60
label = "short"

[judge]
model = "starter"
[judge.sampling]
temperature = 0.5

[[threshold]]
measure = "short"
low = 1
prompt = "Terse"

[variables]
tone = "calm"
"""


class Files:
    """Two files."""

    def text(self, name: str) -> str:
        return {"kind.md": "Be kind."}[name]

    def questions(self, name: str) -> list[Question]:
        assert name == "more.txt"
        return [Question("", "First?"), Question("own", "Second?")]


PLAN = Plan(
    "Support replies, round 3",
    "starter",
    (
        Contestant("Terse", "Answer in one sentence.", overrides={"max_tokens": 40}),
        Contestant("Kind", "Be kind.", model_id="/models/other.gguf"),
    ),
    (
        Question("1", "First?"),
        Question("own", "Second?"),
        Question(
            "refund",
            "Where is my refund?\nI sent it back.",
            "Within five days.",
            checks=(Check("contains", {"texts": ["five", "days"], "which": "any"}),),
            tags=("refund", "late"),
        ),
        Question("4", "Does it fit?"),
    ),
    (1, 42),
    {"temperature": 0.2, "top_k": None, "stop": ("###",)},
    (Check("length", {"high": 60}, "short"),),
    Judge("starter", DEFAULT_JUDGE_PROMPT, {"temperature": 0.5}),
    (Threshold("short", 1.0, "Terse"),),
    {"tone": "calm"},
)


def test_a_plan_is_read_with_all_that_is_in_it():
    assert read_plan(WRITTEN, Files()) == PLAN


def test_a_plan_that_is_written_reads_as_the_same_plan():
    nasty = 'a "quoted" \\ text\n\n"""triple"""\r\n\ttab \x01\x7f ☕ {{name}} # no comment\n'
    plan = dataclasses.replace(
        PLAN,
        name=nasty,
        contestants=(Contestant(nasty, nasty, "ab" * 32), *PLAN.contestants),
        checks=(Check("json", {"schema": {"type": "object", "properties": {"a b": {"enum": [1, 2.5, True, "x"]}}}}),),
        judge=None,
    )
    assert read_plan(write_plan(plan)) == plan
    assert plan_of(json.loads(json.dumps(table_of(plan)))) == plan
    assert tomllib.loads(write_plan(PLAN))["sampling"]["top_k"] == "off"


def test_the_least_that_makes_a_plan():
    plan = read_plan('[[prompt]]\nname = "none"\ntext = ""\n[[question]]\ntext = "Hi"')
    assert plan == Plan("Experiment", "", (Contestant("none", ""),), (Question("1", "Hi"),))


def test_files_that_count_alike_do_not_clash():
    class Counting(Files):
        def questions(self, name: str) -> list[Question]:
            return [Question("1", f"{name} one?"), Question("2", f"{name} two?")]

    plan = read_plan('question_files = ["a", "b"]\n' + LEAST, Counting())
    assert [one.key for one in plan.questions] == ["1", "2", "1 (3)", "2 (4)", "5"]


LEAST = '[[prompt]]\nname = "a"\ntext = "x"\n[[question]]\ntext = "Hi"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = \n", "line 1"),
        ('a = 1\nb = "unclosed', "line 2"),
        ("", "no prompt"),
        ('[[prompt]]\nname = "a"\ntext = "x"', "no question"),
        ('[[prompt]]\nname = "a"\n[[question]]\ntext = "Hi"', "prompt 1 has no 'text'"),
        (LEAST + '[[prompt]]\nname = "a"\ntext = "y"', "Two prompts are called 'a'"),
        (LEAST + '[[question]]\nkey = "1"\ntext = "y"', "Two questions have the key '1'"),
        ("temprature = 1\n" + LEAST, "'temprature', which is not known"),
        ("seeds = [1, 1]\n" + LEAST, "'seeds'"),
        ("seeds = []\n" + LEAST, "'seeds'"),
        ("seeds = [-1]\n" + LEAST, "'seeds'"),
        ("seeds = [true]\n" + LEAST, "'seeds'"),
        ("seeds = 1\n" + LEAST, "a list"),
        ("name = 7\n" + LEAST, "'name' of the plan must be a text"),
        ('prompt = "x"\n', "'prompt' of the plan must be a list"),
        ("prompt = [1]\n", "[[prompt]]"),
        (LEAST + "[sampling]\ntemperature = 9", "'temperature' cannot be 9"),
        (LEAST + "[sampling]\ntemperature = 'off'", "'temperature' cannot be 'off'"),
        (LEAST + "[sampling]\nseed = 4", "'seeds'"),
        (LEAST + "[sampling]\nheat = 4", "'heat', which is not known"),
        (LEAST.replace("[[question]]", "[prompt.sampling]\ntop_k = 0\n[[question]]"), "sampling of prompt 1"),
        (LEAST + '[[question.check]]\nkind = "smells"', "check 1 of question 1: There is no check 'smells'"),
        (LEAST + '[[check]]\nkind = "contains"', "check 1"),
        (LEAST + '[[check]]\ntexts = "x"', "check 1 has no 'kind'"),
        (LEAST + '[judge]\nmodle = "x"', "'modle'"),
        (LEAST + '[[threshold]]\nmeasure = "checks"\nlow = "much"', "threshold 1 must be a number"),
        (LEAST + '[[threshold]]\nmeasure = "checks"\nlow = 1\nprompt = "b"', "threshold 1 names no prompt"),
        (LEAST.replace('text = "x"', 'file = "x.md"'), "prompt 1 names a file"),
        (LEAST.replace('text = "x"', 'text = "x"\nfile = "x.md"'), "both 'text' and 'file'"),
        ('question_files = ["x.csv"]\n' + LEAST, "files with questions"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, words: str):
    with pytest.raises(PlanError) as caught:
        read_plan(text)
    assert words in str(caught.value)
    assert caught.value.hint


def test_what_toml_cannot_say_is_told():
    plan = dataclasses.replace(PLAN, checks=(Check("json", {"schema": {"const": None}}),))
    with pytest.raises(PlanError, match="cannot hold None"):
        write_plan(plan)


def with_prompts(*texts: str, **variables: str) -> Plan:
    contestants = tuple(Contestant(f"P{number}", text) for number, text in enumerate(texts))
    return dataclasses.replace(PLAN, contestants=contestants, variables=variables)


def test_variables_are_filled_in_with_what_the_plan_says_their_defaults_and_the_models_name():
    plan = with_prompts("You are {{model}}, {{tone}} and {{mood=glad}}.", "{{tone=loud}}", r"\{{tone}}", tone="calm")
    done = filled(plan, {"starter": "Orcinus Starter"})
    assert [one.system_prompt for one in done.contestants] == [
        "You are Orcinus Starter, calm and glad.", "calm", "{{tone}}",
    ]  # fmt: skip
    assert done.variables == {}


def test_no_model_is_looked_for_whose_name_no_prompt_asks_for():
    assert filled(with_prompts("Be {{tone}}.", tone="calm"), {}).contestants[0].system_prompt == "Be calm."


@pytest.mark.parametrize("name", ["tone", "date", "time"])
def test_a_variable_without_a_value_is_named_with_its_prompt(name):
    with pytest.raises(PlanError) as refused:
        filled(with_prompts("Be brief.", f"It is {{{{{name}}}}}."), {})
    assert refused.value.title == f"{{{{{name}}}}} has no value"
    assert "“P1”" in refused.value.detail
    assert f"\\{{{{{name}}}}}" in refused.value.hint
