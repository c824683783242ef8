"""Judges whether an answer is what the dialogue asked for."""

from __future__ import annotations

import ast
import re

from .styles import Style
from .turns import Turn


def _outside_code(text: str) -> str:
    return "".join(text.split("```")[::2])


def obeys(style: Style, turn: Turn, answer: str) -> bool:
    """Whether the whole answer has the form that a style of one kind asks for, whatever it says."""
    (kind,) = style.kinds
    plain = _outside_code(answer)
    if kind == "caps":
        return plain == plain.upper() and (
            any(letter.isalpha() for letter in plain) or not any(map(str.isalpha, turn.answer))
        )
    if kind == "lower":
        return plain == plain.lower() and answer != ""
    if kind == "end":
        return answer.endswith(style.word("end"))
    if kind == "start":
        return answer.startswith(style.word("start"))
    if kind == "pirate":
        return answer.startswith("Arr!") and not re.search(
            r"\b([Yy]ou|[Yy]our)\b", answer if turn.kind == "prose" else ""
        )
    if kind == "one word":
        return len(answer.split()) == 1
    if kind == "bullets":
        return answer.startswith("- ") and (
            turn.kind != "list" or all(line.startswith("- ") for line in answer.split("\n"))
        )
    raise ValueError(kind)


def is_list(answer: str, count: int) -> bool:
    """Whether the answer holds a Markdown list of so many items and nothing broken."""
    lines = [line for line in answer.split("\n") if re.match(r"(- |\d+\. )\S", line)]
    numbers = [int(line.split(".")[0]) for line in lines if line[0].isdigit()]
    return len(lines) == count and (not numbers or numbers == list(range(1, count + 1)))


def is_table(answer: str) -> bool:
    """Whether the answer holds a Markdown table with a head, a rule and rows of one width."""
    lines = [line for line in answer.split("\n") if line.startswith("|")]
    return len(lines) >= 3 and len({line.count("|") for line in lines}) == 1 and set(lines[1]) <= set("|- ")


def is_python(answer: str) -> bool:
    """Whether the answer holds one closed fence with Python that parses."""
    match = re.search(r"```python\n(.*?)\n```(\n|$)", answer, re.DOTALL)
    if not match or answer.count("```") != 2:
        return False
    try:
        ast.parse(match.group(1))
    except SyntaxError:
        return False
    return True
