"""Published scores with their source, and how to cite a model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.core.known import Score
from app.ui.buttons import WordButton
from app.ui.theme import Theme

_COPIED_MS = 1500


def _label(words: str, kind: str, *, wrap: bool = False) -> QLabel:
    label = QLabel(words, wordWrap=wrap, textFormat=Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


class ScoresCard(QFrame):
    """The scores. `link_activated(str)` with a source's address."""

    link_activated = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(18, 14, 18, 14)
        self._column.setSpacing(6)
        self._column.addWidget(_label("Published scores", "title"))
        self._source = _label("", "faint", wrap=True)
        self._column.addWidget(self._source)
        self._inside: QWidget | None = None
        self.hide()

    def show_scores(self, scores: Sequence[Score], source: str, url: str) -> None:
        """Show these; nothing where there are none."""
        if self._inside is not None:
            self._column.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
        self._inside = QWidget()
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        for group in dict.fromkeys(score.group for score in scores):
            if group:
                column.addWidget(_label(group, "heading", wrap=True))
            self._add_table(column, [score for score in scores if score.group == group])
        self._source.setText(source or "Given by the authors, not measured here.")
        if url:
            link = WordButton("Open the source", self._theme, kind="link", icon_name="external")
            link.setAccessibleName("Open the source of the scores")
            link.setToolTip(url)
            link.setProperty("address", url)
            link.clicked.connect(self._follow)
            column.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self._inside)
        self.setVisible(bool(scores))

    def _add_table(self, column: QVBoxLayout, scores: Sequence[Score]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for place, score in enumerate(scores):
            words = f"{score.test} · {score.how}" if score.how else score.test
            name = _label(score.test, "")
            how = _label(score.how, "faint", wrap=True)
            if not score.how:
                how.hide()
            beside = QHBoxLayout()
            beside.setSpacing(8)
            beside.addWidget(name)
            beside.addWidget(how, 1)
            grid.addLayout(beside, 2 * place, 0)
            value = _label(_number(score.value), "heading")
            grid.addWidget(value, 2 * place, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            bar = QProgressBar(textVisible=False)
            bar.setRange(0, 1000)
            bar.setValue(round(1000 * min(1.0, max(0.0, score.value / score.of))))
            bar.setAccessibleName(f"{words}: {_number(score.value)} of {_number(score.of)}")
            grid.addWidget(bar, 2 * place + 1, 0, 1, 2)
        column.addLayout(grid)
        column.addSpacing(6)

    @Slot()
    def _follow(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.link_activated.emit(str(sender.property("address")))

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for links to come."""
        self._theme = theme


def _number(value: float) -> str:
    return f"{value:g}" if value == int(value) or value < 1 else f"{value:.2f}"


class CitationCard(QFrame):
    """A citation in BibTeX, and a button that copies it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._text = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._text.setProperty("kind", "mono")
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setAccessibleName("Citation in BibTeX")
        self.copy = WordButton("Copy BibTeX", theme, kind="outline", icon_name="copy")
        self.copy.clicked.connect(self._copy)
        self._copied = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied.timeout.connect(self._forget)
        head = QHBoxLayout()
        head.addWidget(_label("Citation", "title"))
        head.addStretch()
        head.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._text)
        self.hide()

    def show_citation(self, text: str) -> None:
        """Show it; nothing for ""."""
        self._text.setText(text.strip())
        self.setVisible(bool(text.strip()))

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.text())
        self.copy.setText("Copied")
        self._copied.start()

    @Slot()
    def _forget(self) -> None:
        self.copy.setText("Copy BibTeX")
