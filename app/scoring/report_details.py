"""The parts of the report to look things up in: every question with its answers, the plan, and what made it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from app.core.chat import Provenance
from app.core.checks import name_of
from app.core.lab import Cell, CellState, Check, Finding, Place, Plan, Vote
from app.core.made_by import figure_words, file_name, in_brief, seed_words, shared, without_folders
from app.scoring.look import checks_of
from app.scoring.markup import Markup, element
from app.scoring.results import Results, plan_hash, text_hash
from app.scoring.saying import vote_words

_MOST_VOTES = 60
"""So many are told of one question; the table of votes has all."""
_SHOWN = ("seed", "answer", "time", "speed", "ended")
"""How the figures begin that stand beside an answer; all are in its tip, and in the tables."""
_BY_PROMPT = {"Version", "System prompt"}
"""What the plan tells of each prompt; the rest of what made the answers belongs to the run."""
_NAMES = {"Name": "Model", "File": "Model file", "Size": "Size of the file", "SHA-256": "SHA-256 of the model file"}


def questions_section(results: Results) -> Markup:
    """Every question, to be opened: its answers side by side with what the checks found, and who won there."""
    votes: dict[int, list[Vote]] = {}
    for vote in results.votes:
        votes.setdefault(vote.question, []).append(vote)
    blocks = [_question(results, number, votes.get(number, ())) for number in range(len(results.plan.questions))]
    return element("section", element("h2", "Questions and answers"), *blocks)


def plan_section(plan: Plan) -> Markup:
    """What was asked for: prompts, checks, judge, thresholds."""
    content: list[Markup] = [element("h2", "The plan")]
    for one in plan.contestants:
        version = f"version {one.version}" if one.version else f"SHA-256 of its text {text_hash(one.system_prompt)}"
        content += [element("h3", one.name), element("pre", one.system_prompt or "(no system prompt)")]
        content.append(element("p", element("code", version), class_="muted"))
        if one.model_id or one.overrides:
            own = {"model": file_name(one.model_id)} if one.model_id else {}
            content.append(element("p", element("code", _json({**own, **one.overrides}))))
    if plan.checks:
        content += [element("h3", "Checks of every answer"), element("ul", *map(_check, plan.checks))]
    if plan.judge:
        model = file_name(plan.judge.model_id or plan.model_id)
        content += [element("h3", f"Judge: {model}" if model else "Judge"), element("pre", plan.judge.prompt)]
    if plan.thresholds:
        told = [
            element("li", f"{one.measure} of {one.contestant or 'each prompt'} at least {one.low:g}")
            for one in plan.thresholds
        ]
        content += [element("h3", "Thresholds"), element("ul", *told)]
    return element("section", *content)


def made_section(results: Results, facts: Mapping[str, str]) -> Markup:
    """What made it: models, templates and sampler values as they were, and hashes to tell runs apart by."""
    plan = results.plan
    told: dict[str, list[str]] = {name: [value] for name, value in facts.items()}
    told["SHA-256 of the plan"] = [plan_hash(plan)]
    answers = "".join(text_hash(cell.text) for cell in results.done)
    told["SHA-256 of all answers"] = [text_hash(answers)]
    told["Seeds"] = [", ".join(map(str, plan.seeds))]
    for cell in results.done:
        if cell.provenance is not None:
            _add(told, cell.provenance)
    content = [element("h2", "What made it"), _facts(told)]
    judge: dict[str, list[str]] = {}
    for how in results.judged_by.values():
        _add(judge, how)
    if judge:
        content += [element("h3", "What made the judge’s verdicts"), _facts(judge)]
    return element("section", *content)


def _add(told: dict[str, list[str]], how: Provenance) -> None:
    """Tell of an answer what was not told before."""
    for name, value in _shared(how):
        if value not in (values := told.setdefault(name, [])):
            values.append(value)


def _facts(told: Mapping[str, Sequence[str]]) -> Markup:
    rows: list[Markup] = []
    for name, values in told.items():
        rows += [element("dt", name), *(element("dd", element("code", value)) for value in values)]
    return element("dl", *rows)


def _shared(how: Provenance) -> Iterator[tuple[str, str]]:
    """What an answer is likely to share with all others of its run: model, sampler, device."""
    for section in shared(how):
        yield from ((_NAMES.get(name, name), value) for name, value in section.rows if name not in _BY_PROMPT)


def _question(results: Results, number: int, votes: Sequence[Vote]) -> Markup:
    plan = results.plan
    question = plan.questions[number]
    content: list[Markup] = [element("pre", question.text)]
    if question.system_prompt:
        content += [
            element("p", "System prompt that came with it", class_="muted"),
            element("pre", question.system_prompt),
        ]
    if question.reference:
        content += [element("p", "Reference answer", class_="muted"), element("pre", question.reference)]
    head = element("tr", *(element("th", name) for name in ("Prompt", "Answer", "Checks", "Made")))
    rows = [
        _answer(results, results.cells[place])
        for contestant in range(len(plan.contestants))
        for seed in range(len(plan.seeds))
        if (place := Place(contestant, number, seed)) in results.cells
    ]
    content.append(element("div", element("table", head, *rows, class_="answers"), class_="wide"))
    if votes:
        content.append(_votes(results, votes))
    short = " ".join(question.text.split())
    title = f"{question.key}: {short if len(short) <= 120 else short[:119] + '…'}"
    passed = [one.passed for place, found in results.findings.items() if place.question == number for one in found]
    count = f" ({sum(passed)} of {len(passed)} checks passed)" if passed else ""
    return element("details", element("summary", title, element("span", count, class_="muted")), *content)


def _votes(results: Results, votes: Sequence[Vote]) -> Markup:
    """Who was found better, and the judge's words; to be opened."""
    names = [one.name for one in results.plan.contestants]
    told = [element("li", vote_words(vote, names)) for vote in votes[:_MOST_VOTES]]
    if len(votes) > _MOST_VOTES:
        told.append(element("li", f"and {len(votes) - _MOST_VOTES} more", class_="muted"))
    count = "1 vote" if len(votes) == 1 else f"{len(votes)} votes"
    return element("details", element("summary", count, class_="muted"), element("ul", *told))


