"""The text of one message: as tall as its document, selectable, and unable to load anything."""

from __future__ import annotations

from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPalette, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit

from app.ui.markdown import MarkdownDocument
from app.ui.markdown_parse import safe_link, showable
from app.ui.markdown_selection import selected_text
from app.ui.markdown_style import CODE_PADDING
from app.ui.message_cards import CardPainter, paint_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

    from app.ui.formula import FormulaKey, Formulas
    from app.ui.markdown_style import MarkdownStyle
    from app.ui.transcript_idle import IdleWork

# Longer texts are laid out bit by bit, so that opening a chat never waits for one message
_AT_ONCE_CHARACTERS = 12_000
_STEP_CHARACTERS = 2_000
# A message this long takes 40 ms to lay out at another width
_MANY_BLOCKS = 500
_WIDTH_DELAY_MS = 120
_COPIED_MS = 1500
_TRANSCRIPT_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Escape)
_TRANSCRIPT_KEYS_WITH_CONTROL = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


class MessageBody(QTextBrowser):
    """Shows Markdown that grows, or plain text.

    Signals: `height_changed()`, when the text needs another height; `link_activated(url)`, for http, https and mailto
    alone; `code_copied(language)`; `focus_changed()`.
    """

    height_changed = Signal()
    link_activated = Signal(str)
    code_copied = Signal(str)
    focus_changed = Signal()

    def __init__(self, style: MarkdownStyle, formulas: Formulas, idle: IdleWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._idle, self._formulas = idle, formulas
        self._pending = ""  # Markdown that waits for its turn
        self._complete, self._is_plain, self._plain_text = True, False, ""
        self._height = 0
        self._wanted_width = 0
        self._ideal = (0, -1), 0
        self._width_timer = QTimer(self, singleShot=True, interval=_WIDTH_DELAY_MS)
        self._width_timer.timeout.connect(self._apply_width)
        self._copied_timer = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied_timer.timeout.connect(self._forget_copied)
        self._set_up()
        self.markdown = MarkdownDocument(self.document(), style, formulas, self._defer)
        self.document().documentLayout().documentSizeChanged.connect(self._document_resized)
        self.anchorClicked.connect(self._follow)
        formulas.rendered.connect(self._place_formula)
        self._cards = CardPainter(self)
        self._dress(style)

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # In the widget-width mode Qt sets the text width back behind our back
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # Tab order is the transcript's business
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setCursorWidth(0)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)

    def _dress(self, style: MarkdownStyle) -> None:
        self._style = style
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(0, 0, 0, 0))
        palette.setColor(QPalette.ColorRole.Text, QColor(style.theme.text))
        palette.setColor(QPalette.ColorRole.Highlight, QColor(style.theme.fill))
        palette.setColor(QPalette.ColorRole.HighlightedText, QColor(style.theme.accent_text))
        self.setPalette(palette)

    @property
    def plain_text(self) -> str:
        """The whole text as a screen reader or a search would want it."""
        return self.document().toPlainText()

    def show_markdown(self, text: str, *, complete: bool) -> None:
        """Show `text` from the beginning; `complete` if nothing will be appended."""
        self._begin(plain=False)
        self._complete = complete
        if len(text) > _AT_ONCE_CHARACTERS:
            self._pending = text
            self._idle.add(self, self._show_pending())
        elif complete:
            self.markdown.finish(text)
        else:
            self.markdown.append(text)

    def show_plain(self, text: str) -> None:
        """Show `text` as it is, with its line breaks."""
        self._begin(plain=True)
        self._plain_text = text
        steps = self._insert_lines(text)
        if len(text) > _AT_ONCE_CHARACTERS:
            self._idle.add(self, steps)
        else:
            for _ in steps:
                pass

    def add_markdown(self, text: str) -> None:
        """Add text at the end of what show_markdown began. What is selected stays selected."""
        if self._pending:
            self._pending += text
        elif len(text) > _AT_ONCE_CHARACTERS:
            self._pending, self._complete = text, False
            self._idle.add(self, self._show_pending())
        else:
            self._append(text)

    def _append(self, text: str) -> None:
        with self._selection_kept():
            self.markdown.append(text)

    def finish(self) -> None:
        """Nothing more will be added."""
        self._complete = True
        if not self._pending:
            with self._selection_kept():
                self.markdown.finish()

    def restyle(self, style: MarkdownStyle) -> None:
        """Write everything anew in another theme; what was selected is selected again."""
        cursor = self.textCursor()
        anchor, position = cursor.anchor(), cursor.position()
        complete, text = self._complete, self.markdown.source + self._pending
        self._dress(style)
        if self._is_plain:
            self.show_plain(self._plain_text)
        else:
            self.show_markdown(text, complete=complete)
        self._select(anchor, position)

    @property
    def is_behind(self) -> bool:
        """Whether some of the text waits for a free moment."""
        return bool(self._pending)

    def close_down(self) -> None:
        """Call off all work for this body; it is about to be deleted."""
        self._idle.cancel(self)
        self._width_timer.stop()

    def _begin(self, *, plain: bool) -> None:
        self._idle.cancel(self)
        self._pending, self._complete, self._is_plain = "", True, plain
        self._cards.hovered = self._cards.copied = -1
        self.markdown.reset(self._style)

    def _defer(self, steps: Iterator[None]) -> None:
        self._idle.add(self, steps)

    def _show_pending(self) -> Iterator[None]:
        while self._pending:
            piece, self._pending = self._pending[:_STEP_CHARACTERS], self._pending[_STEP_CHARACTERS:]
            self._append(piece)
            yield
        if self._complete:
            self.markdown.finish()

    def _insert_lines(self, text: str) -> Iterator[None]:
        cursor = QTextCursor(self.document())
        cursor.setBlockFormat(self._style.block(bottom=0))
        cursor.setBlockCharFormat(self._style.text)
        position, first = 0, True
        while position < len(text):
            # A line without an end is cut, else each step would lay it out again from its beginning
            piece = text[position : position + _STEP_CHARACTERS]
            position += len(piece)
            if position < len(text) and (end := piece.rfind("\n")) > 0:
                position -= len(piece) - end - 1
                piece = piece[: end + 1]
            cursor.movePosition(QTextCursor.MoveOperation.End)
            if not first:
                cursor.insertBlock()
            first = False
            cursor.insertText(showable(piece.removesuffix("\n") if position < len(text) else piece), self._style.text)
            yield

    @contextmanager
    def _selection_kept(self) -> Iterator[None]:
        cursor = self.textCursor()
        kept = (cursor.anchor(), cursor.position()) if cursor.hasSelection() else None
        yield
        if kept is not None:
            now = self.textCursor()
            if (now.anchor(), now.position()) != kept:
                self._select(*kept)

    def _select(self, anchor: int, position: int) -> None:
        last = self.document().characterCount() - 1
        cursor = self.textCursor()
        cursor.setPosition(min(anchor, last))
        cursor.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    @Slot(object)
    def _place_formula(self, key: FormulaKey) -> None:
        self.markdown.place_formula(key)

    @Slot("QUrl")
    def _follow(self, url: QUrl) -> None:
        address = safe_link(url.toString())
        if address:
            self.link_activated.emit(address)

    # Size

    def height_for(self, width: int) -> int:
        """How tall the text is when it is this wide, in pixels. Very long texts take the new width a moment later."""
        self._wanted_width = width
        if self.lineWrapColumnOrWidth() != width:
            if self.document().blockCount() > _MANY_BLOCKS and self._height:
                self._width_timer.start()
            else:
                self.setLineWrapColumnOrWidth(width)
        self._height = self._needed_height(self.document().size())
        return self._height

    def ideal_width(self, widest: int) -> int:
        """How wide the text would like to be, at most `widest` pixels."""
        if self._idle.waits_for(self):
            return widest
        asked = (widest, self.document().revision())
        if self._ideal[0] != asked:
            # Asked once for each text: a document left wider than its place could be scrolled aside
            if self.lineWrapColumnOrWidth() != widest:
                self.setLineWrapColumnOrWidth(widest)
            self._ideal = asked, min(widest, ceil(self.document().idealWidth()) + 2)
        return self._ideal[1]

    def _needed_height(self, size: QSizeF) -> int:
        cards = self.markdown.cards
        card_is_last = cards and cards[-1].first_block + cards[-1].count >= self.document().blockCount()
        last_margin = self.document().lastBlock().blockFormat().bottomMargin()
        return ceil(size.height()) + (max(0, CODE_PADDING + 2 - int(last_margin)) if card_is_last else 0)

    @Slot(QSizeF)
    def _document_resized(self, size: QSizeF) -> None:
        height = self._needed_height(size)
        if height != self._height:
            self._height = height
            self.height_changed.emit()

    @Slot()
    def _apply_width(self) -> None:
        self.setLineWrapColumnOrWidth(self._wanted_width)
        self.height_changed.emit()

    # Code cards

    @property
    def cards(self) -> CardPainter:
        """Where the code cards and their Copy chips are."""
        return self._cards

    def copy_code(self, number: int) -> None:
        """Put one code block into the clipboard."""
        card = self.markdown.cards[number]
        QGuiApplication.clipboard().setText(card.text)
        self._cards.copied = number
        self._copied_timer.start()
        self.viewport().update()
        self.code_copied.emit(card.language)

    @Slot()
    def _forget_copied(self) -> None:
        self._cards.copied = -1
        self.viewport().update()

    # Qt

    def loadResource(self, kind: int, url: QUrl | str) -> object:
        """An empty picture, whatever a message names. Given None, Qt would go and read the file itself."""
        return QImage()

    def createMimeDataFromSelection(self) -> QMimeData:
        """The selection as text with formulas as LaTeX, and as HTML."""
        fragment = self.textCursor().selection()
        mime = QMimeData()
        mime.setText(selected_text(self.textCursor()))
        if "\ufffc" not in fragment.toPlainText():
            mime.setHtml(fragment.toHtml())
        return mime

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frames of code and the bars of quotes, then the text over them."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._is_plain:
            paint_quotes(self, painter, event.rect(), self._style.theme)
            self._cards.paint(painter, event.rect(), self._style.theme)
        painter.end()
        super().paintEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up a Copy chip under the mouse."""
        super().mouseMoveEvent(event)
        cards = self._cards
        hovered = cards.chip_at(event.position().toPoint()) if not event.buttons() else -1
        if hovered >= 0:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        elif cards.hovered >= 0:
            self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        if hovered != cards.hovered:
            cards.hovered = hovered
            self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Copy a code block, or begin a selection."""
        left = event.button() == Qt.MouseButton.LeftButton
        number = self._cards.chip_at(event.position().toPoint()) if left else -1
        if number >= 0:
            self.copy_code(number)
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The end of a selection or a click on a link; nobody else's business."""
        super().mouseReleaseEvent(event)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The transcript scrolls, not the message."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that move between messages are the transcript's; the others move the caret."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in _TRANSCRIPT_KEYS or (control and event.key() in _TRANSCRIPT_KEYS_WITH_CONTROL):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What Qt offers, and what the message adds."""
        menu = self.createStandardContextMenu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addSeparator()
        menu.addActions(self.actions())
        menu.popup(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the caret to those who came by keyboard."""
        self.setCursorWidth(0 if event.reason() == Qt.FocusReason.MouseFocusReason else 1)
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the caret."""
        self.setCursorWidth(0)
        super().focusOutEvent(event)
        self.focus_changed.emit()
