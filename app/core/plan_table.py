"""The plan of an experiment as plain tables, the way it lies in a TOML file and in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from app.core.checks import values_of
from app.core.errors import PlanError, SettingError
from app.core.judging import DEFAULT_JUDGE_PROMPT
from app.core.lab import Check, Contestant, Judge, Plan, Question, Threshold
from app.core.options import Sampling
from app.core.settings import Kind, Setting, declared
from app.core.text import clean

Value = TypeVar("Value")

_HINT = "Nothing was run. Mend the plan and try again."
_NAMES = {str: "a text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}


class Files(Protocol):
    """Reads the files that a plan names; each name is as it stands in the plan."""

    def text(self, name: str) -> str:
        """The text of a prompt.

        Raises:
            AppError: there is no such file, or it is no text.
        """
        ...

    def questions(self, name: str) -> Sequence[Question]:
        """The questions in a file; a key may be "" where the file has none.

        Raises:
            AppError: there is no such file, or no questions in it.
        """
        ...


def sampling_key(key: str) -> Setting | None:
    """The setting that a plan may change under this key; None where there is none. The seed is the plan's own."""
    return declared(Sampling).get(key) if key != "seed" else None


def plan_of(table: Mapping[str, Any], files: Files | None = None, *, whole: bool = True) -> Plan:
    """The plan that tables describe. One that is not `whole` may still be without prompts or questions.

    Raises:
        PlanError: something in it is unknown, missing or out of range; the text names the table and the key.
        AppError: a file that it names cannot be read.
    """
    top = _Table("the plan", table)
    plan = Plan(
        name=top.text("name", "Experiment"),
        model_id=top.text("model", ""),
        contestants=tuple(_contestant(one, files) for one in top.tables("prompt")),
        questions=_questions(top, files),
        seeds=_seeds(top),
        overrides=_sampling(top),
        checks=tuple(map(_check, top.tables("check"))),
        judge=_judge(top, files),
        thresholds=tuple(map(_threshold, top.tables("threshold"))),
        variables=_variables(top),
        model_values=dict(map(_model_values, top.tables("model_values"))),
    )
    top.end()
    if whole:
        _look_over(plan)
    return plan


def questions_of(tables: Sequence[Any]) -> tuple[Question, ...]:
    """The questions that tables describe, as `tables_of_questions` makes them.

    Raises:
        PlanError: one of them is no question.
    """
    return _questions(_Table("the plan", {"question": list(tables)}), None)


