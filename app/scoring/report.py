"""The report of a run: one HTML file that needs nothing else, no script and no net, to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.checks import name_of
from app.core.lab import Rater
from app.scoring.agreement import agreement, steadiness
from app.scoring.axis import NEAR_POINTS
from app.scoring.figures import percent, signed
from app.scoring.look import checks_of
from app.scoring.markup import Content, Markup, element, joined, style
from app.scoring.plots import Interval, Spread, bars_plot, intervals_plot, spreads_plot
from app.scoring.ranking import Ranking, rank
from app.scoring.report_details import made_section, plan_section, questions_section
from app.scoring.report_style import SHEET
from app.scoring.results import Results
from app.scoring.saying import sentences
from app.scoring.win_table import win_rate, win_rate_intervals, win_table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_report(results: Results, facts: Mapping[str, str] | None = None) -> str:
    """The whole file. facts: what else made it, by name: the app's version, the time, the device."""
    plan = results.plan
    sections = [
        *_ranking_sections(results),
        _checks_section(results),
        _length_section(results),
        questions_section(results),
        plan_section(plan),
        made_section(results, facts or {}),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", plan.name),
        style(SHEET),
    )
    body = element("body", element("h1", plan.name), _counts(results), *(one for one in sections if one is not None))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _counts(results: Results) -> Markup:
    plan = results.plan
    every = len(plan.contestants) * len(plan.questions) * len(plan.seeds)
    seeds = f" × {len(plan.seeds)} seeds" if len(plan.seeds) > 1 else ""
    return element(
        "p",
        f"{len(plan.contestants)} prompts × {len(plan.questions)} questions{seeds}: {len(results.done):,} of {every:,} "
        f"answers, {_votes(results)}",
        class_="muted",
    )


def _votes(results: Results) -> str:
    """How many votes there are, and whose; all count alike."""
    by = {rater: sum(vote.rater is rater for vote in results.votes) for rater in Rater}
    if by[Rater.PERSON] and by[Rater.JUDGE]:
        return f"{len(results.votes):,} votes: {by[Rater.JUDGE]:,} by the judge, {by[Rater.PERSON]:,} by a person"
    whose = " by the judge" if by[Rater.JUDGE] else " by a person" if by[Rater.PERSON] else ""
    return f"{len(results.votes):,} votes{whose}"


def _section(title: str, *content: Content) -> Markup:
    return element("section", element("h2", title), *content)


def _figure(plot: Markup, caption: str) -> Markup:
    return element("figure", plot, element("figcaption", caption))


def _ranking_sections(results: Results) -> list[Markup]:
    votes, plan = results.votes, results.plan
    if not votes:
        return []
    found = rank(votes, len(plan.contestants))
    names = [one.name for one in plan.contestants]
    rows = [
        Interval(
            names[one.contestant], one.contestant, one.points, one.low, one.high, _points(one.points, one.low, one.high)
        )
        for one in found.ranks
    ]
    plot = intervals_plot("Points of each prompt", rows, signed, 0, (-NEAR_POINTS, NEAR_POINTS))
    what = (
        f"Bradley–Terry, 95 % intervals from {found.resamples:,} resamples of the questions."
        if found.resamples
        else ("Bradley–Terry. With votes on fewer than two questions there are no intervals.")
    )
    caption = f"Points; 0 is the average prompt, 100 points win about 64 % of duels. {what}"
    sections = [
        _section("Ranking", element("p", *_told(found, names)), _figure(plot, caption)),
        _rates_section(results, [one.contestant for one in found.ranks]),
    ]
    judged = _agreement_section(results)
    return sections if judged is None else [*sections, judged]


def _told(found: Ranking, names: Sequence[str]) -> list[Content]:
    """What the ranking says, in sentences."""
    return [element("strong", one.text) if one.strong else one.text for one in sentences(found, names)]


def _rates_section(results: Results, order: Sequence[int]) -> Markup:
    votes, names = results.votes, [one.name for one in results.plan.contestants]
    around = win_rate_intervals(votes, len(names))
    rows = []
    for one in order:
        rate, interval = win_rate(votes, one), around[one]
        if rate is not None and interval is not None:
            words = f"{percent(rate)}, {interval[0] * 100:.0f} to {interval[1] * 100:.0f}"
            rows.append(Interval(names[one], one, rate, *interval, words))
    plot = intervals_plot("Win rate of each prompt", rows, percent, 0.5, (0, 1))
    return _section(
        "Win rates",
        _figure(plot, "How often each prompt's answer was found better, with 95 % intervals. Ties count half."),
        element("h3", "Win table"),
        _win_table(results, order),
        element(
            "p", "How often the row’s answer beat the column’s, over both orders. Ties count half.", class_="muted"
        ),
    )


