"""The model pages over a Hub on loopback, and what is pressed in them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from tests.standin_hub.repos import HostedFile

ORCA = "TheBloke/Mistral-7B-OpenOrca-GGUF"
CARD = b"---\nlicense: apache-2.0\n---\n<div><img src='https://evil.example/x.png'></div>\n\n# Card\n\n[site](https://example.org)"


ORCA = "TheBloke/Mistral-7B-OpenOrca-GGUF"
CARD = b"---\nlicense: apache-2.0\n---\n<div><img src='https://evil.example/x.png'></div>\n\n# Card\n\n[site](https://example.org)"


def quant_files(name: str, content: bytes) -> dict[str, bytes | HostedFile]:
    return {
        f"{name}.Q2_K.gguf": HostedFile(b"GGUF", listed_size=3_083_000_000),
        f"{name}.Q4_K_M.gguf": content,
        f"{name}.Q8_0.gguf": HostedFile(b"GGUF", listed_size=7_700_000_000),
        "README.md": CARD,
    }


def button(place: QWidget, words: str) -> QPushButton:
    return next(b for b in place.findChildren(QPushButton) if b.text() == words and b.isVisible())


def known(page, entry_id: str):
    return next(row for row in page.home.catalogue.rows.rows() if row.key == entry_id)


def rows(view) -> list[str]:
    return [row.title for row in view.rows.rows()]


def open_orca(qtbot, page) -> None:
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
