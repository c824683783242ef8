"""A comparison as text for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.chat import Provenance
from app.core.made_answers import line_below, numbered, state_words, told_once
from app.core.reproduced import EXACT_UP_TO
from app.core.text import closed
from app.services.compare_columns import Column

if TYPE_CHECKING:
    from app.services.comparison import Comparison


def cautions(comparison: Comparison) -> str:
    """What is other than one may think of how the columns are answered, in sentences; "" for nothing."""
    told = []
    if later := comparison.later_models():
        told.append(f"One model answers after the other: {', '.join(later)} later than the first.")
    if comparison.most_together() > EXACT_UP_TO:
        told.append(f"With more than {EXACT_UP_TO} columns a text may differ from the one it gets alone.")
    if words := comparison.inexact:
        told.append(words)
    if comparison.on_gpu:
        told.append("On a GPU the text may differ a little from one time to the next, with the same seed too.")
    return " ".join(told)


def as_markdown(
    columns: Sequence[Column], whole: Callable[[Provenance], Provenance], named: Callable[[str], str] = lambda _: ""
) -> str:
    """The columns one after another, each with its prompt and what was said; then what made the answers.

    whole: puts in what was found out about an answer's model since it was made. named: how people call the version of
    a prompt that has this hash, "" for no name.
    """
    columns = [_filled(column, whole) for column in columns]
    parts = []
    for column in columns:
        parts += [f"## {column.contestant.name}", _quoted(_prompt(column)), *_said(column)]
    if made := _made_by(columns, named):
        count = sum(len(column.exchanges) for column in columns)
        parts += [f"## What made {'these answers' if count > 1 else 'this answer'}", made]
    return "\n\n".join(part for part in parts if part) + "\n"


def _said(column: Column) -> Iterator[str]:
    before = None
    for exchange in column.exchanges:
        yield f"**You**\n\n{closed(exchange.question)}"
        state = state_words(exchange.state)
        yield f"**{column.contestant.name}**" + (f" ({state})" if state else "")
        yield closed(exchange.text)
        yield line_below(exchange.provenance, before)
        before = exchange.provenance or before


def _made_by(columns: Sequence[Column], named: Callable[[str], str]) -> str:
    at = [(number, place) for number, column in enumerate(columns) for place in range(len(column.exchanges))]

    def names(places: Sequence[int]) -> str:
        """Columns by their names, with numbers where only some of their answers are meant."""
        meant: dict[int, list[int]] = {}
        for column, place in (at[one] for one in places):
            meant.setdefault(column, []).append(place)
        return ", ".join(
            columns[number].contestant.name
            if len(answers) == len(columns[number].exchanges)
            else f"{columns[number].contestant.name}, {numbered(answers).lower()}"
            for number, answers in meant.items()
        )

    return told_once(
        [columns[number].exchanges[place].provenance for number, place in at],
        names,
        lambda place, prompt: prompt.strip() == _prompt(columns[at[place][0]]).strip(),
        lambda how: named(how.prompt_version) if how.prompt_version else "",
    )


def _prompt(column: Column) -> str:
    """A column's prompt as it was sent the last time: with values in the places of its variables."""
    sent = [one.provenance.system_prompt for one in column.exchanges if one.provenance is not None]
    return sent[-1] if sent else column.contestant.system_prompt


def _quoted(prompt: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in prompt.splitlines()) if prompt.strip() else ""


def _filled(column: Column, whole: Callable[[Provenance], Provenance]) -> Column:
    exchanges = tuple(
        replace(one, provenance=whole(one.provenance)) if one.provenance is not None else one
        for one in column.exchanges
    )
    return replace(column, exchanges=exchanges)
