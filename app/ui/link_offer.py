"""What is asked before a link that a model or a stranger wrote is followed."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from app.services.notice import Notice


def link_offer(address: str) -> Notice:
    """A bar that shows the whole address, opens it in the browser, or copies it."""

    def copy() -> None:
        QGuiApplication.clipboard().setText(address)

    def follow() -> None:
        QDesktopServices.openUrl(QUrl(address))

    return Notice("Open this link?", address, actions=(("Open in the browser", follow), ("Copy the address", copy)))