def _answer(results: Results, cell: Cell) -> Markup:
    plan, place = results.plan, cell.place
    name = plan.contestants[place.contestant].name
    if len(plan.seeds) > 1:
        name += f", seed {plan.seeds[place.seed]}"
    if cell.state is CellState.FAILED:
        text = element("span", f"There is no answer: {without_folders(cell.error, cell.provenance)}", class_="failed")
    elif cell.state is CellState.DONE:
        text = element("pre", cell.text)
    else:
        text = element("span", "Not answered yet", class_="muted")
    checks = checks_of(plan, plan.questions[place.question])
    found = _findings(checks, results.findings.get(place, ()))
    return element("tr", element("td", name), element("td", text), element("td", found), element("td", _made(cell)))


def _findings(checks: Sequence[Check], findings: Sequence[Finding]) -> Markup:
    told = [
        element(
            "li",
            element("span", "✓ passed" if found.passed else "✗ failed", class_="passed" if found.passed else "failed"),
            f" {name_of(check)}. {found.words}",
        )
        for check, found in zip(checks, findings, strict=False)
    ]
    return element("ul", *told)


def _made(cell: Cell) -> Markup:
    made = cell.provenance
    if made is None:
        return element("span")
    figures = figure_words(made)
    return element(
        "span",
        ", ".join(words for words in (seed_words(made), *figures) if words.startswith(_SHOWN)),
        class_="muted",
        title="\n".join(line for line in (*in_brief(made), *figures) if line),
    )


def _check(check: Check) -> Markup:
    return element("li", f"{name_of(check)} ", element("code", _json({"kind": check.kind, **check.values})))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
