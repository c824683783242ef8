"""One row of the transcript as a widget: a person's bubble, a reply with its model's name, or a marker line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QColor, QGuiApplication, QPainter, QPen
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.ui.message_actions import BAR_HEIGHT, ActionBar
from app.ui.message_body import MessageBody
from app.ui.message_editor import MessageEditor
from app.ui.message_paint import NAME_HEIGHT, TEXT_LEFT, TOP, column, paint_marker, paint_name
from app.ui.transcript_row import COLLAPSED_CHARACTERS, Row

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QEnterEvent, QPaintEvent, QResizeEvent

    from app.ui.formula import Formulas
    from app.ui.markdown_style import MarkdownStyle
    from app.ui.transcript_idle import IdleWork

_BOTTOM = 10
# Qt puts the extra height of a line below its text, so less room is needed there
_BUBBLE_X, _BUBBLE_TOP, _BUBBLE_BOTTOM, _BUBBLE_SHARE = 16, 13, 6, 0.78
_MARKER_HEIGHT = 44
_SHOW_ALL_HEIGHT = 30
_COPIED_MS = 1500


class MessageItem(QWidget):
    """Lays out and paints one row.

    Signals: `height_changed(id)`; `triggered(id, action)` for regenerate, continue, previous and next;
    `edited(id, text)` when an edit is sent, which stays open if `keep_edit` is called meanwhile; `too_long(int)` for a
    paste into it that was not taken; `link_activated(url)`; `announced(words)` for screen readers.
    """

    height_changed = Signal(int)
    triggered = Signal(int, str)
    edited = Signal(int, str)
    too_long = Signal(int)
    link_activated = Signal(str)
    announced = Signal(str)

    def __init__(
        self, row: Row, style: MarkdownStyle, formulas: Formulas, idle: IdleWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.row, self._style = row, style
        self._expanded = False
        self._editor: MessageEditor | None = None
        self._edit_goes = False
        self._show_all: QPushButton | None = None
        self.body: MessageBody | None = None
        self.bar: ActionBar | None = None
        self._copied_timer = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied_timer.timeout.connect(self._restore_bar)
        if row.kind != "marker":
            self.body = MessageBody(style, formulas, idle, self)
            self.bar = ActionBar(style.theme, right=row.kind == "user", parent=self)
            self._connect(self.body, self.bar)
            self._show_text()
            self._show_bar()

    def _connect(self, body: MessageBody, bar: ActionBar) -> None:
        body.height_changed.connect(self._grew)
        body.link_activated.connect(self.link_activated)
        body.code_copied.connect(self._code_copied)
        body.focus_changed.connect(self.update)
        bar.triggered.connect(self._act)
        copy = QAction("Copy message", body)
        copy.triggered.connect(self.copy)
        body.addAction(copy)

    # What is shown

    def set_row(self, row: Row) -> None:
        """Show another state of the same row."""
        before, self.row = self.row, row
        if self.body is None:
            self.update()
            return
        if before.state == "streaming" and row.kind == "assistant" and row.text.startswith(before.text):
            if row.text != before.text:
                self.body.add_markdown(row.text[len(before.text) :])
            if row.state != "streaming":
                self.body.finish()
        elif row.text != before.text:
            self._show_text()
        self._show_bar()
        self.update()

    def add_text(self, text: str, row: Row) -> None:
        """Add streamed text; `row` is the row with it."""
        self.row = row
        if self.body is not None:
            self.body.add_markdown(text)
            if not self.body.markdown.source.strip() or self.bar is None:
                self.update()

    def restyle(self, style: MarkdownStyle) -> None:
        """Change the theme."""
        self._style = style
        if self.body is not None and self.bar is not None:
            self.body.restyle(style)
            self.bar.restyle(style.theme, self.row, len(self.body.markdown.cards))
        if self._editor is not None:
            self._editor.restyle(style.theme)
        # While the text was written anew its room was measured, too narrow for what stands there now
        self._grew()
        self._arrange()
        self.update()

    def set_place(self, number: int, count: int) -> None:
        """Say which message this is, for those who hear it."""
        words = self.row.text if self.row.kind == "marker" else f"{self.row.speaker}, message {number} of {count}"
        if self.accessibleName() != words:
            self.setAccessibleName(words)
            if self.body is not None and self.bar is not None:
                self.body.setAccessibleName(words)
                self.bar.setAccessibleName(f"Actions for {words}")

    @property
    def is_in_use(self) -> bool:
        """Whether something would be lost if this widget went away: a selection, an edit, the focus."""
        if self.body is None:
            return False
        focus = QGuiApplication.focusObject()
        within = isinstance(focus, QWidget) and self.isAncestorOf(focus)
        return self._editor is not None or within or self.body.textCursor().hasSelection()

    def tab_stops(self) -> list[QWidget]:
        """What Tab visits in this row, in order."""
        if self.body is None or self.bar is None:
            return []
        if self._editor is not None:
            return list(self._editor.tab_stops())
        stops: list[QWidget] = [self.body]
        if self._show_all is not None:
            stops.append(self._show_all)
        return [*stops, self.bar]

    def close_down(self) -> None:
        """Stop all work for this row and delete it."""
        if self.body is not None:
            self.body.close_down()
        self.hide()
        self.deleteLater()

    def _show_text(self) -> None:
        if self.body is None:
            return
        if self.row.kind == "assistant":
            self.body.show_markdown(self.row.text, complete=self.row.state != "streaming")
            return
        shortened = self.row.is_long_paste and not self._expanded
        self.body.show_plain(self.row.text[:COLLAPSED_CHARACTERS] + "…" if shortened else self.row.text)
        if self.row.is_long_paste and self._show_all is None:
            self._show_all = QPushButton(self)
            self._show_all.setProperty("kind", "link")
            self._show_all.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self._show_all.clicked.connect(self._toggle_all)
            self._show_all.show()
        if self._show_all is not None:
            self._show_all.setText("Show less" if self._expanded else f"Show all {len(self.row.text):,} characters")

    def _show_bar(self) -> None:
        if self.bar is not None and self.body is not None:
            self.bar.show_row(self.row, len(self.body.markdown.cards))
            self.setAccessibleDescription(self.bar.accessibleDescription())

    @Slot()
    def _restore_bar(self) -> None:
        if self.bar is not None and self.body is not None:
            self.bar.restyle(self._style.theme, self.row, len(self.body.markdown.cards))

    # What can be done

    @Slot()
    def copy(self) -> None:
        """Put the message into the clipboard: a reply as its Markdown."""
        QGuiApplication.clipboard().setText(self.row.text)
        if self.bar is not None:
            self.bar.confirm_copied()
            self._copied_timer.start()
        self.announced.emit("Message copied")

    @Slot()
    def edit(self) -> None:
        """Begin to edit a person's turn in its place."""
        if self._editor is None:
            self.go_on_editing(self.row.text)
            if self._editor is not None:
                self._editor.take_focus()

    def go_on_editing(self, text: str) -> None:
        """Have a person's turn edited in its place, from where the edit stands; the keyboard stays where it is."""
        if self.row.kind != "user" or self._editor is not None or self.body is None or self.bar is None:
            return
        self._editor = MessageEditor(text, self._style.theme, self)
        self._editor.submitted.connect(self._submit_edit)
        self._editor.cancelled.connect(self._end_edit)
        self._editor.too_long.connect(self.too_long)
        self._editor.height_changed.connect(self._grew)
        self._editor.show()
        self.body.hide()
        self.bar.hide()
        self._grew()

    @property
    def unsent_edit(self) -> str:
        """What the person has made of the turn so far and not sent; "" while nothing is changed."""
        text = self._editor.text if self._editor is not None and not self._edit_goes else ""
        return text if text.strip() and text != self.row.text else ""

    def keep_edit(self, why: str) -> None:
        """The edit was not sent, or could not be: it stays open, and says so."""
        self._edit_goes = False
        if self._editor is not None:
            self._editor.tell(why)

    @Slot(str)
    def _act(self, name: str) -> None:
        if name == "copy":
            self.copy()
        elif name == "edit":
            self.edit()
        elif name == "copy_code":
            self._copy_code()
        else:
            self.triggered.emit(self.row.id, name)

    def _copy_code(self) -> None:
        if self.body is None or self.bar is None:
            return
        cards = [(number, card) for number, card in enumerate(self.body.markdown.cards) if card.count]
        if len(cards) == 1:
            self.body.copy_code(cards[0][0])
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, (number, card) in enumerate(cards, 1):
            first_line = card.text.strip().split("\n", 1)[0][:40]
            choice = menu.addAction(f"{place}. {card.language or 'text'}: {first_line}")
            choice.setData(number)
        menu.triggered.connect(self._copy_chosen_code)
        menu.popup(self.bar.mapToGlobal(self.bar.rect().bottomLeft()))

    @Slot(QAction)
    def _copy_chosen_code(self, choice: QAction) -> None:
        if self.body is not None:
            self.body.copy_code(int(choice.data()))

    @Slot(str)
    def _code_copied(self, language: str) -> None:
        self.announced.emit(f"{language or 'Code'} copied")

    @Slot(str)
    def _submit_edit(self, text: str) -> None:
        self._edit_goes = True
        self.edited.emit(self.row.id, text)
        if self._edit_goes:
            self._edit_goes = False
            self._end_edit()

    @Slot()
    def _end_edit(self) -> None:
        if self._editor is None or self.body is None or self.bar is None:
            return
        focus = self.window().focusWidget()
        within = focus is not None and self._editor.isAncestorOf(focus)
        self._editor.hide()
        self._editor.deleteLater()
        self._editor = None
        self.body.show()
        self.bar.show()
        self._grew()
        if within:
            self.body.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _toggle_all(self) -> None:
        self._expanded = not self._expanded
        self._show_text()
        self._grew()

    @Slot()
    def _grew(self) -> None:
        if self.bar is not None and self.body is not None and self.body.markdown.cards:
            self._show_bar()
        self.height_changed.emit(self.row.id)

    # Size and place

    def height_for(self, width: int) -> int:
        """How tall this row is in a transcript this wide, in pixels."""
        if self.body is None:
            return _MARKER_HEIGHT
        if self._editor is not None:
            return TOP + self._editor.sizeHint().height() + _BOTTOM + 8
        text = max(24, self.body.height_for(self._text_width(width)))
        if self.row.kind == "user":
            extra = _SHOW_ALL_HEIGHT if self._show_all is not None else 0
            return TOP + _BUBBLE_TOP + text + _BUBBLE_BOTTOM + extra + 4 + BAR_HEIGHT + _BOTTOM
        return TOP + NAME_HEIGHT + text + 6 + BAR_HEIGHT + _BOTTOM + 6

    def _text_width(self, width: int) -> int:
        wide = column(width)[1]
        if self.row.kind == "user":
            widest = int(wide * _BUBBLE_SHARE) - 2 * _BUBBLE_X
            return self.body.ideal_width(widest) if self.body is not None else widest
        return wide - TEXT_LEFT

    def _arrange(self) -> None:
        if self.body is None or self.bar is None:
            return
        left, wide = column(self.width())
        if self._editor is not None:
            self._editor.setGeometry(left, TOP, wide, self.height() - TOP - _BOTTOM)
            return
        text = self._text_width(self.width())
        bottom = self.height() - _BOTTOM - BAR_HEIGHT
        if self.row.kind == "user":
            extra = _SHOW_ALL_HEIGHT if self._show_all is not None else 0
            top = TOP + _BUBBLE_TOP
            self.body.setGeometry(left + wide - text - _BUBBLE_X, top, text, bottom - top - _BUBBLE_BOTTOM - 4 - extra)
            if self._show_all is not None:
                self._show_all.setGeometry(self.body.x() - 4, self.body.geometry().bottom() + 3, text, 26)
            self.bar.setGeometry(left, bottom, wide, BAR_HEIGHT)
        else:
            top = TOP + NAME_HEIGHT
            self.body.setGeometry(left + TEXT_LEFT, top, text, bottom - top - 12 + 6)
            self.bar.setGeometry(left + TEXT_LEFT - 6, bottom - 6, wide - TEXT_LEFT + 6, BAR_HEIGHT)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put text and buttons in their places."""
        self._arrange()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Somebody is near: real buttons, please."""
        if self.bar is not None:
            self.bar.materialise()

    def leaveEvent(self, event: QEvent) -> None:
        """And gone again."""
        if self.bar is not None:
            self.bar.dematerialise()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bubble, avatar, name or line; the rest are children."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.row.kind == "marker":
            paint_marker(painter, self.row, self._style.theme, self.size())
        elif self._editor is None and self.body is not None:
            if self.row.kind == "user":
                self._paint_bubble(painter, self.body.geometry())
            else:
                paint_name(painter, self.row, self._style.theme, self.width())
            if self.body.hasFocus() and self.body.cursorWidth():
                self._paint_focus(painter, self.body.geometry())

    def _paint_bubble(self, painter: QPainter, text: QRect) -> None:
        extra = _SHOW_ALL_HEIGHT if self._show_all is not None else 0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._style.theme.bubble))
        frame = QRectF(text).adjusted(-_BUBBLE_X, -_BUBBLE_TOP, _BUBBLE_X, _BUBBLE_BOTTOM + extra)
        painter.drawRoundedRect(frame, 16, 16)

    def _paint_focus(self, painter: QPainter, text: QRect) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._style.theme.accent), 1.5))
        frame = QRectF(text).adjusted(-8, -4, 8, 4)
        if self.row.kind == "user":
            frame = QRectF(text).adjusted(-_BUBBLE_X, -_BUBBLE_TOP, _BUBBLE_X, _BUBBLE_BOTTOM)
        painter.drawRoundedRect(frame, 12, 12)
