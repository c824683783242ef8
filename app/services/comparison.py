"""Several system prompts answering the same messages side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.core import prompt_variables
from app.core.chat import Chat, Message, MessageState
from app.core.errors import AppError
from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.prompt_variables import Resolved as Filled
from app.core.prompt_variables import Variable
from app.core.settings import Resolved, Source, declared
from app.core.stopping import StopFlag
from app.core.text import clean
from app.engine.base import Delta, Done, Failed, ModelFacts, Reading, StopReason, Tagged
from app.services.compare_columns import Column, Exchange, answered, chat_of, turns_of
from app.services.compare_job import Asked, SharedStart, compare_job
from app.services.engine_room import ModelSpec
from app.services.lane import End, Outcome, Ticket
from app.services.model_manager import ModelManager
from app.services.notice import LONGEST_TEXT, Notice, too_long
from app.services.preferences import Preferences
from app.services.provenance import provenance

MOST_COLUMNS = 8
SEED = 42
"""The seed of all columns unless another is set: were it random, no difference would be known to be the prompt's."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The columns that one model answers in one go."""

    spec: ModelSpec
    columns: tuple[int, ...]
    sampling: Mapping[int, Sampling]
    prompts: Mapping[int, str]
    """The system prompts with values in the places of their variables."""


class Comparison(QObject):
    """Columns that are asked together. Lives in the GUI thread.

    Columns on the same model write at once, in one context; those on another model follow after them.

    Signals:
        columns_changed(): there are other columns, or a column's prompt or values are others.
        column_changed(int): a column has a new exchange, or its last one another state.
        text_added(int, str): a column's answer has grown by this.
        progress_changed(str): "Loading ..." or empty.
        busy_changed(bool): answers are being made, or no more.
        notice(Notice): something to tell.
    """

    columns_changed = Signal()
    column_changed = Signal(int)
    text_added = Signal(int, str)
    progress_changed = Signal(str)
    busy_changed = Signal(bool)
    notice = Signal(object)

    def __init__(
        self, models: ModelManager, preferences: Preferences, model_id: str, parent: QObject | None = None
    ) -> None:
        """`model_id` answers where a column names no other."""
        super().__init__(parent)
        self._models = models
        self._preferences = preferences
        self.model_id = model_id
        self.overrides: Mapping[str, Any] = {"seed": SEED}
        self.variables: Mapping[str, str] = {}
        """Values for the variables in the prompts, by name; see core/prompt_variables.py."""
        self.shared_tokens = 0
        """Tokens that all prompts of the largest group began with the last time; they were read once."""
        self._columns: list[Column] = []
        self._moment: datetime | None = None
        self._flags: dict[int, StopFlag] = {}
        self._tickets: list[Ticket] = []
        self._pieces: dict[int, list[str]] = {}
        models.state_changed.connect(self._loading)

    # --- what is there ---------------------------------------------------------------------------------------------

    def columns(self) -> tuple[Column, ...]:
        """All columns, from the left; growing answers with what they have so far."""
        return tuple(self._so_far(at) for at in range(len(self._columns)))

    @property
    def busy(self) -> bool:
        """Whether answers are being made."""
        return bool(self._tickets)

    @property
    def saved_tokens(self) -> int:
        """Tokens of the last prompts that did not have to be read, because another column had read them."""
        last = [column.exchanges[-1].provenance for column in self._columns if column.exchanges]
        return sum(how.cached_tokens for how in last if how is not None)

    def later_models(self) -> tuple[str, ...]:
        """Names of the models whose columns write after the others, in order."""
        ids = list(dict.fromkeys(self._model_of(column) for column in self._columns))
        return tuple(self._models.entry(model_id).name for model_id in ids[1:])

    def wanted(self) -> tuple[Variable, ...]:
        """The variables in all prompts whose values the person gives, in reading order."""
        texts = "\n".join(column.contestant.system_prompt for column in self._columns)
        return tuple(one for one in prompt_variables.variables(texts) if not one.is_built_in)

    def prompt(self, at: int) -> Filled:
        """A column's system prompt with values in the places of its variables, and which have none."""
        return prompt_variables.resolve(self._columns[at].contestant.system_prompt, self._values(at))

    def _values(self, at: int) -> dict[str, str]:
        """What stands in the places of variables; date and time are those of the first question."""
        moment = self._moment or datetime.now(tz=UTC).astimezone()
        known = prompt_variables.built_in(moment, self._models.entry(self._model_of(self._columns[at])).name)
        return {**self.variables, **known}

    def resolved(self, at: int | None) -> Resolved[Sampling]:
        """The sampler values of a column, or of all (None): the model's, under those of all columns, under its own.

        What a column has for itself comes from Source.CHAT, what it has because all have it from Source.APP.
        """
        own = self._columns[at].contestant.overrides if at is not None else self.overrides
        model_id = self._model_of(self._columns[at]) if at is not None else self.model_id
        found = self._preferences.resolved(Sampling, model_id, {**self.overrides, **own})
        shared = {key: Source.APP for key in self.overrides if key not in own}
        return dataclasses.replace(found, sources={**found.sources, **shared})

    def sampling(self, at: int) -> Sampling:
        """The sampler values of a column."""
        return self.resolved(at).values

    # --- what the person does --------------------------------------------------------------------------------------

    def add(self, contestant: Contestant) -> bool:
        """Put a column at the right, without a conversation; False when busy or when there are eight already."""
        if self.busy or len(self._columns) >= MOST_COLUMNS:
            return False
        self._columns.append(Column(contestant))
        self.columns_changed.emit()
        return True

    def change(self, at: int, contestant: Contestant) -> None:
        """Give a column another prompt, model or values; what it said before stays and is answered on from."""
        if not self.busy:
            self._columns[at] = dataclasses.replace(self._columns[at], contestant=contestant)
            self.columns_changed.emit()

    def remove(self, at: int) -> None:
        """Take a column away with what it said."""
        if not self.busy:
            del self._columns[at]
            self.columns_changed.emit()

    def set_model(self, model_id: str) -> None:
        """Let another model answer for the columns that name none."""
        if not self.busy and model_id != self.model_id:
            self.model_id = model_id
            self.columns_changed.emit()

    def set_overrides(self, overrides: Mapping[str, Any]) -> None:
        """Sampler values for all columns, by setting key; from the next answer on. Without a seed it is SEED."""
        self.overrides = {"seed": SEED, **overrides}
        self.columns_changed.emit()

    def set_variable(self, name: str, value: str | None) -> None:
        """Give a variable a value; None goes back to its default."""
        left = {known: text for known, text in self.variables.items() if known != name}
        self.variables = left if value is None else {**left, name: clean(value)}
        self.columns_changed.emit()

    def set_value(self, at: int | None, key: str, value: Any) -> None:
        """Give a column, or all (None), a sampler value of its own.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        checked = declared(Sampling)[key].checked(value)
        if at is None:
            self.set_overrides({**self.overrides, key: checked})
        else:
            contestant = self._columns[at].contestant
            self.change(at, dataclasses.replace(contestant, overrides={**contestant.overrides, key: checked}))

    def clear_value(self, at: int | None, key: str) -> None:
        """Let a column have what all have, or all what the model has."""
        if at is None:
            self.set_overrides({known: value for known, value in self.overrides.items() if known != key})
        else:
            contestant = self._columns[at].contestant
            left = {known: value for known, value in contestant.overrides.items() if known != key}
            self.change(at, dataclasses.replace(contestant, overrides=left))

    def replace(self, contestants: Sequence[Contestant]) -> bool:
        """Have these columns instead, without conversations; False when busy. Takes the first eight."""
        if self.busy:
            return False
        self._columns, self._moment = [Column(contestant) for contestant in contestants[:MOST_COLUMNS]], None
        self.columns_changed.emit()
        return True

    def begin_anew(self) -> None:
        """Forget what was said, in all columns."""
        if not self.busy:
            self._columns, self._moment = [Column(column.contestant) for column in self._columns], None
            self.columns_changed.emit()

    def ask(self, text: str) -> bool:
        """Ask all columns, each with the conversation it has had. Whether the text was taken."""
        question = clean(text).strip()
        if not question:
            return False
        if len(question) > LONGEST_TEXT:
            self.notice.emit(too_long(len(question)))
            return False
        return self._ask(question)

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
        for ticket in self._tickets:
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
        self._moment = self._moment or datetime.now(tz=UTC).astimezone()
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
        self._tickets.append(ticket)
        found: list[ModelFacts] = []

        def take(items: tuple[object, ...]) -> None:
            grown: dict[int, list[str]] = {}
            for item in items:
                if isinstance(item, ModelFacts):
                    # under the name that the person sees it by everywhere, which need not be the file's own
                    found.append(dataclasses.replace(item, name=self._models.entry(group.spec.model_id).name))
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
        self._tickets.remove(ticket)
        if outcome.error is not None:
            self.notice.emit(self._models.trouble(group.spec.model_id, outcome.error))
        if not self._tickets:
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
        words = str(error) if error is not None else ""
        known = (facts, group.sampling[at], group.prompts[at], (), None, done, words)
        beside = min(len(group.columns), facts.n_at_once) if facts is not None else 0
        how = provenance(*known, prompt_version=column.contestant.version, at_once=beside)
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

    def _model_of(self, column: Column) -> str:
        return column.contestant.model_id or self.model_id

    def _loading(self, model_id: str) -> None:
        state = self._models.state(model_id)
        if self.busy and state.kind == "loading" and any(self._model_of(one) == model_id for one in self._columns):
            self.progress_changed.emit(f"Loading {self._models.entry(model_id).name} {state.progress:.0%}")
