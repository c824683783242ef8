"""`orcinus lab run`, as a person in a terminal or a script would use it, with the starter model."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli, cli_lab
from app.cli_terminal import MISSED
from app.core.lab import Contestant, Plan, Question
from app.hub.part_file import FileLock
from app.paths import find_paths
from app.scoring.results import as_csv
from app.services.lab_progress import Pace, Progress
from tests import lab_plans

STARTER = find_paths().resources_dir / "starter" / "starter.gguf"
LITTLE = """
name = "Little"
model = "starter"
[sampling]
temperature = 0
max_tokens = 8
[[prompt]]
name = "brief"
text = "Be brief."
[[prompt]]
name = "none"
text = ""
[[question]]
key = "fruit"
text = "Name a fruit."
[[check]]
kind = "length"
high = 100
label = "short"
[[check]]
kind = "contains"
texts = "zyzzyva"
label = "odd"
[[threshold]]
measure = "short"
low = 1.0
"""


@pytest.fixture
def lab(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run `orcinus lab run` on a plan's text: exit code, stdout, stderr. The folder is tmp_path / "out"."""

    def run(text: str, *more: str) -> tuple[int, str, str]:
        (tmp_path / "plan.toml").write_text(text, "utf-8")
        capsys.readouterr()
        code = cli.run(["lab", "run", str(tmp_path / "plan.toml"), "--out", str(tmp_path / "out"), *more])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_a_plan_is_run_and_run_again_it_has_nothing_left_to_do(lab, tmp_path):
    code, out, err = lab(LITTLE)
    assert code == 0, err
    assert "brief" in out
    assert "50%" in out
    cells = [json.loads(line) for line in (tmp_path / "out" / "cells.jsonl").read_text("utf-8").splitlines()]
    assert [(cell["prompt"], cell["question"], cell["seed"], cell["state"]) for cell in cells] == [
        ("brief", "fruit", 1, "done"),
        ("none", "fruit", 1, "done"),
    ]
    assert cells[0]["provenance"]["sampling"]["temperature"] == 0
    made = cells[0]["provenance"]
    assert made["model_sha256"] == [hashlib.sha256(STARTER.read_bytes()).hexdigest()]
    assert made["model_path"] == STARTER.name
    for file in (tmp_path / "out").iterdir():
        assert str(STARTER.parent) not in file.read_text("utf-8"), f"{file.name} names a folder"
    assert made["engine"].startswith("llama-cpp-python ")
    for name in ("report.html", "cells.csv"):
        assert made["model_sha256"][0] in (tmp_path / "out" / name).read_text("utf-8")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert (summary["done"], summary["failed"], summary["missed"]) == (2, 0, [])
    assert summary["prompts"][0]["checks"] == {"short": {"passed": 1, "of": 1}, "odd": {"passed": 0, "of": 1}}
    assert "Name a fruit." in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert (tmp_path / "out" / "cells.csv").read_text("utf-8").count("\n") == 3
    kept = (tmp_path / "out" / "cells.jsonl").read_bytes()
    code, out, _ = lab(LITTLE, "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1]) == summary
    assert (tmp_path / "out" / "cells.jsonl").read_bytes() == kept


def test_a_judges_verdicts_say_what_made_them_and_those_of_before_go_on_without(lab, tmp_path):
    judged = LITTLE.replace('text = "Be brief."', 'text = "Answer in capital letters."')
    judged += '[judge]\nprompt = "Say which answer is better: A, B or tie."\nsampling = {max_tokens = 4}\n'
    code, out, err = lab(judged, "--json")
    assert code == 0, err
    votes = tmp_path / "out" / "votes.jsonl"
    said = votes_of(votes)
    assert len(said) == 2
    for line in said:
        made = line["provenance"]
        assert made["system_prompt"] == "Say which answer is better: A, B or tie."
        assert made["model_sha256"] == [hashlib.sha256(STARTER.read_bytes()).hexdigest()]
        assert (made["sampling"]["max_tokens"], made["seed"]) == (4, 1)
    told = json.loads(out.splitlines()[-1])
    assert told["judge"]["sha256"] == said[0]["provenance"]["model_sha256"]
    assert "What made the judge’s verdicts" in (tmp_path / "out" / "report.html").read_text("utf-8")
    kept = votes.read_bytes()
    assert lab(judged)[0] == 0
    assert votes.read_bytes() == kept
    for line in said:
        del line["provenance"]
    votes.write_text("".join(f"{json.dumps(line)}\n" for line in said), "utf-8")
    code, out, _ = lab(judged, "--json")
    assert code == 0
    again = json.loads(out.splitlines()[-1])
    assert (again["judged"], again["judge"], again["votes"]) == (2, None, told["votes"])


def test_variables_are_filled_in_or_missed_before_anything_is_asked(lab, tmp_path):
    wanting = LITTLE.replace('name = "none"\ntext = ""', 'name = "none"\ntext = "{{manner}} {{model}}"')
    assert wanting != LITTLE
    code, _, err = lab(wanting)
    assert code == 2
    assert "{{manner}} has no value" in err
    assert not (tmp_path / "out" / "cells.jsonl").exists()
    code, _, err = lab(wanting + '[variables]\nmanner = "Be brief."\n')
    assert code == 0, err
    cells = [json.loads(line) for line in (tmp_path / "out" / "cells.jsonl").read_text("utf-8").splitlines()]
    assert cells[1]["provenance"]["system_prompt"] == "Be brief. Orcinus Starter"


def test_a_threshold_that_is_missed_is_a_line_and_an_exit_code(lab):
    code, _, err = lab(LITTLE + '[[threshold]]\nmeasure = "odd"\nlow = 0.5\nprompt = "none"\n')
    assert code == MISSED
    assert [line for line in err.splitlines() if "odd" in line] == ["none: odd must be at least 0.5, but 0.000"]


def test_what_is_looked_for_may_change_without_asking_again(lab, tmp_path):
    assert lab(LITTLE)[0] == 0
    kept = (tmp_path / "out" / "cells.jsonl").read_bytes()
    changed = LITTLE.replace('name = "Little"', 'name = "Other"').replace("zyzzyva", "quokka")
    assert lab(changed + '[[threshold]]\nmeasure = "odd"\nlow = 0.5\n')[0] == MISSED
    assert (tmp_path / "out" / "cells.jsonl").read_bytes() == kept


def test_an_answer_that_fails_is_a_line_and_the_others_are_there(lab, tmp_path):
    long = LITTLE + f'[[question]]\nkey = "long"\ntext = "{"lamp " * 4000}"\n'
    code, _, err = lab(long)
    assert code == MISSED, "the checks of what was not answered count as not passed"
    told = [line for line in err.splitlines() if "question long" in line]
    assert len(told) == 2
    assert "tokens" in told[0]
    assert json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["done"] == 2


def test_a_folder_of_another_plan_is_left_alone(lab, tmp_path):
    assert lab(LITTLE)[0] == 0
    kept = (tmp_path / "out" / "cells.jsonl").read_bytes()
    code, _, err = lab(LITTLE.replace("Name a fruit", "Name a tree"))
    assert code == 1
    assert "another plan" in err
    assert (tmp_path / "out" / "cells.jsonl").read_bytes() == kept


def test_two_runs_do_not_write_into_one_folder(lab, tmp_path):
    lock = FileLock(tmp_path / "out" / ".lock")
    lock.take()
    code, _, err = lab(LITTLE)
    lock.drop()
    assert code == 1
    assert "in use" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 7\n", "'name'"),
        (LITTLE.replace('texts = "zyzzyva"', "texts = []"), "check 2"),
        (LITTLE + '[[check]]\nkind = "regex"\npattern = "("\n', "cannot be used"),
        (LITTLE.replace('measure = "short"', 'measure = "charm"'), "no measure 'charm'"),
        (LITTLE.replace('measure = "short"', 'measure = "wins"'), "needs a judge"),
        (LITTLE.replace("low = 1.0", "low = 90"), "0 to 1"),
        ('question_files = ["gone.txt"]\n' + LITTLE, "gone.txt"),
        ('question_files = ["what.doc"]\n' + LITTLE, "Kinds of files"),
    ],
)
def test_a_plan_that_is_wrong_is_one_line_before_anything_is_made(lab, tmp_path, text, words):
    code, out, err = lab(text)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there_is_told(lab):
    code, _, err = lab(LITTLE.replace('model = "starter"', 'model = "no-such-model"'))
    assert code == 1
    assert "no-such-model" in err


