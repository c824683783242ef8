"""The report and the rows of a run."""

import csv
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import pytest

from app.core.chat import Provenance
from app.core.judging import Duel
from app.core.lab import Cell, CellState, Check, Contestant, Judge, Place, Plan, Question, Rater, Threshold, Vote
from app.core.options import Sampling
from app.scoring.markup import element, escaped, joined, style
from app.scoring.measures import summary
from app.scoring.plots import LEFT, RIGHT, WIDTH, Interval, Spread, intervals_plot, spreads_plot
from app.scoring.ranking import rank
from app.scoring.report import html_report
from app.scoring.results import as_csv, as_jsonl, as_written, cell_rows, check_rows, plan_hash, results_of, vote_rows
from app.scoring.win_table import win_rate_intervals

EVIL = "</style></title><script>alert(1)</script>\"'><img src=x onerror=y>&amp;\x00\x1b"
VOID = {"meta", "br", "hr", "col"}


class Reader(HTMLParser):
    """Sees that every element is closed where it was opened; keeps tags, attributes and text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(report):
    reader = Reader()
    reader.feed(report)
    reader.close()
    assert not reader.open
    return reader


def run(text="answer", name="Plain"):
    plan = Plan(
        name,
        "starter",
        (Contestant(name, text), Contestant("Second", "Be brief.", "abc123")),
        (Question("1", text, text, text, (Check("contains", {"texts": text}, text),)), Question("2", "Why?")),
        checks=(Check("length", {"high": 5}), Check("stops")),
        judge=Judge("starter", text),
        thresholds=(Threshold("checks", 0.5),),
    )
    made = Provenance("Starter", "/m/x.gguf", template=text, sampling={"top_k": 3}, completion_tokens=4,
                      tokens_per_s=20.0, stop_reason="end")  # fmt: skip
    cells = [Cell(Place(one, two, 0), CellState.DONE, f"{text} {one}", made) for one in (0, 1) for two in (0, 1)]
    cells[3] = Cell(Place(1, 1, 0), CellState.FAILED, error=text)
    votes = [
        Vote(Rater.JUDGE, 0, 0, 0, 1, 1.0, text), Vote(Rater.JUDGE, 0, 0, 1, 0, 0.5),
        Vote(Rater.PERSON, 0, 0, 1, 0, 0.0), Vote(Rater.JUDGE, 1, 0, 0, 1, 0.0),
    ]  # fmt: skip
    return results_of(plan, cells, votes)


def test_the_report_tells_what_made_the_answers_once_each():
    results = run("a capital idea")
    made = dataclasses.replace(
        results.cells[Place(0, 0, 0)].provenance,
        model_quant="Q4_K_M",
        model_sha256=("ab" * 32,),
        engine="llama-cpp-python 0.3.36",
        running={"devices": ("CPU",), "threads": 4},
        sampling=dataclasses.asdict(Sampling(temperature=0.25)),
    )
    cells = [dataclasses.replace(cell, provenance=dataclasses.replace(made, seed=at))
             for at, cell in enumerate(results.cells.values())]  # fmt: skip
    text = " ".join(read(html_report(results_of(results.plan, cells, ()))).text)
    for part in ("Q4_K_M", "SHA-256 of the model file ab" + "ab" * 31, "llama-cpp-python 0.3.36", "Device CPU",
                 "Temperature 0.25", "Repeat penalty Off"):  # fmt: skip
        assert text.count(part) == 1, part


def test_the_report_tells_everything():
    report = html_report(run("a capital idea"), {"Version": "9.9"})
    text = " ".join(read(report).text)
    for part in ("Ranking", "Win rates", "Win table", "Checks", "Length and speed", "Questions and answers", "The plan",
                 "What made it", "a capital idea 0", "There is no answer", "Cohen", "changed its mind", "9.9",
                 "abc123", "x.gguf", plan_hash(run("a capital idea").plan), "Thresholds", "✓ passed"):  # fmt: skip
        assert part in text


def test_the_report_tells_question_by_question_who_was_found_better_and_why():
    found = read(html_report(run("a capital idea"))).text
    assert "Judge: Plain is better than Second – a capital idea" in found
    assert "Judge: Second and Plain are equally good" in found
    assert "Person: Plain is better than Second" in found
    assert "3 votes" in found
    assert "2 prompts × 2 questions: 3 of 4 answers, 4 votes: 3 by the judge, 1 by a person" in found
    assert "1 vote" in found


def test_no_text_gets_out_of_its_place():
    report = html_report(run(EVIL, EVIL), {EVIL: EVIL})
    found = read(report)
    plain = read(html_report(run("x", "x"), {"x": "x"}))
    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert "\x00" not in report
    assert "\x1b" not in report


def test_the_report_asks_nobody_for_anything_and_runs_nothing():
    report = html_report(run())
    found = read(report)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(found.tags)
    assert not {"src", "href", "action"} & {name for name, _ in found.attributes}
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "url(" not in report
    assert "@import" not in report
    assert "prefers-color-scheme: dark" in report


def test_a_report_without_votes_checks_or_answers_stands_too():
    bare = Plan("p", "starter", (Contestant("a", ""),), (Question("1", "?"),))
    assert "Ranking" not in html_report(results_of(bare, [], []))
    done = results_of(bare, [Cell(Place(0, 0, 0), CellState.DONE, "x")], [])
    read(html_report(done))


def test_plots_hold_no_number_that_is_none():
    rows = [Interval("a", 0, 5.0, None, None, "5"), Interval("b", 9, -3.0, -1e6, 1e6, "-3")]
    drawn = str(intervals_plot("t", rows, str, 0, (0, 0))) + str(
        spreads_plot("t", [Spread("a", 0, []), Spread("b", 1, [2])], str)
    )
    assert not re.search(r"=\"(nan|inf|-inf|None)", drawn)
    assert drawn.count("whisker") == 3 + 1


def test_a_line_goes_down_where_nobody_is_ahead():
    drawn = str(intervals_plot("t", [Interval("a", 0, 0.7, 0.6, 0.8, "70 %")], str, 0.5, (0, 1)))
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    assert f'<line x1="{middle:g}" y1="0" x2="{middle:g}" y2="36" class="zero">' in drawn


def test_where_all_are_equal_the_marks_of_the_axis_still_differ():
    vote = Vote(Rater.PERSON, 0, 0, 0, 1, 0.5)
    plan = Plan("p", "starter", (Contestant("a", ""), Contestant("b", "")), (Question("1", "?"),))
    cells = [Cell(Place(one, 0, 0), CellState.DONE, "x") for one in (0, 1)]
    report = html_report(results_of(plan, cells, [vote]))
    plot = report[report.index("Points of each prompt") :]
    marks = re.findall(r'class="tick">([^<]*)<', plot[: plot.index("</svg>")])
    assert len(marks) == len(set(marks)) > 3


def test_markup_escapes_texts_and_takes_no_odd_attributes():
    assert escaped("<a b=\"c\" d='e'>&\ud800") == "&lt;a b=&quot;c&quot; d=&#x27;e&#x27;&gt;&amp;\ufffd"
    assert str(joined(["<", element("b", "<", title='"')])) == '&lt;<b title="&quot;">&lt;</b>'
    with pytest.raises(ValueError):
        element("b", **{"x onload=": "1"})
    with pytest.raises(ValueError):
        style("</style>")


def test_rows_of_cells_checks_and_votes_say_who_what_and_how():
    results = run()
    cells = list(cell_rows(results))
    assert [(row["prompt"], row["question"], row["state"]) for row in cells] == [
        ("Plain", "1", "done"), ("Plain", "2", "done"), ("Second", "1", "done"), ("Second", "2", "failed"),
    ]  # fmt: skip
    assert cells[0]["provenance"]["sampling"] == {"top_k": 3}
    assert (cells[0]["checks_passed"], cells[0]["checks"]) == (3, 3)
    assert [row["passed"] for row in check_rows(results)] == [True] * 8
    assert len(list(check_rows(results))) == 8
    assert [row["outcome"] for row in vote_rows(results)] == [1.0, 0.5, 0.0, 0.0]


def test_a_verdict_takes_along_what_made_it_into_tables_the_report_and_the_summary():
    before = run()
    made = Provenance(
        "Judge", "/home/ada/j.gguf", "Q4_K_M", 9, 3, ("ab" * 32,), system_prompt="Compare.", template="ChatML",
        sampling={"temperature": 0.0, "seed": 7}, seed=7, completion_tokens=4, tokens_per_s=2.5,
    )  # fmt: skip
    results = dataclasses.replace(before, judged_by={Duel(0, 0, 0, 1): made, Duel(0, 0, 1, 0): made})
    rows = list(vote_rows(results))
    assert [bool(row["provenance"]) for row in rows] == [True, True, False, False], "the same pair, but a person's vote"
    assert rows[0]["provenance"]["model_sha256"] == ("ab" * 32,)
    table = list(csv.DictReader(io.StringIO(as_csv(rows).removeprefix("\ufeff"), newline="")))
    assert [row["provenance.sampling.temperature"] for row in table] == ["0.0", "0.0", "", ""]
    text = " ".join(read(html_report(results)).text)
    assert text.count("What made the judge’s verdicts") == 1
    assert text.count("ab" * 32) == 1, "told once for all verdicts"
    assert "ada" not in text
    assert "What made the judge’s verdicts" not in " ".join(read(html_report(before)).text)
    judge = summary(results, [])["judge"]
    assert (judge["model"], judge["sha256"], judge["sampling"]) == ("Judge", ["ab" * 32], {"temperature": 0.0})
    assert summary(before, [])["judge"] is None


def test_no_table_and_no_report_names_a_folder_of_a_model():
    results = run()
    path = "/home/ada/tiny.gguf"
    made = Provenance("Tiny", path, model_sha256=("ab" * 32,), stop_reason="end", error=f"{path} is gone")
    cells = [
        dataclasses.replace(one, provenance=made, error=one.error and made.error) for one in results.cells.values()
    ]
    judged = {Duel(0, 0, 0, 1): made, Duel(0, 0, 1, 0): made}
    whole = results_of(results.plan, cells, results.votes, judged)
    for rows in (cell_rows(whole), vote_rows(whole)):
        text = as_jsonl(rows)
        assert "ada" not in text
        assert '"model_path": "tiny.gguf", ' in text
        assert '"model_sha256": ["' + "ab" * 32 + '"]' in text
    report = html_report(whole)
    assert "ada" not in report
    assert "There is no answer: tiny.gguf is gone" in report


def test_what_is_found_out_of_the_models_later_is_put_in():
    results = run()
    judged = {Duel(0, 0, 0, 1): Provenance("Judge")}
    whole = dataclasses.replace(results, judged_by=judged)
    assert len(whole.made) == 4
    filled = whole.filled(lambda how: dataclasses.replace(how, model_sha256=("ab",)))
    assert [how.model_sha256 for how in filled.made] == [("ab",)] * 4
    assert [cell.text for cell in filled.cells.values()] == [cell.text for cell in results.cells.values()]


def test_beside_an_answer_stands_what_it_took_and_how_it_ended():
    results = run()
    made = dataclasses.replace(results.cells[Place(0, 0, 0)].provenance, seed=5, duration_ms=210.0, ttft_ms=90.0)
    cells = [dataclasses.replace(cell, provenance=made) for cell in results.cells.values()]
    report = html_report(results_of(results.plan, cells, ()))
    assert "seed 5, answer 4 tokens, speed 20.0 tokens per second, time 0.21 s, ended by the model itself<" in report
    assert "first token after 0.09 s" in report


def test_csv_and_jsonl_hold_the_same():
    rows = list(cell_rows(run('a "b",\nc;\tü')))
    table = list(csv.DictReader(io.StringIO(as_csv(rows).removeprefix("\ufeff"), newline="")))
    lines = [json.loads(line) for line in as_jsonl(rows).splitlines()]
    assert [row["answer"] for row in table] == [row["answer"] for row in lines] == [row["answer"] for row in rows]
    assert table[0]["provenance.sampling.top_k"] == "3"
    assert as_csv([]) == "\ufeff"


TEXTS = ("=1+1", "+x", "-x", "@SUM(A1)", "\tx", "\r=x", "'=x", "''@", "'plain'", "plain", "", "1-2")


def test_no_spreadsheet_runs_a_text_of_a_table_as_a_formula_and_the_text_comes_back():
    rows = [{"answer": text, "number": -1.5, "more": {"name": text}} for text in TEXTS]
    table = list(csv.DictReader(io.StringIO(as_csv(rows).removeprefix("\ufeff"), newline="")))
    assert not [row for row in table if row["answer"][:1] in tuple("=+-@\t\r") and row["answer"]]
    assert [row["answer"] for row in table][:3] == ["'=1+1", "'+x", "'-x"]
    assert {row["number"] for row in table} == {"-1.5"}, "numbers are numbers"
    back = [as_written(row) for row in table]
    assert [(row["answer"], row["more.name"]) for row in back] == [(text, text) for text in TEXTS]


def test_the_report_names_models_without_folders_and_the_judge_by_the_plans_model():
    plan = dataclasses.replace(run().plan, model_id="/home/ada/models/own.gguf", judge=Judge("", "Compare."))
    other = Contestant("Other", "", model_id="C:\\Users\\Ada\\other.gguf", overrides={"top_k": 3})
    report = html_report(results_of(dataclasses.replace(plan, contestants=(*plan.contestants, other)), [], []))
    text = " ".join(read(report).text)
    assert "Judge: own.gguf" in text
    assert '{"model": "other.gguf", "top_k": 3}' in text
    assert "ada" not in report.lower()
    assert "Judge: " not in html_report(results_of(dataclasses.replace(plan, model_id=""), [], []))


def test_equal_plans_have_equal_hashes_and_others_have_not():
    plan = run().plan
    assert plan_hash(plan) == plan_hash(run().plan)
    assert plan_hash(dataclasses.replace(plan, seeds=(2,))) != plan_hash(plan)


def test_win_rates_have_intervals_around_them():
    votes = [Vote(Rater.JUDGE, question, 0, 0, 1, float(question % 3 > 0)) for question in range(30)]
    (low, high), _, none = win_rate_intervals(votes, 3)
    assert low < 20 / 30 < high
    assert 0.2 < high - low < 0.45
    assert none is None
    won = [Vote(Rater.JUDGE, question, 0, 0, 1, 1.0) for question in range(10)]
    assert win_rate_intervals(won, 2)[0] == pytest.approx((0.7225, 1.0), abs=1e-3)
    assert rank(won, 2).ranks[0].contestant == 0