def _win_table(results: Results, order: Sequence[int]) -> Markup:
    names = [one.name for one in results.plan.contestants]
    table = win_table(results.votes, len(names))
    rows = [element("tr", element("th"), *(element("th", names[one], scope="col") for one in order))]
    for row in order:
        cells = [element("th", names[row], scope="row")]
        for column in order:
            share = table[row][column].share
            cells.append(
                element("td", "")
                if share is None
                else element("td", percent(share), style=_heat(share), title=f"{table[row][column].votes} votes")
            )
        rows.append(element("tr", *cells))
    return element("div", element("table", *rows, class_="wins"), class_="wide")


def _heat(share: float) -> str:
    colour = "var(--win)" if share >= 0.5 else "var(--lose)"
    return f"background: rgba({colour}, {abs(share - 0.5):.2f})"


def _agreement_section(results: Results) -> Markup | None:
    both, steady = agreement(results.votes), steadiness(results.votes)
    content: list[Markup] = []
    if both.share is not None and both.low is not None and both.high is not None:
        kappa = "not defined" if both.kappa is None else f"{both.kappa:.2f}"
        content.append(
            element(
                "p",
                f"They agree in {percent(both.share)} of {both.pairs} pairs, 95 % interval {both.low * 100:.0f} to "
                f"{both.high * 100:.0f}. Cohen’s κ {kappa}.",
            )
        )
        verdicts = ("first", "equal", "second")
        rows = [element("tr", element("th"), *(element("th", f"Judge: {one}", scope="col") for one in verdicts))]
        rows += [
            element("tr", element("th", f"Person: {one}", scope="row"), *(element("td", count) for count in row))
            for one, row in zip(verdicts, both.table, strict=True)
        ]
        content.append(element("table", *rows, class_="wins"))
    if steady.share is not None:
        pairs = f"{percent(steady.share)} of {steady.pairs} pairs"
        content.append(element("p", f"The judge changed its mind in {pairs} when the order was swapped."))
    raters = {vote.rater for vote in results.votes}
    title = "Do person and judge agree?" if raters >= {Rater.PERSON, Rater.JUDGE} else "The judge"
    return _section(title, *content) if content else None


def _checks_section(results: Results) -> Markup | None:
    plan = results.plan
    counts: dict[str, dict[int, list[int]]] = {}
    for place in sorted(results.findings):
        checks = checks_of(plan, plan.questions[place.question])
        for check, found in zip(checks, results.findings[place], strict=True):
            count = counts.setdefault(name_of(check), {}).setdefault(place.contestant, [0, 0])
            count[0] += found.passed
            count[1] += 1
    if not counts:
        return None
    plots: list[Markup] = []
    for name, by_contestant in counts.items():
        rows = [
            Interval(
                plan.contestants[one].name,
                one,
                hits / tries,
                None,
                None,
                f"{percent(hits / tries)}, {hits} of {tries}",
            )
            for one, (hits, tries) in sorted(by_contestant.items())
        ]
        plots += [element("h3", name), element("figure", bars_plot(f"{name}, passed by prompt", rows, percent))]
    return _section("Checks", element("p", "The share of answers that pass, by prompt.", class_="muted"), *plots)


def _length_section(results: Results) -> Markup | None:
    if not results.done:
        return None
    words: dict[int, list[float]] = {}
    speeds: dict[int, list[float]] = {}
    for cell in results.done:
        words.setdefault(cell.place.contestant, []).append(len(cell.text.split()))
        if cell.provenance and cell.provenance.tokens_per_s > 0:
            speeds.setdefault(cell.place.contestant, []).append(cell.provenance.tokens_per_s)
    named = list(enumerate(results.plan.contestants))
    plots = [
        element("h3", "Words in an answer"),
        element(
            "figure",
            spreads_plot("Words in an answer", [Spread(one.name, at, words.get(at, [])) for at, one in named], _round),
        ),
    ]
    if speeds:
        rows = [Spread(one.name, at, speeds.get(at, [])) for at, one in named]
        plots += [
            element("h3", "Tokens per second"),
            element("figure", spreads_plot("Tokens per second", rows, _round)),
        ]
    note = "A line from the least to the most, a box for the middle half, a stroke for the median."
    return _section("Length and speed", joined(plots), element("p", note, class_="muted"))


def _points(points: float, low: float | None, high: float | None) -> str:
    around = "" if low is None or high is None else f"  ({signed(low)} to {signed(high)})"
    return signed(points) + around


def _round(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 10 and value % 1 else f"{value:,.0f}"