def test_questions_are_read_from_lines_of_a_text_and_prompts_from_files(lab, tmp_path):
    (tmp_path / "q.txt").write_text("First one?\n\n  Second one?  \n", "utf-8")
    (tmp_path / "p.md").write_text("Answer like a clock.\n", "utf-8")
    text = 'question_files = ["q.txt"]\n' + LITTLE.replace('text = "Be brief."', 'file = "p.md"')
    assert lab(text)[0] == 0
    cells = [json.loads(line) for line in (tmp_path / "out" / "cells.jsonl").read_text("utf-8").splitlines()]
    assert [cell["question"] for cell in cells[:3]] == ["1", "2", "fruit"]
    assert cells[0]["provenance"]["system_prompt"] == "Answer like a clock."


def test_a_line_that_was_cut_is_asked_for_again(lab, tmp_path):
    assert lab(LITTLE)[0] == 0
    path = tmp_path / "out" / "cells.jsonl"
    whole = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
    path.write_bytes(path.read_bytes()[:-40])
    assert lab(LITTLE)[0] == 0
    assert [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()] == whole


def test_progress_is_told_in_words():
    assert cli_lab.progress_words(Progress(10, 2, 48, 3, 0, 24, {}, 121.4, 250.0)) == (
        "[#####                   ] 12 of 48 answers, 2 failed, 3 of 24 judged  121 tokens/s, about 4 min left"
    )
    assert cli_lab.progress_words(Progress(0, 0, 2)) == "[                        ] 0 of 2 answers"


