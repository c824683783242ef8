"""Settings in force, and the one place to change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.fetching import Fetching
from app.core.known import Entry
from app.core.looks import Look
from app.core.options import Loading, Sampling
from app.core.overflow import Overflow
from app.core.running import Running
from app.core.settings import Resolved, declared
from app.hub.catalog import Catalog
from app.services.resolution import APP_SCOPE, PROMPT_KEY, PROMPT_VERSION_KEY, Resolution, model_scope

Group = TypeVar("Group")


class ChangedValues(Protocol):
    """Where changed values are kept: the settings store, behind the storage lane."""

    def set(self, scope: str, key: str, value: Any) -> None:
        """Keep one changed value."""

    def clear(self, scope: str, key: str) -> None:
        """Forget it."""


class Preferences(QObject):
    """What every setting is right now. Lives in the GUI thread; reading never touches the disk.

    Signals:
        look_changed(): theme or text size.
        fetching_changed(str): this setting of `Fetching`.
        running_changed(str): this setting of `Running`.
        model_settings_changed(str): a setting or the default system prompt of this model.
    """

    look_changed = Signal()
    fetching_changed = Signal(str)
    running_changed = Signal(str)
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
        self._resolution = Resolution(catalog, changed)
        self._keep = keep

    def know_prompts_by(self, versions: Mapping[str, str]) -> None:
        """Say which bundled version (its hash) an author's prompt is, by catalogue id."""
        self._resolution.versions = versions

    def know_models_by(self, names: Callable[[str], tuple[str, ...]]) -> None:
        """Say how to find the names by which a model may stand in the catalogue."""
        self._resolution.names = names

    def look(self) -> Look:
        """Theme and text size."""
        return self._resolution.look()

    def set_look(self, key: str, value: Any) -> None:
        """Change one of `Look`'s settings.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        self._set_or_clear(Look, key, value)
        self.look_changed.emit()

    def fetching(self) -> Fetching:
        """Where models are kept and how they are fetched."""
        return self._resolution.fetching()

    def set_fetching(self, key: str, value: Any) -> None:
        """Change one of `Fetching`'s settings.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        self._set_or_clear(Fetching, key, value)
        self.fetching_changed.emit(key)

    def running(self) -> Running:
        """Where the engine runs and what it keeps; may be read from any thread."""
        return self._resolution.running()

    def set_running(self, key: str, value: Any) -> None:
        """Change one of `Running`'s settings.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        self._set_or_clear(Running, key, value)
        self.running_changed.emit(key)

    def resolved(
        self, group: type[Group], model_id: str, overrides: Mapping[str, Any] | None = None
    ) -> Resolved[Group]:
        """The values of a group for a model, and over them a chat's own, each with its source."""
        return self._resolution.resolved(group, model_id, overrides)

    def set_for_model(self, model_id: str, key: str, value: Any) -> None:
        """Change a setting of sampling, loading or the full context for a model.

        Its own value, or the default where it has none, is no change, and is not kept as one.

        Raises:
            SettingError: the value is not allowed; nothing changes.
        """
        group = next(group for group in (Sampling, Loading, Overflow) if key in declared(group))
        checked = declared(group)[key].checked(value)
        if checked == self._resolution.own_value(group, model_id, key):
            self._clear(model_scope(model_id), key)
        else:
            self._set(model_scope(model_id), key, checked)
        self.model_settings_changed.emit(model_id)

    def clear_for_model(self, model_id: str, key: str) -> None:
        """Go back to the model's own value, or the default."""
        self._clear(model_scope(model_id), key)
        self.model_settings_changed.emit(model_id)

    def model_prompt(self, model_id: str) -> str:
        """The system prompt that a new chat with this model starts from."""
        return self._resolution.model_prompt(model_id)

    def model_prompt_is_changed(self, model_id: str) -> bool:
        """Whether the person gave this model another default system prompt."""
        return self._resolution.prompt_changed(model_id) is not None

    def model_prompt_version(self, model_id: str) -> str:
        """Hash of the prompt's version that it was taken from, "" for none."""
        return self._resolution.model_prompt_version(model_id)

    def set_model_prompt(self, model_id: str, text: str, version: str = "") -> None:
        """Change it; `version` is the hash of the version with this text, where there is one."""
        self._set(model_scope(model_id), PROMPT_KEY, text)
        if version:
            self._set(model_scope(model_id), PROMPT_VERSION_KEY, version)
        else:
            self._forget_version(model_id)
        self.model_settings_changed.emit(model_id)

    def clear_model_prompt(self, model_id: str) -> None:
        """Go back to the model's own."""
        self._clear(model_scope(model_id), PROMPT_KEY)
        self._forget_version(model_id)
        self.model_settings_changed.emit(model_id)

    def entry(self, model_id: str) -> Entry | None:
        """What the catalogue knows of a model."""
        return self._resolution.entry(model_id)

    def _set_or_clear(self, group: type, key: str, value: Any) -> None:
        """A value that is the default again is not kept."""
        known = declared(group)[key]
        checked = known.checked(value)
        if checked == known.default:
            self._clear(APP_SCOPE, key)
        else:
            self._set(APP_SCOPE, key, checked)

    def _forget_version(self, model_id: str) -> None:
        if PROMPT_VERSION_KEY in self._resolution.changed.get(model_scope(model_id), {}):
            self._clear(model_scope(model_id), PROMPT_VERSION_KEY)

    def _set(self, scope: str, key: str, value: Any) -> None:
        self._resolution.changed.setdefault(scope, {})[key] = value
        self._keep.set(scope, key, value)

    def _clear(self, scope: str, key: str) -> None:
        self._resolution.changed.get(scope, {}).pop(key, None)
        self._keep.clear(scope, key)