def tables_of_questions(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Questions as tables; `questions_of` makes the same of them."""
    return [_question_table(one) for one in questions]


def table_of(plan: Plan) -> dict[str, Any]:
    """A plan as tables, everything inline; `plan_of` makes the same plan of them."""
    table: dict[str, Any] = {"name": plan.name}
    if plan.model_id:
        table["model"] = plan.model_id
    table["seeds"] = list(plan.seeds)
    _put(table, sampling=_worded(plan.overrides), variables=dict(plan.variables))
    table["prompt"] = [_contestant_table(one) for one in plan.contestants]
    _put(table, check=[_check_table(one) for one in plan.checks])
    if plan.judge is not None:
        judge: dict[str, Any] = {"model": plan.judge.model_id, "prompt": plan.judge.prompt}
        _put(judge, sampling=_worded(plan.judge.overrides))
        table["judge"] = judge
    thresholds: list[dict[str, Any]] = []
    for one in plan.thresholds:
        thresholds.append({"measure": one.measure, "low": one.low})
        _put(thresholds[-1], prompt=one.contestant)
    _put(table, threshold=thresholds)
    _put(table, model_values=[{"model": one, "sampling": _worded(held)} for one, held in plan.model_values.items()])
    table["question"] = [_question_table(one) for one in plan.questions]
    return table


# --- from tables ----------------------------------------------------------------------------------------------------


class _Table:
    """One table, which is asked for each key that is known; `end` complains about the others."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self._values = dict(values)

    def wrong(self, title: str, detail: str = "") -> PlanError:
        return PlanError(title, detail, _HINT)

    def take(self, key: str, kind: type[Value], default: Value | None = None) -> Value:
        """The value of a key, which is needed where there is no default."""
        if key not in self._values:
            if default is None:
                raise self.wrong(f"{self.name} has no {key!r}", "It is needed there.")
            return default
        value = self._values.pop(key)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise self.wrong(f"{key!r} of {self.name} must be {_NAMES[kind]}", f"It is {value!r:.60}.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        return clean(self.take(key, str, default))

    def has(self, key: str) -> bool:
        return key in self._values

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.take(key, list, [])
        if not all(isinstance(one, str) for one in found):
            raise self.wrong(f"{key!r} of {self.name} must be a list of texts", f"It is {found!r:.60}.")
        return tuple(clean(one) for one in found)

    def table(self, key: str) -> _Table | None:
        if key not in self._values:
            return None
        whose = key if self.name == "the plan" else f"{key} of {self.name}"
        return _Table(whose, self.take(key, dict))

    def tables(self, key: str) -> list[_Table]:
        found = self.take(key, list, [])
        if not all(isinstance(one, dict) for one in found):
            raise self.wrong(
                f"{key!r} of {self.name} must be tables", f"Write each below a line of its own: [[{key}]]."
            )
        of = "" if self.name == "the plan" else f" of {self.name}"
        return [_Table(f"{key} {number}{of}", one) for number, one in enumerate(found, start=1)]

    def names(self) -> list[str]:
        return list(self._values)

    def rest(self) -> dict[str, Any]:
        left, self._values = self._values, {}
        return left

    def end(self) -> None:
        if self._values:
            raise self.wrong(f"{self.name} has {next(iter(self._values))!r}, which is not known", "Is it misspelt?")


def _prompt_text(table: _Table, files: Files | None, key: str, default: str | None = None) -> str:
    """A text under `key`, or out of the file under `file`."""
    if not table.has("file"):
        return table.text(key, default)
    if table.has(key):
        raise table.wrong(f"{table.name} has both {key!r} and 'file'", "Leave one of them out.")
    name = table.text("file")
    if files is None:
        raise table.wrong(f"{table.name} names a file", "Files cannot be read here: write the text into the plan.")
    return clean(files.text(name))


def _contestant(table: _Table, files: Files | None) -> Contestant:
    found = Contestant(
        name=table.text("name"),
        system_prompt=_prompt_text(table, files, "text"),
        version=table.text("version", ""),
        model_id=table.text("model", ""),
        overrides=_sampling(table),
    )
    table.end()
    return found


def _questions(top: _Table, files: Files | None) -> tuple[Question, ...]:
    found: list[Question] = []
    names = top.texts("question_files")
    if names and files is None:
        raise top.wrong("the plan names files with questions", "Files cannot be read here: write them into the plan.")
    for name in names:
        found += files.questions(name) if files is not None else ()
    from_files = len(found)
    found += map(_question, top.tables("question"))
    seen: set[str] = set()
    keyed: list[Question] = []
    for place, one in enumerate(found, start=1):
        key = one.key or str(place)
        # what a person wrote twice is told of; files may well count alike
        while key in seen and (place <= from_files or not one.key):
            key = f"{key} ({place})"
        seen.add(key)
        keyed.append(replace(one, key=key))
    return tuple(keyed)


def _question(table: _Table) -> Question:
    found = Question(
        key=table.text("key", ""),
        text=table.text("text"),
        reference=table.text("reference", ""),
        system_prompt=table.text("system_prompt", ""),
        checks=tuple(map(_check, table.tables("check"))),
        tags=table.texts("tags"),
    )
    table.end()
    return found


def _seeds(top: _Table) -> tuple[int, ...]:
    seeds = top.take("seeds", list, [1])
    check = declared(Sampling)["seed"]
    for seed in seeds:
        try:
            right = type(seed) is int and check.checked(seed) == seed
        except SettingError:
            right = False
        if not right:
            raise top.wrong(f"'seeds' of the plan cannot hold {seed!r:.40}", f"Each is {check.allowed()}.")
    if not seeds or len(set(seeds)) < len(seeds):
        raise top.wrong("'seeds' of the plan must hold one or more different numbers", f"It is {seeds!r:.60}.")
    return tuple(seeds)


def _sampling(table: _Table) -> dict[str, Any]:
    """Sampler values under `sampling`, each checked against what its setting allows."""
    own = table.table("sampling")
    found: dict[str, Any] = {}
    for key, value in own.rest().items() if own is not None else ():
        known = sampling_key(key)
        if known is None:
            more = "Give the seeds as 'seeds' of the plan." if key == "seed" else "Names: " + ", ".join(
                name for name in declared(Sampling) if name != "seed") + "."  # fmt: skip
            raise table.wrong(f"{own.name if own else ''} has {key!r}, which is not known", more)
        try:
            found[key] = known.checked(None if _is_nothing(known, value) else value)
        except SettingError as error:
            raise table.wrong(f"{own.name if own else ''}: {key!r} cannot be {value!r:.60}", error.detail) from error
    return found


def _variables(top: _Table) -> dict[str, str]:
    table = top.table("variables")
    return {name: table.text(name) for name in table.names()} if table is not None else {}


def _is_nothing(known: Setting, value: Any) -> bool:
    """Whether a value is the word for "no value", for which TOML has none."""
    if known.none_label is None or not isinstance(value, str) or known.kind is Kind.TEXT:
        return False
    return value.strip().lower() in {"off", "none", known.none_label.lower()}


def _check(table: _Table) -> Check:
    found = Check(table.text("kind"), label=table.text("label", ""), values=table.rest())
    try:
        values_of(found)
    except SettingError as error:
        raise table.wrong(f"{table.name}: {error.title}", " ".join(error.parts()[1:])) from error
    return found


def _judge(top: _Table, files: Files | None) -> Judge | None:
    table = top.table("judge")
    if table is None:
        return None
    found = Judge(table.text("model", ""), _prompt_text(table, files, "prompt", DEFAULT_JUDGE_PROMPT), _sampling(table))
    table.end()
    return found


def _model_values(table: _Table) -> tuple[str, dict[str, Any]]:
    found = table.text("model", ""), _sampling(table)
    table.end()
    return found


def _threshold(table: _Table) -> Threshold:
    found = Threshold(table.text("measure"), table.take("low", float), table.text("prompt", ""))
    table.end()
    return found


def _look_over(plan: Plan) -> None:
    """Raise PlanError where the parts of a plan do not go together."""
    for what, many in (("prompt", plan.contestants), ("question", plan.questions)):
        if not many:
            raise PlanError(f"The plan has no {what}", f"Write each below a line of its own: [[{what}]].", _HINT)
    _no_doubles((one.name for one in plan.contestants), lambda name: f"Two prompts are called {name!r}")
    _no_doubles((one.key for one in plan.questions), lambda key: f"Two questions have the key {key!r}")
    names = {one.name for one in plan.contestants}
    for number, one in enumerate(plan.thresholds, start=1):
        if one.contestant and one.contestant not in names:
            known = ", ".join(sorted(names))
            raise PlanError(f"threshold {number} names no prompt: {one.contestant!r}", f"There are: {known}.", _HINT)


def _no_doubles(names: Any, words: Callable[[str], str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PlanError(words(name), "They could not be told apart.", _HINT)
        seen.add(name)


# --- to tables ------------------------------------------------------------------------------------------------------


def _put(table: dict[str, Any], **values: Any) -> None:
    """Add what is not empty."""
    table.update({key: value for key, value in values.items() if value})


def _worded(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Sampler values as they are written: "no value" has a word of its own."""
    found: dict[str, Any] = {}
    for key, value in overrides.items():
        known = sampling_key(key)
        if value is None:
            found[key] = (known.none_label if known is not None and known.none_label else "none").lower()
        else:
            found[key] = list(value) if isinstance(value, tuple) else value
    return found


def _contestant_table(one: Contestant) -> dict[str, Any]:
    table: dict[str, Any] = {"name": one.name, "text": one.system_prompt}
    _put(table, version=one.version, model=one.model_id, sampling=_worded(one.overrides))
    return table


def _question_table(one: Question) -> dict[str, Any]:
    table: dict[str, Any] = {"key": one.key, "text": one.text}
    _put(table, reference=one.reference, system_prompt=one.system_prompt, tags=list(one.tags))
    _put(table, check=[_check_table(check) for check in one.checks])
    return table


def _check_table(one: Check) -> dict[str, Any]:
    table: dict[str, Any] = {"kind": one.kind, **one.values}
    _put(table, label=one.label)
    return table
