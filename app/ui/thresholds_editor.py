"""The thresholds of a new experiment: what a prompt has to reach, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.lab import Threshold
from app.scoring.measures import ANSWERED, CHECKS, WINS
from app.ui.buttons import IconButton, WordButton
from app.ui.quiet import QuietComboBox, QuietDoubleSpinBox
from app.ui.theme import Theme

_EVERY = "Every prompt"
MEASURE_WORDS = {CHECKS: "Checks passed", ANSWERED: "Questions answered", WINS: "Comparisons won"}
_MEASURE_HELP = {
    CHECKS: "The share of all checks that its answers pass; those of an answer that failed count as not passed",
    ANSWERED: "The share of questions that got an answer at all",
    WINS: "The share of comparisons that it wins, ties half; somebody has to compare: a judge, or you",
}
_USUAL = 0.9
_SHORTEST = 10


class _NarrowBox(QuietComboBox):
    """A choice that gets narrow with the form."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_SHORTEST)


class ThresholdRow(QFrame):
    """Edits one threshold. Signals: `changed()`; `remove_asked()`."""

    changed = Signal()
    remove_asked = Signal()

    def __init__(self, threshold: Threshold, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._threshold = threshold
        self.prompt = _NarrowBox("Prompt that has to reach it")
        self.measure = _NarrowBox("What is measured")
        self.low = QuietDoubleSpinBox()
        self.low.setRange(0.0, 100.0)
        self.low.setDecimals(1)
        self.low.setSuffix(" %")
        self.low.setAccessibleName("At least")
        self.low.setValue(threshold.low * 100)
        self._shown = self.low.value()
        self.remove = IconButton("trash", "Take this threshold away", theme, side_px=30)
        self._trouble = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._trouble.setProperty("kind", "danger")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.prompt, 2)
        head.addWidget(self.measure, 3)
        least = QLabel("at least")
        least.setProperty("kind", "muted")
        head.addWidget(least)
        head.addWidget(self.low)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._trouble)
        self._trouble.hide()
        self.prompt.activated.connect(self._edited)
        self.measure.activated.connect(self._edited)
        self.low.valueChanged.connect(self._edited)
        self.remove.clicked.connect(self.remove_asked)

    @property
    def threshold(self) -> Threshold:
        """The threshold as it stands in the form."""
        return self._threshold

    def trouble(self) -> str:
        """What is wrong with it; "" where nothing is."""
        return self._trouble.text()

    def show_known(self, threshold: Threshold, prompts: Sequence[str], checks: Sequence[str]) -> None:
        """Show this threshold, and offer these prompts and names of checks; emits nothing."""
        self._threshold = threshold
        gone = [] if threshold.contestant in ("", *prompts) else [threshold.contestant]
        _fill(self.prompt, {"": _EVERY} | {name: name for name in (*prompts, *gone)}, threshold.contestant)
        lost = [] if threshold.measure in (*MEASURE_WORDS, *checks) else [threshold.measure]
        names = {name: f"Check: {name}" for name in (*checks, *lost) if name not in MEASURE_WORDS}
        _fill(self.measure, MEASURE_WORDS | names, threshold.measure)
        self.measure.setToolTip(_MEASURE_HELP.get(threshold.measure, "The share of answers that pass this check"))
        trouble = f"There is no prompt called “{gone[0]}” any more." if gone else ""
        if lost:
            trouble = f"There is no check called “{lost[0]}” any more."
        elif threshold.measure == CHECKS and not checks:
            trouble = "There is no check yet that an answer could pass."
        self._trouble.setText(trouble)
        self._trouble.setVisible(bool(trouble))

    @Slot()
    def _edited(self) -> None:
        low = self._threshold.low
        # a share with more digits than are shown stays as it was given
        if self.low.value() != self._shown:
            self._shown = self.low.value()
            low = round(self._shown / 100, 4)
        self._threshold = Threshold(self.measure.currentData(), low, self.prompt.currentData())
        self.changed.emit()


