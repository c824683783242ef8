"""The sampler values that a run's models had when it began: held by its plan, and typed out for another run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.core.lab import Contestant, Plan
from app.core.options import Sampling
from app.core.settings import declared

JUDGE_SAMPLING = {"temperature": 0.0}
"""A judge says what is likeliest, unless the plan wants it otherwise."""


def with_model_values(plan: Plan, values_of: Callable[[str], Sampling]) -> Plan:
    """The plan with the values that its models have now, where it does not hold any yet. values_of: by a model's id."""
    ids = [one.model_id or plan.model_id for one in plan.contestants]
    ids += [plan.judge.model_id or plan.model_id] if plan.judge is not None else []
    missing = {one: _as_overrides(values_of(one)) for one in dict.fromkeys(ids) if one not in plan.model_values}
    return replace(plan, model_values={**plan.model_values, **missing}) if missing else plan


def without_model_values(plan: Plan, values_of: Callable[[str], Sampling]) -> Plan:
    """The plan as somebody would type it who wants the same: what its models have otherwise today it changes itself."""

    def changed(model_id: str) -> dict[str, Any]:
        today = _as_overrides(values_of(model_id))
        return {key: value for key, value in plan.model_values.get(model_id, {}).items() if value != today.get(key)}

    def own(one: Contestant) -> Contestant:
        if one.model_id in ("", plan.model_id):
            return one
        under = {key: value for key, value in changed(one.model_id).items() if key not in plan.overrides}
        # what all have of the plan's own model is not for another one
        lost = {key: _as_overrides(values_of(one.model_id))[key] for key in changed(plan.model_id)}
        lost = {key: value for key, value in lost.items() if key not in plan.overrides}
        return replace(one, overrides={**lost, **under, **one.overrides})

    judge = plan.judge
    if judge is not None:
        under = changed(judge.model_id or plan.model_id)
        laid = {key: value for key, value in under.items() if key not in JUDGE_SAMPLING}
        judge = replace(judge, overrides={**laid, **judge.overrides})
    return replace(
        plan,
        judge=judge,
        contestants=tuple(map(own, plan.contestants)),
        overrides={**changed(plan.model_id), **plan.overrides},
        model_values={},
    )


def _as_overrides(sampling: Sampling) -> dict[str, Any]:
    """Every value by its key but the seed, which is the plan's own."""
    return {key: getattr(sampling, key) for key in declared(Sampling) if key != "seed"}
