"""The sampler values that a run holds."""

from collections.abc import Mapping
from dataclasses import replace

from app.core.held_values import with_model_values, without_model_values
from app.core.lab import Contestant, Judge, Plan, Question
from app.core.options import Loading, Sampling
from app.services.engine_room import ModelSpec
from app.services.experiment import Seat, seats_of


def test_a_plan_without_held_values_is_typed_so_that_it_means_the_same_today():
    then = {"": Sampling(top_k=7), "other": Sampling(min_p=0.2)}
    plan = Plan(
        "p", "", (Contestant("a", ""), Contestant("b", "", model_id="other", overrides={"temperature": 0.1})),
        (Question("1", "?"),), overrides={"top_p": 0.5}, judge=Judge("", "Judge."),
    )  # fmt: skip
    held = with_model_values(plan, then.__getitem__)
    assert held.model_values[""]["top_k"] == 7
    assert "seed" not in held.model_values[""]
    assert with_model_values(held, lambda _: Sampling()) is held, "those of the beginning stay"
    assert without_model_values(held, then.__getitem__) == plan, "nothing has changed since"
    typed = without_model_values(held, lambda _: Sampling(top_k=60))
    assert not typed.model_values

    def used(one: Plan, today: dict[str, Sampling]) -> list[Sampling]:
        def seat(model_id: str, laid: Mapping[str, object]) -> Seat:
            return Seat(ModelSpec(model_id, "", Loading()), replace(today[model_id], **laid))

        seats = seats_of(one, seat)
        return [found.sampling for found in (*seats.contestants, seats.judge)]

    before = used(held, {"": Sampling(top_k=60), "other": Sampling(top_k=60)})
    assert before == used(plan, then)
    assert before == used(typed, {"": Sampling(top_k=60), "other": Sampling(top_k=60)})
