"""Rendering Markdown without a widget, and looking at what came out."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QTextCursor, QTextDocument

from app.ui.markdown import MarkdownDocument
from app.ui.markdown_style import MarkdownStyle
from app.ui.theme import LIGHT


def run(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def new_document(style: MarkdownStyle | None = None) -> MarkdownDocument:
    document = QTextDocument()
    document.setTextWidth(700)
    return MarkdownDocument(document, style or MarkdownStyle(LIGHT), None, run)


def rendered(text: str) -> MarkdownDocument:
    made = new_document()
    made.finish(text)
    return made


def streamed(text: str, size: int = 1) -> MarkdownDocument:
    made = new_document()
    for start in range(0, len(text), size):
        made.append(text[start : start + size])
    made.finish()
    return made


def shape(made: MarkdownDocument) -> list[tuple[object, ...]]:
    """All that decides how each block looks, down to the colours of its code and the format of its words."""
    found = []
    block = made.document.begin()
    while block.isValid():
        written, form = block.textList(), block.blockFormat()
        words, pieces, colours = [], block.begin(), block.layout().formats()
        while not pieces.atEnd():
            char = pieces.fragment().charFormat()
            word = pieces.fragment().text()
            words.append((word, char.fontWeight(), char.fontItalic(), char.fontStrikeOut(), char.anchorHref()))
            pieces += 1
        found.append(
            (
                block.text(),
                words,
                (written.itemText(block), written.format().indent(), written.format().style().name) if written else (),
                form.indent(),
                form.leftMargin(),
                form.topMargin(),
                form.bottomMargin(),
                form.headingLevel(),
                form.marker().name,
                form.alignment(),
                QTextCursor(block).currentTable() is not None,
                [(part.start, part.length, part.format.foreground().color().name()) for part in colours],
            )
        )
        block = block.next()
    return found


def texts(made: MarkdownDocument) -> list[str]:
    return [block[0] for block in shape(made) if block[0]]


def links(made: MarkdownDocument) -> set[str]:
    return {word[4] for block in shape(made) for word in block[1] if word[4]}
