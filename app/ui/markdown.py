"""A reply in Markdown that grows: finished blocks are written once, only the live one at the end is written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QFont, QTextBlockFormat, QTextCursor

from app.ui.markdown_parse import Span, blocks, cut_point, line_starts, parse
from app.ui.markdown_stream import OpenFence, OpenTable
from app.ui.markdown_style import LIST_INDENT, TOP
from app.ui.markdown_writer import BlockWriter, CodeCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtGui import QTextDocument

    from app.ui.formula import FormulaKey, Formulas
    from app.ui.markdown_style import MarkdownStyle

# What no other rule ends is ended here, so that no shape of text can make an update slow
_LONGEST_LIVE = 16_000
_ROWS_BEFORE_OPEN = 1
_PLACED_AT_ONCE = 20
_NESTING = ("bullet_list_open", "ordered_list_open", "blockquote_open")


class MarkdownDocument:
    """Fills a QTextDocument from Markdown that comes in pieces; any cut into pieces gives the same document."""

    def __init__(
        self,
        document: QTextDocument,
        style: MarkdownStyle,
        formulas: Formulas | None,
        defer: Callable[[Iterator[None]], None],
    ) -> None:
        self.document = document
        self._formulas, self._defer = formulas, defer
        self.source = ""
        self.reset(style)

    def reset(self, style: MarkdownStyle) -> None:
        """Empty the document and begin again."""
        document = self.document
        document.clear()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(LIST_INDENT)
        font = QFont(style.theme.body_font)
        font.setPointSizeF(style.theme.font_pt)
        document.setDefaultFont(font)
        self._writer = BlockWriter(document, style, self._formulas, self._defer)
        self.source, self._held = "", ""
        self._stable = 0  # source before this is final
        self._live_block = 0  # the document is final up to the end of this block, or to its start if that is fresh
        self._live_fresh, self._live_format = True, QTextBlockFormat()
        self._live_cards = self._live_waiting = 0
        self._fence: OpenFence | None = None
        self._table: OpenTable | None = None
        self._next_number: int | None = None  # of the first item, where the source after _stable goes on with a list
        self._continues = False  # the source after _stable goes on with a paragraph that was cut

    @property
    def cards(self) -> list[CodeCard]:
        """The code blocks, in order."""
        return self._writer.cards

    @property
    def live_position(self) -> int:
        """Where the text begins that the next piece may rewrite."""
        block = self.document.findBlockByNumber(self._live_block)
        return block.position() if self._live_fresh else block.position() + block.length() - 1

    def append(self, text: str) -> None:
        """Add text at the end and show it."""
        self._take(text)
        self._flush(final=False)

    def finish(self, text: str = "") -> None:
        """Add the last text; no more will come."""
        self._take(text, final=True)
        self._flush(final=True)

    def place_formula(self, key: FormulaKey) -> None:
        """Put the picture of a formula where its source still stands."""
        if any(entry.key == key for entry in self._writer.waiting):
            steps = self._place_steps(key)
            next(steps, None)
            self._defer(steps)

    def _place_steps(self, key: FormulaKey) -> Iterator[None]:
        waiting = self._writer.waiting
        found = self._formulas.find(key) if self._formulas else None
        while found is not None and (mine := [entry for entry in waiting if entry.key == key][:_PLACED_AT_ONCE]):
            pen = QTextCursor(self.document)
            pen.beginEditBlock()
            for entry in mine:
                if entry.cursor.hasSelection():
                    self._writer.insert_picture(entry.cursor, key, found)
            pen.endEditBlock()
            placed = {id(entry) for entry in mine}
            self._live_waiting -= sum(id(entry) in placed for entry in waiting[: self._live_waiting])
            waiting[:] = [entry for entry in waiting if id(entry) not in placed]
            yield

    def _take(self, text: str, *, final: bool = False) -> None:
        text = self._held + text
        # A carriage return may be half of a line end
        self._held = "\r" if text.endswith("\r") and not final else ""
        text = text[: len(text) - len(self._held)].replace("\r\n", "\n").replace("\r", "\n")
        if not text.isascii():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self.source += text

    def _flush(self, *, final: bool) -> None:
        pen = QTextCursor(self.document)
        pen.beginEditBlock()
        try:
            while self._advance(final):
                pass
        finally:
            pen.endEditBlock()

    def _advance(self, final: bool) -> bool:
        """Write what can be written now; True when something became final and the rest should be looked at again."""
        if self._fence is not None:
            return self._grow_fence(self._fence, final)
        if self._table is not None:
            return self._grow_table(self._table, final)
        base, tail = self._stable, self.source[self._stable :]
        if not tail:
            return False
        part = _Parsed(tail, base)
        if not part.spans:
            self._stable += part.starts[part.complete]
            return False
        done = len(part.spans) if final else len(part.spans) - 1
        # "#" may still become "#tag": a block ends only when the first line of the next one is complete
        if not final and done and part.spans[-1].line_first >= part.complete:
            done -= 1
        self._clear_live()
        self._writer.settled = True
        for index, span in enumerate(part.spans[:done]):
            if self._cut_paragraph(part, span):
                return True
            self._write_block(part, span, first=index == 0)
        if done:
            self._commit(len(self.source) if done == len(part.spans) else part.position(part.spans[done]))
        return bool(part.spans[done:]) and self._write_live(part, part.spans[done:])

    def _write_live(self, part: _Parsed, rest: list[Span]) -> bool:
        first = rest[0]
        kind = part.tokens[first.first].type
        self._writer.settled = False
        if len(rest) == 1:
            if kind == "fence" and first.line_first + 1 >= len(part.starts):
                return False  # the language is not complete
            if (
                self._cut_paragraph(part, first)
                or (kind == "fence" and self._open_fence(part, first))
                or (kind == "table_open" and self._open_table(part, first))
                or (kind in _NESTING and self._settle_children(part, first))
            ):
                return True
        for index, span in enumerate(rest):
            self._write_block(part, span, first=index == 0)
        if len(part.tail) - part.starts[first.line_first] > _LONGEST_LIVE:
            self._settle_by_force(part)
        return False

    def _write_block(self, part: _Parsed, span: Span, *, first: bool) -> None:
        number, continues = (self._next_number, self._continues) if first else (None, False)
        self._writer.block(part.tokens, span, TOP, number, continues=continues)

    def _cut_paragraph(self, part: _Parsed, span: Span) -> bool:
        if part.tokens[span.first].type != "paragraph_open":
            return False
        start = part.starts[span.line_first]
        end = part.starts[span.line_last] if span.line_last < len(part.starts) else len(part.tail)
        cut = cut_point(part.tail[start:end])
        if cut:
            self._write_settled(part.tail[start : start + cut])
            tight = QTextBlockFormat(self._writer.cursor.blockFormat())
            tight.setBottomMargin(0)
            self._writer.cursor.setBlockFormat(tight)
            self._commit(part.base + start + cut)
            self._continues = True
        return bool(cut)

    def _settle_children(self, part: _Parsed, span: Span) -> bool:
        """The finished items of a list that still grows, or parts of a quote, are final too."""
        children = list(blocks(part.tokens, span.first + 1, span.last - 1))
        if len(children) < 2 or children[-1].line_first >= part.complete:
            return False
        self._writer.settled = True
        number = None
        if part.tokens[span.first].type == "blockquote_open":
            for child in children[:-1]:
                self._writer.block(part.tokens, child, TOP.quoted())
        else:
            number = self._writer.list_items(part.tokens, span, children[:-1], TOP, self._next_number)
        self._commit(part.position(children[-1]))
        self._next_number = number
        return True

    def _open_fence(self, part: _Parsed, span: Span) -> bool:
        token = part.tokens[span.first]
        line = part.tail[part.starts[span.line_first] : part.starts[span.line_first + 1]]
        language = (token.info.split() or [""])[0]
        self._fence = OpenFence(self._writer, language, token.markup, len(line) - len(line.lstrip(" ")))
        self._commit(part.base + part.starts[span.line_first + 1])
        return True

    def _open_table(self, part: _Parsed, span: Span) -> bool:
        if span.line_last < part.complete or part.complete - span.line_first <= _ROWS_BEFORE_OPEN + 2:
            return False
        start, end = part.starts[span.line_first], part.starts[part.complete]
        self._write_settled(part.tail[start:end])
        if self._writer.last_table is not None:
            header = part.tail[start : part.starts[span.line_first + 2]]
            self._table = OpenTable(self._writer, self._writer.last_table, header)
        self._commit(part.base + end)
        return True

    def _grow_fence(self, fence: OpenFence, final: bool) -> bool:
        self._clear_live()
        taken, closed = fence.take(self.source[self._stable :], final=final)
        self._commit(self._stable + taken)
        if closed:
            self._fence = None
        else:
            fence.show_rest(self.source[self._stable :])
        return closed

    def _grow_table(self, table: OpenTable, final: bool) -> bool:
        taken, closed = table.take(self.source[self._stable :], final=final)
        self._commit(self._stable + taken)
        if closed:
            self._table = None
        return closed

    def _settle_by_force(self, part: _Parsed) -> None:
        end = max(part.tail.rfind("\n"), part.tail.rfind(" ")) + 1
        if end < len(part.tail) - _LONGEST_LIVE // 4:
            end = len(part.tail)
        self._clear_live()
        self._write_settled(part.tail[:end])
        self._commit(part.base + end)

    def _write_settled(self, source: str) -> None:
        tokens = parse(source)
        self._writer.settled = True
        for index, span in enumerate(blocks(tokens)):
            self._writer.block(tokens, span, continues=index == 0 and self._continues)

    def _commit(self, stable: int) -> None:
        """All that is in the document now is final, and stands for the source before `stable`."""
        writer = self._writer
        writer.cursor.movePosition(QTextCursor.MoveOperation.End)
        self._stable, self._next_number, self._continues = stable, None, False
        self._live_block = writer.cursor.blockNumber()
        self._live_fresh, self._live_format = writer.fresh, writer.cursor.blockFormat()
        self._live_cards, self._live_waiting = len(writer.cards), len(writer.waiting)

    def _clear_live(self) -> None:
        writer, cursor = self._writer, self._writer.cursor
        cursor.setPosition(self.live_position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        if cursor.hasSelection():
            cursor.removeSelectedText()
        del writer.cards[self._live_cards :], writer.waiting[self._live_waiting :]
        writer.fresh = self._live_fresh
        # Qt gives a block that was emptied the format, and the colours, of the one removed behind it
        if cursor.block().length() == 1:
            cursor.block().layout().clearFormats()
            if self._live_fresh and (written := cursor.currentList()) is not None:
                written.remove(cursor.block())
            cursor.setBlockFormat(self._live_format)


class _Parsed:
    """The source behind what is final, parsed. `base`: where it begins in the whole source."""

    def __init__(self, tail: str, base: int) -> None:
        self.tail, self.base = tail, base
        self.tokens = parse(tail)
        self.spans = list(blocks(self.tokens))
        self.starts = line_starts(tail)
        self.complete = len(self.starts) - 1

    def position(self, span: Span) -> int:
        """Where `span` begins in the whole source."""
        return self.base + self.starts[span.line_first]
