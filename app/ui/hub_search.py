"""The line above the models: what to look for on the Hub, how big it may be, and in which order it is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from app.core.library import Order
from app.ui.icons import icon
from app.ui.model_words import licence_words
from app.ui.theme import Theme

_PAUSE_MS = 350
_NARROW_PX = 820
_B = 1_000_000_000
FITS = "Fits this computer"
SIZES: tuple[tuple[str, int | None, int | None], ...] = (
    ("Any size", None, None),
    (FITS, None, None),
    ("Up to 2 billion", None, 2 * _B),
    ("2 to 5 billion", 2 * _B, 5 * _B),
    ("5 to 10 billion", 5 * _B, 10 * _B),
    ("10 to 20 billion", 10 * _B, 20 * _B),
    ("Over 20 billion", 20 * _B, None),
)
ORDERS = (
    ("Most downloaded", Order.DOWNLOADS),
    ("Trending", Order.TRENDING),
    ("Most liked", Order.LIKES),
    ("Changed last", Order.UPDATED),
)
LICENCES = ("", "apache-2.0", "mit", "llama3.3", "llama3.2", "llama3.1", "gemma", "cc-by-nc-4.0")
"""Those that most models have, as the Hub spells them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for. Parameters are counts of weights; a licence is spelt as on the Hub, "" is any."""

    text: str = ""
    order: Order = Order.DOWNLOADS
    min_params: int | None = None
    max_params: int | None = None
    licence: str = ""


class HubSearch(QWidget):
    """A field and three boxes; typing waits for nobody.

    Signals: `wished()` when what is looked for changed and typing paused, or Enter was pressed; `emptied()` when
    nothing is looked for any more; `reference_entered(str)` on Enter after a repository's name or address;
    `left_down()` when the Down key leaves the field.
    """

    wished = Signal()
    emptied = Signal()
    reference_entered = Signal(str)
    left_down = Signal()

    def __init__(
        self,
        is_reference: Callable[[str], bool],
        largest: Callable[[], int | None],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        """`is_reference` tells whether a text names one repository rather than being words to search for.

        `largest` tells how many weights a model may have to fit this computer; None where that is not known.
        """
        super().__init__(parent)
        self._is_reference, self._largest = is_reference, largest
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search the Hugging Face Hub, or paste a link to a repository")
        self.field.setAccessibleName("Search the Hugging Face Hub, or paste a link to a repository")
        self.field.setClearButtonEnabled(True)
        # a dropped file belongs to the window
        self.field.setAcceptDrops(False)
        self.field.setMaxLength(2000)
        self._glass = QAction(self)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.field.textChanged.connect(self._typed)
        self.field.installEventFilter(self)
        self.size_box = self._make_box("Size of the model, in parameters", [words for words, _, _ in SIZES])
        licences = [licence_words(licence) or "Any licence" for licence in LICENCES]
        self.licence_box = self._make_box("Licence of the model", licences)
        self.order_box = self._make_box("Order of the results", [words for words, _ in ORDERS])
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._wish)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._narrow: bool | None = None
        self._arrange(narrow=False)
        self.set_theme(theme)

    def _make_box(self, name: str, choices: list[str]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.addItems(choices)
        box.activated.connect(self._wish)
        return box

    def wish(self) -> Wish:
        """What is looked for now."""
        words, low, high = SIZES[self.size_box.currentIndex()]
        if words == FITS:
            high = self._largest()
        order, licence = ORDERS[self.order_box.currentIndex()][1], LICENCES[self.licence_box.currentIndex()]
        return Wish(self.field.text().strip(), order, low, high, licence)

    @property
    def is_on(self) -> bool:
        """Whether anything is looked for: words, or models of a size, a licence or in an order of one's own."""
        wish = self.wish()
        limited = wish.min_params or wish.max_params or wish.licence
        return bool(wish.text or limited or wish.order is not Order.DOWNLOADS)

    def clear(self) -> None:
        """Look for nothing."""
        self.size_box.setCurrentIndex(0)
        self.licence_box.setCurrentIndex(0)
        self.order_box.setCurrentIndex(0)
        self.field.clear()
        self._pause.stop()
        self.emptied.emit()

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        self._glass.setIcon(icon("search", theme.faint, 16))

    @Slot(str)
    def _typed(self, text: str) -> None:
        if self.is_on:
            self._pause.start()
        else:
            self._pause.stop()
            self.emptied.emit()

    @Slot()
    def _wish(self) -> None:
        self._pause.stop()
        if self.is_on:
            self.wished.emit()
        else:
            self.emptied.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the field, Enter goes at once, Down goes to what was found, Escape looks for nothing."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                text = self.field.text().strip()
                if self._is_reference(text):
                    self._pause.stop()
                    self.reference_entered.emit(text)
                elif text:
                    self._wish()
                return True
            if event.key() == Qt.Key.Key_Down:
                self.left_down.emit()
                return True
            if event.key() == Qt.Key.Key_Escape and self.is_on:
                self.clear()
                return True
        return super().eventFilter(watched, event)

    def _arrange(self, *, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        boxes = (self.size_box, self.licence_box, self.order_box)
        for widget in (self.field, *boxes):
            self._grid.removeWidget(widget)
        self._grid.addWidget(self.field, 0, 0, 1, len(boxes) if narrow else 1)
        for column, box in enumerate(boxes):
            self._grid.addWidget(box, 1 if narrow else 0, column if narrow else column + 1)
        for column, share in enumerate((4, 4, 5) if narrow else (1, 0, 0)):
            self._grid.setColumnStretch(column, share)

    def resizeEvent(self, event: object) -> None:
        """On a narrow page the boxes stand below the field."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._arrange(narrow=self.width() < _NARROW_PX)
