"""Makes an answer once more, by everything that is kept of how it came about, and compares the texts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core.chat import Provenance
from app.core.errors import AppError, ContextFullError, MessageTooLongError, ModelFileError
from app.core.options import Loading, Sampling
from app.core.reproduced import Reproduced, first_difference, reasons
from app.core.role import Role
from app.core.settings import declared
from app.core.stopping import StopFlag
from app.engine.base import Delta, Done, Event, Failed, ModelFacts, Request
from app.services.archive import Archive
from app.services.engine_room import EngineRoom, LoadStopped, ModelSpec
from app.services.lane import End, Job, Outcome, Ticket
from app.services.model_manager import ModelManager
from app.services.origin import Origin
from app.services.provenance import provenance, running
from app.storage.model_folder import look
from app.storage.model_sums import Sums
from app.storage.stores import Stores

_PINNED = ("gpu_layers", "threads", "batch_tokens", "kv_type", "flash_attention")
"""Of how a model ran, what can be asked for when it is loaded."""


class Reproduction(QObject):
    """One attempt. Lives in the GUI thread; the model is used when those before are done with it.

    Signals:
        progressed(str): what is going on, in words.
        ended(Reproduced): it is done, and kept with the answer.
        stopped(): the person stopped it; nothing is kept.
        failed(AppError): it cannot be made once more.
    """

    progressed = Signal(str)
    ended = Signal(object)
    stopped = Signal()
    failed = Signal(object)

    def __init__(
        self, origin: Origin, models: ModelManager, archive: Archive[Stores], parent: QObject | None = None
    ) -> None:
        """`origin` has no `obstacle`."""
        super().__init__(parent)
        self._origin = origin
        self._models = models
        self._archive = archive
        self._ticket: Ticket | None = None
        self._is_over = False
        self._model_id = ""
        self._sums: Sums = ()
        self._facts: ModelFacts | None = None
        self._done: Done | None = None
        self._parts: list[str] = []
        self.words = ""
        """What is going on, as it was told last."""
        self.progressed.connect(self._say)

    def start(self) -> None:
        """Begin; the rest follows by signals."""
        how, others = self._origin.how, tuple(one.path for one in self._models.entries())
        self.progressed.emit("Looking for the model…")
        self._archive.ask(lambda stores: _find(stores, how, others), self._found, self._fail)

    def stop(self) -> None:
        """Give up."""
        if self._ticket is not None:
            self._ticket.cancel()
        elif not self._is_over:
            self._is_over = True
            self.stopped.emit()

    def _found(self, file: tuple[str, Sums] | None) -> None:
        if self._is_over:
            return
        how = self._origin.how
        if file is None:
            self._fail(
                ModelFileError(
                    "The model’s file is gone",
                    f"{how.model_path} is not there any more, nor the same file elsewhere.",
                    "Put it back or download it again, then try once more.",
                )
            )
            return
        path, self._sums = file
        self._model_id = next((one.id for one in self._models.entries() if one.path == path), path)
        self.progressed.emit("Waiting for the model…")
        job = _again(self._models.room, self._models.spec(self._model_id), self._origin)
        self._ticket = self._models.run(job, pressing=True)
        self._ticket.items.connect(self._take)
        self._ticket.ended.connect(self._end)
        self._models.state_changed.connect(self._loading)

    def _take(self, items: tuple[object, ...]) -> None:
        for item in items:
            if isinstance(item, ModelFacts):
                self._facts = dataclasses.replace(item, name=self._models.entry(self._model_id).name)
                self.progressed.emit("Reading…")
            elif isinstance(item, Delta):
                self._parts.append(item.text)
                self.progressed.emit(f"Writing… {item.completion_tokens:,} tokens")
            elif isinstance(item, Done):
                self._done = item

    def _loading(self, model_id: str) -> None:
        state = self._models.state(model_id)
        if model_id == self._model_id and state.kind == "loading":
            self.progressed.emit(f"Loading {self._models.entry(model_id).name} {state.progress:.0%}")

    def _end(self, outcome: Outcome) -> None:
        self._models.state_changed.disconnect(self._loading)
        if outcome.error is not None:
            self._fail(outcome.error)
        elif outcome.end is End.STOPPED or self._done is None or self._facts is None:
            self._is_over = True
            self.stopped.emit()
        else:
            self._is_over = True
            self._compare(self._facts, self._done)

    def _compare(self, facts: ModelFacts, done: Done) -> None:
        origin, old = self._origin, self._origin.how
        text = "".join(self._parts)
        whole = origin.text[: old.continued_chars] + (text.strip() if origin.trimmed else text)
        at = first_difference(origin.text, whole, cut_off=origin.cut_off)
        what = Reproduced(_now_ms())
        if at >= 0:
            new = provenance(facts, _sampling(origin), old.system_prompt, (), None, done, at_once=old.at_once)
            new = dataclasses.replace(new, model_sha256=self._sums)
            what = dataclasses.replace(what, differs_at=at, text=whole, reasons=reasons(old, new))
        kept_as = origin.kept_as
        if kept_as is not None:
            self._archive.ask(lambda stores: stores.reproductions.keep(kept_as, what))
        self.ended.emit(what)

    def _say(self, words: str) -> None:
        self.words = words

    def _fail(self, error: AppError) -> None:
        if not self._is_over:
            self._is_over = True
            self.failed.emit(error)


def _find(stores: Stores, how: Provenance, others: Sequence[str]) -> tuple[str, Sums] | None:
    """Where the model that made it lies now, with its sums if they are known.

    Else what lies in its place; else one of the `others` that has its size and is not known to be another.
    """
    sums = stores.model_sums
    for path, *seen in sums.places(how.model_sha256) if how.model_sha256 else ():
        if look(path) == tuple(seen):
            return path, how.model_sha256
    for path in (how.model_path, *others):
        here = look(path)
        if here is not None and (path == how.model_path or here[0] == how.model_size_bytes):
            known = sums.of(path, *here)
            if path == how.model_path or not known or known == how.model_sha256:
                return path, known
    return None


def _again(room: EngineRoom, spec: ModelSpec, origin: Origin) -> Job:
    """A job that loads the model as it ran then, and yields its ModelFacts and the events of the answer."""
    how = origin.how

    def job(stop: StopFlag) -> Iterator[object]:
        try:
            engine = room.engine(spec, stop)
            pinned = _as_then(spec.loading, engine.facts, how)
            if pinned != spec.loading:
                engine = room.engine(dataclasses.replace(spec, loading=pinned), stop)
        except LoadStopped:
            return
        yield engine.facts
        refused: AppError | None = None
        with room.guarded():
            try:
                prompt = engine.render(origin.turns).tokens
                continues = bool(origin.turns) and origin.turns[-1].role is Role.ASSISTANT
                request = Request(prompt, _sampling(origin), continues=continues)
                yield from _events(engine, request, how.at_once, stop)
            except (MessageTooLongError, ContextFullError) as error:
                refused = error  # nothing is wrong with the engine
        if refused is not None:
            raise refused

    return job


def _events(engine: Any, request: Request, at_once: int, stop: StopFlag) -> Iterator[Event]:
    """The answer by the way that was taken then, from an empty cache."""
    if not at_once:
        for _nothing in engine.stream_many(iter(()), stop, 1, from_scratch=True):
            pass  # that empties the cache; chats are written down first
        yield from engine.stream(request, stop)
        return
    for tagged in engine.stream_many(iter([(request, StopFlag())]), stop, at_once, from_scratch=True):
        if isinstance(tagged.event, Failed):
            raise tagged.event.error
        yield tagged.event


def _sampling(origin: Origin) -> Sampling:
    """The values that held then, with the seed that was used; one that was stopped ends where it was."""
    how = origin.how
    known = {key: value for key, value in how.sampling.items() if key in declared(Sampling)}
    sampling = dataclasses.replace(Sampling(**known), seed=how.seed)
    if origin.cut_off and how.stop_reason == "stopped":
        return dataclasses.replace(sampling, max_tokens=max(1, how.completion_tokens))
    return sampling


def _as_then(loading: Loading, facts: ModelFacts, how: Provenance) -> Loading:
    """How the model has to be loaded to run as it did; the same where it does already."""
    now, changed = running(facts), dict[str, Any]()
    if how.context_tokens and how.context_tokens != facts.n_ctx:
        changed["context_tokens"] = how.context_tokens
    for key in _PINNED:
        then = how.running.get(key)
        if then is not None and then != now[key] and (value := _wish(key, then)) is not None:
            changed[key] = value
    if how.template != facts.template and how.template in ("ChatML", "the model's own"):
        changed["template"] = "chatml" if how.template == "ChatML" else "auto"
    return dataclasses.replace(loading, **changed)


def _wish(key: str, then: Any) -> Any:
    """What ran then as the setting that asks for it; None where there is none such."""
    if key == "flash_attention":
        return "on" if then else "off"
    if key == "kv_type":
        allowed: Mapping[str, str] = dict(declared(Loading)[key].choices)
        return then if then in allowed else None
    return then


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
