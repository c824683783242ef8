"""The words of `orcinus lab` on the command line; what does the work is imported when it is asked for."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli_terminal import MISSED, in_one_line


def add_words(words: Any) -> None:
    """Add `lab` and its own words to the parser's."""
    lab = words.add_parser("lab", help="test system prompts over many questions")
    own = lab.add_subparsers(required=True, metavar="run")
    run: argparse.ArgumentParser = own.add_parser(
        "run",
        help="run a plan, or go on with it: the same command again goes on where it was",
        description="Exit code: 0 done, 1 could not be done or an answer or judgement failed, 2 the plan is wrong, "
        f"{MISSED} a threshold was missed.",
    )
    run.add_argument("plan", metavar="FILE.toml", help="prompts, questions, checks, judge and thresholds")
    run.add_argument(
        "--out", required=True, metavar="DIR", help="where answers, votes, the summary and a report are kept"
    )
    run.add_argument("--retry-failed", action="store_true", help="ask once more for answers that failed")
    run.add_argument(
        "--votes",
        metavar="FILE",
        help="take in a person's votes on the same answers, exported from the window (CSV, JSONL)",
    )
    run.add_argument("--json", action="store_true", help="for programs: progress, then the summary, an object a line")
    run.set_defaults(do=lambda asked: in_one_line(_run, asked))


def _run(asked: argparse.Namespace) -> int:
    from app.cli_lab import run

    return run(asked)
