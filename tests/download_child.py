"""A program that downloads what its queue holds and tells when it is done; tests kill it. Not a test itself."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.core.library import DownloadState, RemoteFile, Wanted
from app.hub import download_job
from app.hub.catalog import read_catalog
from app.paths import find_paths
from app.services.archive import Archive
from app.services.downloads import Downloads
from app.services.hub_access import HubAccess
from app.services.model_library import ModelLibrary
from app.services.preferences import Preferences
from app.setup import read_header
from app.storage.stores import Stores, open_stores
from tests.crash_child import Keeper


class Narrow(socket.socket):
    """Takes in little ahead of its reader: what lies unread when it is killed is lost, however busy the computer is."""

    def __init__(self, *kind: int, **more: int) -> None:
        super().__init__(*kind, **more)
        if self.type & socket.SOCK_STREAM:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)


def main() -> None:
    """Go on with the queue, or begin it with what the second argument says, until all of it is done."""
    application = QCoreApplication([])
    paths = find_paths()
    stores = open_stores(Path(sys.argv[1]))
    remembered = stores.remembered()
    archive: Archive[Stores] = Archive(lambda: stores)
    preferences = Preferences(read_catalog(paths.resources_dir), Keeper(), {})
    library = ModelLibrary(
        str(paths.models_dir), preferences, archive, read_header, remembered.models, remembered.model_files
    )
    access = HubAccess(preferences.fetching, environ={})
    downloads = Downloads(access, library, preferences, archive, read_header, remembered.downloads)

    def tell() -> None:
        states = [row.state for row in downloads.rows()]
        if all(state is DownloadState.DONE for state in states):
            os.write(1, ("done " + json.dumps([row.path for row in downloads.rows()]) + "\n").encode())
            application.quit()
        elif DownloadState.FAILED in states:
            os.write(1, ("failed " + str([row.trouble for row in downloads.rows()]) + "\n").encode())
            application.quit()

    downloads.changed.connect(tell)
    if not downloads.rows():
        if library.models():
            os.write(1, ("done " + json.dumps([model.path for model in library.models()]) + "\n").encode())
            return
        table = json.loads(sys.argv[2])
        table["files"] = tuple(RemoteFile(**file) for file in table["files"])
        downloads.add(Wanted(**table))
    downloads.start()
    application.exec()
    downloads.close()
    library.close()
    archive.close(lambda opened: opened.close())


if __name__ == "__main__":
    download_job.known_places = lambda: ()
    socket.socket = Narrow  # type: ignore[misc]
    main()
