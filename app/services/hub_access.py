"""How the Hub is reached with the settings in force: its address, and the one access token."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from app.core.fetching import Fetching
from app.hub.token import Keychain, TokenKeeper

if TYPE_CHECKING:
    from app.hub.session import Hub

TOKEN_VARIABLE = "HF_TOKEN"
_HOST = "huggingface.co"


class HubAccess:
    """Knows how to make Hubs. The token is asked for when a request needs it, never in the window."""

    def __init__(
        self,
        fetching: Callable[[], Fetching],
        keychain: Keychain | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """keychain: the system's own when left out. environ: where HF_ENDPOINT and HF_TOKEN are looked up."""
        self._fetching = fetching
        self._environ = os.environ if environ is None else environ
        self.keeper = TokenKeeper(_HOST, keychain)

    @property
    def endpoint(self) -> str:
        """The address in force, as it was entered."""
        from app.hub.session import default_endpoint

        return self._fetching().endpoint or default_endpoint(self._environ)

    def maker(self, endpoint: str = "") -> Callable[[], Hub]:
        """Makes the Hub at this address, or at the one in force now; settings are read here, so a worker may call it.

        What is returned raises SettingError where that is no address.
        """
        address, elsewhere = endpoint or self.endpoint, self._fetching().token_elsewhere

        def make() -> Hub:
            from app.hub.session import Hub

            return Hub(address, self.token, token_elsewhere=elsewhere)

        return make

    def token(self) -> str | None:
        """The token from the keychain, else the one in HF_TOKEN; may wait for the keychain to be unlocked."""
        return self.keeper.token() or self._environ.get(TOKEN_VARIABLE, "").strip() or None


def import_ahead() -> Iterator[str]:
    """Import what talks to the Hub, a piece at a time, so that nobody waits for it when it is first wanted."""
    for name in ("app.hub.session", "app.hub.listing", "app.hub.download"):
        importlib.import_module(name)
        yield name
