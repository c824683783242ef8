"""Plots as inline SVG, one row for each contestant, with its name and numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from app.scoring.axis import Axis
from app.scoring.markup import Markup, element, joined

WIDTH, LEFT, RIGHT, ROW = 860, 220, 190, 30
_COLOURS = 8
_LONGEST_NAME = 27


@dataclass(frozen=True, slots=True)
class Interval:
    """A row of a plot: a value and maybe the interval around it. `words` stand at its right."""

    name: str
    colour: int
    middle: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Spread:
    """A row of a plot: many values, of which median, middle half and ends are drawn."""

    name: str
    colour: int
    values: Sequence[float]


def intervals_plot(
    title: str, rows: Sequence[Interval], shown: Callable[[float], str], about: float, reach: tuple[float, float]
) -> Markup:
    """A dot for each value and a line for its interval. about: where a line is drawn down; reach: the least axis."""
    every = [*reach, *(one for row in rows for one in (row.middle, row.low, row.high, about) if one is not None)]
    axis = Axis.over(min(every), max(every))
    drawn: list[Markup] = [_grid(axis, len(rows), shown, about)]
    for place, row in enumerate(rows):
        y = _middle_of(place)
        drawn.append(_name(row.name, row.colour, y))
        if row.low is not None and row.high is not None:
            low, high = _x(axis, row.low), _x(axis, row.high)
            for x1, y1, x2, y2 in ((low, y, high, y), (low, y - 5, low, y + 5), (high, y - 5, high, y + 5)):
                drawn.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=f"s{row.colour % _COLOURS} whisker"))
        drawn.append(element("circle", cx=_x(axis, row.middle), cy=y, r=5.5, class_=f"f{row.colour % _COLOURS}"))
        drawn.append(_words(row.words, y))
    return _svg(title, len(rows), drawn, [f"{row.name}: {row.words}" for row in rows])


def bars_plot(title: str, rows: Sequence[Interval], shown: Callable[[float], str]) -> Markup:
    """A bar from 0 to each value, which are shares from 0 to 1."""
    axis = Axis.over(0, 1)
    drawn: list[Markup] = [_grid(axis, len(rows), shown, 0)]
    for place, row in enumerate(rows):
        y = _middle_of(place)
        drawn.append(_name(row.name, row.colour, y))
        width = max(1.0, _x(axis, row.middle) - LEFT)
        drawn.append(element("rect", x=LEFT, y=y - 7, width=width, height=14, rx=2, class_=f"f{row.colour % _COLOURS}"))
        drawn.append(_words(row.words, y))
    return _svg(title, len(rows), drawn, [f"{row.name}: {row.words}" for row in rows])


def spreads_plot(title: str, rows: Sequence[Spread], shown: Callable[[float], str]) -> Markup:
    """A box for the middle half of each row's values, a line in it for the median, thin lines to the ends."""
    axis = Axis.over(0, max((max(row.values, default=0) for row in rows), default=0))
    drawn: list[Markup] = [_grid(axis, len(rows), shown, 0)]
    told: list[str] = []
    for place, row in enumerate(rows):
        y, colour = _middle_of(place), row.colour % _COLOURS
        drawn.append(_name(row.name, row.colour, y))
        if not row.values:
            drawn.append(_words("no answers", y))
            continue
        quarter, median, three = _quarters(row.values)
        low, high = _x(axis, min(row.values)), _x(axis, max(row.values))
        first, middle, last = _x(axis, quarter), _x(axis, median), _x(axis, three)
        drawn.append(element("line", x1=low, y1=y, x2=high, y2=y, class_=f"s{colour} thin"))
        drawn.append(
            element("rect", x=first, y=y - 7, width=max(1.0, last - first), height=14, rx=2, class_=f"f{colour} box")
        )
        drawn.append(element("line", x1=middle, y1=y - 9, x2=middle, y2=y + 9, class_=f"s{colour} whisker"))
        words = f"median {shown(median)}"
        drawn.append(_words(words, y))
        told.append(f"{row.name}: {words}, half of them {shown(quarter)} to {shown(three)}")
    return _svg(title, len(rows), drawn, told)


def _x(axis: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * axis.share(value)


def _grid(axis: Axis, rows: int, shown: Callable[[float], str], about: float) -> Markup:
    bottom = rows * ROW + 6
    drawn: list[Markup] = []
    for value in axis.marks:
        x = _x(axis, value)
        drawn.append(element("line", x1=x, y1=0, x2=x, y2=bottom, class_="grid"))
        drawn.append(element("text", shown(value), x=x, y=bottom + 16, text_anchor="middle", class_="tick"))
    drawn.append(element("line", x1=_x(axis, about), y1=0, x2=_x(axis, about), y2=bottom, class_="zero"))
    return joined(drawn)


def _svg(title: str, rows: int, drawn: Sequence[Markup], told: Sequence[str]) -> Markup:
    height = rows * ROW + 30
    return element(
        "svg",
        element("title", title),
        element("desc", ". ".join(told)),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def _middle_of(place: int) -> float:
    return place * ROW + ROW / 2


def _name(name: str, colour: int, y: float) -> Markup:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    mark = element("rect", x=0, y=y - 5, width=10, height=10, rx=2, class_=f"f{colour % _COLOURS}")
    return joined([mark, element("text", element("title", name), short, x=18, y=y + 4, class_="name")])


def _words(words: str, y: float) -> Markup:
    return element("text", words, x=WIDTH - RIGHT + 16, y=y + 4, class_="words")


def _quarters(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    first, middle, last = quantiles(values, n=4, method="inclusive")
    return first, middle, last
