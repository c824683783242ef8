"""An experiment in a folder: its plan, a line for each answer and judgement when it ends, and in the end a summary.

A line that a sudden end has cut is left out when the folder is opened again, so at most what was in the works is lost.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.core.chat import Provenance
from app.core.errors import StorageError
from app.core.judging import Ballot, Duel, Judgement
from app.core.lab import Cell, CellState, Place, Plan, Rater, Vote
from app.core.made_by import handed_on, without_folders
from app.core.plan_table import plan_of, table_of
from app.storage.model_sums import ModelSeen, Sums, seen_of
from app.storage.replies import provenance_from
from app.storage.trouble import disk_full

PLAN = "plan.json"
CELLS = "cells.jsonl"
VOTES = "votes.jsonl"
SUMMARY = "summary.json"


class RunFolder:
    """One run in a folder of its own; used by one program at a time. What is added is on the disk when the call ends.

    Every method may raise StorageError.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Open the folder, or make it.

        Raises:
            StorageError: it holds the run of another plan, or cannot be written to.
        """
        self._folder = folder
        self._plan = plan
        self._keys = {question.key: place for place, question in enumerate(plan.questions)}
        self._names = {contestant.name: place for place, contestant in enumerate(plan.contestants)}
        self._seeds = {seed: place for place, seed in enumerate(plan.seeds)}
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._claim()
            self.cells: dict[Place, Cell] = {}
            """Those that have ended."""
            self.judgements: dict[Duel, Judgement] = {}
            self._read(CELLS, lambda line: _put(self.cells, (cell := self._cell_of(line)).place, cell))
            self.ballots: dict[Duel, Ballot] = {}
            """What a person said, by the pair with the lower contestant first."""
            self._read(VOTES, self._take_vote)

    @property
    def plan(self) -> Plan:
        """What is run, with the values that its models had when it began."""
        return self._plan

    def hold_values(self, plan: Plan) -> None:
        """Keep the values that the models have now; `plan` is this run's, with them."""
        self._plan = plan
        with _told(self._folder):
            self._replace(PLAN, json.dumps(table_of(plan), ensure_ascii=False, indent=1) + "\n")

    def add(self, news: Cell | Judgement) -> None:
        """Keep an answer or a judgement that has ended."""
        with _told(self._folder):
            if isinstance(news, Cell):
                self.cells[news.place] = news
                self._append(CELLS, self._cell_line(news))
            else:
                self.judgements[news.duel] = news
                self._append(VOTES, self._judgement_line(news))

    def forget_failed(self) -> None:
        """Take out the cells that failed, and what the judge could not say, so that they are asked for again."""
        for place in [place for place, cell in self.cells.items() if cell.state is CellState.FAILED]:
            del self.cells[place]
        for duel in [duel for duel, one in self.judgements.items() if one.error]:
            del self.judgements[duel]
        self.tidy()

    def without_sums(self) -> list[ModelSeen]:
        """The models whose SHA-256 is not known of some answer or judgement."""
        made = [one.provenance for one in self.cells.values()]
        made += [one.provenance for one in self.judgements.values()]
        return sorted({seen_of(how) for how in made if how is not None and _needs_path(how)})

    def take_sums(self, found: Mapping[ModelSeen, Sums]) -> None:
        """Say of the answers and judgements which bytes their models were; `tidy` writes it down.

        Once that is known nobody needs the folders of a model any more, and the lines are made to be handed on.
        """
        for at, cell in self.cells.items():
            how = _summed(cell.provenance, found)
            self.cells[at] = replace(cell, provenance=_handed_on(how), error=_without_folders(cell.error, how))
        for duel, one in self.judgements.items():
            how = _summed(one.provenance, found)
            self.judgements[duel] = replace(one, provenance=_handed_on(how), error=_without_folders(one.error, how))

    def judged_by(self) -> dict[Duel, Provenance]:
        """What made the judge's verdicts, as far as it was kept."""
        return {duel: one.provenance for duel, one in self.judgements.items() if one.provenance is not None}

    def tidy(self) -> None:
        """Write all lines again in the order of the plan: equal runs make equal files, but for the times in them."""
        with _told(self._folder):
            self._rewrite(CELLS, [self._cell_line(self.cells[place]) for place in sorted(self.cells)])
            said = [self._judgement_line(self.judgements[duel]) for duel in sorted(self.judgements)]
            said += [self._ballot_line(self.ballots[duel]) for duel in sorted(self.ballots)]
            self._rewrite(VOTES, said)

    def take_ballots(self, lines: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
        """Take in a person's votes, as `scoring.results.vote_rows` has them; of two on one pair the later counts.

        Returns:
            How many were taken, and how many were left out: they are on other questions or prompts than the plan's, or
            on answers that are other ones here. Those of a judge are neither.
        """
        taken = left_out = 0
        for line in lines:
            if line.get("rater") != Rater.PERSON:
                continue
            try:
                ballot = self._ballot_of(line)
                fine = all(self._is_answer(ballot.duel, place, line.get(f"{name}_sha256")) for place, name in
                           ((ballot.duel.first, "first"), (ballot.duel.second, "second")))  # fmt: skip
            except (ValueError, KeyError, TypeError):
                fine = False
            if fine:
                self.ballots[_sorted(ballot.duel)] = ballot
            taken, left_out = taken + fine, left_out + (not fine)
        return taken, left_out

    def write(self, name: str, text: str) -> None:
        """Put a file beside the others: the summary, a report."""
        with _told(self._folder):
            self._replace(name, text)

    def votes(self) -> list[Vote]:
        """What the judge found, then what a person did, in the order of the plan; without a verdict it is none."""
        said = [self.judgements[duel].vote for duel in sorted(self.judgements)]
        said += [self.ballots[duel].vote for duel in sorted(self.ballots)]
        return [vote for vote in said if vote is not None]

    def _claim(self) -> None:
        """See that the folder is this plan's, or make it so. What is looked for in the answers may have changed."""
        mine = table_of(self._plan)
        try:
            there = json.loads((self._folder / PLAN).read_text("utf-8"))
        except FileNotFoundError:
            there = {} if any((self._folder / name).exists() for name in (CELLS, VOTES)) else mine
        except ValueError:
            there = {}
        if "model_values" in there and "model_values" not in mine:
            # those that the run began with
            self._plan = plan_of(mine | {"model_values": there["model_values"]})
            mine = table_of(self._plan)
        if _asked(there) != _asked(mine):
            raise StorageError(
                "This folder holds the run of another plan",
                f"{self._folder} has answers to other prompts, questions or settings.",
                "Give another folder, or delete this one to begin anew.",
            )
        self._replace(PLAN, json.dumps(mine, ensure_ascii=False, indent=1) + "\n")

    # --- lines ------------------------------------------------------------------------------------------------------

    def _cell_line(self, cell: Cell) -> dict[str, Any]:
        place = cell.place
        return {
            "prompt": self._plan.contestants[place.contestant].name,
            "question": self._plan.questions[place.question].key,
            "seed": self._plan.seeds[place.seed],
            "state": str(cell.state),
            "text": cell.text,
            "error": cell.error,
            "provenance": _made(cell.provenance),
        }

    def _cell_of(self, line: Mapping[str, Any]) -> Cell:
        place = Place(self._names[line["prompt"]], self._keys[line["question"]], self._seeds[line["seed"]])
        return Cell(place, CellState(line["state"]), line["text"], _how(line), line["error"])

    def _judgement_line(self, one: Judgement) -> dict[str, Any]:
        said = {"outcome": one.outcome, "words": one.words, "error": one.error, "at_ms": one.at_ms}
        return self._duel_line(Rater.JUDGE, one.duel) | said | {"provenance": _made(one.provenance)}

    def _ballot_line(self, one: Ballot) -> dict[str, Any]:
        said = {"outcome": one.outcome, "words": one.words, "at_ms": one.at_ms}
        return self._duel_line(Rater.PERSON, one.duel) | said

    def _duel_line(self, rater: Rater, duel: Duel) -> dict[str, Any]:
        return {
            "rater": str(rater),
            "question": self._plan.questions[duel.question].key,
            "seed": self._plan.seeds[duel.seed],
            "first": self._plan.contestants[duel.first].name,
            "second": self._plan.contestants[duel.second].name,
        }

    def _take_vote(self, line: Mapping[str, Any]) -> None:
        if line.get("rater") == Rater.PERSON:
            ballot = self._ballot_of(line)
            self.ballots[_sorted(ballot.duel)] = ballot
        else:
            duel = self._duel_of(line)
            said = line["outcome"], line["words"], line["error"], line["at_ms"]
            self.judgements[duel] = Judgement(duel, *said, _how(line))

    def _ballot_of(self, line: Mapping[str, Any]) -> Ballot:
        # in a table every value is a text
        outcome = float(line["outcome"])
        if outcome not in (0.0, 0.5, 1.0):
            raise ValueError(f"no outcome of a vote: {outcome}")
        return Ballot(self._duel_of(line), outcome, str(line.get("words") or ""), int(line.get("at_ms") or 0))

    def _duel_of(self, line: Mapping[str, Any]) -> Duel:
        return Duel(
            self._keys[str(line["question"])],
            self._seeds[int(line["seed"])],
            self._names[str(line["first"])],
            self._names[str(line["second"])],
        )

    def _is_answer(self, duel: Duel, contestant: int, sha256: object) -> bool:
        """Whether there is an answer here, and it is the one that was voted on where that can be told."""
        cell = self.cells.get(Place(contestant, duel.question, duel.seed))
        if cell is None or cell.state is not CellState.DONE:
            return False
        return not sha256 or hashlib.sha256(cell.text.encode("utf-8", "surrogatepass")).hexdigest() == sha256

    # --- files ------------------------------------------------------------------------------------------------------

    def _read(self, name: str, take: Callable[[Mapping[str, Any]], None]) -> None:
        """Take every whole line, and cut off what stands behind the last one."""
        path = self._folder / name
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return
        whole = raw.rpartition(b"\n")[0]
        for line in whole.splitlines():
            # a line that was damaged is asked for again
            with contextlib.suppress(ValueError, KeyError, TypeError):
                take(json.loads(line))
        kept = len(whole) + 1 if whole else 0
        if kept < len(raw):
            os.truncate(path, kept)

    def _append(self, name: str, line: Mapping[str, Any]) -> None:
        with open(self._folder / name, "ab") as file:
            file.write(_bytes(line))
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
        self._replace(name, b"".join(map(_bytes, lines)).decode())

    def _replace(self, name: str, text: str) -> None:
        """Write a file so that either it or the one before is there, whole."""
        draft = self._folder / f"{name}.new"
        with open(draft, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._folder / name)


def _made(how: Provenance | None) -> dict[str, Any] | None:
    return asdict(how) if how is not None else None


def _how(line: Mapping[str, Any]) -> Provenance | None:
    """What made an answer or a judgement; of judgements of before nothing was kept."""
    made = line.get("provenance")
    return provenance_from(made) if isinstance(made, dict) else None


def _summed(how: Provenance | None, found: Mapping[ModelSeen, Sums]) -> Provenance | None:
    if how is None or how.model_sha256:
        return how
    return replace(how, model_sha256=found.get(seen_of(how), ()))


def _needs_path(how: Provenance) -> bool:
    """Whether the model's file has still to be read for its SHA-256."""
    return bool(how.model_size_bytes and not how.model_sha256)


def _handed_on(how: Provenance | None) -> Provenance | None:
    return how if how is None or _needs_path(how) else handed_on(how)


def _without_folders(text: str, how: Provenance | None) -> str:
    return text if how is None or _needs_path(how) else without_folders(text, how)


def _asked(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What of a plan's tables the answers and the judge's words depend on."""
    asked = {key: value for key, value in plan.items() if key not in ("name", "check", "threshold")}
    questions = asked.get("question", [])
    asked["question"] = [{key: value for key, value in one.items() if key != "check"} for one in questions]
    return asked


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what the file system complains about into a StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise disk_full() from error
        raise StorageError(
            f"The results cannot be kept in {folder}",
            f"{error.strerror or error}: {error.filename or folder}.",
            "What was kept before is there. Give a folder that can be written to.",
        ) from error


def _bytes(line: Mapping[str, Any]) -> bytes:
    return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _sorted(duel: Duel) -> Duel:
    """The same pair, whichever was shown first."""
    lower, higher = sorted((duel.first, duel.second))
    return Duel(duel.question, duel.seed, lower, higher)


def _put(where: dict[Any, Any], key: Any, value: Any) -> None:
    where[key] = value


__all__ = ["CELLS", "PLAN", "SUMMARY", "VOTES", "RunFolder"]
