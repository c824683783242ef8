"""Writes parsed Markdown at the end of a text document, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QFontInfo,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
    QTextListFormat,
)

from app.ui.formula import FormulaKey
from app.ui.highlight import AT_ONCE_LINES, highlight, lexer_for
from app.ui.markdown_parse import Span, blocks, safe_link, showable
from app.ui.markdown_style import FORMULA_SOURCE, TOP, Place
from app.ui.markdown_table import fill_table, table_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from markdown_it.token import Token
    from PySide6.QtGui import QTextList, QTextTable

    from app.ui.formula import FormulaImage, Formulas
    from app.ui.markdown_style import MarkdownStyle

_CLOSING = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_BULLETS = (QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListCircle, QTextListFormat.Style.ListSquare)
_TASKS = {
    "[ ] ": QTextBlockFormat.MarkerType.Unchecked,
    "[x] ": QTextBlockFormat.MarkerType.Checked,
    "[X] ": QTextBlockFormat.MarkerType.Checked,
}


@dataclass(slots=True)
class CodeCard:
    """A code block as it stands in the document: `count` text blocks from number `first_block` on; `left` in pixels."""

    language: str
    first_block: int = -1
    left: int = 0
    lines: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def text(self) -> str:
        """The code, as a person wants it in the clipboard."""
        return "\n".join(self.lines)


@dataclass(slots=True)
class WaitingFormula:
    """A formula whose source is shown until its picture is there; the cursor has that source selected."""

    key: FormulaKey
    cursor: QTextCursor


class BlockWriter:
    """The pen: one cursor that only ever writes at the end of the document.

    `fresh` says that the last block of the document is an empty one to be used up, as at the start or behind a table.
    `settled` says that what is written now is never rewritten, so that its code may be coloured later.
    """

    def __init__(
        self,
        document: QTextDocument,
        style: MarkdownStyle,
        formulas: Formulas | None,
        defer: Callable[[Iterator[None]], None],
    ) -> None:
        self.document, self.style = document, style
        self.cursor = QTextCursor(document)
        self.fresh = True
        self.settled = False
        self.cards: list[CodeCard] = []
        self.waiting: list[WaitingFormula] = []
        self.last_table: QTextTable | None = None
        self._formulas, self._defer = formulas, defer
        self._formula_family = QFontInfo(style.text.font()).family()
        self._formula_size_px = float(QFontInfo(style.text.font()).pixelSize())

    def block(
        self,
        tokens: Sequence[Token],
        span: Span,
        place: Place = TOP,
        number: int | None = None,
        *,
        continues: bool = False,
    ) -> None:
        """Write one block. `number` is that of the first item where an ordered list goes on.

        `continues` tells that a paragraph is the second half of the one above.
        """
        token, style = tokens[span.first], self.style
        match token.type:
            case "paragraph_open":
                # The greater of two margins counts: this one keeps a paragraph off a list above it
                self.new_block(style.block(place, top=0 if self.fresh or continues else 10))
                self.inline(tokens[span.first + 1])
            case "heading_open":
                self._heading(tokens, span, place)
            case "fence" | "code_block":
                language = (token.info.split() or [""])[0] if token.type == "fence" else ""
                self.code(language, token.content.removesuffix("\n").split("\n"), place)
            case "bullet_list_open" | "ordered_list_open":
                self.list_items(tokens, span, list(blocks(tokens, span.first + 1, span.last - 1)), place, number)
            case "blockquote_open":
                inner = place.quoted()
                for child in blocks(tokens, span.first + 1, span.last - 1):
                    self.block(tokens, child, inner)
            case "table_open":
                self._table(tokens, span, place)
            case "formula_block":
                self.new_block(style.block(place, top=4, bottom=14, line_height=100))
                self.formula(token, self.style.text, display=True)
            case "hr":
                self.new_block(style.rule(place))
            case _:
                self.new_block(style.block(place))
                self.insert(token.content.strip("\n").replace("\n", "\u2028"), style.text)

    def new_block(self, form: QTextBlockFormat, char: QTextCharFormat | None = None) -> None:
        """Begin a paragraph at the end of the document."""
        char = char or self.style.text
        self.cursor.movePosition(QTextCursor.MoveOperation.End)
        if self.fresh:
            self.cursor.setBlockFormat(form)
            self.cursor.setBlockCharFormat(char)
            self.fresh = False
        else:
            self.cursor.insertBlock(form, char)

    def insert(self, text: str, char: QTextCharFormat, cursor: QTextCursor | None = None) -> None:
        """Write literal text; nothing in it can begin a block or anything else."""
        (cursor or self.cursor).insertText(showable(text), char)

    def code_line(self, card: CodeCard, line: str, place: Place, *, last: bool) -> None:
        """Write one line of a card; the caller keeps `lines`."""
        first = card.count == 0
        if first and self.fresh:
            # Qt leaves out the margin above the first block of a document or below a table: the header stands there
            self.new_block(self.style.hairline(), self.style.tiny)
        above = self.cards[-2] if first and len(self.cards) > 1 else None
        below_card = above is not None and above.first_block + above.count == self.document.blockCount()
        form = self.style.code_line(place, first=first, last=last, below_card=below_card)
        self.new_block(form, self.style.code)
        if first:
            card.first_block, card.left = self.cursor.blockNumber(), place.left
        card.count += 1
        self.insert(line, self.style.code)

    def code(self, language: str, lines: list[str], place: Place = TOP) -> CodeCard:
        """Write a whole card."""
        card = CodeCard(language, lines=lines)
        self.cards.append(card)
        for number, line in enumerate(lines, 1):
            self.code_line(card, line, place, last=number == len(lines))
        self.colour(card)
        return card

    def colour(self, card: CodeCard) -> None:
        """Highlight a whole card, a long one bit by bit in the background."""
        lexer = lexer_for(card.language)
        if lexer is None or not card.count:
            return
        first = self.document.findBlockByNumber(card.first_block)
        steps = highlight(self.document, first, card.lines, lexer, self.style)
        if card.count <= AT_ONCE_LINES:
            for _ in steps:
                pass
        elif self.settled:
            self._defer(steps)

    def list_items(
        self, tokens: Sequence[Token], span: Span, items: Sequence[Span], place: Place, number: int | None = None
    ) -> int:
        """Write some items of the list at `span`; the number that the next item would have."""
        token = tokens[span.first]
        form = QTextListFormat()
        form.setIndent(place.indent + 1)
        start = 0
        if token.type == "ordered_list_open":
            start = int(token.attrGet("start") or 1) if number is None else number
            form.setStyle(QTextListFormat.Style.ListDecimal)
            form.setStart(start)
        else:
            form.setStyle(_BULLETS[min(place.indent, 2)])
        written: QTextList | None = None
        for item in items:
            written = self._item(tokens, item, place, form, written)
        return start + len(items)

    def _item(
        self, tokens: Sequence[Token], item: Span, place: Place, form: QTextListFormat, written: QTextList | None
    ) -> QTextList:
        inner = place.listed()
        children = list(blocks(tokens, item.first + 1, item.last - 1))
        self.new_block(self.style.block(place.unlisted(), bottom=4))
        if written is None:
            written = self.cursor.createList(form)
        else:
            written.add(self.cursor.block())
        if children and tokens[children[0].first].type == "paragraph_open":
            self._task_marker(tokens[children[0].first + 1])
            self.inline(tokens[children[0].first + 1])
            del children[0]
        for child in children:
            if tokens[child.first].type == "paragraph_open":
                self.new_block(self.style.block(inner, bottom=4))
                self.inline(tokens[child.first + 1])
            else:
                self.block(tokens, child, inner)
        return written

    def _task_marker(self, inline: Token) -> None:
        first = inline.children[0] if inline.children else None
        marker = _TASKS.get(first.content[:4]) if first is not None and first.type == "text" else None
        if first is None or marker is None:
            return
        first.content = first.content[4:]
        form = QTextBlockFormat(self.cursor.blockFormat())
        form.setMarker(marker)
        self.cursor.setBlockFormat(form)

    def _heading(self, tokens: Sequence[Token], span: Span, place: Place) -> None:
        level = int(tokens[span.first].tag[1])
        top = 0 if self.fresh and self.cursor.block().blockNumber() == 0 else 8
        form = self.style.block(place, top=top, bottom=8, heading=level, line_height=125)
        self.new_block(form, self.style.char(heading=level))
        self.inline(tokens[span.first + 1], heading=level)

    def _table(self, tokens: Sequence[Token], span: Span, place: Place) -> None:
        rows = table_rows(tokens, span)
        self.new_block(self.style.hairline(), self.style.tiny)
        columns = max(len(row) for row in rows)
        self.last_table = self.cursor.insertTable(len(rows), columns, self.style.table(place))
        fill_table(self, self.last_table, rows, 0)
        self.after_table()

    def after_table(self) -> None:
        """Make the block that Qt puts behind a table the next one to be written in."""
        self.cursor.movePosition(QTextCursor.MoveOperation.End)
        self.cursor.setBlockFormat(self.style.hairline())
        self.cursor.setBlockCharFormat(self.style.tiny)
        self.fresh = True

    def inline(self, token: Token, *, bold: bool = False, heading: int = 0, cursor: QTextCursor | None = None) -> None:
        """Write the text of a block, with its emphasis, links and formulas."""
        pen = cursor or self.cursor
        strong, italic, strike, links = int(bold), 0, 0, [""]
        for child in token.children or ():
            char = self.style.char(
                bold=strong > 0,
                italic=italic > 0,
                strike=strike > 0,
                link=links[-1],
                heading=heading,
                code=child.type == "code_inline",
            )
            match child.type:
                case "strong_open" | "strong_close":
                    strong += child.nesting
                case "em_open" | "em_close":
                    italic += child.nesting
                case "s_open" | "s_close":
                    strike += child.nesting
                case "link_open":
                    links.append(safe_link(child.attrGet("href")))
                case "link_close":
                    links.pop()
                case "softbreak" | "hardbreak":
                    pen.insertText("\u2028", char)
                case "image":
                    self._image_link(child, pen, heading)
                case "formula":
                    self.formula(child, char, display=child.markup in ("$$", "\\["), cursor=pen)
                case _:
                    if child.content:
                        self.insert(child.content, char, pen)

    def _image_link(self, token: Token, pen: QTextCursor, heading: int) -> None:
        # A picture could tell its server that this message was read, so it is only ever a link
        address = str(token.attrGet("src") or "")
        char = self.style.char(link=safe_link(address), heading=heading)
        self.insert(f"Image: {token.content or address}", char, pen)

    def formula(self, token: Token, char: QTextCharFormat, *, display: bool, cursor: QTextCursor | None = None) -> None:
        """Write a formula: its picture, or its source until the picture is there."""
        pen = cursor or self.cursor
        scale = char.fontPointSize() / self.style.text.fontPointSize()
        key = FormulaKey(
            token.content, display, self._formula_size_px * scale, self.style.theme.text, self._formula_family
        )
        found = self._formulas.find(key) if self._formulas else None
        if found is not None:
            self.insert_picture(pen, key, found)
            return
        start = pen.position()
        self.insert(token.markup + token.content.replace("\n", " ") + _CLOSING[token.markup], char, pen)
        if self._formulas and self._formulas.want(key):
            selection = QTextCursor(self.document)
            selection.setKeepPositionOnInsert(True)
            selection.setPosition(start)
            selection.setPosition(pen.position(), QTextCursor.MoveMode.KeepAnchor)
            self.waiting.append(WaitingFormula(key, selection))

    def insert_picture(self, cursor: QTextCursor, key: FormulaKey, found: FormulaImage) -> None:
        """Write a drawn formula at `cursor`, in place of what it has selected."""
        self.document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(found.name), found.image)
        form = QTextImageFormat()
        form.merge(self.style.text)
        form.setName(found.name)
        form.setWidth(found.width)
        form.setHeight(found.height)
        form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
        form.setProperty(FORMULA_SOURCE, f"$${key.source}$$" if key.display else f"${key.source}$")
        cursor.insertImage(form)
