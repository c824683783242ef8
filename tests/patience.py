"""Waits that no slow or busy computer makes fail: a limit is there only so that nothing hangs for ever."""

from __future__ import annotations

from typing import Any

from pytestqt.qtbot import QtBot

from app.services.lane import Lane

PATIENCE_S = 120
"""How long is waited for what must come. pytest's own limit for a whole test is longer."""


class PatientBot(QtBot):
    """pytest-qt's; its waits end with what they wait for, however long that takes, not after 5 seconds."""

    def waitUntil(self, callback: Any, *, timeout: int = 0) -> None:
        """As there."""
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_S * 1000))

    def waitSignal(self, signal: Any, *, timeout: int = 0, raising: bool | None = None, **more: Any) -> Any:
        """As there. Who does not want to hear of the limit waits for it (`assertNotEmitted`)."""
        patience = timeout if raising is False else max(timeout, PATIENCE_S * 1000)
        return super().waitSignal(signal, timeout=patience, raising=raising, **more)

    def waitSignals(self, signals: Any, *, timeout: int = 0, **more: Any) -> Any:
        """As there."""
        return super().waitSignals(signals, timeout=max(timeout, PATIENCE_S * 1000), **more)

    def waitExposed(self, widget: Any, *, timeout: int = 0) -> Any:
        """As there."""
        return super().waitExposed(widget, timeout=max(timeout, PATIENCE_S * 1000))

    def waitActive(self, widget: Any, *, timeout: int = 0) -> Any:
        """As there."""
        return super().waitActive(widget, timeout=max(timeout, PATIENCE_S * 1000))


def wait_for_lanes() -> None:
    """Have lanes that are closed wait as long for their threads, but where a test says that it is not to be long."""
    drain = Lane.drain

    def patient(self: Lane, timeout_s: float) -> bool:
        return drain(self, timeout_s if timeout_s < 1 else max(timeout_s, PATIENCE_S))

    Lane.drain = patient  # type: ignore[method-assign]
