"""What the pages beside the chat are built on, passed in as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.known import Entry
    from app.services.discover import Discover
    from app.services.downloads import Downloads
    from app.services.experiments import Experiments
    from app.services.fitting import Fitting
    from app.services.hardware import HardwareWatch
    from app.services.judging import Judging
    from app.services.model_library import ModelLibrary
    from app.services.model_manager import ModelManager
    from app.services.origins import Origins
    from app.services.preferences import Preferences
    from app.services.prompt_library import PromptLibrary


@dataclass(frozen=True, slots=True)
class ModelServices:
    """The services, and the models known by name in the order to show them.

    `hub_address` tells where the Hub is with the settings in force.
    """

    catalogue: tuple[Entry, ...]
    local: ModelLibrary
    downloads: Downloads
    discover: Discover
    fitting: Fitting
    models: ModelManager
    preferences: Preferences
    hub_address: Callable[[], str]
    hardware: HardwareWatch
    prompts: PromptLibrary
    experiments: Experiments
    judging: Judging
    origins: Origins

    @property
    def endpoint(self) -> str:
        """The Hub's address, without a slash at its end."""
        return self.hub_address().rstrip("/")

    def known(self, entry_id: str) -> Entry | None:
        """The catalogue's entry with this id."""
        return next((known for known in self.catalogue if known.id == entry_id), None)

    def known_repo(self, repo_id: str) -> Entry | None:
        """The catalogue's entry that is kept in this repository."""
        return next((known for known in self.catalogue if repo_id and known.repo.lower() == repo_id.lower()), None)

    def model_id(self, path: str) -> str:
        """How the rest of the program names the model at a path."""
        return next((entry.id for entry in self.models.entries() if entry.path == path), path)
