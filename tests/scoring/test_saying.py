"""What a ranking says in sentences."""

from app.core.lab import Rater, Vote
from app.scoring.ranking import Rank, Ranking, rank
from app.scoring.saying import listed, most_telling, plain, sentences
from app.scoring.teaching import TeachingPair

NAMES = ["v6", "v7", "none"]


def one(contestant, points, low, high, first):
    return Rank(contestant, points, low, high, first, 10.0, 20)


def ranking(*ranks, joined=True, votes=30):
    return Ranking(tuple(ranks), 10, votes, 1000, joined)


def vote(question, first, second, outcome):
    return Vote(Rater.PERSON, question, 0, first, second, outcome)


def test_an_open_first_place_is_called_open_and_who_is_clearly_behind_is_named():
    found = ranking(one(1, 100, 40, 160, 0.81), one(0, 80, 20, 140, 0.19), one(2, -180, -240, -120, 0.0))
    assert plain(sentences(found, NAMES)) == (
        "v7 comes first in 81 % of the resamples. That is short of 95 %: first place is open between v7 and v6. "
        "Both are clearly ahead of none."
    )
    assert [said.text for said in sentences(found, NAMES) if said.strong] == ["v7", "first place is open"]


def test_a_sure_first_place_is_called_sure_but_never_more_than_it_is():
    found = ranking(one(1, 200, 120, 280, 0.999), one(0, -20, -80, 40, 0.001), one(2, -180, -240, -120, 0.0))
    assert plain(sentences(found, NAMES)) == (
        "v7 comes first in 99 % of the resamples. That is sure enough: it is the best of these. "
        "It is clearly ahead of all others."
    )


def test_nobody_is_said_to_be_behind_where_intervals_meet():
    found = ranking(one(0, 10, -50, 70, 0.5), one(1, 5, -60, 65, 0.46), one(2, -15, -70, 40, 0.04))
    assert plain(sentences(found, NAMES)).endswith("first place is open between v6 and v7.")


def test_no_votes_too_few_questions_and_prompts_never_compared_are_said_so():
    assert plain(sentences(rank([], 3), NAMES)) == "Nobody has voted yet."
    few = rank([vote(0, 0, 1, 1.0), vote(0, 1, 2, 1.0)], 3)
    assert plain(sentences(few, NAMES)).startswith("There are votes on too few questions")
    apart = rank([vote(0, 0, 1, 1.0), vote(1, 0, 1, 1.0)], 3)
    assert "their places are open" in plain(sentences(apart, NAMES))


def test_the_most_telling_pair_is_the_one_that_comes_most_often_whoever_is_shown_first():
    pairs = [TeachingPair(0, 0, 1, 0, 0.2), TeachingPair(1, 0, 0, 1, 0.2), TeachingPair(2, 0, 2, 1, 0.3)]
    assert most_telling(pairs) == (0, 1)
    assert most_telling([]) is None


def test_many_names_are_cut_short():
    assert listed(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
    assert listed(list("ABCDEF")) == "A, B, C and 3 more"
