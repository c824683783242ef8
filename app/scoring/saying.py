"""What a ranking says, in plain sentences: who comes first, whether that is sure, and what would tell more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.lab import Rater, Vote
from app.scoring.figures import percent, short_of_all

if TYPE_CHECKING:
    from app.scoring.ranking import Rank, Ranking
    from app.scoring.teaching import TeachingPair

SURE = 0.95
_CONTENDER = 0.05
"""Whoever comes first in so large a share of the resamples may be the best."""
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a sentence; `strong` is what matters most in it."""

    text: str
    strong: bool = False


def sentences(found: Ranking, names: Sequence[str]) -> tuple[Said, ...]:
    """What a ranking with votes says; pieces to be put one after another. names: by contestant."""
    if not found.votes:
        return (Said("Nobody has voted yet."),)
    if not found.joined:
        return (
            Said("Some prompts were never compared with the others, not even through third ones: "),
            Said("their places are open", strong=True),
            Said("."),
        )
    first = found.ranks[0]
    if first.low is None:
        return (Said("There are votes on too few questions to say how sure the places are."),)
    leader = Said(names[first.contestant], strong=True)
    told = [leader, Said(f" comes first in {short_of_all(first.first)} of the resamples.")]
    if first.first >= SURE:
        told += [Said(" That is sure enough: "), Said("it is the best of these", strong=True), Said(".")]
        return (*told, *_ahead([first], found.ranks[1:], names))
    contenders = [one for one in found.ranks if one is first or one.first >= _CONTENDER]
    if len(contenders) < 2:
        contenders = list(found.ranks[:2])
    told += [
        Said(f" That is short of {percent(SURE)}: "),
        Said("first place is open", strong=True),
        Said(f" between {listed([names[one.contestant] for one in contenders])}."),
    ]
    return (*told, *_ahead(contenders, [one for one in found.ranks if one not in contenders], names))


def _ahead(leaders: Sequence[Rank], others: Sequence[Rank], names: Sequence[str]) -> tuple[Said, ...]:
    """Whom all leaders are ahead of so far that the intervals do not meet."""
    lowest = min((one.low for one in leaders if one.low is not None), default=None)
    behind = [one for one in others if lowest is not None and one.high is not None and one.high < lowest]
    if not behind:
        return ()
    who = "It is" if len(leaders) == 1 else "Both are" if len(leaders) == 2 else "All of them are"
    rest = "all others" if len(behind) == len(others) > 1 else listed([names[one.contestant] for one in behind])
    return (Said(f" {who} clearly ahead of {rest}."),)


def most_telling(pairs: Sequence[TeachingPair]) -> tuple[int, int] | None:
    """The two contestants that most of the next pairs compare, lower index first; None without pairs."""
    counts = Counter((min(one.first, one.second), max(one.first, one.second)) for one in pairs)
    return counts.most_common(1)[0][0] if counts else None


def plain(said: Sequence[Said]) -> str:
    """The sentences without emphasis."""
    return "".join(one.text for one in said)


def vote_words(vote: Vote, names: Sequence[str], person: str = "Person") -> str:
    """One vote in a line, with the rater's own words; `person` is what the person is called."""
    first, second = names[vote.first], names[vote.second]
    if vote.outcome == 0.5:
        said = f"{first} and {second} are equally good"
    else:
        better, worse = (first, second) if vote.outcome > 0.5 else (second, first)
        said = f"{better} is better than {worse}"
    words = " ".join(vote.words.split())
    who = person if vote.rater is Rater.PERSON else "Judge"
    return f"{who}: {said}" + (f" – {words}" if words else "")


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: "A", "A and B", "A, B and C"; of many only the first few."""
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
