"""The character and block formats of one theme, each made once: creating one from Python costs microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pygments.token import Token
from PySide6.QtGui import (
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFormat,
    QTextLength,
    QTextTableCellFormat,
    QTextTableFormat,
)

if TYPE_CHECKING:
    from app.ui.theme import Theme

QUOTE_DEPTH = QTextFormat.Property.UserProperty.value + 1
QUOTE_LEFT = QTextFormat.Property.UserProperty.value + 2
FORMULA_SOURCE = QTextFormat.Property.UserProperty.value + 3

LIST_INDENT = 26
QUOTE_INDENT = 16
CODE_HEADER_HEIGHT = 34
CODE_PADDING = 10
_BELOW_CARD = CODE_PADDING + 14
_HEADING_SCALE = (1.5, 1.3, 1.15, 1.05, 1.0, 1.0)
_MONO_FALLBACK = ["DejaVu Sans Mono", "Menlo", "Consolas", "monospace"]
_PROPORTIONAL = QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
_FIXED = QTextBlockFormat.LineHeightTypes.FixedHeight.value


@dataclass(frozen=True, slots=True)
class Place:
    """How deep in quotes and lists a block stands; `quote_indent` is the list level at which the first quote began."""

    quote: int = 0
    indent: int = 0
    quote_indent: int = 0

    @property
    def left(self) -> int:
        """The same in pixels."""
        return QUOTE_INDENT * self.quote + LIST_INDENT * self.indent

    def quoted(self) -> Place:
        """One quote deeper."""
        return Place(self.quote + 1, self.indent, self.quote_indent if self.quote else self.indent)

    def listed(self) -> Place:
        """One list deeper."""
        return Place(self.quote, self.indent + 1, self.quote_indent)

    def unlisted(self) -> Place:
        """For the first block of a list item, which Qt indents by itself."""
        return Place(self.quote, 0, self.quote_indent)


TOP = Place()


class MarkdownStyle:
    """Formats by meaning. They are shared: whoever changes one makes a copy first."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self._chars: dict[tuple[object, ...], QTextCharFormat] = {}
        self._blocks: dict[tuple[object, ...], QTextBlockFormat] = {}
        self.text = self._plain(theme.text)
        self.muted = self._plain(theme.muted)
        self.tiny = QTextCharFormat()
        self.tiny.setFontPointSize(1)
        self.code = self._mono(theme.text)
        self._syntax = self._syntax_formats()

    def char(
        self,
        *,
        bold: bool = False,
        italic: bool = False,
        code: bool = False,
        strike: bool = False,
        link: str = "",
        heading: int = 0,
    ) -> QTextCharFormat:
        """Text inside a block. `heading`: 1 to 6, 0 for none."""
        key = (bold, italic, code, strike, link, heading)
        if key not in self._chars:
            if len(self._chars) > 2000:  # every link is a format of its own
                self._chars.clear()
            self._chars[key] = self._make_char(bold or heading > 0, italic, code, strike, link, heading)
        return self._chars[key]

    def block(
        self, place: Place = TOP, *, top: float = 0, bottom: float = 10, heading: int = 0, line_height: int = 142
    ) -> QTextBlockFormat:
        """A paragraph. Margins in pixels, line height in percent."""
        key = (place, top, bottom, heading, line_height)
        if key not in self._blocks:
            block = QTextBlockFormat()
            block.setTopMargin(top)
            block.setBottomMargin(bottom)
            block.setHeadingLevel(heading)
            block.setLineHeight(line_height, _PROPORTIONAL)
            self._put(block, place)
            self._blocks[key] = block
        return self._blocks[key]

    def code_line(self, place: Place, *, first: bool, last: bool, below_card: bool = False) -> QTextBlockFormat:
        """One line of a code card; the first leaves room for the header, the last for the space below.

        The greater of two margins counts, so a card right `below_card` needs the room for both.
        """
        key = ("code", first, last, below_card, place)
        if key not in self._blocks:
            block = QTextBlockFormat()
            self._put(block, place)
            block.setLeftMargin(block.leftMargin() + 14)
            block.setRightMargin(14)
            top = CODE_HEADER_HEIGHT + CODE_PADDING + (_BELOW_CARD if below_card else 8)
            block.setTopMargin(top if first else 0)
            block.setLineHeight(138, _PROPORTIONAL)
            self._blocks[key] = self.closing_code_line(block) if last else block
        return self._blocks[key]

    def closing_code_line(self, line: QTextBlockFormat) -> QTextBlockFormat:
        """The same line as the last of its card."""
        block = QTextBlockFormat(line)
        block.setBottomMargin(_BELOW_CARD)
        return block

    def rule(self, place: Place) -> QTextBlockFormat:
        """A horizontal rule."""
        key = ("rule", place)
        if key not in self._blocks:
            block = QTextBlockFormat(self.block(place, top=4, bottom=8))
            whole = QTextLength(QTextLength.Type.PercentageLength, 100)
            block.setProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth.value, whole)
            block.setProperty(QTextFormat.Property.BackgroundBrush.value, QColor(self.theme.border))
            self._blocks[key] = block
        return self._blocks[key]

    def hairline(self) -> QTextBlockFormat:
        """The block Qt wants between two tables, as low as it can be."""
        block = QTextBlockFormat()
        block.setLineHeight(1, _FIXED)
        return block

    def table(self, place: Place) -> QTextTableFormat:
        """A table without a frame; its rules are the lower borders of the cells."""
        table = QTextTableFormat()
        table.setCellPadding(6)
        table.setCellSpacing(0)
        table.setBorderCollapse(True)
        table.setBorder(0)
        table.setHeaderRowCount(1)
        table.setTopMargin(2)
        table.setBottomMargin(12)
        table.setLeftMargin(place.left)
        return table

    def cell(self, *, header: bool) -> QTextTableCellFormat:
        """A cell of that table."""
        cell = QTextTableCellFormat()
        cell.setBottomBorder(1)
        cell.setBottomBorderStyle(QTextTableFormat.BorderStyle.BorderStyle_Solid)
        cell.setBottomBorderBrush(QColor(self.theme.border))
        cell.setLeftPadding(8)
        cell.setRightPadding(18)
        if header:
            cell.setBackground(QColor(self.theme.code_bg))
        return cell

    def syntax(self, token_type: object) -> QTextCharFormat | None:
        """The colour of a Pygments token type, or of the nearest type above it; None for plain text."""
        kind = token_type
        while kind is not None:
            found = self._syntax.get(kind)
            if found is not None:
                return found
            kind = getattr(kind, "parent", None)
        return None

    def _put(self, block: QTextBlockFormat, place: Place) -> None:
        block.setLeftMargin(QUOTE_INDENT * place.quote)
        block.setIndent(place.indent)
        if place.quote:
            block.setProperty(QUOTE_DEPTH, place.quote)
            block.setProperty(QUOTE_LEFT, LIST_INDENT * place.quote_indent)

    def _plain(self, colour: str) -> QTextCharFormat:
        char = QTextCharFormat()
        char.setForeground(QColor(colour))
        char.setFontFamilies([self.theme.body_font])
        char.setFontPointSize(self.theme.font_pt)
        return char

    def _mono(self, colour: str) -> QTextCharFormat:
        font = QFont()
        font.setFamilies([self.theme.mono_font, *_MONO_FALLBACK])
        font.setFeature(QFont.Tag("calt"), 0)  # no ligatures: "->" is two characters, and looks like two
        char = QTextCharFormat()
        char.setFont(font, QTextCharFormat.FontPropertiesInheritanceBehavior.FontPropertiesSpecifiedOnly)
        char.setForeground(QColor(colour))
        char.setFontFixedPitch(True)
        char.setFontPointSize(self.theme.font_pt * 0.92)
        return char

    def _make_char(
        self, bold: bool, italic: bool, code: bool, strike: bool, link: str, heading: int
    ) -> QTextCharFormat:
        char = QTextCharFormat(self.text)
        size = self.theme.font_pt * (_HEADING_SCALE[heading - 1] if heading else 1)
        char.setFontPointSize(size)
        if code:
            char.merge(self._mono(self.theme.text))
            char.setFontPointSize(size * 0.92)
            char.setBackground(QColor(self.theme.inline_bg))
        if bold:
            char.setFontWeight(QFont.Weight.DemiBold)
        if italic:
            char.setFontItalic(True)
        if strike:
            char.setFontStrikeOut(True)
        if link:
            char.setAnchor(True)
            char.setAnchorHref(link)
            char.setForeground(QColor(self.theme.link))
            char.setFontUnderline(True)
        return char

    def _syntax_formats(self) -> dict[object, QTextCharFormat]:
        theme = self.theme
        colours = {
            Token.Keyword: theme.syntax_keyword,
            Token.Operator.Word: theme.syntax_keyword,
            Token.Name.Tag: theme.syntax_keyword,
            Token.Literal.String: theme.syntax_string,
            Token.Literal.Number: theme.syntax_number,
            Token.Comment: theme.syntax_comment,
            Token.Name.Function: theme.syntax_function,
            Token.Name.Class: theme.syntax_function,
            Token.Name.Decorator: theme.syntax_function,
            Token.Name.Builtin: theme.syntax_name,
            Token.Name.Attribute: theme.syntax_name,
            Token.Name.Constant: theme.syntax_name,
        }
        formats: dict[object, QTextCharFormat] = {}
        for kind, colour in colours.items():
            formats[kind] = QTextCharFormat()
            formats[kind].setForeground(QColor(colour))
        formats[Token.Comment].setFontItalic(True)
        return formats
