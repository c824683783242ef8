"""What made this answer: everything that is kept of how it came about, and whether it comes out the same again."""

from __future__ import annotations

import json
from dataclasses import asdict

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.chat import Provenance
from app.core.made_by import Section, as_markdown, sections
from app.core.reproduced import Reproduced
from app.core.word_diff import word_diff
from app.services.origin import Origin
from app.services.origins import Origins
from app.ui.buttons import WordButton
from app.ui.diff_view import DiffView
from app.ui.model_facts import ElidedLabel
from app.ui.origin_facts import OriginFacts
from app.ui.reproduce_bar import ReproduceBar
from app.ui.theme import Theme

_SIZE = QSize(600, 680)
_SMALLEST = QSize(380, 360)
_DIFF_PX = 150


def open_origin(parent: QWidget, origins: Origins, origin: Origin | None, theme: Theme) -> OriginDialog:
    """Show what made an answer, above the window of `parent`; None: nothing was kept of it."""
    dialog = OriginDialog(origins, origin, theme, parent.window())
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


class OriginDialog(QDialog):
    """Closes by Escape; an attempt to make the answer once more is given up then."""

    def __init__(self, origins: Origins, origin: Origin | None, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("What made this answer")
        self._origins, self.origin = origins, origin
        self._version = ""
        title = QLabel("What made this answer")
        title.setProperty("kind", "title")
        self._subtitle = ElidedLabel(origin.title if origin is not None else "")
        self._subtitle.setProperty("kind", "muted")
        self.facts = OriginFacts(theme)
        self.differences = DiffView(theme)
        self.differences.setFixedHeight(_DIFF_PX)
        self.differences.hide()
        self.reproduce = ReproduceBar(origins, theme)
        self.reproduce.changed.connect(self._show_differences)
        self.copy = WordButton("Copy", theme, kind="outline", icon_name="copy")
        self.copy.setToolTip("Put all of this into the clipboard as Markdown")
        self.copy.clicked.connect(self._copy)
        self.copy_json = WordButton("Copy as JSON", theme, kind="outline", icon_name="code")
        self.copy_json.setToolTip("The same for programs")
        self.copy_json.clicked.connect(self._copy_json)
        self.close_button = WordButton("Close", theme, kind="outline")
        self.close_button.clicked.connect(self.reject)
        self._lay_out(title)
        self.finished.connect(self.reproduce.stop)
        origins.summed.connect(self._show)
        self._show()
        self.reproduce.show_origin(origin)
        if origin is not None:
            origins.read_version(origin.how, self._versioned)
        for button in (self.copy, self.copy_json):
            button.setEnabled(origin is not None)

    def _lay_out(self, title: QLabel) -> None:
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.copy)
        below.addWidget(self.copy_json)
        below.addStretch(1)
        below.addWidget(self.close_button)
        rule = QWidget()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(title)
        column.addWidget(self._subtitle)
        column.addWidget(self.facts, 1)
        column.addWidget(rule)
        column.addWidget(self.reproduce)
        column.addWidget(self.differences)
        column.addLayout(below)
        self.setMinimumSize(_SMALLEST)
        self.resize(_SIZE)

    @property
    def _how(self) -> Provenance:
        return self._origins.whole(self.origin.how) if self.origin is not None else Provenance()

    def _versioned(self, words: str) -> None:
        self._version = words
        self._show()

    @Slot()
    def _show(self) -> None:
        if self.origin is None:
            self.facts.say("What made this answer was not kept.")
            return
        how = self._how
        found = sections(how, version=self._version)
        if words := self._origins.sums_words(how):
            found = (Section(found[0].title, (*found[0].rows, ("SHA-256", words))), *found[1:])
        self.facts.show_facts(found, how.system_prompt)

    @Slot(object)
    def _show_differences(self, what: Reproduced | None) -> None:
        differs = what is not None and not what.is_equal and self.origin is not None
        self.differences.setVisible(differs)
        if differs and what is not None and self.origin is not None:
            self.differences.show_pieces(word_diff(self.origin.text, what.text))

    @Slot()
    def _copy(self) -> None:
        if self.origin is not None:
            head = f"# What made this answer\n\n{self.origin.title}\n\n"
            QGuiApplication.clipboard().setText(head + as_markdown(self._how, version=self._version))

    @Slot()
    def _copy_json(self) -> None:
        if self.origin is not None:
            text = json.dumps(asdict(self._how), ensure_ascii=False, indent=1)
            QGuiApplication.clipboard().setText(text)
