"""The frames around code, with language and Copy chip, and the bars beside quotes: painted, no part of the text."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QTextCursor

from app.ui.icons import icon
from app.ui.markdown_style import CODE_HEADER_HEIGHT, CODE_PADDING, QUOTE_DEPTH, QUOTE_INDENT, QUOTE_LEFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.ui.markdown_writer import CodeCard
    from app.ui.message_body import MessageBody
    from app.ui.theme import Theme

_CHIP_WIDTH, _CHIP_HEIGHT, _CHIP_ICON = 78, 26, 14


class CardPainter:
    """Knows where the code cards of a body are. `hovered` and `copied`: number of a card, -1 for none."""

    def __init__(self, body: MessageBody) -> None:
        self._body = body
        self.hovered = self.copied = -1

    def frame(self, card: CodeCard) -> QRectF:
        """Where the frame of a card is, in the viewport of the body."""
        document = self._body.document()
        layout, find = document.documentLayout(), document.findBlockByNumber
        top = layout.blockBoundingRect(find(card.first_block)).top() - CODE_HEADER_HEIGHT - CODE_PADDING
        bottom = layout.blockBoundingRect(find(card.first_block + card.count - 1)).bottom() + CODE_PADDING
        left = card.left + 0.5
        return QRectF(left, top + 0.5, self._body.viewport().width() - left - 0.5, bottom - top - 1)

    def chip(self, card: CodeCard) -> QRect:
        """Where the Copy chip of a card is, in the viewport of the body."""
        frame = self.frame(card)
        top = frame.top() + (CODE_HEADER_HEIGHT - _CHIP_HEIGHT) / 2
        return QRectF(frame.right() - _CHIP_WIDTH - 4, top, _CHIP_WIDTH, _CHIP_HEIGHT).toRect()

    def chip_at(self, position: QPoint) -> int:
        """Number of the card whose chip is there, or -1."""
        for number in self._between(position.y() - 1, position.y() + 1):
            if self.chip(self._body.markdown.cards[number]).contains(position):
                return number
        return -1

    def paint(self, painter: QPainter, area: QRect, theme: Theme) -> None:
        """Paint the cards in `area`, without their code."""
        font = QFont(theme.body_font)
        font.setPointSizeF(theme.small_pt)
        painter.setFont(font)
        for number in self._between(area.top(), area.bottom()):
            self._paint_card(painter, theme, number)

    def _paint_card(self, painter: QPainter, theme: Theme, number: int) -> None:
        card = self._body.markdown.cards[number]
        frame, chip = self.frame(card), QRectF(self.chip(card))
        painter.setPen(QPen(QColor(theme.code_border), 1))
        painter.setBrush(QColor(theme.code_bg))
        painter.drawRoundedRect(frame, 8, 8)
        line = frame.top() + CODE_HEADER_HEIGHT
        painter.drawLine(QPointF(frame.left() + 1, line), QPointF(frame.right() - 1, line))
        if number == self.hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.hover))
            painter.drawRoundedRect(chip, 6, 6)
        painter.setPen(QColor(theme.muted))
        title = QRectF(frame.left() + 14, frame.top(), frame.width() - _CHIP_WIDTH - 28, CODE_HEADER_HEIGHT)
        painter.drawText(title, Qt.AlignmentFlag.AlignVCenter, card.language or "text")
        done = number == self.copied
        picture = QRect(0, 0, _CHIP_ICON, _CHIP_ICON)
        picture.moveCenter(QPoint(int(chip.left()) + 16, int(chip.center().y())))
        icon("check" if done else "copy", theme.ok if done else theme.muted, _CHIP_ICON).paint(painter, picture)
        painter.drawText(chip.adjusted(28, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "Copied" if done else "Copy")

    def _between(self, top: int, bottom: int) -> Iterator[int]:
        cards = self._body.markdown.cards
        if not cards:
            return
        block = self._body.cursorForPosition(QPoint(0, top)).blockNumber()
        first = max(0, bisect_right(cards, block, key=attrgetter("first_block")) - 1)
        for number in range(first, len(cards)):
            if cards[number].count:
                if self.frame(cards[number]).top() > bottom:
                    return
                yield number


def paint_quotes(body: MessageBody, painter: QPainter, area: QRect, theme: Theme) -> None:
    """Paint the bars of the quotes in `area`; blocks of one quote share a bar."""
    layout = body.document().documentLayout()
    block = body.cursorForPosition(area.topLeft()).block().previous()
    if not block.isValid():
        block = body.document().firstBlock()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.control))
    depth_above, above = 0, 0.0
    while block.isValid():
        if (table := QTextCursor(block).currentTable()) is not None:
            # Qt crashes when asked where a cell is before it has laid out the table; there are no quotes in it anyway
            block = body.document().findBlock(table.lastPosition() + 1)
            continue
        frame = layout.blockBoundingRect(block)
        if frame.top() > area.bottom() + 100:
            return
        depth = int(block.blockFormat().property(QUOTE_DEPTH) or 0)
        left = int(block.blockFormat().property(QUOTE_LEFT) or 0)
        for level in range(depth):
            top = above if level < depth_above else frame.top()
            painter.drawRect(QRectF(left + level * QUOTE_INDENT, top, 3, frame.bottom() - top - 2))
        depth_above, above = depth, frame.bottom() - 2
        block = block.next()
