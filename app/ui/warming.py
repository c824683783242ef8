"""Loads what the first replies would otherwise wait for: the transcript, lexers, the formula painter.

Run in a worker: 300 ms of imports in the GUI thread would be felt. Nothing here touches a widget or an object of Qt.
"""

from __future__ import annotations

from collections.abc import Iterator

_SAMPLES = ("https://example.org `a` **b**", "| a |\n|---|\n| 1 |")


def warm_up() -> Iterator[None]:
    """One thing a step."""
    from app.ui import chat_rows, transcript
    from app.ui.formula import load_modules
    from app.ui.highlight import warm
    from app.ui.markdown_parse import parse

    del chat_rows, transcript
    yield
    for sample in _SAMPLES:
        parse(sample)
        yield
    yield from warm()
    yield from load_modules()
