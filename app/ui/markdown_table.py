"""Tables of a reply: reading their cells from tokens, filling them in, and adding rows while they stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlockFormat, QTextCursor, QTextLength, QTextTableFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token
    from PySide6.QtGui import QTextTable

    from app.ui.markdown_parse import Span
    from app.ui.markdown_writer import BlockWriter

# Qt lays out a whole table anew at every change, so a long one goes on in a second table with the same columns
ROWS_PER_TABLE = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text as an inline token, and where it stands."""

    header: bool
    alignment: Qt.AlignmentFlag
    inline: Token


def table_rows(tokens: Sequence[Token], span: Span) -> list[list[Cell]]:
    """The rows of the table at `span`, the header first."""
    rows: list[list[Cell]] = []
    for index in range(span.first, span.last):
        token = tokens[index]
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(Cell(token.type == "th_open", _alignment(token), tokens[index + 1]))
    return rows


def _alignment(token: Token) -> Qt.AlignmentFlag:
    style = str(token.attrGet("style") or "")
    if "right" in style:
        return Qt.AlignmentFlag.AlignRight
    return Qt.AlignmentFlag.AlignHCenter if "center" in style else Qt.AlignmentFlag.AlignLeft


def fill_table(writer: BlockWriter, table: QTextTable, rows: Sequence[Sequence[Cell]], first_row: int) -> None:
    """Write `rows` into the cells from `first_row` on."""
    header, body = writer.style.cell(header=True), writer.style.cell(header=False)
    for row_number, row in enumerate(rows, first_row):
        for column, content in enumerate(row):
            cell = table.cellAt(row_number, column)
            cursor = cell.firstCursorPosition()
            form = QTextBlockFormat(writer.style.block(bottom=0, line_height=128))
            form.setAlignment(content.alignment)
            cursor.setBlockFormat(form)
            cell.setFormat(header if content.header else body)
            writer.inline(content.inline, bold=content.header, cursor=cursor)


def append_rows(writer: BlockWriter, table: QTextTable, rows: Sequence[Sequence[Cell]]) -> QTextTable:
    """Add rows below `table`; the table that the next ones belong to."""
    rest = list(rows)
    while rest:
        room = ROWS_PER_TABLE - table.rows()
        if room > 0:
            part, rest, first_row = rest[:room], rest[room:], table.rows()
            table.appendRows(len(part))
        else:
            part, rest, first_row = rest[:1], rest[1:], 0
            table = _continue_below(writer, table)
        fill_table(writer, table, part, first_row)
    return table


def _continue_below(writer: BlockWriter, table: QTextTable) -> QTextTable:
    layout = writer.document.documentLayout()
    cells = [table.cellAt(0, column).firstCursorPosition().block() for column in range(table.columns())]
    widths = [
        QTextLength(QTextLength.Type.FixedLength, layout.blockBoundingRect(block).width() + 26) for block in cells
    ]
    upper = QTextTableFormat(table.format())
    upper.setColumnWidthConstraints(widths)
    upper.setBottomMargin(0)
    lower = QTextTableFormat(upper)
    lower.setHeaderRowCount(0)
    lower.setTopMargin(0)
    lower.setBottomMargin(12)
    table.setFormat(upper)
    writer.cursor.movePosition(QTextCursor.MoveOperation.End)
    writer.cursor.setBlockFormat(writer.style.hairline())
    writer.cursor.setBlockCharFormat(writer.style.tiny)
    made = writer.cursor.insertTable(1, table.columns(), lower)
    writer.after_table()
    return made
