"""All stores over one open database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import StorageError
from app.core.prompts import BundledPrompt
from app.storage.backups import Backups
from app.storage.chats import ChatStore, now_ms
from app.storage.comparison import ComparisonStore
from app.storage.database import Database
from app.storage.downloads import DownloadStore
from app.storage.marks import MarkStore
from app.storage.model_notes import ModelFileStore
from app.storage.model_sums import ModelSumStore
from app.storage.opening import open_database
from app.storage.prompts import PromptStore
from app.storage.question_sets import QuestionSetStore
from app.storage.remembered import Remembered, remembered
from app.storage.reproductions import ReproductionStore
from app.storage.runs import RunStore
from app.storage.search_index import QUICK_BYTES, mend_index
from app.storage.settings import ModelStore, SettingsStore, StateStore
from app.storage.trouble import told

if TYPE_CHECKING:
    from app.storage.prompt_exchange import Imported


class Stores:
    """Everything that lasts. Opened and used on one thread."""

    def __init__(self, database: Database, backups: Backups | None = None) -> None:
        self._database = database
        self._backups = backups
        self.chats = ChatStore(database, backups)
        self.marks = MarkStore(database, now_ms)
        self.settings = SettingsStore(database)
        self.state = StateStore(database)
        self.models = ModelStore(database)
        self.model_files = ModelFileStore(database)
        self.model_sums = ModelSumStore(database, now_ms)
        self.reproductions = ReproductionStore(database)
        self.downloads = DownloadStore(database)
        self.prompts = PromptStore(database, backups)
        self.runs = RunStore(database, backups)
        self.question_sets = QuestionSetStore(database)
        self.comparison = ComparisonStore(database, backups)

    def remembered(self) -> Remembered:
        """What the window starts from."""
        return remembered(self._database)

    def upkeep(self) -> tuple[str, ...]:
        """What has time until the window is up: the old trash, proving a large search index, a copy once a week.

        Trouble with it is no error: it comes back as sentences for the window.
        """
        try:
            self.chats.purge_old()
            self.prompts.purge_old()
            self.runs.purge_old()
            self._mend_large_index()
            if self._backups is not None and self._backups.is_due() and self._has_something():
                self._backups.make(self._database.connection)
        except StorageError as error:
            self._database.tell(str(error))
        return self._database.take_notices()

    def together(self) -> AbstractContextManager[None]:
        """What is written inside comes to stay together or not at all."""
        return self._database.transaction()

    def export(self, chat_id: int | None, path: Path, bundled: Mapping[str, BundledPrompt] | None = None) -> None:
        """Write one chat, or all, to a file: JSON if its name ends so, else Markdown.

        bundled: the prompts that come with the app, by the hashes of their versions; they are named then.
        """
        from app.storage.export import export
        from app.storage.version_words import VersionWords

        export(self.chats, chat_id, path, VersionWords(self.prompts, bundled or {}))

    def export_prompts(self, prompt_ids: Sequence[int] | None, path: Path) -> None:
        """Write prompts, or all, with their histories: JSON, a zip or a folder of Markdown, as the name ends."""
        from app.storage.prompt_exchange import export_prompts

        export_prompts(self.prompts, prompt_ids, path)

    def import_prompts(self, path: Path) -> Imported:
        """Read prompts from a file or folder: all that is in it, or nothing."""
        from app.storage.prompt_exchange import import_prompts

        return import_prompts(self.prompts, path)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _mend_large_index(self) -> None:
        path = self._database.path
        with told():
            if path is not None and path.stat().st_size > QUICK_BYTES:
                mend_index(self._database.connection)

    def _has_something(self) -> bool:
        return (
            self._database.row(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM chat) OR EXISTS (SELECT 1 FROM prompt)"
                " OR EXISTS (SELECT 1 FROM run) OR EXISTS (SELECT 1 FROM question_set)"
                " OR EXISTS (SELECT 1 FROM column_answer)"
            )
            is not None
        )


def open_stores(database: Path | None) -> Stores:
    """Open all stores; None keeps them in memory. Replies that were cut off by the last end are closed.

    Only for the one program that writes: see `remembered.read_remembered` for others.

    Raises:
        StorageError: the database cannot be used; NewerDataError when a newer version of the app wrote it.
    """
    backups = Backups(database.parent / "backups") if database is not None else None
    opened = open_database(database, backups=backups)
    stores = Stores(opened, backups)
    try:
        stores.chats.recover()
        stores.runs.recover()
    except BaseException:
        stores.close()
        raise
    return stores
