"""The access token for the Hub: kept in the system's keychain, and nowhere else."""

from __future__ import annotations

import logging
from typing import Protocol, cast

from app.core.errors import HubTokenError, StorageError
from app.hub.session import prepare_environment

log = logging.getLogger(__name__)

_SERVICE = "Orcinus"
_CHARS = range(8, 500)


class NoKeychainError(Exception):
    """This system has no keychain that may be used; shown to nobody as it is."""


class Keychain(Protocol):
    """As much of keyring's interface as is needed here."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret kept under this name."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret under this name."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""


class TokenKeeper:
    """The token of one Hub, by its host. Its methods may wait for the keychain to be unlocked: never in the window.

    Where there is no keychain the token is held until the program ends.
    """

    def __init__(self, host: str, keychain: Keychain | None = None) -> None:
        """keychain: the system's own when left out."""
        self._host = host
        self._keychain = keychain
        self._held: str | None = None
        self._asked = False

    def __repr__(self) -> str:
        return f"TokenKeeper({self._host!r})"  # never the token: this may stand in a crash report

    def token(self) -> str | None:
        """The token, or None. The keychain is asked once; one that cannot be used has none."""
        if not self._asked:
            self._asked = True
            try:
                self._held = self._chain().get_password(_SERVICE, self._host)
            except Exception as error:  # noqa: BLE001  (each system's keychain raises what it likes)
                log.info("The keychain gave no token: %s", type(error).__name__)
        return self._held

    def keep(self, text: str) -> None:
        """Keep a token.

        Raises HubTokenError for something that cannot be one, and StorageError where it is held for now but cannot be
        kept beyond the end of the program.
        """
        token = checked(text)
        self._held, self._asked = token, True
        try:
            chain = self._chain()
            chain.set_password(_SERVICE, self._host, token)
            if (
                chain.get_password(_SERVICE, self._host) != token
            ):  # keyring's null backend keeps nothing and says nothing
                raise NoKeychainError
        except Exception as error:  # each system's keychain raises what it likes
            raise StorageError(
                "The access token cannot be kept",
                "This computer has no keychain that Orcinus may use, and a token never goes into a file.",
                "It is used until Orcinus closes. On Linux, GNOME Keyring or KWallet would keep it; elsewhere, "
                "allow Orcinus to use the keychain.",
            ) from error

    def forget(self) -> None:
        """Remove the token. Raises StorageError where the keychain does not let go of it."""
        self._held, self._asked = None, True
        try:
            chain = self._chain()
            if chain.get_password(_SERVICE, self._host) is not None:
                chain.delete_password(_SERVICE, self._host)
        except NoKeychainError:
            return
        except Exception as error:  # each system's keychain raises what it likes
            raise StorageError(
                "The access token is still in the keychain",
                "The keychain did not allow Orcinus to remove it. It is not used any more.",
                f'Remove the entry "{_SERVICE}" in the system\'s password manager.',
            ) from error

    def _chain(self) -> Keychain:
        if self._keychain is None:
            self._keychain = system_keychain()
        return self._keychain


def system_keychain() -> Keychain:
    """The first real keychain of this system. Raises NoKeychainError where there is none.

    Those of keyrings.alt are passed over: they are files.
    """
    import keyring  # slow to import, and on some systems it starts a service

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", None) or [chosen]:
        if not type(backend).__module__.startswith(("keyrings.alt", "keyring.backends.fail", "keyring.backends.null")):
            return cast("Keychain", backend)
    raise NoKeychainError


def checked(text: str) -> str:
    """The token without what was copied along with it; raises HubTokenError for what cannot be one."""
    token = text.strip().strip("\"'").removeprefix("Bearer ").strip()
    if len(token) not in _CHARS or not token.isascii() or not token.isprintable() or " " in token:
        raise HubTokenError(
            "That is no access token",
            "A token is one word without spaces that usually begins with hf_.",
            "Copy it whole from the access tokens page of your account on the Hub.",
        )
    return token


def token_of_hf_login() -> str | None:
    """The token that `hf auth login` or HF_TOKEN has for this person; only to be asked when the person wants that.

    May ask the network, to renew it. None where there is none or it cannot be had.
    """
    prepare_environment()
    from huggingface_hub import get_token  # slow to import
    from huggingface_hub.utils import httpx

    try:
        return get_token()
    except (httpx.HTTPError, OSError, ValueError):
        return None
