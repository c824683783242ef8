"""What is looked for in answers."""

import pytest

from app.core.chat import Provenance
from app.core.checks import VALUES, Answer, CheckKind, name_of, values_of
from app.core.errors import SettingError
from app.core.lab import Cell, CellState, Check, Contestant, Place, Plan, Question
from app.engine.base import StopReason
from app.scoring import look as looking
from app.scoring import wording
from app.scoring.look import findings_of, look, prove, prove_check

QUESTION = Question("1", "What is the capital of France?", reference="The capital of France is Paris.")


def finds(kind, text, /, question=QUESTION, stop_reason="end", tokens=None, **values):
    return look(Check(kind, values), Answer(text, stop_reason, tokens), question)


def passes(kind, text, /, **rest):
    return finds(kind, text, **rest).passed


def test_every_kind_of_check_can_be_carried_out():
    assert set(looking._LOOKS) == set(VALUES) == set(CheckKind)


def test_contains_wants_all_texts_unless_any_will_do():
    assert passes("contains", "It is PARIS, in France", texts=["paris", "france"])
    half = finds("contains", "It is Paris", texts=["paris", "france"])
    assert not half.passed
    assert half.value == 0.5
    assert "“france”" in half.words
    assert passes("contains", "It is Paris", texts=["paris", "france"], which="any")
    assert not passes("contains", "Rome", texts=["paris", "france"], which="any")


def test_capitals_matter_where_the_check_says_so():
    assert not passes("contains", "paris", texts="Paris", case=True)
    assert passes("lacks", "paris", texts="Paris", case=True)
    assert passes("regex", "PARIS", pattern="paris", case=False)
    assert not passes("regex", "PARIS", pattern="paris")
    assert not passes("equals", "paris", text="Paris", case=True)


def test_letters_are_the_same_however_they_are_composed():
    assert passes("contains", "Cafe\u0301", texts="caf\u00e9", case=True) is False
    assert passes("contains", "Cafe\u0301", texts="caf\u00e9")
    assert passes("equals", "cafe\u0301", text="caf\u00e9")


def test_lacks_names_what_it_found():
    found = finds("lacks", "As an AI, I cannot", texts=["as an ai", "sorry"])
    assert not found.passed
    assert found.words == "It contains “as an ai”."
    assert found.value == 0.5


def test_a_pattern_is_found_anywhere_or_describes_the_whole():
    assert passes("regex", "call 555-1234 now", pattern=r"\d{3}-\d{4}")
    assert not passes("regex", "call 555-1234 now", pattern=r"\d{3}-\d{4}", whole=True)
    assert passes("regex", " 555-1234\n", pattern=r"\d{3}-\d{4}", whole=True)
    assert not passes("regex", "call 555-1234", pattern=r"\d", absent=True)
    assert passes("regex", "first\n- second", pattern="^- ")


def test_a_pattern_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr("app.scoring.pattern.LIMIT_S", 0.05)
    found = finds("regex", "a" * 60 + "bc", pattern="^(?:a|aa)+c")
    assert not found.passed
    assert "not done after" in found.words


def test_equals_forgives_marks_spaces_and_capitals_around_an_answer():
    assert passes("equals", ' "Paris".\n', text="paris")
    assert passes("equals", "the  capital of\nFrance is Paris", text="")
    assert not passes("equals", "Paris!", text="Paris", marks=True)
    assert not passes("equals", "New  York", text="New York", spaces=True)
    assert not passes("equals", "In Paris", text="Paris")


def test_equals_without_anything_to_compare_with_says_so():
    assert "no reference" in finds("equals", "x", question=Question("1", "?")).words


def test_json_may_stand_in_one_fenced_block():
    assert passes("json", '{"a": 1}')
    fenced = 'Here it is:\n```json\n{"a": 1}\n```\nDone.'
    assert passes("json", fenced)
    assert not passes("json", fenced, fenced=False)
    assert not passes("json", "```\n1\n```\n```\n2\n```")
    assert "no JSON" in finds("json", "{'a': 1}").words
    assert not passes("json", "[NaN]")
    assert "too deeply" in finds("json", "[" * 100_000).words


def test_json_keeps_to_a_schema_or_the_place_is_named():
    schema = {"type": "object", "required": ["name"], "properties": {"age": {"type": "integer", "minimum": 0}}}
    assert passes("json", '{"name": "x", "age": 3}', schema=schema)
    assert finds("json", '{"name": "x", "age": -3}', schema=schema).words.startswith("$.age: ")
    assert "'name'" in finds("json", "{}", schema='{"required": ["name"]}').words


def test_a_schema_never_reaches_for_the_net():
    assert "not in it" in finds("json", "{}", schema={"$ref": "http://example.com/x.json"}).words


def test_a_pattern_in_a_schema_is_cut_off_too(monkeypatch):
    monkeypatch.setattr("app.scoring.json_answer.LIMIT_S", 0.05)
    schema = {"pattern": "^(?:a|aa)+c"}
    assert "not done after" in finds("json", '"' + "a" * 60 + 'bc"', schema=schema).words


