"""What stands before and after a round of blind rating: how it goes, and what came of it, with the names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.buttons import WordButton
from app.ui.contestant_colours import mark_pixmap
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.lab import Contestant

ROUNDS = (10, 30, 100)
_WIDTH_PX = 560
_KEYS = (
    ("1", "A is better"),
    ("2", "B is better"),
    ("=", "equally good"),
    ("0", "skip: both bad, or hard to say"),
    ("N", "a note"),
    ("Backspace", "take the last vote back"),
    ("Esc", "pause"),
)


def _label(words: str, kind: str, *, wrap: bool = True) -> QLabel:
    made = QLabel(words, wordWrap=wrap, textFormat=Qt.TextFormat.PlainText)
    made.setProperty("kind", kind)
    return made


class _Page(QWidget):
    """A card in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = QFrame()
        card.setObjectName("card")
        card.setMaximumWidth(_WIDTH_PX)
        self.column = QVBoxLayout(card)
        self.column.setContentsMargins(26, 22, 26, 24)
        self.column.setSpacing(12)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(20, 30, 20, 20)
        whole.addStretch(1)
        whole.addWidget(card, 100, Qt.AlignmentFlag.AlignTop)
        whole.addStretch(1)


class RateStart(_Page):
    """Signals: `begun(int)` with the number of pairs wanted; `resumed()`: the round that was paused goes on."""

    begun = Signal(int)
    resumed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open = 0
        self._paused = self._wanted = False
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.sizes = QComboBox()
        self.sizes.setAccessibleName("How many pairs")
        self.start = WordButton("Start", theme, kind="filled")
        self.start.clicked.connect(self._begin)
        self._facts = _label("", "muted")
        keys = QGridLayout()
        keys.setHorizontalSpacing(10)
        keys.setVerticalSpacing(6)
        keys.setColumnStretch(1, 1)
        for at, (key, words) in enumerate(_KEYS):
            keys.addWidget(_label(key, "keys", wrap=False), at, 0, Qt.AlignmentFlag.AlignLeft)
            keys.addWidget(_label(words, "muted", wrap=False), at, 1)
        what = (
            "Two answers to one question stand side by side, and you say which is better. Whose they are is hidden, "
            "the sides are shuffled, and neither length nor speed is shown. The pairs that teach most come first."
        )
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.sizes)
        row.addWidget(self.start)
        row.addStretch(1)
        self.column.addWidget(_label("Blind rating", "hero"))
        self.column.addWidget(_label(what, ""))
        self.column.addWidget(self._facts)
        self.column.addLayout(row)
        self.column.addSpacing(4)
        self.column.addLayout(keys)

    def take_focus(self) -> None:
        """Put the keyboard on the button, at once or as soon as it can be pressed."""
        self._wanted = not self.start.isEnabled()
        (self if self._wanted else self.start).setFocus(Qt.FocusReason.OtherFocusReason)

    def show_state(self, rated: int, open_pairs: int | None, *, answers: int, left: int) -> None:
        """Say how many pairs were rated and are open (None: not counted yet); `left` of a round that is paused."""
        self._open, self._paused = open_pairs or 0, bool(left)
        self._facts.setText(_facts(rated, open_pairs, answers))
        self.sizes.setVisible(not left and self._open > ROUNDS[0])
        if self.sizes.count() == 0 or int(self.sizes.itemData(self.sizes.count() - 1)) != self._open:
            self._list_sizes()
        self.start.setText(f"Go on: {left} left" if left else "Start")
        self.start.setEnabled(bool(left or self._open))
        if self._wanted and self.start.isEnabled() and self.hasFocus():
            self.take_focus()

    def _list_sizes(self) -> None:
        chosen = self.sizes.currentData()
        self.sizes.clear()
        for size in ROUNDS:
            if size < self._open:
                self.sizes.addItem(f"{size} pairs", size)
        if self._open:
            self.sizes.addItem(f"All {self._open:,} pairs", self._open)
        at = self.sizes.findData(chosen) if chosen is not None else -1
        self.sizes.setCurrentIndex(at if at >= 0 else min(1, self.sizes.count() - 1))

    @Slot()
    def _begin(self) -> None:
        if self._paused:
            self.resumed.emit()
        elif self._open:
            self.begun.emit(int(self.sizes.currentData() or self._open))


def _facts(rated: int, open_pairs: int | None, answers: int) -> str:
    done = f"You have compared {rated:,} {'pair' if rated == 1 else 'pairs'}" if rated else ""
    if answers < 2:
        return "There is nothing to compare yet: run the experiment first."
    if open_pairs is None:
        return f"{done}." if done else "Looking for pairs…"
    if open_pairs:
        still = f"{open_pairs:,} {'is' if open_pairs == 1 else 'are'} open"
        return f"{done}; {still}." if done else f"{open_pairs:,} {'pair is' if open_pairs == 1 else 'pairs are'} open."
    return f"{done}; none is left." if done else "There is nothing to compare: all answers to a question are the same."


class RateEnd(_Page):
    """Signals: `ranking_asked()`; `more_asked(int)`: so many pairs more."""

    ranking_asked = Signal()
    more_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._most = 0
        self._shown: tuple[tuple[str, int, str], ...] = ()
        self._title = _label("", "hero")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        self._none = _label("", "muted")
        self.ranking = WordButton("See the ranking", theme, kind="filled")
        self.ranking.clicked.connect(self.ranking_asked)
        self.more = WordButton("", theme, kind="outline")
        self.more.clicked.connect(lambda: self.more_asked.emit(self._most))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.ranking)
        row.addWidget(self.more)
        row.addStretch(1)
        self.column.addWidget(self._title)
        self.column.addWidget(self._none)
        self.column.addLayout(self._grid)
        self.column.addSpacing(4)
        self.column.addLayout(row)

    def show_round(
        self, done: int, tally: Sequence[tuple[int, float, int]], contestants: Sequence[Contestant], open_pairs: int
    ) -> None:
        """Say what came of a round of so many pairs: who won how often, best first; and how many pairs are left."""
        self._title.setText(f"{done} {'pair' if done == 1 else 'pairs'} rated")
        self._none.setText(
            "So often the answers of each prompt won in this round:" if tally else "No votes were given in this round."
        )
        self._shown = tuple(
            (contestants[one].name, one, f"{won:g} of {duels}") for one, won, duels in tally if one < len(contestants)
        )
        self._fill()
        self._most = min(ROUNDS[0], open_pairs)
        self.more.setText(f"Rate {self._most} more")
        self.more.setVisible(open_pairs > 0)

    def _fill(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for row, (name, contestant, words) in enumerate(self._shown):
            mark = QLabel()
            mark.setPixmap(mark_pixmap(contestant, self._theme))
            self._grid.addWidget(mark, row, 0)
            self._grid.addWidget(_label(name, "heading"), row, 1)
            self._grid.addWidget(_label(words, "muted", wrap=False), row, 2)

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and their figures, as shown."""
        return tuple((name, words) for name, _, words in self._shown)

    def set_theme(self, theme: Theme) -> None:
        """Draw the marks in this theme's colours."""
        self._theme = theme
        self._fill()
