"""What made any answer, and how it is made once more: one place for chats, the comparison and experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, Signal

from app.core.chat import Provenance
from app.core.lab import Place, Plan
from app.core.prompts import BundledPrompt
from app.core.reproduced import Reproduced
from app.services.archive import Archive
from app.services.model_manager import ModelManager
from app.services.model_sums import Fill, ModelSums
from app.services.notice import Notice
from app.services.origin import Origin, of_cell
from app.services.reproduction import Reproduction
from app.services.sums_first import SumsFirst
from app.storage.stores import Stores
from app.storage.version_words import VersionWords


class Origins(QObject):
    """Lives in the GUI thread.

    Signals:
        summed(): more is known of the files that models were loaded from; ask `whole` again.
    """

    summed = Signal()

    def __init__(self, archive: Archive[Stores], models: ModelManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._archive = archive
        self._models = models
        self.bundled: Mapping[str, BundledPrompt] = {}
        """The prompts that come with the app, by the hashes of their versions."""
        self._at_work: dict[Reproduction, Origin] = {}
        self._sums = ModelSums(archive, models, self)
        self._sums.found.connect(self._heard)
        self._sums_first = SumsFirst(self._sums, self)

    def know_bundled(self, prompts: Iterable[BundledPrompt]) -> None:
        """Say which prompts come with the app."""
        self.bundled = {one.version.hash: one for one in prompts}

    def whole(self, how: Provenance) -> Provenance:
        """The same, with the SHA-256 of the model where it is known by now; `summed` tells when there is more."""
        self._sums.want(how)
        return self._sums.filled(how)

    def sums_first(
        self, made: Iterable[Provenance], then: Callable[[Fill], None], tell: Callable[[Notice], None] | None = None
    ) -> None:
        """Call `then` when the SHA-256 of the models that made these are known, or cannot be; see `SumsFirst.wait`."""
        self._sums_first.wait(made, then, tell)

    def sums_words(self, how: Provenance) -> str:
        """Why there is no SHA-256 of the model that made this; "" where there is one."""
        if self._sums.filled(how).model_sha256 or not how.model_path:
            return ""
        if not how.model_size_bytes:
            return "not kept with this answer"
        return "the file is being read…" if self._sums.is_wanted(how) else "not known: the file has changed or is gone"

    def read_cell(self, run_id: int, plan: Plan, place: Place, then: Callable[[Origin | None], None]) -> None:
        """Look up what made an answer of a run; `then` hears it in the GUI thread, None where there is none."""
        self._archive.ask(lambda stores: of_cell(run_id, plan, stores.runs.cell(run_id, place, plan)), then)

    def read_version(self, how: Provenance, then: Callable[[str], None]) -> None:
        """Look up the name of the prompt's version, in words; `then` gets "" where its prompt is not known."""
        bundled = self.bundled
        self._archive.ask(lambda stores: VersionWords(stores.prompts, bundled)(how), then)

    def read_last(self, origin: Origin, then: Callable[[Reproduced | None], None]) -> None:
        """Look up what came of making it once more the last time."""
        kept_as = origin.kept_as
        if kept_as is None:
            then(None)
        else:
            self._archive.ask(lambda stores: stores.reproductions.of(kept_as), then)

    def reproduce(self, origin: Origin) -> Reproduction:
        """Make it once more; connect to what comes back, then `start` it."""
        made = Reproduction(origin, self._models, self._archive, self)
        self._at_work[made] = origin
        for over in (made.ended, made.failed, made.stopped):
            over.connect(lambda *_: self._over(made))
        return made

    def at_work(self, origin: Origin) -> Reproduction | None:
        """The attempt to make it once more that is under way, if there is one."""
        kept_as = origin.kept_as
        found = (made for made, one in self._at_work.items() if kept_as is not None and one.kept_as == kept_as)
        return next(found, None)

    def let_go(self, path: str) -> None:
        """The files of the model at this path are about to be deleted."""
        self._sums.let_go(path)

    def close(self) -> bool:
        """Stop what is being read; before the program ends. What waits for that is handed on without it."""
        self._sums_first.close()
        return self._sums.close()

    def _over(self, made: Reproduction) -> None:
        if self._at_work.pop(made, None) is not None:
            made.deleteLater()

    def _heard(self, _path: str) -> None:
        self.summed.emit()
