"""Paints the rows of a list of models."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.ui.icons import icon
from app.ui.row_layout import GAP_PX, ICON_PX, SIDE_PX, RowLayout
from app.ui.row_list import Cell, Column, Row
from app.ui.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_RIGHT_CUT = Qt.TextElideMode.ElideRight


class RowDelegate(QStyledItemDelegate):
    """Paints titles and rows; `pointed` is the row whose button is under the mouse."""

    def __init__(self, columns: tuple[Column, ...], theme: Theme, parent: QWidget, *, tiles: bool, button: str) -> None:
        super().__init__(parent)
        self._columns, self._theme = columns, theme
        self._tiles, self._button = tiles, button
        self.pointed = ""

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme

    def _font(self, font: QFont, *, small: bool = False, bold: bool = False) -> QFont:
        made = QFont(font)
        if small:
            made.setPointSizeF(self._theme.small_pt)
        made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return made

    def layout_of(self, width_px: int, metrics: QFontMetrics) -> RowLayout:
        """Where the parts of rows lie in a list of this width."""
        return RowLayout.of(width_px, self._columns, metrics, tiles=self._tiles, button=self._button)

    def height_of(self, row: Row, layout: RowLayout, metrics: QFontMetrics) -> int:
        """How high a row is; one whose cells found no room has a second line for them."""
        if row.heading:
            return metrics.height() + 14
        two = bool(self._note(row, layout)) or self._tiles or any(cell.share is not None for cell in row.cells)
        return metrics.height() * (2 if two else 1) + (22 if two else 24)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows follow the size of the text."""
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        width = option.widget.width() if option.widget is not None else option.rect.width()
        return QSize(10, self.height_of(row, self.layout_of(width, option.fontMetrics), option.fontMetrics))

    def _left_out(self, row: Row, layout: RowLayout) -> list[Cell]:
        """The cells without room of their own, those that matter most first."""
        places = sorted(range(len(row.cells)), key=lambda place: -self._columns[place].keep)
        return [row.cells[place] for place in places if place not in layout.shown and row.cells[place].text]

    def _note(self, row: Row, layout: RowLayout) -> str:
        left_out = [cell.text for cell in self._left_out(row, layout)]
        return " · ".join([*left_out, row.note] if row.note else left_out)

    # --- painting ---------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the titles, or a row."""
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layout = self.layout_of(option.rect.width(), option.fontMetrics)
        if row.heading:
            self._paint_titles(painter, option, row, layout)
        else:
            self._paint_ground(painter, option, row)
            self._paint_name(painter, option, row, layout)
            for place, left, width in layout.columns:
                box = layout.cell_box(option.rect, left, width)
                self._paint_cell(painter, option.font, box, row.cells[place], right=self._columns[place].right)
            if row.button and layout.button_px:
                self._paint_button(painter, option, row, layout.button_box(option.rect, option.fontMetrics))
        painter.restore()

    def _paint_titles(self, painter: QPainter, option: QStyleOptionViewItem, row: Row, layout: RowLayout) -> None:
        painter.setFont(self._font(option.font, small=True, bold=True))
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(option.rect.adjusted(SIDE_PX, 2, 0, 0), int(_LEFT), row.title)
        for place, left, width in layout.columns:
            box = layout.cell_box(option.rect, left, width).adjusted(0, 2, 0, 0)
            painter.drawText(box, int(_RIGHT if self._columns[place].right else _LEFT), row.cells[place].text)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, row: Row) -> None:
        theme = self._theme
        box = QRectF(option.rect).adjusted(4, 2, -4, -2)
        painter.setPen(QColor(theme.border))
        painter.drawLine(option.rect.topLeft(), option.rect.topRight())
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if row.mark or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_soft if row.mark else theme.hover))
            painter.drawRoundedRect(box, 8, 8)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 8, 8)

    def _paint_name(self, painter: QPainter, option: QStyleOptionViewItem, row: Row, layout: RowLayout) -> None:
        theme, metrics = self._theme, option.fontMetrics
        if layout.tile_px and row.tile:
            self._paint_tile(painter, option, row, layout.tile_box(option.rect))
        box = layout.name_box(option.rect)
        note = self._note(row, layout)
        line = metrics.height()
        top = QRect(box.left(), box.center().y() - (line + 1 if note else line // 2), box.width(), line)
        strong, small = self._font(option.font, bold=True), self._font(option.font, small=True)
        beside = QFontMetrics(small).horizontalAdvance(row.tag) + 9 if row.tag else 0
        marked = QFontMetrics(small).horizontalAdvance(row.mark) + ICON_PX + 14 if row.mark else 0
        title = QFontMetrics(strong).elidedText(row.title, _RIGHT_CUT, max(40, top.width() - beside - marked))
        painter.setFont(strong)
        painter.setPen(QColor(theme.text))
        painter.drawText(top, int(_LEFT), title)
        x = top.left() + QFontMetrics(strong).horizontalAdvance(title) + 9
        painter.setFont(small)
        if row.tag and x < top.right():
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRect(x, top.top(), top.right() - x, line), int(_LEFT), row.tag)
            x += beside
        if row.mark and x + marked <= top.right() + GAP_PX:
            icon("star", theme.accent, 14).paint(painter, QRect(x, top.center().y() - 7, 14, 14))
            painter.setFont(self._font(option.font, small=True, bold=True))
            painter.setPen(QColor(theme.accent))
            painter.drawText(QRect(x + 19, top.top(), marked, line), int(_LEFT), row.mark)
        if note:
            painter.setFont(small)
            painter.setPen(QColor(theme.muted))
            below = QRect(box.left(), box.center().y() + 1, box.width(), line)
            first = next(iter(self._left_out(row, layout)), Cell())
            if first.icon:
                # a verdict is told by its shape, too, where its column found no room
                shape = icon(first.icon, getattr(theme, first.tone), 14)
                shape.paint(painter, QRect(below.left(), below.center().y() - 6, 14, 14))
                below.setLeft(below.left() + 19)
            painter.drawText(below, int(_LEFT), QFontMetrics(small).elidedText(note, _RIGHT_CUT, below.width()))

    def _paint_tile(self, painter: QPainter, option: QStyleOptionViewItem, row: Row, box: QRect) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent_soft if not row.mark else self._theme.raised))
        painter.drawRoundedRect(box, 8, 8)
        painter.setFont(self._font(option.font, bold=True))
        painter.setPen(QColor(self._theme.accent))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), row.tile)

    def _paint_cell(self, painter: QPainter, font: QFont, box: QRect, cell: Cell, *, right: bool) -> None:
        colour = getattr(self._theme, cell.tone)
        words = box
        if cell.share is not None:
            line = QFontMetrics(font).height()
            words = QRect(box.left(), box.center().y() - line - 1, box.width(), line)
            self._paint_bar(painter, QRectF(box.left(), box.center().y() + 6, box.width(), 4), cell, colour)
        if cell.icon:
            side = max(ICON_PX, QFontMetrics(font).height() * 4 // 5)
            picture = QRect(words.left(), words.center().y() - side // 2 + 1, side, side)
            icon(cell.icon, colour, side).paint(painter, picture)
            words = words.adjusted(side + 6, 0, 0, 0)
        painter.setFont(self._font(font, bold=False))
        painter.setPen(QColor(colour))
        shown = QFontMetrics(painter.font()).elidedText(cell.text, _RIGHT_CUT, words.width())
        painter.drawText(words, int(_RIGHT if right else _LEFT), shown)

    def _paint_bar(self, painter: QPainter, box: QRectF, cell: Cell, colour: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(box, 2, 2)
        box.setWidth(box.width() * min(1.0, max(0.0, cell.share or 0.0)))
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(box, 2, 2)

    def _paint_button(self, painter: QPainter, option: QStyleOptionViewItem, row: Row, box: QRect) -> None:
        theme = self._theme
        pointed = self.pointed == row.key and row.button_enabled
        filled = row.filled and row.button_enabled
        painter.setPen(Qt.PenStyle.NoPen if filled else QPen(QColor(theme.control), 1))
        ground = theme.fill if filled else theme.hover if pointed else theme.raised
        painter.setBrush(QColor(theme.accent if filled and pointed and not theme.dark else ground))
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setFont(self._font(option.font, bold=filled))
        words = theme.accent_text if filled else theme.text if row.button_enabled else theme.faint
        painter.setPen(QColor(words))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), row.button)