def test_names_that_a_schema_has_no_word_for_are_told():
    schema = {"patternProperties": {"^n_": {"type": "integer"}}, "properties": {"a": {}}, "additionalProperties": False}
    assert passes("json", '{"n_x": 3, "a": null}', schema=schema)
    assert finds("json", '{"n_x": "3"}', schema=schema).words.startswith("$.n_x: ")
    assert "'b' is not expected" in finds("json", '{"b": 1}', schema=schema).words
    words = {**schema, "additionalProperties": {"type": "string"}}
    assert passes("json", '{"b": "x"}', schema=words)
    assert not passes("json", '{"b": 1}', schema=words)


def test_length_counts_words_characters_or_tokens():
    assert passes("length", "one two three", low=3, high=3)
    assert not passes("length", "one two three", low=4)
    assert not passes("length", "one two three", high=2)
    assert passes("length", " äöü ", unit="characters", low=3, high=3)
    assert passes("length", "x", unit="tokens", high=9, tokens=9)
    assert not passes("length", "x", unit="tokens", high=8, tokens=9)
    assert "Nobody counted" in finds("length", "x", unit="tokens").words


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The quick brown fox jumps over the lazy dog, and nobody minds at all."),
        ("de", "Der schnelle braune Fuchs springt über den faulen Hund, und niemand stört sich daran."),
        ("fr", "Le renard brun saute par-dessus le chien paresseux et personne ne s'en soucie."),
        ("ja", "東京は日本の首都です。"),
    ],
)
def test_a_language_is_told(code, text):
    assert passes("language", text, codes=code)
    assert passes("language", text, codes=["nl", code + "-XX"])
    assert not passes("language", text, codes="sv")


def test_a_few_letters_have_no_language():
    assert "too short" in finds("language", "Hello", codes="en").words


@pytest.mark.parametrize(
    ("reason", "proper"),
    [("end", True), ("stop_string", True), ("length", False), ("context", False), ("stopped", False), ("", False)],
)
def test_an_answer_stops_properly_by_itself_or_at_a_stop_string(reason, proper):
    assert passes("stops", "x", stop_reason=reason) is proper


def test_every_way_an_answer_can_end_has_words():
    assert set(wording._ENDS) == set(StopReason)


def test_likeness_to_the_reference_is_measured():
    same = finds("similar", QUESTION.reference, low=1.0)
    assert same.passed
    assert same.value == 1.0
    half = finds("similar", "Paris.", method="rouge-l", low=0.5)
    assert half.value == pytest.approx(2 / 7)
    assert not half.passed


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("holds", {}, "There is no check 'holds'"),
        ("contains", {}, 'has no "texts"'),
        ("contains", {"texts": []}, '"texts" of the check'),
        ("contains", {"texts": [""]}, '"texts" of the check'),
        ("contains", {"text": "x"}, "knows no value 'text'"),
        ("contains", {"texts": "x", "case": 1}, "true or false"),
        ("contains", {"texts": "x", "which": "some"}, "one of all, any"),
        ("regex", {"pattern": ""}, "not empty"),
        ("regex", {"pattern": "(a"}, "cannot be understood"),
        ("regex", {"pattern": "a" * 20_000}, "too long"),
        ("length", {"low": -1}, "a whole number from 0"),
        ("length", {"low": True}, "a whole number from 0"),
        ("length", {"low": 5, "high": 4}, "can never pass"),
        ("similar", {"low": 50}, "a number from 0 to 1"),
        ("similar", {"low": float("nan")}, "a number from 0 to 1"),
        ("json", {"schema": 3}, "a table, or JSON as text"),
        ("json", {"schema": "{"}, "no JSON"),
        ("json", {"schema": {"type": "strin"}}, "$.type"),
        ("language", {"codes": "klingon"}, "is not known"),
        ("stops", {"x": 1}, "It takes no values"),
    ],
)
def test_a_wrong_check_is_named_with_its_value(kind, values, said):
    with pytest.raises(SettingError) as caught:
        prove_check(Check(kind, values))
    assert said in str(caught.value)


def test_a_plan_is_proved_with_the_checks_of_its_questions():
    bad = Question("1", "?", checks=(Check("regex", {"pattern": "("}, "bracket"),))
    with pytest.raises(SettingError, match="bracket"):
        prove(Plan("p", "starter", (Contestant("a", ""),), (bad,)))


def test_defaults_fill_what_a_check_leaves_out():
    assert values_of(Check("contains", {"texts": "x"})) == {"texts": ("x",), "which": "all", "case": False}


def test_a_check_is_called_by_its_label_or_by_what_it_looks_for():
    assert name_of(Check("contains", {"texts": ["a", "b"], "case": True})) == "contains a, b"
    assert name_of(Check("stops", {}, "ends well")) == "ends well"


def test_a_cell_is_looked_through_with_the_checks_of_plan_and_question():
    question = Question("1", "?", checks=(Check("contains", {"texts": "yes"}),))
    plan = Plan("p", "starter", (Contestant("a", ""),), (question,), checks=(Check("stops"),))
    made = Provenance(stop_reason="length", completion_tokens=3)
    cell = Cell(Place(0, 0, 0), CellState.DONE, "Yes.", made)
    assert [found.passed for found in findings_of(plan, cell)] == [False, True]
