"""The version of a prompt that an answer was given by, as people name it."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.chat import Provenance
from app.core.made_by import is_worded
from app.core.prompts import BundledPrompt, PromptOrigin
from app.storage.prompts import PromptStore


class VersionWords:
    """Looks for each version once. Every call may raise StorageError."""

    def __init__(self, prompts: PromptStore, bundled: Mapping[str, BundledPrompt]) -> None:
        """`bundled`: the prompts that come with the app, by the hashes of their versions."""
        self._prompts = prompts
        self._bundled = bundled
        self._found: dict[str, PromptOrigin | None] = {}

    def __call__(self, how: Provenance) -> str:
        """Its prompt's name and its number, and whether it was edited since; "" where no prompt has it."""
        version = how.prompt_version
        if version not in self._found:
            self._found[version] = self._look(version) if version else None
        origin = self._found[version]
        if origin is None or not origin.name:
            return ""
        return origin.words if _is_from(how, origin.version.text) else f"{origin.words}, edited since"

    def _look(self, version: str) -> PromptOrigin | None:
        bundled = self._bundled.get(version)
        return PromptOrigin(bundled.version, bundled.name) if bundled is not None else self._prompts.origin(version)


def _is_from(how: Provenance, wording: str) -> bool:
    """Whether the system prompt is this version's; a question of an experiment may have brought more behind it."""
    text = how.system_prompt
    return is_worded(text, wording) or (how.at_once > 0 and is_worded(text, f"{wording}\n\n{{{{more}}}}"))
