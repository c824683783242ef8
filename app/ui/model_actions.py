"""What the buttons and menus beside models do, whichever page they stand on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices

from app.core.errors import AppError
from app.core.known import Entry
from app.core.library import Download, DownloadState, LocalModel, Quant, Repo, Wanted
from app.services.notice import Notice
from app.ui.model_rows import BUSY, choice_of, download_of
from app.ui.words import gigabytes

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices
    from app.ui.repo_asking import RepoAsking


class ModelActions(QObject):
    """Downloads, pauses, verifies, removes.

    Signals: `chat_asked(str)` with a model's id; `told(Notice)`; `failed(str, AppError)` when the Hub did not tell
    what a repository has; `remove_asked(LocalModel)` where files would be deleted.
    """

    chat_asked = Signal(str)
    told = Signal(object)
    failed = Signal(str, object)
    remove_asked = Signal(object)

    def __init__(self, services: ModelServices, asking: RepoAsking, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._asking = asking
        asking.listed.connect(self._listed)
        asking.list_failed.connect(self.failed)

    # --- downloads --------------------------------------------------------------------------------------------------

    def get_known(self, known: Entry) -> None:
        """Download the quant of a known model that fits this computer; the Hub is asked first where it was not yet."""
        repo = self._asking.known(known.repo)
        if repo is None:
            self._asking.want(known.repo)
        else:
            self._listed(repo)

    @Slot(object)
    def _listed(self, repo: Repo) -> None:
        known = self._services.known_repo(repo.repo_id)
        if known is None:
            return
        quant, _, _ = choice_of(self._services, self._asking, known)
        if quant is None:
            self.failed.emit(
                repo.repo_id,
                AppError(
                    f"There is nothing to download for {known.name}",
                    "The repository has no file that Orcinus can run.",
                    "Choose another model.",
                ),
            )
            return
        self.download(repo, quant)

    def download(self, repo: Repo, quant: Quant) -> int:
        """Queue a quant; 0 where it was refused, which the queue itself tells."""
        known = self._services.known_repo(repo.repo_id)
        name = known.name if known is not None else repo.repo_id.partition("/")[2] or repo.repo_id
        return self._services.downloads.add(
            Wanted(
                repo.repo_id,
                repo.commit,
                quant.label,
                quant.files,
                name,
                endpoint=self._services.endpoint,
                entry_id=known.id if known is not None else "",
                licence=(known.licence if known is not None else "") or repo.licence,
            )
        )

    def press(self, row: Download) -> None:
        """Do what the button beside a download says."""
        downloads = self._services.downloads
        if row.state in BUSY:
            downloads.pause(row.id)
        elif row.state is DownloadState.WAITING:
            downloads.retry_now(row.id)
        elif row.state is DownloadState.DONE:
            self.chat(row.path)
        else:
            downloads.resume(row.id)

    def press_known(self, known: Entry) -> None:
        """Do what the button in a row of the catalogue says."""
        models = self._services.local.models()
        here = next((m for m in models if m.repo_id.lower() == known.repo.lower() and m.present), None)
        row = download_of(self._services.downloads.rows(), known.repo)
        if here is not None:
            self.chat(here.path)
        elif row is not None:
            self.press(row)
        else:
            self.get_known(known)

    def press_quant(self, repo: Repo, quant: Quant) -> None:
        """Do what the button in a row of the quants says."""
        models = self._services.local.models()
        here = next(
            (m for m in models if m.repo_id == repo.repo_id and m.quant == quant.label and m.present),
            None,
        )
        row = download_of(self._services.downloads.rows(), repo.repo_id, quant.label)
        if here is not None:
            self.chat(here.path)
        elif row is not None:
            self.press(row)
        else:
            self.download(repo, quant)

    # --- models on this computer ------------------------------------------------------------------------------------

    def chat(self, path: str) -> None:
        """Chat with the model at a path."""
        self.chat_asked.emit(self._services.model_id(path))

    def is_put_aside(self, path: str) -> bool:
        """Whether the model at a path ended the engine too often to be loaded without being asked for."""
        return self._services.models.is_put_aside(self._services.model_id(path))

    def load_again(self, path: str) -> None:
        """Try a model that was put aside once more."""
        self._services.models.load_again(self._services.model_id(path))

    def model(self, path: str) -> LocalModel | None:
        """The model at a path, if it is still known."""
        return next((model for model in self._services.local.models() if model.path == path), None)

    def verify(self, path: str) -> None:
        """Read the whole file again and compare."""
        self._services.local.verify(path)

    def remove(self, path: str) -> None:
        """Take a model off this computer; asked before where that deletes files."""
        model = self.model(path)
        if model is None:
            return
        if model.managed and model.present:
            self.remove_asked.emit(model)
        else:
            self._services.local.remove(path)
            rest = "Its file stays where it is." if model.present else ""
            self.told.emit(Notice(f"{model.name} is off the list", rest))

    def remove_for_good(self, model: LocalModel) -> None:
        """Delete a model's files."""
        freed = self._services.local.freed_by_removing(model.path)
        self._services.local.remove(model.path)
        self.told.emit(Notice(f"{model.name} was removed", f"{gigabytes(freed)} are free again." if freed else ""))

    def removal_words(self, model: LocalModel) -> tuple[str, str]:
        """What to ask before files are deleted: a title and what it means."""
        freed = self._services.local.freed_by_removing(model.path)
        frees = f"frees {gigabytes(freed)}" if freed else "frees nothing, for its bytes are kept elsewhere too"
        again = "It can be downloaded again." if model.repo_id else "It cannot be downloaded again from here."
        return (
            f"Remove {model.name}?",
            f"This deletes {Path(model.path).name} and {frees}. {again} "
            "Chats with it stay, and can go on with another model.",
        )

    # --- places -----------------------------------------------------------------------------------------------------

    @Slot(str)
    def open_hub_page(self, repo_id: str) -> None:
        """Show a repository's page in the browser."""
        QDesktopServices.openUrl(QUrl(f"{self._services.endpoint}/{repo_id}"))

    def open_folder(self, path: str = "") -> None:
        """Show the folder of a model, or the models folder, in the system's file manager."""
        folder = str(Path(path).parent) if path else self._services.local.folder()
        if not Path(folder).is_dir():
            self.told.emit(Notice("There is no such folder yet", folder, "The first download makes it.", "warning"))
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
