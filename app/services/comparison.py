"""Several system prompts answering the same messages side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from app.core.chat import Chat, Message, MessageState, Provenance
from app.core.errors import AppError
from app.core.exchange import Exchange
from app.core.options import Sampling
from app.core.stopping import StopFlag
from app.core.text import clean
from app.engine.base import Delta, Done, Failed, ModelFacts, Reading, StopReason, Tagged
from app.services.compare_columns import Column, answered, chat_of, turns_of
from app.services.compare_job import Asked, SharedStart, compare_job
from app.services.compare_setup import CompareSetup
from app.services.engine_room import ModelSpec
from app.services.lane import End, Outcome, Ticket
from app.services.model_manager import ModelManager
from app.services.notice import LONGEST_TEXT, Notice, too_long
from app.services.preferences import Preferences
from app.services.provenance import provenance


@dataclass(frozen=True, slots=True)
class _Group:
    """The columns that one model answers in one go."""

    spec: ModelSpec
    columns: tuple[int, ...]
    sampling: Mapping[int, Sampling]
    prompts: Mapping[int, str]
    """The system prompts with values in the places of their variables."""


class Comparison(CompareSetup):
    """Columns that are asked together. Lives in the GUI thread.

    Columns on the same model write at once, in one context; those on another model follow after them.

    Signals, besides those of the setup:
        column_changed(int): a column has a new exchange, or its last one another state.
        text_added(int, str): a column's answer has grown by this.
        progress_changed(str): "Loading ..." or empty.
        busy_changed(bool): answers are being made, or no more.
        notice(Notice): something to tell.
    """

    column_changed = Signal(int)
    text_added = Signal(int, str)
    progress_changed = Signal(str)
    busy_changed = Signal(bool)
    notice = Signal(object)

    def __init__(
        self, models: ModelManager, preferences: Preferences, model_id: str, parent: QObject | None = None
    ) -> None:
        """`model_id` answers where a column names no other."""
        super().__init__(models, preferences, model_id, parent)
        self.shared_tokens = 0
        """Tokens that all prompts of the largest group began with the last time; they were read once."""
        self._flags: dict[int, StopFlag] = {}
        self._works: list[tuple[Ticket, _Group]] = []
        self._gpu_layers: dict[str, int] = {}
        self._pieces: dict[int, list[str]] = {}
        models.state_changed.connect(self._loading)

    # --- what is there ---------------------------------------------------------------------------------------------

    def columns(self) -> tuple[Column, ...]:
        """All columns, from the left; growing answers with what they have so far."""
        return tuple(
            dataclasses.replace(self._so_far(at), waits_for=self._waits_for(at)) for at in range(len(self._columns))
        )

    def _waits_for(self, at: int) -> str:
        groups = [group for _, group in self._works]
        mine = next((number for number, group in enumerate(groups) if at in group.columns), 0)
        return self._models.entry(groups[mine - 1].spec.model_id).name if mine else ""

    @property
    def busy(self) -> bool:
        """Whether answers are being made."""
        return bool(self._works)

    @property
    def saved_tokens(self) -> int:
        """Tokens of the last prompts that did not have to be read, because another column had read them."""
        last = [column.exchanges[-1].provenance for column in self._columns if column.exchanges]
        return sum(how.cached_tokens for how in last if how is not None)

    @property
    def on_gpu(self) -> bool:
        """Whether one of the models is known to run on a GPU, at least in part; it is once it was loaded."""
        return any(self._layers_on_gpu(model_id) for model_id in {self._model_of(column) for column in self._columns})

    def _layers_on_gpu(self, model_id: str) -> int:
        facts = self._models.state(model_id).facts
        return facts.placement.gpu_layers if facts is not None else self._gpu_layers.get(model_id, 0)

    # --- what the person does --------------------------------------------------------------------------------------

    def ask(self, text: str) -> bool:
        """Ask all columns, each with the conversation it has had. Whether the text was taken."""
        question = clean(text).strip()
        if not question:
            return False
        if len(question) > LONGEST_TEXT:
            self.notice.emit(too_long(len(question)))
            return False
        draft, self.draft = self.draft, ""
        taken = self._ask(question)
        self.draft = self.draft if taken else draft
        return taken

    def ask_instead(self, place: int, text: str) -> bool:
        """Ask all columns something else in the place of the question `place`, from 0; what followed goes."""
        question = clean(text).strip()
        return bool(question) and self._ask(question, place)

    def again_all(self) -> bool:
        """Ask all columns the newest question once more, each by the prompt and values it has now."""
        asked = max((column.exchanges for column in self._columns), key=len, default=())
        return bool(asked) and self._ask(asked[-1].question, len(asked) - 1)

    def _ask(self, question: str, place: int | None = None) -> bool:
        if self.busy or not self._columns or not self._is_filled(range(len(self._columns))):
            return False
        self._begin(
            {at: (*answered(one.exchanges[:place]), Exchange(question)) for at, one in enumerate(self._columns)}
        )
        return True

    def again(self, at: int) -> None:
        """Let one column answer its last question once more; with the same seed the text is the same."""
        column = self._columns[at]
        if not self.busy and column.exchanges and self._is_filled((at,)):
            self._begin({at: (*column.exchanges[:-1], Exchange(column.exchanges[-1].question))})

    def stop(self, at: int) -> None:
        """End one column's answer where it is."""
        if at in self._flags:
            self._flags[at].set()

    def stop_all(self) -> None:
        """End all answers where they are."""
        for ticket, _ in self._works:
            ticket.cancel()

    def as_chat(self, at: int) -> tuple[Chat, tuple[tuple[str, Message], ...]]:
        """A column as `Library.keep_conversation` wants it: the chat and its ended exchanges, maybe none."""
        column = self._columns[at]
        overrides = {**self.overrides, **column.contestant.overrides}
        return chat_of(column, self._model_of(column), overrides, self._values(at))

    def _is_filled(self, numbers: Iterable[int]) -> bool:
        missing = list(dict.fromkeys(name for at in numbers for name in self.prompt(at).unresolved))
        if missing:
            names = ", ".join(f"{{{{{name}}}}}" for name in missing)
            hint = "Give it one under Values, or write a default into the prompt: {{name=default}}."
            self.notice.emit(Notice(f"{names} has no value", "Nothing was sent.", hint, "warning"))
        return not missing

    # --- the answers -----------------------------------------------------------------------------------------------

    def _begin(self, asked: Mapping[int, tuple[Exchange, ...]]) -> None:
        self.moment = self.moment or datetime.now(tz=UTC).astimezone()
        for at, exchanges in asked.items():
            self._columns[at] = dataclasses.replace(self._columns[at], exchanges=exchanges, reading=(0, 0))
            self._flags[at], self._pieces[at] = StopFlag(), []
        self.shared_tokens = 0
        for group in self._groups(asked):
            self._start(group)
        self.busy_changed.emit(True)
        for at in asked:
            self.column_changed.emit(at)

    def _groups(self, numbers: Iterable[int]) -> list[_Group]:
        by_spec: dict[ModelSpec, list[int]] = {}
        for at in numbers:
            by_spec.setdefault(self._models.spec(self._model_of(self._columns[at])), []).append(at)
        return [
            _Group(
                spec,
                tuple(columns),
                {at: self.sampling(at) for at in columns},
                {at: self.prompt(at).text for at in columns},
            )
            for spec, columns in by_spec.items()
        ]

    def _start(self, group: _Group) -> None:
        asked = [
            Asked(at, turns_of(group.prompts[at], self._columns[at]), group.sampling[at], self._flags[at])
            for at in group.columns
        ]
        ticket = self._models.run(compare_job(self._models.room, group.spec, asked), pressing=True)
        self._works.append((ticket, group))
        found: list[ModelFacts] = []

        def take(items: tuple[object, ...]) -> None:
            grown: dict[int, list[str]] = {}
            for item in items:
                if isinstance(item, ModelFacts):
                    # under the name that the person sees it by everywhere, which need not be the file's own
                    found.append(dataclasses.replace(item, name=self._models.entry(group.spec.model_id).name))
                    self._gpu_layers[group.spec.model_id] = item.placement.gpu_layers
                    self._begun(group, found[-1])
                    self.progress_changed.emit("")
                elif isinstance(item, SharedStart):
                    self.shared_tokens = max(self.shared_tokens, item.tokens)
                elif isinstance(item, Tagged) and isinstance(item.event, Delta):
                    grown.setdefault(item.index, []).append(item.event.text)
                elif isinstance(item, Tagged):
                    self._grow(item.index, grown)  # all of it is there before the end is told
                    self._hear(item, group, found[-1])
            for at in tuple(grown):
                self._grow(at, grown)

        ticket.items.connect(take)
        ticket.ended.connect(lambda outcome: self._ended(ticket, group, found[-1] if found else None, outcome))

    def _begun(self, group: _Group, facts: ModelFacts) -> None:
        """It is known who answers: an answer that is cut off tells it too."""
        for at in group.columns:
            column = self._columns[at]
            if column.growing:
                how = dataclasses.replace(self._made(at, group, facts), made_ms=0)
                last = dataclasses.replace(column.exchanges[-1], provenance=how)
                self._columns[at] = dataclasses.replace(column, exchanges=(*column.exchanges[:-1], last))

    def _made(
        self, at: int, group: _Group, facts: ModelFacts | None, done: Done | None = None, error: str = ""
    ) -> Provenance:
        """What made a column's answer, as far as it got."""
        known = (facts, group.sampling[at], group.prompts[at], (), None, done, error)
        beside = min(len(group.columns), facts.n_at_once) if facts is not None else 0
        return provenance(*known, prompt_version=self._columns[at].contestant.version, at_once=beside)

    def _grow(self, at: int, grown: dict[int, list[str]]) -> None:
        if text := "".join(grown.pop(at, ())):
            self._pieces[at].append(text)
            self.text_added.emit(at, text)

    def _hear(self, tagged: Tagged, group: _Group, facts: ModelFacts) -> None:
        at, event = tagged.index, tagged.event
        match event:
            case Reading(done, total):
                self._columns[at] = dataclasses.replace(self._columns[at], reading=(done, total))
                self.column_changed.emit(at)
            case Done():
                state = MessageState.STOPPED if event.reason is StopReason.STOPPED else MessageState.DONE
                self._finish(at, group, state, facts, event)
            case Failed(error):
                self._finish(at, group, MessageState.FAILED, facts, None, error)

    def _ended(self, ticket: Ticket, group: _Group, facts: ModelFacts | None, outcome: Outcome) -> None:
        state = MessageState.FAILED if outcome.end is End.FAILED else MessageState.STOPPED
        for at in group.columns:
            if self._columns[at].growing:
                self._finish(at, group, state, facts, None, outcome.error)
        self._works.remove((ticket, group))
        if outcome.error is not None:
            self.notice.emit(self._models.trouble(group.spec.model_id, outcome.error))
        for at in [at for _, later in self._works for at in later.columns]:
            self.column_changed.emit(at)  # it waits for another, or for none
        if not self._works:
            self.progress_changed.emit("")
            self.busy_changed.emit(False)

    def _finish(
        self,
        at: int,
        group: _Group,
        state: MessageState,
        facts: ModelFacts | None,
        done: Done | None,
        error: AppError | None = None,
    ) -> None:
        column = self._so_far(at)
        how = self._made(at, group, facts, done, str(error) if error is not None else "")
        ids = done.token_ids if done is not None else ()
        last = dataclasses.replace(column.exchanges[-1], state=state, token_ids=ids, provenance=how)
        self._columns[at] = dataclasses.replace(column, exchanges=(*column.exchanges[:-1], last))
        del self._flags[at], self._pieces[at]
        self.column_changed.emit(at)

    def _so_far(self, at: int) -> Column:
        column = self._columns[at]
        if not column.growing:
            return column
        last = dataclasses.replace(column.exchanges[-1], text="".join(self._pieces[at]))
        return dataclasses.replace(column, exchanges=(*column.exchanges[:-1], last))

    def _loading(self, model_id: str) -> None:
        state = self._models.state(model_id)
        if self.busy and state.kind == "loading" and any(self._model_of(one) == model_id for one in self._columns):
            self.progress_changed.emit(f"Loading {self._models.entry(model_id).name} {state.progress:.0%}")
