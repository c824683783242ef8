"""Settings in force: defaults, under the model's own, under what the person changed for it, under one chat's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.options import Loading, Look, Sampling
from app.core.settings import Resolved, Source, declared, resolve
from app.hub.catalog import Catalog, Entry

Group = TypeVar("Group")

APP_SCOPE = "app"
PROMPT_KEY = "system_prompt"


def model_scope(model_id: str) -> str:
    """The name under which what was changed for one model is kept."""
    return f"model:{model_id}"


class ChangedValues(Protocol):
    """Where changed values are kept: the settings store, behind the storage lane."""

    def set(self, scope: str, key: str, value: Any) -> None:
        """Keep one changed value."""

    def clear(self, scope: str, key: str) -> None:
        """Forget it."""


class Preferences(QObject):
    """What every setting is right now, and the one place to change it. Lives in the GUI thread.

    Only differences from the defaults are kept. Reading never touches the disk.

    Signals:
        look_changed(): theme or text size.
        model_settings_changed(str): a setting or the default system prompt of this model.
    """

    look_changed = Signal()
    model_settings_changed = Signal(str)

    def __init__(
        self,
        catalog: Catalog,
        keep: ChangedValues,
        changed: Mapping[str, Mapping[str, Any]],
        parent: QObject | None = None,
    ) -> None:
        """`changed` holds what was kept before: scope -> key -> value."""
        super().__init__(parent)
        self._catalog = catalog
        self._keep = keep
        self._changed = {scope: dict(values) for scope, values in changed.items()}
        self._names: Callable[[str], tuple[str, ...]] = lambda model_id: (model_id,)

    def know_models_by(self, names: Callable[[str], tuple[str, ...]]) -> None:
        """Say how to find the names by which a model may stand in the catalogue."""
        self._names = names

    def look(self) -> Look:
        """Theme and text size."""
        return resolve(Look, [(Source.APP, self._changed.get(APP_SCOPE, {}))]).values

    def set_look(self, key: str, value: Any) -> None:
        """Change one of `Look`'s settings.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        self._set(APP_SCOPE, key, declared(Look)[key].checked(value))
        self.look_changed.emit()

    def resolved(self, group: type[Group], model_id: str, overrides: Mapping[str, Any] | None = None) -> Resolved[Group]:
        """The values of a group for a model, and over them a chat's own, each with its source."""
        own = entry.sampling if (entry := self.entry(model_id)) and group is Sampling else {}
        layers: list[tuple[Source, Mapping[str, Any]]] = [
            (Source.MODEL, own),
            (Source.MODEL_CHANGED, self._changed.get(model_scope(model_id), {})),
            (Source.CHAT, overrides or {}),
        ]
        return resolve(group, layers)

    def set_for_model(self, model_id: str, key: str, value: Any) -> None:
        """Change a sampling or loading setting for a model.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        known = {**declared(Sampling), **declared(Loading)}
        self._set(model_scope(model_id), key, known[key].checked(value))
        self.model_settings_changed.emit(model_id)

    def clear_for_model(self, model_id: str, key: str) -> None:
        """Go back to the model's own value, or the default."""
        self._clear(model_scope(model_id), key)
        self.model_settings_changed.emit(model_id)

    def model_prompt(self, model_id: str) -> str:
        """The system prompt that a new chat with this model starts from."""
        changed = self._changed.get(model_scope(model_id), {}).get(PROMPT_KEY)
        if isinstance(changed, str):
            return changed
        entry = self.entry(model_id)
        return entry.system_prompt if entry else ""

    def set_model_prompt(self, model_id: str, text: str) -> None:
        """Change it."""
        self._set(model_scope(model_id), PROMPT_KEY, text)
        self.model_settings_changed.emit(model_id)

    def clear_model_prompt(self, model_id: str) -> None:
        """Go back to the model's own."""
        self._clear(model_scope(model_id), PROMPT_KEY)
        self.model_settings_changed.emit(model_id)

    def model_prompt_is_changed(self, model_id: str) -> bool:
        """Whether the person changed this model's default system prompt."""
        return PROMPT_KEY in self._changed.get(model_scope(model_id), {})

    def entry(self, model_id: str) -> Entry | None:
        """What the catalogue knows of a model."""
        return self._catalog.entry(model_id) or self._catalog.recognise(*self._names(model_id))

    def _set(self, scope: str, key: str, value: Any) -> None:
        self._changed.setdefault(scope, {})[key] = value
        self._keep.set(scope, key, value)

    def _clear(self, scope: str, key: str) -> None:
        self._changed.get(scope, {}).pop(key, None)
        self._keep.clear(scope, key)
