"""Which value a setting has for a model and a chat: plain lookups, for the window and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.core.fetching import Fetching
from app.core.known import Entry
from app.core.looks import Look
from app.core.options import Sampling
from app.core.running import Running
from app.core.settings import Resolved, Source, resolve
from app.hub.catalog import Catalog

Group = TypeVar("Group")

APP_SCOPE = "app"
PROMPT_KEY = "system_prompt"
PROMPT_VERSION_KEY = "system_prompt_version"


def model_scope(model_id: str) -> str:
    """The name under which what was changed for one model is kept."""
    return f"model:{model_id}"


class Resolution:
    """Defaults, under the model's own values, under what was changed for the model, under a chat's own."""

    def __init__(
        self,
        catalog: Catalog,
        changed: Mapping[str, Mapping[str, Any]],
        names: Callable[[str], tuple[str, ...]] = lambda model_id: (model_id,),
    ) -> None:
        """`changed`: scope -> key -> value. `names` gives the names by which a model may stand in the catalogue."""
        self._catalog = catalog
        self.changed = {scope: dict(values) for scope, values in changed.items()}
        self.names = names
        self.versions: Mapping[str, str] = {}
        """By catalogue id, the version that an author's prompt is among the bundled prompts."""

    def entry(self, model_id: str) -> Entry | None:
        """What the catalogue knows of a model."""
        return self._catalog.entry(model_id) or self._catalog.recognise(*self.names(model_id))

    def look(self) -> Look:
        """Theme and text size."""
        return resolve(Look, [(Source.APP, self.changed.get(APP_SCOPE, {}))]).values

    def fetching(self) -> Fetching:
        """Where models are kept and how they are fetched."""
        return resolve(Fetching, [(Source.APP, self.changed.get(APP_SCOPE, {}))]).values

    def running(self) -> Running:
        """Where the engine runs and what it keeps."""
        return resolve(Running, [(Source.APP, self.changed.get(APP_SCOPE, {}))]).values

    def resolved(
        self, group: type[Group], model_id: str, overrides: Mapping[str, Any] | None = None
    ) -> Resolved[Group]:
        """The values of a group for a model, and over them a chat's own, each with its source."""
        layers: list[tuple[Source, Mapping[str, Any]]] = [
            (Source.MODEL, self._own(group, model_id)),
            (Source.MODEL_CHANGED, self.changed.get(model_scope(model_id), {})),
            (Source.CHAT, overrides or {}),
        ]
        return resolve(group, layers)

    def own_value(self, group: type, model_id: str, key: str) -> Any:
        """The value that a model has where the person changed nothing."""
        return getattr(resolve(group, [(Source.MODEL, self._own(group, model_id))]).values, key)

    def _own(self, group: type, model_id: str) -> Mapping[str, Any]:
        return entry.sampling if (entry := self.entry(model_id)) and group is Sampling else {}

    def prompt_changed(self, model_id: str) -> str | None:
        """The default system prompt that the person gave this model, if they did."""
        changed = self.changed.get(model_scope(model_id), {}).get(PROMPT_KEY)
        return changed if isinstance(changed, str) else None

    def model_prompt(self, model_id: str) -> str:
        """The system prompt that a new chat with this model starts from."""
        changed = self.prompt_changed(model_id)
        if changed is not None:
            return changed
        entry = self.entry(model_id)
        return entry.system_prompt if entry else ""

    def model_prompt_version(self, model_id: str) -> str:
        """Hash of the version that `model_prompt` was taken from, "" for none."""
        if self.prompt_changed(model_id) is not None:
            changed = self.changed.get(model_scope(model_id), {}).get(PROMPT_VERSION_KEY)
            return changed if isinstance(changed, str) else ""
        entry = self.entry(model_id)
        return self.versions.get(entry.id, "") if entry else ""
