"""One chat on screen: its header, its transcript or a welcome, and the composer, bound to a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.core.chat import Message, MessageState
from app.core.role import Role
from app.services.notice import Notice
from app.ui.chat_header import ChatHeader
from app.ui.composer import Composer
from app.ui.link_offer import link_offer
from app.ui.message_wishes import MessageWishes
from app.ui.notices import Notices
from app.ui.text_field import LONGEST_CHARS
from app.ui.theme import Theme
from app.ui.welcome import Welcome

if TYPE_CHECKING:
    from app.services.chat_session import ChatSession
    from app.services.context_meter import Usage
    from app.services.model_manager import ModelManager
    from app.ui.transcript import Transcript

_COLUMN_PX = 812
_HINTS = ("Enter to send · Shift+Enter for a new line · Esc to stop", "Enter to send · Esc to stop", "Enter to send")


class ChatPage(QWidget):
    """Shows a session and hands what the person does to it.

    Signals: `sent()` right before a message goes out.
    """

    sent = Signal()

    def __init__(self, models: ModelManager, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._models = models
        self._theme = theme
        self._session: ChatSession | None = None
        self._transcript: Transcript | None = None
        self._markers: tuple = ()
        self._first = True
        self.header = ChatHeader(models, theme, self)
        self.notices = Notices(theme, self)
        self._body = QStackedWidget(self)
        self._blank = QWidget(self._body)
        self.welcome = Welcome(theme, self._body)
        self.composer = Composer(theme, self)
        self._hint = QLabel(self)
        self._body.addWidget(self._blank)
        self._body.addWidget(self.welcome)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self._hint.setProperty("kind", "faint")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        # the words are chosen by the room there is: they must not ask for more
        self._hint.setMinimumWidth(1)
        writing = QHBoxLayout()
        writing.setContentsMargins(32, 4, 32, 0)
        self.composer.setMaximumWidth(_COLUMN_PX)
        writing.addStretch(1)
        writing.addWidget(self.composer, 100)
        writing.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.notices)
        column.addWidget(self._body, 1)
        column.addLayout(writing)
        column.addSpacing(6)
        column.addWidget(self._hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say of the keys what there is room for."""
        super().resizeEvent(event)
        metrics = self._hint.fontMetrics()
        fitting = (words for words in _HINTS if metrics.horizontalAdvance(words) < self.width() - 20)
        self._hint.setText(next(fitting, ""))

    def _connect(self) -> None:
        self.composer.submitted.connect(self._send)
        self.composer.last_asked.connect(self.edit_last)
        self.composer.draft_changed.connect(self._keep_draft)
        self.composer.too_long.connect(self.tell_too_long)
        self.welcome.suggested.connect(self._send_card)
        self.header.retitled.connect(self._rename)
        self.header.title.left_by_key.connect(self.composer.field.setFocus)
        self.header.copy_asked.connect(self.copy_conversation)
        self.header.training_asked.connect(self._export_training)
        self._models.state_changed.connect(self._model_changed)
        self._models.models_changed.connect(self._show_welcome)

    # --- which chat -------------------------------------------------------------------------------------------------

    @property
    def session(self) -> ChatSession | None:
        """The session on screen."""
        return self._session

    def show_session(self, session: ChatSession, *, first: bool = False) -> None:
        """Show a chat. `first`: it is the very first one, so greet."""
        self.flush()
        if self._session is not None:
            for signal, slot in self._links(self._session):
                signal.disconnect(slot)
        self._session = session
        self._first = first
        for signal, slot in self._links(session):
            signal.connect(slot)
        self._show_chat()
        self._show_usage(session.usage)
        self._busy_changed(session.busy)
        self._progress_changed("")
        self._loaded()

    def flush(self) -> None:
        """Hand over what is typed and not yet taken; before closing, too."""
        self.header.title.flush()
        self.composer.flush_draft()

    def _links(self, session: ChatSession) -> tuple:
        return (
            (session.loaded, self._loaded),
            (session.chat_changed, self._chat_changed),
            (session.path_changed, self._path_changed),
            (session.message_added, self._message_added),
            (session.message_changed, self._message_changed),
            (session.text_added, self._text_added),
            (session.busy_changed, self._busy_changed),
            (session.progress_changed, self._progress_changed),
            (session.usage_changed, self._show_usage),
            (session.text_returned, self._text_returned),
            (session.text_taken, self._text_taken),
            (session.markers_changed, self._markers_changed),
        )

    @Slot()
    def _loaded(self) -> None:
        assert self._session is not None
        self.composer.set_text(self._session.draft)
        self.composer.set_sending_allowed(self._session.ready)
        self._markers = tuple(self._session.markers())
        path = self._session.path()
        if path:
            self._the_transcript().set_rows(self._rows())
        self._show_body()

    def _show_chat(self) -> None:
        assert self._session is not None
        chat = self._session.chat
        self.header.show_chat(chat.title, pinned=chat.pinned, saved=chat.id != 0)
        self.header.picker.show_model(chat.model_id)
        self.header.cpu.show_model(chat.model_id)
        self.header.show_overflow(self._session)
        self.composer.set_placeholder(f"Message {self._model_name()}…")
        self._show_welcome()

    @Slot()
    def _show_welcome(self) -> None:
        if self._session is not None:
            self.welcome.show_model(self._models.entry(self._session.chat.model_id), first=self._first)

    def _show_body(self) -> None:
        assert self._session is not None
        if not self._session.ready:
            self._body.setCurrentWidget(self._blank)
        elif self._session.path():
            self._body.setCurrentWidget(self._the_transcript())
        else:
            self._body.setCurrentWidget(self.welcome)

    def _the_transcript(self) -> Transcript:
        if self._transcript is None:
            # Markdown, highlighting and formulas are loaded when there is something to show, not before the first paint
            from app.ui.transcript import Transcript

            self._transcript = Transcript(self._theme, self._body)
            self._wishes = MessageWishes(self._transcript, lambda: self._session)
            self._wishes.sent.connect(self.sent)
            # the editor that had the keyboard is gone
            self._wishes.edited.connect(self.composer.field.setFocus)
            self._transcript.link_activated.connect(self._offer_link)
            self._transcript.too_long.connect(self.tell_too_long)
            self.composer.messages_asked.connect(self._transcript.take_keyboard)
            self._body.addWidget(self._transcript)
            self.setTabOrder(self._transcript, self.composer.field)
        return self._transcript

    @property
    def transcript(self) -> Transcript | None:
        """The transcript, once there was something to show."""
        return self._transcript

    def _model_name(self) -> str:
        assert self._session is not None
        return self._models.entry(self._session.chat.model_id).name

    def _rows(self) -> list:
        from app.ui.chat_rows import rows_of

        assert self._session is not None
        return rows_of(self._session.path(), self._session.tree, self._markers, self._model_name())

    # --- what happens to the chat -----------------------------------------------------------------------------------

    @Slot()
    def _chat_changed(self) -> None:
        self._show_chat()
        self._follow_markers()

    def _follow_markers(self) -> bool:
        """Draw the lines between messages anew if they changed; whether they did."""
        assert self._session is not None
        now = tuple(self._session.markers())
        if now == self._markers:
            return False
        self._markers = now
        if self._session.path():
            self._the_transcript().replace_rows(self._rows())
        return True

    @Slot()
    def _path_changed(self) -> None:
        assert self._session is not None
        self._markers = tuple(self._session.markers())
        self._the_transcript().replace_rows(self._rows())
        self._show_body()

    @Slot(object)
    def _message_added(self, message: Message) -> None:
        from app.ui.chat_rows import row_of

        assert self._session is not None
        transcript = self._the_transcript()
        if len(self._session.path()) == 1:
            self._markers = tuple(self._session.markers())
            transcript.set_rows(self._rows())
        elif not self._follow_markers():
            transcript.append_row(row_of(message, self._session.tree, self._model_name()))
        if message.role is Role.USER:
            if message.parent_id is not None:
                # what can be done with a reply depends on whether it is the last
                above = self._session.tree[message.parent_id]
                transcript.update_row(above.id, row_of(above, self._session.tree, self._model_name()))
            transcript.scroll_to_end()
        self._show_body()

    @Slot(object)
    def _message_changed(self, message: Message) -> None:
        from app.ui.chat_rows import row_of

        assert self._session is not None
        row = row_of(message, self._session.tree, self._model_name())
        if message.state is MessageState.STREAMING:
            self._the_transcript().update_row(message.id, row)
        else:
            self._the_transcript().finish(message.id, row)
            self._follow_markers()

    @Slot(int, str)
    def _text_added(self, message_id: int, text: str) -> None:
        self._the_transcript().append_text(message_id, text)

    @Slot(bool)
    def _busy_changed(self, busy: bool) -> None:
        self.composer.set_busy(busy)

    @Slot(str)
    def _progress_changed(self, words: str) -> None:
        self.composer.set_note(words)

    @Slot(object)
    def _show_usage(self, usage: Usage) -> None:
        self.header.gauge.show_usage(usage)

    @Slot(str)
    def _text_returned(self, text: str) -> None:
        written = self.composer.text()
        self.composer.set_text(text if not written.strip() else f"{text}\n\n{written}")
        self._keep_draft(self.composer.text())

    @Slot()
    def _text_taken(self) -> None:
        self._keep_draft(self.composer.text())
        self.composer.clear()

    @Slot()
    def _markers_changed(self) -> None:
        self._follow_markers()

    @Slot(str)
    def _model_changed(self, model_id: str) -> None:
        state = self._models.state(model_id)
        if self._session is not None and model_id == self._session.chat.model_id and not self._session.busy:
            self.composer.set_note(f"Loading model {state.progress:.0%}" if state.kind == "loading" else "")

    # --- what the person does ---------------------------------------------------------------------------------------

    @Slot(str)
    def _send_card(self, text: str) -> None:
        self._send(text, typed=False)

    @Slot(str)
    def _send(self, text: str, *, typed: bool = True) -> None:
        if self._session is None or self._session.busy or not self._session.ready:
            return
        self.sent.emit()
        # also what was not typed: it stays, and so does what was, if it cannot be sent
        self.composer.flush_draft()
        if self._session.send(text, typed=typed) and typed:
            self.composer.clear()
        self.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop(self) -> bool:
        """Stop the reply; False when none is being made."""
        if self._session is None or not self._session.busy:
            return False
        self._session.stop()
        return True

    @Slot()
    def edit_last(self) -> None:
        """Edit the person's last turn in its place."""
        if self._session is None or self._session.busy:
            return
        last = next((message for message in reversed(self._session.path()) if message.role is Role.USER), None)
        if last is not None:
            self._the_transcript().edit_row(last.id)

    @Slot()
    def regenerate_last(self) -> None:
        """Ask for another version of the last reply."""
        path = self._session.path() if self._session is not None else []
        if path and path[-1].role is Role.ASSISTANT:
            self._the_transcript()
            self._wishes.regenerate(path[-1].id)

    @Slot()
    def copy_conversation(self) -> None:
        """Put the whole chat into the clipboard, as Markdown."""
        from app.ui.chat_rows import conversation_text

        if self._session is not None:
            QGuiApplication.clipboard().setText(conversation_text(self._session.path(), self._model_name()))
            self.notices.show_notice(Notice("The conversation is in the clipboard"))

    @Slot()
    def _export_training(self) -> None:
        from app.ui.training_dialog import TrainingDialog

        if self._session is not None and self._session.origins is not None:
            dialog = TrainingDialog(self._session.training(), self._session.origins, self._theme, self)
            dialog.written.connect(self._training_written)
            dialog.open()

    @Slot(str)
    def _training_written(self, path: str) -> None:
        self.notices.show_notice(Notice("The training data was written", path))

    @Slot(str)
    def _keep_draft(self, text: str) -> None:
        if self._session is not None:
            self._session.set_draft(text)

    @Slot(str)
    def _rename(self, title: str) -> None:
        if self._session is not None:
            self._session.rename(title)

    @Slot(int)
    def tell_too_long(self, characters: int) -> None:
        """Say why a text that was pasted is not there."""
        usage = self._session.usage if self._session is not None else None
        reads = f" The model reads {usage.context_tokens:,} tokens at once." if usage and usage.context_tokens else ""
        title = f"That text is too long to paste: {characters:,} characters"
        detail = f"A field holds up to {LONGEST_CHARS:,} characters.{reads}"
        hint = "It is still in the clipboard, and nothing you wrote was changed. Paste a shorter piece of it."
        self.notices.show_notice(Notice(title, detail, hint, "warning"))

    @Slot(str)
    def _offer_link(self, address: str) -> None:
        self.notices.show_notice(link_offer(address))

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for a transcript that is made later."""
        self._theme = theme
