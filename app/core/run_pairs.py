"""Which cells of two runs can be set against each other: the same question with the same seed, prompt by prompt."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.lab import Place, Plan


@dataclass(frozen=True, slots=True)
class RunPairs:
    """Places of a run to those of an earlier one, each by index into its own plan; what has no partner is missing."""

    contestants: dict[int, int]
    questions: dict[int, int]
    seeds: dict[int, int]

    def partner(self, place: Place) -> Place | None:
        """The cell of the earlier run that belongs to one of this run."""
        contestant, question = self.contestants.get(place.contestant), self.questions.get(place.question)
        seed = self.seeds.get(place.seed)
        if contestant is None or question is None or seed is None:
            return None
        return Place(contestant, question, seed)

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be compared."""
        return not (self.contestants and self.questions and self.seeds)


def pairs_of(plan: Plan, earlier: Plan) -> RunPairs:
    """Find the cells that belong together.

    Prompts by name, and one that was renamed by being the only one left; questions by what they ask; seeds by their
    number, or, where both runs have one alone, by that.
    """
    names = {one.name: at for at, one in enumerate(earlier.contestants)}
    contestants = {at: names[one.name] for at, one in enumerate(plan.contestants) if one.name in names}
    left = [at for at in range(len(plan.contestants)) if at not in contestants]
    there = [at for at in range(len(earlier.contestants)) if at not in contestants.values()]
    if len(left) == len(there) == 1:
        contestants[left[0]] = there[0]
    asked: dict[tuple[str, str], int] = {}
    for at, question in enumerate(earlier.questions):
        asked.setdefault((question.text, question.system_prompt), at)
    questions = {
        at: asked[key] for at, one in enumerate(plan.questions) if (key := (one.text, one.system_prompt)) in asked
    }
    known = {seed: at for at, seed in enumerate(earlier.seeds)}
    seeds = {at: known[seed] for at, seed in enumerate(plan.seeds) if seed in known}
    if not seeds and len(plan.seeds) == len(earlier.seeds) == 1:
        seeds = {0: 0}
    return RunPairs(dict(sorted(contestants.items())), questions, seeds)
