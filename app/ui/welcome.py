"""What stands where a chat will be: no questions, a model that answers, and the way to a better one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.icons import icon
from app.ui.offer_card import OfferCard
from app.ui.theme import Theme
from app.ui.words import gigabytes

if TYPE_CHECKING:
    from app.services.model_manager import ModelEntry

# Each is something that the model which comes with the app can do
SUGGESTIONS = (
    ("spark", "Tell me a story", "Watch the words arrive", "Tell me a story."),
    ("memory", "Say who you are", "Then ask it for your name", "My name is Ada."),
    ("code", "Write some code", "With a button to copy it", "Write a Python function that adds two numbers."),
)
_COLUMN_PX = 780
_NARROW_PX = 560
_SIDE_PX = 32
_EDGE_PX = 12
_AIR_PX = (10, 26)
"""Above the offer: where room is short, and as it should be."""


class SuggestionCard(QPushButton):
    """A message that can be sent with one press."""

    def __init__(
        self, icon_name: str, title: str, more: str, text: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.text_to_send = text
        self._icon_name = icon_name
        self.setAccessibleName(f"{title}: {more}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._picture = QLabel()
        self._title = QLabel(title)
        self._title.setProperty("kind", "heading")
        self._more = QLabel(more)
        self._more.setProperty("kind", "faint")
        self._more.setWordWrap(True)
        self._more.setMinimumWidth(80)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._more)
        words.addStretch()
        self._inside = row = QHBoxLayout(self)
        row.setContentsMargins(15, 12, 12, 12)
        row.setSpacing(11)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for label in (self._picture, self._title, self._more):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        self._picture.setPixmap(icon(self._icon_name, theme.accent, 18).pixmap(QSize(18, 18)))

    def sizeHint(self) -> QSize:
        """As high as the words need; a button alone would know only its own text."""
        return QSize(200, self._inside.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Narrow windows break the words."""
        return QSize(130, self._inside.minimumSize().height())

    def hasHeightForWidth(self) -> bool:
        """The narrower, the higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height at which all words show."""
        return self._inside.totalHeightForWidth(width)


class Welcome(QScrollArea):
    """Shown while a chat is empty.

    Signals: `suggested(str)` with a message to send. What the card does is its own business.
    """

    suggested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # born in their places, in the order of Tab: what moves is dressed anew
        self._holder = QWidget(self.viewport())
        self._inside = inside = QWidget(self._holder)
        self._logo = QLabel(inside)
        self._title = QLabel("Welcome to Orcinus", inside)
        self._title.setProperty("kind", "hero")
        self._lead = QLabel("Everything runs on this computer. Start typing: nothing to set up.", inside)
        self._lead.setProperty("kind", "lead")
        self._lead.setWordWrap(True)
        self._lead.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._facts: list[str] = []
        self._pill = QLabel(inside)
        self._pill.setProperty("kind", "pill")
        self.offer = OfferCard(theme, inside)
        self._try_it = QLabel(inside)
        self._cards = [SuggestionCard(*suggestion, theme, inside) for suggestion in SUGGESTIONS]
        for card in self._cards:
            card.clicked.connect(self._suggest)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        self._try_it.setProperty("kind", "section")
        self._row = QHBoxLayout()
        self._row.setSpacing(12)
        for card in self._cards:
            self._row.addWidget(card, 1)
        self._column = column = QVBoxLayout(self._inside)
        column.setSpacing(0)
        column.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._logo.setContentsMargins(0, 0, 0, 12)
        column.addWidget(self._logo, 0, centre)
        column.addWidget(self._title, 0, centre)
        column.addSpacing(2)
        column.addWidget(self._lead)
        column.addSpacing(10)
        column.addWidget(self._pill, 0, centre)
        self._air = QSpacerItem(0, _AIR_PX[1], QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        column.addItem(self._air)
        column.addWidget(self.offer)
        column.addSpacing(20)
        column.addWidget(self._try_it)
        column.addSpacing(8)
        column.addLayout(self._row)
        column.addStretch(1)
        self._inside.setMaximumWidth(_COLUMN_PX)
        row = QHBoxLayout(self._holder)
        row.setContentsMargins(_SIDE_PX, _EDGE_PX, _SIDE_PX, _EDGE_PX)
        row.addStretch(1)
        row.addWidget(self._inside, 100)
        row.addStretch(1)
        self.setWidget(self._holder)
        self.offer.installEventFilter(self)

    def show_model(self, entry: ModelEntry, *, first: bool) -> None:
        """Say who answers. `first`: there is no chat yet, so greet."""
        size = gigabytes(entry.size_bytes) if entry.size_bytes else ""
        self._facts = [part for part in (entry.name, size, entry.note) if part]
        self._fit()
        self._title.setText("Welcome to Orcinus" if first else "A new chat")
        offered = first or entry.bundled
        self.offer.setVisible(offered)
        self._try_it.setText("Or try it right now" if offered else "Try it right now")

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in this theme's colours."""
        del theme
        self._logo.setPixmap(icon("orcinus", "#ffffff", 60).pixmap(QSize(60, 60)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The offer says something else, which may need more room."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.ShowToParent):
            self._make_room()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the cards stand below each other; in a low one the greeting gives way to the offer."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.viewport().width() < _NARROW_PX
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._row.setDirection(direction)
        self._pill.setText(" · ".join(self._facts[: 2 if narrow else 3]))
        self._make_room(afresh=True)

    def _make_room(self, *, afresh: bool = False) -> None:
        """Leave out what greets, the least important first, until the offer's button is seen without scrolling.

        afresh: what was left out may come back; only then, for coming and going may change the width and so the height.
        """
        width = min(_COLUMN_PX, self.viewport().width() - 2 * _SIDE_PX)
        room = self.viewport().height() - _EDGE_PX - self._title.sizeHint().height() - 12 - _AIR_PX[0]
        if not self.offer.isHidden():
            room -= self.offer.height_at(width)
        greeting = (
            (self._lead, self._lead.heightForWidth(width)),
            (self._pill, self._pill.sizeHint().height()),
            (self._logo, self._logo.sizeHint().height()),
        )
        for part, height in greeting:
            room -= height
            if afresh or room < 0:
                part.setVisible(room >= 0)
        air = _AIR_PX[room >= _AIR_PX[1]]
        if air != self._air.sizeHint().height():  # to lay out anew is to be asked to make room anew
            self._air.changeSize(0, air)
            self._column.invalidate()

    @Slot()
    def _suggest(self) -> None:
        card = self.sender()
        if isinstance(card, SuggestionCard):
            self.suggested.emit(card.text_to_send)
