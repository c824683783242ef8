"""Questions as people have them: pasted, in tables, in files of other programs."""

import json
from pathlib import Path

import pytest

from app.core.errors import AppError
from app.core.lab import Check
from app.datasets import rows
from app.datasets.questions import Wanted, columns_of, questions_from_text, read_questions

DATA = Path(__file__).parents[1] / "data" / "parquet"


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def texts(found):
    return [question.text for question in found]


def test_each_line_is_a_question_or_each_paragraph():
    assert texts(questions_from_text("One?\n Two?\r\nThree?\n")) == ["One?", "Two?", "Three?"]
    assert texts(questions_from_text("\n\nOne?\nstill one\n \n\nTwo?\n\n")) == ["One?\nstill one", "Two?"]
    assert texts(questions_from_text("One?\n\nTwo?", by_paragraph=False)) == ["One?", "Two?"]
    assert texts(questions_from_text("a\nb", by_paragraph=True)) == ["a\nb"]
    assert questions_from_text(" \n ") == ()
    assert [question.key for question in questions_from_text("a\nb")] == ["1", "2"]


def test_openorca_columns_are_understood(file):
    found = read_questions(file("x.csv", 'id,system_prompt,question,response\nflan.1,Be kind.,"Why, so?",Because.\n'))
    (question,) = found.questions
    assert (question.key, question.system_prompt, question.text, question.reference) == (
        "flan.1", "Be kind.", "Why, so?", "Because."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("Prompt,Reference Answer", ("a", "b")),
        ("INSTRUCTION,output", ("a", "b")),
        ("text,label", ("a", "b")),
        ("input,target", ("a", "b")),
        ("answer,question", ("b", "a")),
    ],
)
def test_other_names_of_columns_are_understood(file, header, meant):
    (question,) = read_questions(file("x.csv", f"{header}\na,b\n")).questions
    assert (question.text, question.reference) == meant


def test_an_input_stands_below_its_instruction(file):
    (question,) = read_questions(file("x.csv", "instruction,input,output\nSum up.,Long text.,Short.\n")).questions
    assert question.text == "Sum up.\n\nLong text."


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_delimiter_and_encoding_is_found_out(file, delimiter, encoding):
    table = [["question", "answer"], ["Größe?", "Zwölf"], ['"a, b; c|d\te"', "x"]]
    content = "\r\n".join(delimiter.join(row) for row in table).encode(encoding)
    found = read_questions(file("x.csv", content)).questions
    assert texts(found) == ["Größe?", "a, b; c|d\te"]


def test_a_field_may_have_line_breaks_and_rows_may_be_empty(file):
    found = read_questions(file("x.csv", 'question\n"a\nb"\n\n""\n" "\nc\n'))
    assert texts(found.questions) == ["a\nb", "c"]


def test_a_row_with_too_many_fields_names_its_line(file):
    with pytest.raises(AppError, match="Line 3: it has 3 fields, and the header has 2"):
        read_questions(file("x.csv", "question,answer\na,b\na,b,c\n"))


def test_a_quote_that_never_ends_is_told(file, monkeypatch):
    monkeypatch.setattr(rows, "LONGEST_LINE", 1000)
    with pytest.raises(AppError, match="Line 2"):
        read_questions(file("x.csv", 'question\n"' + "a" * 5000))


def test_a_table_without_questions_names_its_columns(file):
    with pytest.raises(AppError, match="Its columns are 'foo', 'bar'") as caught:
        read_questions(file("x.csv", "foo,bar\n1,2\n"))
    assert "instruction" in caught.value.hint
    chosen = Wanted(columns={"text": "bar"})
    assert texts(read_questions(file("x.csv", "foo,bar\n1,2\n"), chosen).questions) == ["2"]


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json"])
def test_an_empty_file_is_told(file, name):
    with pytest.raises(AppError, match="no question"):
        read_questions(file(name, ""))


def test_a_table_has_checks_as_json_and_says_where_they_are_none(file):
    many = json.dumps([{"kind": "contains", "texts": ["x"], "label": "has x"}, {"kind": "stops"}])
    cells = [many, '{"kind": "stops"}', "", "contains x", '[{"texts": ["x"]}, {"kind": "stops"}]', "[" * 100_000]
    table = "question,checks\n" + "".join(f'q{at},"{cell.replace(chr(34), chr(34) * 2)}"\n'
                                          for at, cell in enumerate(cells))  # fmt: skip
    found = read_questions(file("x.csv", table))
    has_x, stops = Check("contains", {"texts": ["x"]}, "has x"), Check("stops")
    assert [question.checks for question in found.questions] == [(has_x, stops), (stops,), (), (), (stops,), ()]
    assert found.unread_checks == 3


