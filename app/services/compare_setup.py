"""The columns of a comparison as they are put together: who is asked, by which prompt and with which values."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.core import prompt_variables
from app.core.lab import Contestant
from app.core.options import Sampling
from app.core.prompt_variables import Resolved as Filled
from app.core.prompt_variables import Variable
from app.core.prompts import free_name, same
from app.core.settings import Resolved, Source, declared
from app.core.text import clean
from app.services.compare_columns import Column, begun
from app.services.model_manager import ModelManager
from app.services.preferences import Preferences

if TYPE_CHECKING:
    from app.core.prompts import PromptVersion

MOST_COLUMNS = 8
SEED = 42
"""The seed of all columns unless another is set: were it random, no difference would be known to be the prompt's."""


class CompareSetup(QObject):
    """Columns and their values; whoever inherits asks them. Lives in the GUI thread.

    Signals:
        columns_changed(): there are other columns, or a column's prompt or values are others.
        draft_changed(): something else is written and not asked.
        restored(): all is as it was left; there may be another model and another draft.
    """

    columns_changed = Signal()
    draft_changed = Signal()
    restored = Signal()

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
        self.draft = ""
        """What is written and not asked yet."""
        self.moment: datetime | None = None
        """When the first question was asked: what date and time in prompts stand for."""
        self._columns: list[Column] = []

    @property
    def busy(self) -> bool:
        """Whether answers are being made: then no column changes."""
        raise NotImplementedError

    # --- what is there ---------------------------------------------------------------------------------------------

    def knows_model(self, model_id: str) -> bool:
        """Whether this model is offered."""
        return any(entry.id == model_id for entry in self._models.entries())

    def later_models(self) -> tuple[str, ...]:
        """Names of the models whose columns write after the others, in order."""
        ids = list(dict.fromkeys(self._model_of(column) for column in self._columns))
        return tuple(self._models.entry(model_id).name for model_id in ids[1:])

    def contestants(self, model_id: str) -> tuple[Contestant, ...]:
        """The columns for an experiment by this model: each under a name of its own, with all values but the seed."""
        found: list[Contestant] = []
        for column in self._columns:
            one = column.contestant
            values = {key: value for key, value in {**self.overrides, **one.overrides}.items() if key != "seed"}
            name = free_name(one.name, {same(other.name) for other in found})
            own = one.model_id or (self.model_id if self.model_id != model_id else "")
            found.append(dataclasses.replace(one, name=name, model_id=own, overrides=values))
        return tuple(found)

    @property
    def inexact(self) -> str:
        """Of which models the answers beside others may differ from those alone, in sentences; "" of none."""
        together = Counter(map(self._model_of, self._columns))
        return self._models.caution(model_id for model_id, columns in together.items() if columns > 1)

    def most_together(self) -> int:
        """How many columns the model that answers most of them writes at once."""
        return max(Counter(map(self._model_of, self._columns)).values(), default=0)

    def wanted(self) -> tuple[Variable, ...]:
        """The variables in all prompts whose values the person gives, in reading order."""
        texts = "\n".join(column.contestant.system_prompt for column in self._columns)
        return tuple(one for one in prompt_variables.variables(texts) if not one.is_built_in)

    def prompt(self, at: int) -> Filled:
        """A column's system prompt with values in the places of its variables, and which have none."""
        return prompt_variables.resolve(self._columns[at].contestant.system_prompt, self._values(at))

    def _values(self, at: int) -> dict[str, str]:
        """What stands in the places of variables; date and time are those of the first question."""
        moment = self.moment or datetime.now(tz=UTC).astimezone()
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

    def add(self, contestant: Contestant, made_from: str = "") -> bool:
        """Put a column at the right, without a conversation; False when busy or when there are eight already.

        made_from: hash of the version that its prompt is an edit of, where the contestant names none.
        """
        if self.busy or len(self._columns) >= MOST_COLUMNS:
            return False
        self._columns.append(begun(contestant, made_from))
        self.columns_changed.emit()
        return True

    def change(self, at: int, contestant: Contestant) -> None:
        """Give a column another prompt, model or values; what it said before stays and is answered on from."""
        if not self.busy:
            made_from = contestant.version or self._columns[at].made_from
            self._columns[at] = dataclasses.replace(self._columns[at], contestant=contestant, made_from=made_from)
            self.columns_changed.emit()

    def mark_saved(self, at: int, made_from: str, version: PromptVersion) -> None:
        """A column's prompt, made from the version `made_from`, was kept; what was typed since is an edit of that."""
        if at < len(self._columns) and self._columns[at].made_from == made_from:
            old = self._columns[at]
            same = old.contestant.system_prompt == version.text
            contestant = dataclasses.replace(old.contestant, version=version.hash) if same else old.contestant
            self._columns[at] = dataclasses.replace(old, contestant=contestant, made_from=version.hash)
            self.columns_changed.emit()

    def tell_apart(self, version: PromptVersion | None) -> None:
        """Columns that name this version and say something else are edits of it; None, one that is gone, has none."""
        if version is None:
            return
        for at, column in enumerate(self._columns):
            one = column.contestant
            if one.version == version.hash and one.system_prompt != version.text:
                self.change(at, dataclasses.replace(one, version=""))

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

    def replace(self, contestants: Sequence[Contestant], overrides: Mapping[str, Any] | None = None) -> bool:
        """Have these columns instead, without conversations; False when busy. Takes the first eight.

        overrides: sampler values for all columns instead of those there are; None keeps these. A column then keeps of
        its own only what it would not have anyway.
        """
        if self.busy:
            return False
        self._columns, self.moment = [begun(contestant) for contestant in contestants[:MOST_COLUMNS]], None
        if overrides is not None:
            self.overrides = {"seed": SEED, **overrides}
            self._columns = list(map(self._needed_alone, self._columns))
        self.columns_changed.emit()
        return True

    def _needed_alone(self, column: Column) -> Column:
        known = self._preferences.resolved(Sampling, self._model_of(column), self.overrides).values
        own = {key: value for key, value in column.contestant.overrides.items() if getattr(known, key) != value}
        return dataclasses.replace(column, contestant=dataclasses.replace(column.contestant, overrides=own))

    def restore(
        self,
        columns: Sequence[Column],
        model_id: str,
        overrides: Mapping[str, Any],
        variables: Mapping[str, str],
        moment: datetime | None,
        draft: str,
    ) -> None:
        """Have all as it was left.

        model_id: answers where a column names no other; "" for the one that would anyway.
        """
        self._columns = list(columns[:MOST_COLUMNS])
        self.overrides = {"seed": SEED, **overrides}
        self.variables, self.moment, self.draft = variables, moment, draft
        self.model_id = model_id or self.model_id
        self.columns_changed.emit()
        self.restored.emit()

    def set_draft(self, text: str) -> None:
        """Remember what is written and not asked yet."""
        if text != self.draft:
            self.draft = text
            self.draft_changed.emit()

    def begin_anew(self) -> None:
        """Forget what was said, in all columns."""
        if not self.busy:
            self._columns, self.moment = [begun(one.contestant, one.made_from) for one in self._columns], None
            self.columns_changed.emit()

    def _model_of(self, column: Column) -> str:
        return column.contestant.model_id or self.model_id