def _fill(box: QComboBox, offered: dict[str, str], chosen: str) -> None:
    if [box.itemData(at) for at in range(box.count())] != list(offered):
        box.clear()
        for value, words in offered.items():
            box.addItem(words, value)
    box.setCurrentIndex(list(offered).index(chosen))


class _Names:
    """Names that are being typed: which of them is called otherwise now.

    On its way a name may be another one's, or a measure's, for a moment. What is renamed is asked of the last names
    that were all different.
    """

    def __init__(self) -> None:
        self.now: tuple[str, ...] = ()
        self._clear: tuple[str, ...] = ()

    def follow(self, now: tuple[str, ...]) -> dict[str, str]:
        """The new name by the old one; {} where more or less than one is another."""
        self.now = now
        if len(set(now)) < len(now) or not MEASURE_WORDS.keys().isdisjoint(now):
            return {}
        before, self._clear = self._clear, now
        others = [(old, new) for old, new in zip(before, now, strict=False) if old != new]
        return dict(others) if len(before) == len(now) and len(others) == 1 else {}


class ThresholdsEditor(QWidget):
    """`changed()`: the person changed, added or took away a threshold."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[ThresholdRow] = []
        self._prompts, self._checks = _Names(), _Names()
        self.add = WordButton("Add a threshold", theme, kind="outline", icon_name="plus")
        self.add.clicked.connect(self._add)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)

    def thresholds(self) -> tuple[Threshold, ...]:
        """The thresholds as they stand in the form."""
        return tuple(row.threshold for row in self.rows)

    def show_thresholds(self, thresholds: Iterable[Threshold]) -> None:
        """Show these; emits nothing."""
        for row in self.rows:
            self._drop(row)
        self.rows = []
        for threshold in thresholds:
            self._put(threshold)

    def show_known(self, prompts: Iterable[str], checks: Iterable[str]) -> None:
        """Offer these prompts and names of checks. Where just one is called otherwise now, thresholds follow it."""
        now = tuple(prompts), tuple(checks)
        if now == (self._prompts.now, self._checks.now):
            return
        new_prompt, new_check = self._prompts.follow(now[0]), self._checks.follow(now[1])
        for row in self.rows:
            one = row.threshold
            contestant = new_prompt.get(one.contestant, one.contestant)
            measure = new_check.get(one.measure, one.measure)
            row.show_known(replace(one, contestant=contestant, measure=measure), *self._offered)

    @property
    def _offered(self) -> tuple[list[str], list[str]]:
        return list(dict.fromkeys(self._prompts.now)), list(dict.fromkeys(self._checks.now))

    @Slot()
    def _add(self) -> None:
        row = self._put(Threshold(CHECKS if self._checks.now else ANSWERED, _USUAL))
        row.measure.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def _put(self, threshold: Threshold) -> ThresholdRow:
        row = ThresholdRow(threshold, self._theme)
        row.show_known(threshold, *self._offered)
        row.changed.connect(lambda: self._edited(row))
        row.remove_asked.connect(lambda: self._remove(row))
        self._column.insertWidget(len(self.rows), row)
        self.rows.append(row)
        self._order_tabs()
        return row

    def _order_tabs(self) -> None:
        """A row that comes later would else be behind everything in the window."""
        stops = [stop for row in self.rows for stop in (row.prompt, row.measure, row.low, row.remove)]
        for one, following in pairwise([*stops, self.add]):
            QWidget.setTabOrder(one, following)

    def _edited(self, row: ThresholdRow) -> None:
        row.show_known(row.threshold, *self._offered)
        self.changed.emit()

    def _remove(self, row: ThresholdRow) -> None:
        self.rows.remove(row)
        self._drop(row)
        self.add.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def _drop(self, row: ThresholdRow) -> None:
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for rows to come."""
        self._theme = theme