def test_jsonl_takes_checks_and_tags(file):
    line = {"question": "q", "tags": ["a", "b"], "checks": [{"kind": "contains", "texts": ["x"], "label": "has x"}]}
    (question,) = read_questions(file("x.jsonl", json.dumps(line) + "\n\n")).questions
    assert question.tags == ("a", "b")
    assert question.checks == (Check("contains", {"texts": ["x"]}, "has x"),)


@pytest.mark.parametrize(
    "line",
    [
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"},
                      {"role": "assistant", "content": "a"}, {"role": "user", "content": "more"}]},
        {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "u"},
                           {"from": "gpt", "value": "a"}]},
    ],
)  # fmt: skip
def test_chats_give_the_first_thing_asked(file, line):
    (question,) = read_questions(file("x.jsonl", json.dumps(line))).questions
    assert (question.system_prompt, question.text, question.reference) == ("s", "u", "a")


def test_a_json_list_is_read_like_lines(file):
    found = read_questions(file("x.json", '[\n {"prompt": "a"}, {"prompt": "b"}\n]'))
    assert texts(found.questions) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"question": "a"}\n{"question": ', "Line 2: it is no JSON"),
        ('{"question": "a"}\n\n["a"]', "Line 3: it is no object"),
        ('{"question": "a"}\n' + "[" * 100_000, "Line 2: it is nested too deeply"),
        ('[{"question": "a"}, 3]', "Entry 2: it is no object"),
    ],
)
def test_what_is_wrong_in_a_json_file_names_its_line(file, content, said):
    with pytest.raises(AppError, match=said):
        read_questions(file("x.jsonl", content))


def test_keys_are_there_once_and_name_the_place_where_there_is_no_id(file):
    found = read_questions(file("x.jsonl", "\n".join(json.dumps(one) for one in (
        {"id": "a", "question": "1"}, {"id": "a", "question": "2"}, {"question": ""}, {"question": "3"},
        {"id": 7, "question": "4"},
    ))))  # fmt: skip
    assert [question.key for question in found.questions] == ["a", "a (2)", "4", "7"]
    assert (found.rows, found.empty) == (5, 1)


def test_a_limit_takes_the_first_ones_and_reads_no_further(file):
    path = file("x.jsonl", '{"question": "a"}\n{"question": "b"}\nbroken\n')
    assert texts(read_questions(path, Wanted(limit=2)).questions) == ["a", "b"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt", "parquet"])
def test_a_sample_is_drawn_from_all_with_its_seed(file, kind):
    if kind == "parquet":
        path = DATA / "zstd-v2.parquet"
        every = [f"Question {i}: what is {i} + {i}? äöü 東京" for i in range(120)]
    else:
        every = [f"q{i}" for i in range(120)]
        lines = [json.dumps({"question": one}) if kind == "jsonl" else one for one in every]
        path = file(f"x.{kind}", "\n".join((["question"] if kind == "csv" else []) + lines))
    found = texts(read_questions(path, Wanted(limit=20, sample_seed=3)).questions)
    assert len(found) == 20
    assert found == [one for one in every if one in found]
    assert found != every[:20]
    assert found == texts(read_questions(path, Wanted(limit=20, sample_seed=3)).questions)
    assert found != texts(read_questions(path, Wanted(limit=20, sample_seed=4)).questions)


def test_parquet_gives_what_openorca_has():
    found = read_questions(DATA / "snappy-v1.parquet", Wanted(limit=60))
    assert len(found.questions) == 60
    fourth = found.questions[3]
    assert (fourth.key, fourth.reference) == ("flan.3", "")
    assert fourth.system_prompt == "You are an AI assistant. Think step by step."
    assert found.questions[59].reference == ""
    assert found.questions[58].reference == "It is 116."


def test_a_file_of_another_kind_says_what_is_read(file):
    with pytest.raises(AppError, match=r"\.parquet"):
        read_questions(file("x.docx", "a"))


def test_a_missing_file_is_told(tmp_path):
    for name in ("x.csv", "x.jsonl", "x.txt", "x.parquet"):
        with pytest.raises(AppError, match="cannot be opened"):
            read_questions(tmp_path / name)


def test_the_columns_of_a_file_are_known_before_it_is_read(file):
    assert columns_of(file("q.csv", "id;question;answer\n1;What?;That\n")) == ("id", "question", "answer")
    assert columns_of(file("q.jsonl", '{"a": 1, "b": 2}\n{"c": 3}\n')) == ("a", "b")
    assert columns_of(file("q.txt", "What?\n")) == ()
    assert columns_of(file("empty.csv", "")) == ()
    assert columns_of(DATA / "snappy-v1.parquet")[:4] == ("id", "system_prompt", "question", "response")
