"""Each sampler really does what it says to the next token's distribution: the real model's logits, many draws."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from app.core.options import Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine.base import Turn
from app.engine.llama import LlamaEngine

DRAWS = 400
OPEN = {"top_k": None, "top_p": None, "temperature": 1.0}


class Next:
    """The next token behind a prompt: its logits, and what a chain draws from them."""

    def __init__(self, engine: LlamaEngine, question: str) -> None:
        self.engine = engine
        self.tokens = engine.render([Turn(Role.USER, question)]).tokens
        self.read(self.tokens)

    def read(self, tokens: tuple[int, ...]) -> None:
        self.tokens = tokens
        for _ in self.engine.read(tokens, StopFlag()):
            pass
        llama, context = self.engine._llama, self.engine._decoder.context
        raw = llama.llama_get_logits_ith(context, -1)
        self.logits = [raw[token] for token in range(self.engine.facts.n_vocab)]

    def probabilities(self, temperature: float = 1.0) -> list[float]:
        top = max(self.logits)
        weights = [math.exp((logit - top) / temperature) for logit in self.logits]
        total = sum(weights)
        return [weight / total for weight in weights]

    def ranked(self) -> list[int]:
        return sorted(range(len(self.logits)), key=lambda token: -self.logits[token])

    def drawn(self, draws: int = DRAWS, **values: object) -> Counter[int]:
        """How often each token is drawn, with a seed of its own for each draw."""
        found: Counter[int] = Counter()
        for seed in range(draws):
            with self.engine.sampler(Sampling(**{**OPEN, "seed": seed, **values})) as sampler:
                sampler.see(self.tokens)
                found[sampler.choose(self.engine._decoder.context)] += 1
        return found


@pytest.fixture
def following(starter_engine) -> Next:
    return Next(starter_engine, "Tell me a story about a river.")


def entropy(drawn: Counter[int]) -> float:
    total = drawn.total()
    return -sum(count / total * math.log(count / total) for count in drawn.values())


def distance(drawn: Counter[int], wanted: list[float]) -> float:
    """Half of what the shares differ by: 0 for the same, 1 for nothing in common."""
    total = drawn.total()
    return sum(abs(drawn.get(token, 0) / total - share) for token, share in enumerate(wanted)) / 2


def flattened(following: Next) -> float:
    """A temperature at which this very model is undecided, whatever it has learnt."""
    return next(step / 2 for step in range(2, 40) if max(following.probabilities(step / 2)) < 0.3)


def test_temperature_is_the_softmax_of_the_logits_divided_by_it(following):
    hot = flattened(following)
    for temperature in (hot, hot * 2):
        wanted = following.probabilities(temperature)
        ranked = sorted(wanted, reverse=True)
        # the head of the distribution, as the tail has tokens that nobody draws
        drawn = following.drawn(temperature=temperature)
        for token in following.ranked()[:3]:
            share, expected = drawn[token] / DRAWS, wanted[token]
            assert abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / DRAWS) + 0.01
        assert ranked[0] < 0.31
    assert entropy(following.drawn(temperature=hot)) < entropy(following.drawn(temperature=hot * 2))


def test_temperature_zero_always_takes_the_likeliest(following):
    assert set(following.drawn(20, temperature=0)) == {following.ranked()[0]}


def test_top_k_leaves_the_k_likeliest(following):
    drawn = following.drawn(temperature=5.0, top_k=4)
    assert set(drawn) == set(following.ranked()[:4])


def test_top_p_leaves_the_fewest_that_reach_it(following):
    ranked, shares = following.ranked(), following.probabilities()
    total, kept = 0.0, set()
    limit = (shares[ranked[0]] + shares[ranked[1]] / 2) if shares[ranked[0]] < 0.98 else shares[ranked[0]] / 2
    for token in ranked:
        kept.add(token)
        total += shares[token]
        if total >= limit:
            break
    assert set(following.drawn(temperature=5.0, top_p=limit)) == kept


def test_min_p_leaves_those_with_their_share_of_the_likeliest(following):
    ranked, shares = following.ranked(), following.probabilities()
    limit = math.sqrt(shares[ranked[2]] * shares[ranked[3]]) / shares[ranked[0]]
    drawn = following.drawn(temperature=5.0, min_p=limit)
    assert set(drawn) == set(ranked[:3])


def test_typical_p_prefers_tokens_about_as_surprising_as_text_is(following):
    shares = following.probabilities()
    surprise = -sum(share * math.log(share) for share in shares if share > 0)
    order = sorted(
        (token for token, share in enumerate(shares) if share > 0),
        key=lambda token: abs(-math.log(shares[token]) - surprise),
    )
    kept, total = set(), 0.0
    for token in order:
        kept.add(token)
        total += shares[token]
        if total > 0.3:
            break
    assert set(following.drawn(temperature=5.0, typical_p=0.3)) <= kept


@pytest.mark.parametrize(
    "penalty", [{"repeat_penalty": 5.0}, {"frequency_penalty": 2.0}, {"presence_penalty": 2.0}], ids=str
)
def test_a_penalty_takes_from_what_was_said_and_a_reward_gives(following, penalty):
    likeliest = following.ranked()[0]
    following.tokens = (*following.tokens, *[likeliest] * 8)  # as if it had been said over and over
    hot = flattened(following)
    plain = following.drawn(temperature=hot)[likeliest]
    assert following.drawn(temperature=hot, **penalty)[likeliest] < plain
    name, value = next(iter(penalty.items()))
    reward = {name: 1 / value if name == "repeat_penalty" else -value}
    if name != "repeat_penalty" or following.logits[likeliest] > 0:
        assert following.drawn(temperature=hot, **reward)[likeliest] > plain


def test_frequency_counts_how_often_and_presence_only_whether(following):
    second = following.ranked()[1]
    prompt = following.tokens
    hot = flattened(following)

    def share(times: int, **penalty: float) -> int:
        following.tokens = (*prompt, *[second] * times)
        return following.drawn(temperature=hot, penalty_last_n=512, **penalty)[second]

    assert share(12, frequency_penalty=0.5) < share(1, frequency_penalty=0.5)
    assert share(12, presence_penalty=0.5) == share(1, presence_penalty=0.5)


def test_penalties_look_back_only_so_far(following):
    likeliest, filler = following.ranked()[0], following.ranked()[-1]
    following.tokens = (*following.tokens, likeliest, *[filler] * 40)
    hot = flattened(following)
    near, far = ({"presence_penalty": 2.0, "penalty_last_n": size} for size in (16, 64))
    assert following.drawn(temperature=hot, **far)[likeliest] < following.drawn(temperature=hot, **near)[likeliest]


def test_dry_holds_back_what_would_repeat_a_sequence(following):
    ranked = following.ranked()
    likeliest, others = ranked[0], ranked[50:54]
    following.tokens = (*following.tokens, *others, likeliest, *ranked[60:63], *others)
    hot = flattened(following)
    plain = following.drawn(temperature=hot)[likeliest]
    assert following.drawn(temperature=hot, dry_multiplier=5.0, dry_allowed_length=2)[likeliest] < plain
    # a sequence that is allowed costs nothing
    assert following.drawn(temperature=hot, dry_multiplier=5.0, dry_allowed_length=9)[likeliest] == plain


def test_xtc_leaves_out_the_likeliest_of_several_that_would_do(following):
    ranked, shares = following.ranked(), following.probabilities()
    threshold = min(0.5, shares[ranked[1]] * 0.9)
    drawn = following.drawn(xtc_probability=1.0, xtc_threshold=threshold)
    assert ranked[0] not in drawn
    assert following.drawn(xtc_probability=0.0, xtc_threshold=threshold) == following.drawn()


@pytest.mark.parametrize("version", ["1", "2"])
def test_mirostat_aims_at_its_level_of_surprise(following, version):
    low, high = (
        entropy(following.drawn(200, temperature=3.0, mirostat=version, mirostat_tau=tau)) for tau in (0.5, 9.0)
    )
    assert low < high


def test_a_seed_draws_the_same_again_and_seeds_differ(following):
    hot = flattened(following)
    assert following.drawn(60, temperature=hot) == following.drawn(60, temperature=hot)
    assert len(following.drawn(60, temperature=hot)) > 3


def test_with_nothing_in_force_tokens_come_as_the_model_has_them(following):
    assert distance(following.drawn(), following.probabilities()) < 0.25
