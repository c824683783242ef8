"""How the Hub is reached with the settings in force: its address, and the one access token."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from app.core.fetching import Fetching
from app.hub.session import DEFAULT_ENDPOINT, Hub, default_endpoint
from app.hub.token import Keychain, TokenKeeper

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
        return self._fetching().endpoint or default_endpoint(self._environ) or DEFAULT_ENDPOINT

    def maker(self, endpoint: str = "") -> Callable[[], Hub]:
        """Makes the Hub at this address, or at the one in force now; settings are read here, so a worker may call it.

        What is returned raises SettingError where that is no address.
        """
        address, elsewhere = endpoint or self.endpoint, self._fetching().token_elsewhere
        return lambda: Hub(address, self.token, token_elsewhere=elsewhere)

    def token(self) -> str | None:
        """The token from the keychain, else the one in HF_TOKEN; may wait for the keychain to be unlocked."""
        return self.keeper.token() or self._environ.get(TOKEN_VARIABLE, "").strip() or None
