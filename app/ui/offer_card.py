"""The card of the first start: one better model, in the size that fits this computer."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.core.verdicts import Verdict
from app.ui.buttons import WordButton
from app.ui.catalogue import tile
from app.ui.icons import icon
from app.ui.model_words import FIT_LOOKS, gibibytes
from app.ui.theme import Theme

_NARROW_PX = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """What the card says. `share`, 0 to 1, is how much has come; None before and after a download."""

    name: str
    quant: str
    size: str
    words: str
    verdict: Verdict
    button: str = "Download"
    button_enabled: bool = True
    state: str = ""
    share: float | None = None
    trouble: bool = False


class OfferCard(QFrame):
    """Offers a model.

    Signals: `pressed()` for its button; `others_asked()`: the model pages; `open_asked()`: a file from disk.
    """

    pressed = Signal()
    others_asked = Signal()
    open_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._theme = theme
        self._offer: Offer | None = None
        self._tile = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._tile.setProperty("kind", "tile")
        self._title = QLabel(wordWrap=True)
        self._title.setProperty("kind", "title")
        self._words = QLabel(wordWrap=True)
        self._words.setProperty("kind", "muted")
        self._picture = QLabel()
        self._fit = QLabel()
        self._needs = QLabel(wordWrap=True)
        self._needs.setProperty("kind", "faint")
        self._state = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 1000)
        self.button = WordButton("Download", theme, kind="filled", icon_name="download")
        self.button.clicked.connect(self.pressed)
        self.others = WordButton("Other models", theme, kind="link")
        self.others.clicked.connect(self.others_asked)
        self.open = WordButton("Open a GGUF file…", theme, kind="link")
        self.open.clicked.connect(self.open_asked)
        self._lay_out()

    def _lay_out(self) -> None:
        fit = QHBoxLayout()
        fit.setSpacing(6)
        fit.addWidget(self._picture)
        fit.addWidget(self._fit)
        fit.addSpacing(6)
        fit.addWidget(self._needs, 1)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._title)
        words.addWidget(self._words)
        words.addLayout(fit)
        words.addWidget(self._bar)
        words.addWidget(self._state)
        buttons = QVBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(self.button)
        buttons.addWidget(self.others, 0, Qt.AlignmentFlag.AlignHCenter)
        buttons.addWidget(self.open, 0, Qt.AlignmentFlag.AlignHCenter)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(20, 16, 18, 12)
        self._row.setSpacing(16)
        self._row.addWidget(self._tile, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addLayout(words, 1)
        self._row.addLayout(buttons)
        self.set_theme(self._theme)

    def show_offer(self, offer: Offer) -> None:
        """Say this."""
        self._offer = offer
        self._tile.setText(tile(offer.name))
        self._title.setText(f"Get {offer.name} · {offer.size}" if offer.button == "Download" else offer.name)
        self._words.setText(offer.words)
        self._fit.setText(FIT_LOOKS[offer.verdict.fit][2])
        needed = f"{offer.quant}, needs {gibibytes(offer.verdict.needed_bytes)} of memory"
        self._needs.setText(needed if offer.verdict.needed_bytes else offer.quant)
        self._state.setText(offer.state)
        self._state.setVisible(bool(offer.state))
        self._state.setProperty("kind", "danger" if offer.trouble else "muted")
        self._state.style().unpolish(self._state)
        self._state.style().polish(self._state)
        self._bar.setVisible(offer.share is not None)
        self._bar.setValue(round(1000 * (offer.share or 0)))
        self._bar.setAccessibleName(f"{offer.name}: {round(100 * (offer.share or 0))} %")
        self.button.setText(offer.button)
        self.button.setAccessibleName(f"{offer.button} {offer.name}")
        self.button.setEnabled(offer.button_enabled)
        pictures = {"Pause": "pause", "Resume": "play", "Chat": "edit", "Retry": "refresh", "Retry now": "refresh"}
        self.button.set_icon(pictures.get(offer.button, "download"), self._theme)
        self._show_shape()

    def offer(self) -> Offer | None:
        """What it says."""
        return self._offer

    def set_theme(self, theme: Theme) -> None:
        """Draw the shape in this theme's colours."""
        self._theme = theme
        side = round(theme.font_pt * 4.4)
        self._tile.setFixedSize(side, side)
        self._show_shape()

    def _show_shape(self) -> None:
        if self._offer is not None:
            name, tone, _ = FIT_LOOKS[self._offer.verdict.fit]
            self._picture.setPixmap(icon(name, getattr(self._theme, tone), 16).pixmap(16, 16))

    def height_at(self, width: int) -> int:
        """How high it is where it is so wide."""
        self._arrange(width)
        return self.heightForWidth(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a narrow page the buttons stand below the words."""
        super().resizeEvent(event)
        self._arrange(self.width())

    def _arrange(self, width: int) -> None:
        narrow = width < _NARROW_PX
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._row.setDirection(down if narrow else right)
        self._tile.setVisible(not narrow)
