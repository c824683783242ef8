"""What is a variable and what is not, where it stands, and what is sent for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core.prompt_variables import (
    Resolved,
    Variable,
    built_in,
    can_be_default,
    escape,
    occurrences,
    resolve,
    variables,
    with_default,
)


def test_values_and_defaults_take_the_places_of_variables():
    text = "Talk to {{name}} in {{language=English}}, {{name}}."
    assert resolve(text, {"name": "Ada"}) == Resolved("Talk to Ada in English, Ada.")
    assert resolve(text, {"name": "Ada", "language": "French"}).text == "Talk to Ada in French, Ada."


def test_what_has_no_value_is_named_once_and_left_standing():
    assert resolve("{{b}} {{a}} {{b}} {{c=}}", {}) == Resolved("{{b}} {{a}} {{b}} ", ("b", "a"))


def test_an_empty_value_is_a_value():
    assert resolve("<{{name=x}}{{name}}>", {"name": ""}) == Resolved("<>")


def test_a_default_given_once_holds_everywhere():
    assert resolve("{{tone}} and {{tone=kind}} and {{tone=rude}}", {}) == Resolved("kind and kind and kind")
    assert variables("{{tone}} {{x=1}} {{tone=kind}}") == (Variable("tone", "kind"), Variable("x", "1"))


@pytest.mark.parametrize(
    "text",
    [
        "{name}",
        "{{ name }}",
        "{{ user.name|upper }}",
        "{{user.name}}",
        "{{user|upper}}",
        "{{#each items}}{{/each}}",
        "{{{name}}}",
        "{{{{name}}}}",
        "{% for x in y %}{{ x }}{% endfor %}",
        "${{ secrets.TOKEN }}",
        '{"a": {"b": {}}}',
        "{{}}",
        "{{1st}}",
        "{{a b}}",
        "{{name\n}}",
        "{{name=two\nlines}}",
        "{{name={}}}",
        "\\frac{{a}{b}}",
        "\\{{ name }}",
        "C:\\\\temp\\{x}",
        "{{" + "n" * 65 + "}}",
        "{{name}",
        "{name}}",
        "\\" * 1000,
    ],
)
def test_other_uses_of_braces_are_left_alone(text):
    assert occurrences(text) == ()
    assert resolve(text, {"name": "WRONG", "user": "WRONG", "a": "WRONG", "x": "WRONG"}) == Resolved(text)
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (r"\{{name}}", "{{name}}"),
        (r"\{{name=x}}", "{{name=x}}"),
        (r"\\{{name}}", r"\Ada"),
        (r"\\\{{name}}", r"\{{name}}"),
        (r"C:\Users\\{{name}}\x", r"C:\Users\Ada\x"),
    ],
)
def test_a_backslash_makes_a_variable_plain_text(text, sent):
    assert resolve(text, {"name": "Ada"}) == Resolved(sent)


@pytest.mark.parametrize("text", ["{{name}}", r"\{{name}}", r"\\{{a=b}} {{ c }} \\", "é{{naïve_näme-2=…}}"])
def test_an_escaped_text_is_sent_as_it_was(text):
    assert resolve(escape(text), {"name": "WRONG", "a": "WRONG"}) == Resolved(text)


def test_what_a_value_holds_is_not_searched_again():
    assert resolve("{{a}} {{b}}", {"a": "{{b}}", "b": r"\1 \{{a}}"}).text == r"{{b}} \1 \{{a}}"


def test_places_are_told_for_an_editor():
    text = "Hi {{name=you}}, \\{{x}} \\\\{{date}}"
    found = [(text[one.start : one.end], one.name, one.default, one.escaped) for one in occurrences(text)]
    assert found == [
        ("{{name=you}}", "name", "you", False),
        ("\\{{x}}", "x", None, True),
        ("\\\\{{date}}", "date", None, False),
    ]
    assert [variable.name for variable in variables(text)] == ["name", "date"]
    assert [variable.is_built_in for variable in variables(text)] == [False, True]


def test_names_are_letters_of_any_script_and_capitals_count():
    assert [variable.name for variable in variables("{{имя}} {{Name}} {{name}} {{_x-1}}")] == [
        "имя",
        "Name",
        "name",
        "_x-1",
    ]


def test_the_app_knows_date_time_and_model():
    values = built_in(datetime(2026, 11, 1, 7, 5, tzinfo=UTC), "Mistral 7B OpenOrca")
    assert resolve("{{date}}|{{time}}|{{model}}", values) == Resolved(
        "Sunday 1 November 2026|07:05|Mistral 7B OpenOrca"
    )


def test_without_a_model_its_name_is_unresolved_unless_it_has_a_default():
    values = built_in(datetime(2026, 11, 21, tzinfo=UTC), "")
    assert resolve("{{model}}", values).unresolved == ("model",)
    assert resolve("{{model=an assistant}}", values).text == "an assistant"


def test_long_rows_of_openings_take_no_time():
    for text in ("{{a=" * 200_000, "\\" * 400_000 + "{{", "{" * 400_000, "{{a" * 200_000):
        assert occurrences(text) == ()


@pytest.mark.parametrize(
    ("text", "default", "then"),
    [
        ("A {{x}} b {{x}}", "new", "A {{x=new}} b {{x}}"),
        ("A {{x}} b {{x=old}} {{x=other}}", "new", "A {{x}} b {{x=new}} {{x=other}}"),
        ("A {{x=1}} b {{x=2}} {{y=3}}", None, "A {{x}} b {{x}} {{y=3}}"),
        ("A {{x}}", "", "A {{x=}}"),
        (r"\{{x}} \\{{x}}", "new", r"\{{x}} \\{{x=new}}"),
        ("no such", "new", "no such"),
    ],
)
def test_a_default_is_changed_where_it_stands(text: str, default: str | None, then: str):
    assert with_default(text, "x", default) == then
    if default is not None and text != then:
        (variable,) = (one for one in variables(then) if one.name == "x")
        assert variable.default == default


@pytest.mark.parametrize("default", ["a}", "{", "two\nlines", "\r"])
def test_what_cannot_stand_in_a_prompt_is_no_default(default: str):
    with pytest.raises(ValueError, match="no default"):
        with_default("{{x}}", "x", default)
    assert not can_be_default(default)
