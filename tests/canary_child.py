"""The whole program with an access token in its keychain, through all that a token is used for. Not a test itself.

The token comes on stdin. Whatever the person would read is printed: notices, troubles, what a test of the Hub says.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from app.core.library import DownloadState, Wanted
from app.hub import download_job, listing, token
from app.main import Program, hook_crashes
from app.paths import find_paths
from app.setup import prepare_process

WAIT_S = 300.0


class Keychain:
    """The system's keychain, with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_password(self, service: str, username: str) -> str | None:
        """The secret."""
        del service, username
        return self._secret

    def set_password(self, service: str, username: str, password: str) -> None:
        """Nothing is changed."""

    def delete_password(self, service: str, username: str) -> None:
        """Nothing is changed."""


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        QApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > until:
            raise TimeoutError("the program did not come so far")


def tell(text: object) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> None:
    """Find a gated model, download it over a bad line, fail with another one, and stumble over a mistake of our own."""
    chain = Keychain(sys.stdin.readline().strip())
    token.system_keychain = lambda: chain
    download_job.known_places = lambda: ()
    paths = find_paths()
    prepare_process(paths)
    application = QApplication([])
    program = Program(application, paths)
    hook_crashes(tell)
    program.open([])
    program.preferences.set_fetching("token_elsewhere", True)
    discover, downloads = program.discover, program.downloads
    heard: list[object] = []
    for signal in (discover.found, discover.failed, discover.repo_found, discover.repo_failed, discover.tested):
        signal.connect(lambda *values: (heard.append(values), tell(values)))
    for signal in (downloads.notice, program.model_library.notice):
        signal.connect(tell)

    def ask(do: Callable[[], None]) -> object:
        heard.clear()
        do()
        wait(lambda: bool(heard))
        return heard[0]

    ask(discover.test_connection)
    ask(lambda: discover.search("Model"))
    for repo_id in ("them/Model-Old", "them/Model-Refused"):
        (repo,) = ask(lambda repo_id=repo_id: discover.open(repo_id))
        (quant,) = repo.quants
        downloads.add(Wanted(repo.repo_id, repo.commit, quant.label, quant.files, "Model", discover._access.endpoint))
    wait(lambda: {row.state for row in downloads.rows()} == {DownloadState.DONE, DownloadState.FAILED})
    for row in downloads.rows():
        tell(row)

    def mistaken(hub: object, *_: object, **__: object) -> None:
        raise RuntimeError(f"{hub!r} cannot send {hub.headers()}")  # type: ignore[attr-defined]

    listing.search = mistaken
    ask(lambda: discover.search("Model"))
    for title in ("a widget", "another"):
        try:
            raise KeyError({"authorization": f"Bearer {chain.get_password('', '')}", "in": title})
        except KeyError as error:
            sys.excepthook(KeyError, error, error.__traceback__)
    program.window.close()
    tell(program.close())


if __name__ == "__main__":
    main()