def test_a_file_of_short_work_holds_no_progress_and_a_terminal_shows_it_on_one_line():
    class Terminal:
        def __init__(self, tty: bool) -> None:
            self.tty, self.text = tty, ""

        def isatty(self) -> bool:
            return self.tty

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    pace = Pace(Plan("p", "m", (Contestant("a", ""),), (Question("1", "Hi"),)))
    for tty, shown in ((True, True), (False, False)):
        stream = Terminal(tty)
        line = cli_lab.LabLine(as_json=False, stream=stream, clock=lambda: 1.0)
        line.show(pace)
        line.close()
        assert ("0 of 1 answers" in stream.text) is shown
        assert stream.text.startswith("\r") is shown


@pytest.mark.long
def test_what_was_killed_and_resumed_equals_an_unbroken_run_cell_for_cell(tmp_path):
    plan = lab_plans.write_plan(tmp_path)
    chance = random.Random()
    kept = 0
    for _ in range(3):
        now = lab_plans.kill_after(plan, tmp_path / "killed", chance, 0.3)
        if now is None:
            break
        assert now > kept, "what was kept before stays"
        kept = now
    lab_plans.finish(plan, tmp_path / "killed")
    lab_plans.finish(plan, tmp_path / "whole")
    killed, whole = (lab_plans.results(tmp_path / name) for name in ("killed", "whole"))
    assert len(whole) == 48
    assert killed == whole


