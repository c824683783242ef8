"""What a selection in a rendered reply says as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.markdown_parse import BREAK_OPPORTUNITY
from app.ui.markdown_style import FORMULA_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QTextCursor


def selected_text(cursor: QTextCursor) -> str:
    """What is selected, as plain text: formulas as LaTeX, and without the break opportunities we put in."""
    text = cursor.selection().toPlainText()
    if "\ufffc" in text:
        parts = text.split("\ufffc")
        sources = list(_formula_sources(cursor))
        sources += [""] * (len(parts) - 1 - len(sources))
        text = "".join(part + source for part, source in zip(parts, [*sources, ""], strict=False))
    return text.replace(BREAK_OPPORTUNITY, "")


def _formula_sources(cursor: QTextCursor) -> Iterator[str]:
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    block = cursor.document().findBlock(start)
    while block.isValid() and block.position() < end:
        fragments = block.begin()
        while not fragments.atEnd():
            piece = fragments.fragment()
            form = piece.charFormat()
            if form.isImageFormat():
                inside = range(max(start, piece.position()), min(end, piece.position() + piece.length()))
                for _ in inside:  # two equal formulas side by side are one fragment
                    yield str(form.property(FORMULA_SOURCE) or "")
            fragments += 1
        block = block.next()
