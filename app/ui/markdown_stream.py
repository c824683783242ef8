"""The two blocks that grow line by line instead of being rewritten: an open code fence and an open table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtGui import QTextCursor

from app.ui.highlight import highlight, lexer_for, restart_line
from app.ui.markdown_parse import blocks, parse
from app.ui.markdown_style import TOP
from app.ui.markdown_table import append_rows, table_rows
from app.ui.markdown_writer import CodeCard

if TYPE_CHECKING:
    from PySide6.QtGui import QTextTable

    from app.ui.markdown_writer import BlockWriter

_MAY_CLOSE = re.compile(r" {0,3}[`~]+[ \t]*$")
_LONGEST_PARTIAL = 4000


class OpenFence:
    """A code block at the top level that may not be closed yet."""

    def __init__(self, writer: BlockWriter, language: str, mark: str, indent: int) -> None:
        self._writer = writer
        self._card = CodeCard(language)
        writer.cards.append(self._card)
        self._indent = re.compile(f" {{0,{indent}}}")
        self._closing = re.compile(f" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
        self._shows_partial = False
        self._new_from = 0

    def take(self, text: str, *, final: bool) -> tuple[int, bool]:
        """Write the complete lines of `text`, all that is behind the last taken one: (characters taken, closed).

        The document must end with the last taken line.
        """
        card, writer = self._card, self._writer
        if self._shows_partial:
            card.count -= 1
            self._shows_partial = False
        taken, closed = 0, False
        self._new_from = len(card.lines)
        while not closed and (end := text.find("\n", taken)) >= 0:
            line, taken = text[taken:end], end + 1
            closed = self._take_line(line)
        if final and not closed:
            if text[taken:].strip():
                self._take_line(text[taken:])
            taken, closed = len(text), True
        for line in card.lines[self._new_from :]:
            writer.code_line(card, line, TOP, last=False)
        if closed:
            self._close()
        return taken, closed

    def show_rest(self, text: str) -> None:
        """Show a line that is not complete; the next piece removes it again."""
        # What may become the closing mark is not shown before the line ends
        if text and not _MAY_CLOSE.match(text):
            shown = self._indent.sub("", text[:_LONGEST_PARTIAL], count=1)
            self._writer.code_line(self._card, shown, TOP, last=False)
            self._shows_partial = True
        self._colour_new()

    def _take_line(self, line: str) -> bool:
        if self._closing.match(line):
            return True
        self._card.lines.append(self._indent.sub("", line, count=1))
        return False

    def _close(self) -> None:
        card, writer = self._card, self._writer
        if not card.lines:
            card.lines.append("")
            writer.code_line(card, "", TOP, last=False)
        last = writer.document.findBlockByNumber(card.first_block + card.count - 1)
        QTextCursor(last).setBlockFormat(writer.style.closing_code_line(last.blockFormat()))
        writer.settled = True
        writer.colour(card)

    def _colour_new(self) -> None:
        card, writer = self._card, self._writer
        lexer = lexer_for(card.language)
        if lexer is None or not card.count:
            return
        document = writer.document
        shown = list(card.lines)
        if self._shows_partial:
            shown.append(document.lastBlock().text())
        start = restart_line(shown, min(self._new_from, len(shown) - 1))
        first = document.findBlockByNumber(card.first_block + start)
        for _ in highlight(document, first, shown[start:], lexer, writer.style):
            pass


class OpenTable:
    """A table at the top level to which rows may still come."""

    def __init__(self, writer: BlockWriter, table: QTextTable, header: str) -> None:
        self._writer, self._table, self._header = writer, table, header

    def take(self, text: str, *, final: bool) -> tuple[int, bool]:
        """Show the complete rows at the start of `text`: (characters taken for good, closed)."""
        end = len(text) if final else text.rfind("\n") + 1
        if end == 0:
            return 0, final
        tokens = parse(self._header + text[:end])
        table = next(blocks(tokens))
        rows = table_rows(tokens, table)[1:]
        self._table = append_rows(self._writer, self._table, rows)
        taken = 0
        for _ in range(len(rows)):
            taken = text.find("\n", taken) + 1 or len(text)
        closed = final or table.last < len(tokens) or len(rows) < text.count("\n", 0, end)
        return taken, closed