def votes_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl"])
def test_a_persons_votes_are_taken_in_if_they_are_on_the_same_answers_and_stay(lab, tmp_path: Path, name: str):
    assert lab(LITTLE)[0] in (0, MISSED)
    cells = [json.loads(line) for line in (tmp_path / "out" / "cells.jsonl").read_text("utf-8").splitlines()]
    brief, none = (
        next(hashlib.sha256(cell["text"].encode()).hexdigest() for cell in cells if cell["prompt"] == name)
        for name in ("brief", "none")
    )
    lines = [
        "rater,question,seed,first,second,outcome,words,at_ms,first_sha256,second_sha256",
        f"person,fruit,1,none,brief,1.0,=nicer,5,{none},{brief}",
        f"person,fruit,1,brief,none,1.0,,6,{'0' * 64},{none}",
        f"person,gone,1,none,brief,1.0,,7,{none},{brief}",
        f"judge,fruit,1,brief,none,1.0,,8,{brief},{none}",
    ]
    if name.endswith("csv"):
        table = as_csv(csv.DictReader(lines))
        assert ",'=nicer," in table
        (tmp_path / name).write_text(table, "utf-8", newline="")
    else:  # as the window writes them: numbers are numbers there
        rows = [row | {"seed": 1, "outcome": 1.0, "at_ms": int(row["at_ms"])} for row in csv.DictReader(lines)]
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    _, out, err = lab(LITTLE, "--votes", str(tmp_path / name), "--json")
    assert "1 votes of a person taken, 2 left out: they are on other questions, prompts or answers than these." in err
    told = json.loads(out.splitlines()[-1])
    assert told["votes"] == {"person": 1, "judge": 0}
    assert [one["name"] for one in told["ranking"]] == ["none", "brief"]
    (kept,) = votes_of(tmp_path / "out" / "votes.jsonl")
    assert (kept["rater"], kept["first"], kept["second"], kept["outcome"], kept["words"]) == (
        "person", "none", "brief", 1.0, "=nicer",
    )  # fmt: skip
    assert "Win table" in (tmp_path / "out" / "report.html").read_text("utf-8")
    again = json.loads(lab(LITTLE, "--json")[1].splitlines()[-1])
    assert again["votes"] == {"person": 1, "judge": 0}, "the same command again keeps them"


def test_votes_that_cannot_be_read_are_told(lab, tmp_path: Path):
    code, _, err = lab(LITTLE, "--votes", str(tmp_path / "gone.csv"))
    assert code == 1
    assert "gone.csv" in err


def test_a_folder_goes_on_with_the_values_its_models_had_when_it_began(lab, tmp_path: Path):
    two = LITTLE + '[[question]]\nkey = "more"\ntext = "And another?"\n'
    assert lab(two)[0] in (0, MISSED)
    plan = json.loads((tmp_path / "out" / "plan.json").read_text("utf-8"))
    (held,) = plan["model_values"]
    assert (held["model"], held["sampling"]["top_k"]) == ("starter", 40)
    held["sampling"]["top_k"] = 7  # as if the model had had another value then
    (tmp_path / "out" / "plan.json").write_text(json.dumps(plan), "utf-8")
    cells = tmp_path / "out" / "cells.jsonl"
    first, *_ = cells.read_text("utf-8").splitlines()
    cells.write_text(first + "\n", "utf-8")
    lab(two)
    values = [json.loads(line)["provenance"]["sampling"]["top_k"] for line in cells.read_text("utf-8").splitlines()]
    assert values == [40, 7, 7, 7]


def test_votes_that_the_folder_holds_can_be_asked_for_by_a_threshold(lab, tmp_path: Path):
    wanted = LITTLE + '[[threshold]]\nmeasure = "wins"\nlow = 0.6\nprompt = "none"\n'
    code, _, err = lab(wanted)
    assert code == 2
    assert "needs a judge" in err
    assert lab(LITTLE)[0] in (0, MISSED)
    (tmp_path / "votes.csv").write_text(
        "rater,question,seed,first,second,outcome,words,at_ms\nperson,fruit,1,none,brief,1.0,nicer,5\n", "utf-8"
    )
    code, _, err = lab(wanted, "--votes", str(tmp_path / "votes.csv"))
    assert code == 0, err
    assert lab(wanted)[0] == 0, "the folder has the votes"
