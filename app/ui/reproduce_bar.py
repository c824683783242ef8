"""The button that makes an answer once more, and in a line what came of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.made_by import when
from app.core.reproduced import Reproduced, around
from app.services.origin import Origin
from app.services.origins import Origins
from app.services.reproduction import Reproduction
from app.ui.buttons import WordButton
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.transcript_access import announce

_ICON_PX = 16


class ReproduceBar(QWidget):
    """Follows one answer at a time; an attempt goes on while others are looked at, and is found again.

    Signals: `changed(object)`: a `Reproduced`, or None, is known of the answer now.
    """

    changed = Signal(object)

    def __init__(self, origins: Origins, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._origins, self._theme = origins, theme
        self._origin: Origin | None = None
        self._attempt: Reproduction | None = None
        self._last: Reproduced | None = None
        self._mark = QLabel()
        self._words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = WordButton("Reproduce", theme, kind="filled", icon_name="refresh")
        self.button.setToolTip("Make this answer once more, from all that is kept of it, and compare the texts")
        self.button.clicked.connect(self._act)
        told = QHBoxLayout()
        told.setSpacing(8)
        told.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        told.addWidget(self._words, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addWidget(self.button)
        self._buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(told)
        column.addLayout(self._buttons)
        self.show_origin(None)

    def add_button(self, button: QWidget) -> None:
        """Put another button at the right of "Reproduce"."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)

    @property
    def words(self) -> str:
        """What the line says."""
        return self._words.text()

    def show_origin(self, origin: Origin | None) -> None:
        """Follow this answer; None follows none."""
        if origin is not None and origin == self._origin:
            return
        self._leave()
        self._origin, self._last = origin, None
        self.setVisible(origin is not None)
        if origin is None:
            return
        if origin.obstacle:
            self._tell(origin.obstacle)
        elif (attempt := self._origins.at_work(origin)) is not None:
            self._follow(attempt)
        else:
            self._tell("")
            self._origins.read_last(origin, lambda last: self._read(origin, last))
        self._show_button()

    def stop(self) -> None:
        """Give up an attempt that is at work."""
        if self._attempt is not None:
            self._attempt.stop()

    def set_theme(self, theme: Theme) -> None:
        """Draw the mark in this theme's colours."""
        self._theme = theme
        if self._last is not None:
            self._show_last(self._last)

    # --- an attempt -------------------------------------------------------------------------------------------------

    @Slot()
    def _act(self) -> None:
        if self._attempt is not None:
            self._attempt.stop()
        elif self._origin is not None and not self._origin.obstacle:
            attempt = self._origins.reproduce(self._origin)
            self._follow(attempt)
            self._show_button()
            attempt.start()

    def _follow(self, attempt: Reproduction) -> None:
        self._attempt = attempt
        attempt.progressed.connect(self._progressed)
        attempt.ended.connect(self._ended)
        attempt.stopped.connect(self._stopped)
        attempt.failed.connect(self._failed)
        self._tell(attempt.words)

    def _leave(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.progressed.disconnect(self._progressed)
            attempt.ended.disconnect(self._ended)
            attempt.stopped.disconnect(self._stopped)
            attempt.failed.disconnect(self._failed)

    @Slot(str)
    def _progressed(self, words: str) -> None:
        self._tell(words)

    @Slot(object)
    def _ended(self, what: Reproduced) -> None:
        self._leave()
        self._show_last(what)
        self._show_button()
        announce(self, self.words)

    @Slot()
    def _stopped(self) -> None:
        self._leave()
        self._tell("Stopped; nothing was compared.")
        self._show_button()

    @Slot(object)
    def _failed(self, error: AppError) -> None:
        self._leave()
        self._tell(str(error), "warning", self._theme.warn)
        self._show_button()

    # --- showing ----------------------------------------------------------------------------------------------------

    def _read(self, origin: Origin, last: Reproduced | None) -> None:
        if origin is self._origin and self._attempt is None and self._last is None and last is not None:
            self._show_last(last)

    def _show_last(self, what: Reproduced) -> None:
        self._last = what
        at = when(what.at_ms)
        if what.is_equal:
            self._tell(f"Reproduced word for word on {at}", "check", self._theme.ok)
        elif self._origin is not None:
            old, new = around(self._origin.text, what.differs_at), around(what.text, what.differs_at)
            lines = [
                f"Not the same on {at}: it differs from character {what.differs_at + 1:,} on, "
                f"“{old}” then, “{new}” now.",
                *what.reasons,
            ]
            self._tell("\n".join(lines), "warning", self._theme.warn)
        self.changed.emit(what)

    def _tell(self, words: str, mark: str = "", colour: str = "") -> None:
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._mark.setVisible(bool(mark))
        if mark:
            self._mark.setPixmap(icon(mark, colour, _ICON_PX).pixmap(_ICON_PX, _ICON_PX))

    def _show_button(self) -> None:
        at_work = self._attempt is not None
        self.button.setText("Stop" if at_work else "Reproduce")
        self.button.set_icon("stop" if at_work else "refresh", self._theme)
        self.button.setEnabled(at_work or (self._origin is not None and not self._origin.obstacle))
