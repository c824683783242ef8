"""A judge's verdicts of a run in the database: votes, why it said nothing, and what made each."""

from __future__ import annotations

from app.core.chat import Provenance
from app.core.judging import Duel, Judgement
from app.core.lab import Rater
from app.core.text import clean
from app.storage.database import Database
from app.storage.model_sums import Summed
from app.storage.replies import details_text, provenance_of
from app.storage.run_setups import RunSetups

HALVES = 2
"""An outcome is kept as 0, 1 or 2 halves: the database holds no fractions."""
_SAID = (
    "SELECT question, seed, first, second, outcome, words, at_ms, error FROM vote"
    " LEFT JOIN judge_error ON judge_error.vote_id = vote.id WHERE run_id = ? AND rater = 'judge' ORDER BY vote.id"
)
_MADE = (
    "SELECT question, seed, first, second, made_by.text, details FROM judge_made"
    " JOIN vote ON vote.id = vote_id JOIN made_by ON made_by.id = made_by_id WHERE vote.run_id = ?"
)
_PAIR = " AND question = ? AND seed = ? AND first = ? AND second = ?"


def save_judgement(database: Database, run_id: int, one: Judgement, setups: RunSetups) -> None:
    """Keep what a judge said of a pair instead of what it said before; inside the caller's transaction."""
    duel = one.duel
    pair = (duel.question, duel.seed, duel.first, duel.second)
    database.run(f"DELETE FROM vote WHERE run_id = ? AND rater = 'judge'{_PAIR}", run_id, *pair)
    # why it said nothing takes the place of what it said
    words = one.error if one.error else one.words
    vote_id = save_vote(database, run_id, Rater.JUDGE, duel, one.outcome, words, one.at_ms)
    if one.error:
        database.run("INSERT INTO judge_error VALUES (?, ?)", vote_id, clean(one.error).encode())
    if one.provenance is not None:
        database.run(
            "INSERT INTO judge_made (vote_id, made_by_id, details) VALUES (?, ?, ?)",
            vote_id,
            setups.id_of(one.provenance),
            details_text(one.provenance).encode(),
        )


def save_vote(
    database: Database, run_id: int, rater: Rater, duel: Duel, outcome: float | None, words: str, at_ms: int
) -> int:
    """Keep one more vote, or where there is no outcome a pair that was passed over; its id."""
    return database.insert(
        "INSERT INTO vote (run_id, rater, question, seed, first, second, outcome, at_ms, words)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        run_id,
        str(rater),
        *(duel.question, duel.seed, duel.first, duel.second),
        None if outcome is None else round(outcome * HALVES),
        at_ms,
        clean(words),
    )


def judgements(database: Database, run_id: int) -> list[Judgement]:
    """What the judge said, in the order it said it, without what made it."""
    found = []
    for *at, outcome, words, at_ms, error in database.rows(_SAID, run_id):
        why = error.decode("utf-8", "replace") if error is not None else ""
        said = None if outcome is None else outcome / HALVES
        found.append(Judgement(Duel(*at), said, "" if why else words, why, at_ms))
    return found


def made_of(database: Database, run_id: int, prompt: str, duel: Duel | None = None) -> dict[Duel, Provenance]:
    """What made each of the judge's verdicts, or that on one pair; of those of before nothing was kept.

    prompt: the judge's instructions, which the run's plan has.
    """
    pair = (duel.question, duel.seed, duel.first, duel.second) if duel is not None else ()
    summed = Summed(database)
    return {
        Duel(*at): summed(provenance_of(prompt, setup, details.decode("utf-8", "replace")))
        for *at, setup, details in database.rows(f"{_MADE}{_PAIR if pair else ''}", run_id, *pair)
    }
