"""Sampler chains: their order, what is off, and the same text for the same seed."""

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Request, Turn

DRY = Sampling(
    top_k=40,
    top_p=0.9,
    min_p=0.05,
    typical_p=0.95,
    repeat_penalty=1.1,
    dry_multiplier=0.8,
    xtc_probability=0.5,
)


def names(engine, sampling):
    with engine.sampler(sampling) as sampler:
        return [name.split("+")[-1] for name in sampler.names()]


def say(engine, sampling, question="Write a list of fruits."):
    tokens = engine.render([Turn(Role.USER, question)]).tokens
    events = list(engine.stream(Request(tokens, sampling), StopFlag()))
    return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]


def test_samplers_stand_in_llama_cpps_own_order(starter_engine):
    order = ["penalties", "dry", "top-k", "typical", "top-p", "min-p", "xtc", "temp", "dist"]
    assert names(starter_engine, DRY) == order


def test_what_is_off_is_not_in_the_chain(starter_engine):
    assert names(starter_engine, Sampling(top_k=None, top_p=None)) == ["temp", "dist"]
    assert names(starter_engine, Sampling()) == ["top-k", "top-p", "temp", "dist"]


def test_temperature_zero_takes_the_likeliest_but_keeps_the_penalties(starter_engine):
    assert names(starter_engine, Sampling(temperature=0, repeat_penalty=1.2)) == ["penalties", "greedy"]
    assert names(starter_engine, Sampling(temperature=0, mirostat="2")) == ["greedy"]


@pytest.mark.parametrize(("version", "last"), [("1", "mirostat"), ("2", "mirostat-v2")])
def test_mirostat_replaces_the_samplers_that_cut(starter_engine, version, last):
    sampling = Sampling(mirostat=version, min_p=0.1, repeat_penalty=1.1, xtc_probability=0.5)
    assert names(starter_engine, sampling) == ["penalties", "temp", last]


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(frequency_penalty=0.5),
        Sampling(presence_penalty=-0.5),
        Sampling(repeat_penalty=1.1),
    ],
)
def test_any_of_the_three_penalties_alone_is_in_force(starter_engine, sampling):
    assert names(starter_engine, sampling)[0] == "penalties"


@pytest.mark.parametrize("sampling", [Sampling(repeat_penalty=1.0), Sampling(frequency_penalty=0.0)])
def test_a_penalty_that_changes_nothing_is_left_out(starter_engine, sampling):
    assert names(starter_engine, sampling)[0] == "top-k"


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(seed=1, temperature=1.5),
        Sampling(seed=2, temperature=1.5, mirostat="1"),
        Sampling(seed=3, temperature=1.5, mirostat="2"),
        Sampling(seed=4, temperature=2, xtc_probability=1.0, xtc_threshold=0.01),
        Sampling(seed=5, temperature=1.5, dry_multiplier=0.8, presence_penalty=0.5),
        Sampling(seed=0, temperature=5, top_k=None, top_p=None, max_tokens=30),
    ],
    ids=["plain", "mirostat 1", "mirostat 2", "xtc", "dry", "hot"],
)
def test_one_seed_and_the_same_settings_give_one_text(starter_engine, sampling):
    first, done = say(starter_engine, sampling)
    assert done.seed == sampling.seed
    assert say(starter_engine, sampling)[0] == first


def test_other_seeds_give_other_texts(starter_engine):
    texts = {
        say(starter_engine, Sampling(seed=s, temperature=3, top_k=None, top_p=None, max_tokens=20))[0] for s in range(5)
    }
    assert len(texts) > 2


@pytest.mark.parametrize(
    "sampling",
    [Sampling(top_k=1), Sampling(top_p=0), Sampling(min_p=1), Sampling(temperature=0)],
    ids=["top-k 1", "top-p 0", "min-p 1", "temperature 0"],
)
def test_each_way_to_take_the_likeliest_token_takes_it(starter_engine, sampling):
    assert say(starter_engine, sampling)[0] == "Here are three fruits:\n\n- apple\n- banana\n- cherry"


def test_penalties_know_the_prompt(starter_engine):
    question = "Say: apple apple apple apple"
    calm = Sampling(temperature=0, max_tokens=30)
    strict = Sampling(temperature=0, max_tokens=30, repeat_penalty=5.0, frequency_penalty=2.0, penalty_last_n=512)
    tokens = starter_engine.render([Turn(Role.USER, question)]).tokens
    assert say(starter_engine, calm, question)[0] != say(starter_engine, strict, question)[0]
    first = say(starter_engine, strict, question)[1].token_ids[0]
    assert first not in tokens or say(starter_engine, calm, question)[1].token_ids[0] != first


def test_extremes_of_every_setting_are_survived(tiny_engine):
    for sampling in (
        Sampling(temperature=5, top_k=100_000, top_p=1, min_p=0, typical_p=0, seed=4_294_967_294),
        Sampling(repeat_penalty=0.1, presence_penalty=-2, frequency_penalty=-2, penalty_last_n=1_000_000),
        Sampling(dry_multiplier=10, dry_base=10, dry_allowed_length=1000),
        Sampling(xtc_probability=1, xtc_threshold=0),
        Sampling(mirostat="1", mirostat_tau=0, mirostat_eta=0),
        Sampling(mirostat="2", mirostat_tau=20, mirostat_eta=1),
    ):
        _, done = say(tiny_engine, Sampling(**{**as_values(sampling), "max_tokens": 4}))
        assert isinstance(done, Done)
        assert done.completion_tokens <= 4


def as_values(sampling):
    return {name: getattr(sampling, name) for name in Sampling.__dataclass_fields__}
