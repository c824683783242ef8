"""The checks of a run or of a question, one below the other."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.core.checks import CheckKind
from app.core.lab import Check
from app.ui.buttons import WordButton
from app.ui.check_row import KIND_WORDS, CheckRow
from app.ui.theme import Theme


class ChecksEditor(QWidget):
    """`changed()`: the person changed, added or took away a check."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[CheckRow] = []
        self.add = WordButton("Add a check", theme, kind="outline", icon_name="plus")
        menu = QMenu(self.add)
        for kind, words in KIND_WORDS.items():
            menu.addAction(words).setData(kind)
        menu.triggered.connect(self._add_kind)
        self.add.setMenu(menu)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)

    def checks(self) -> tuple[Check, ...]:
        """The checks as they stand in the form."""
        return tuple(row.check() for row in self.rows)

    def show_checks(self, checks: Iterable[Check]) -> None:
        """Show these; emits nothing."""
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for check in checks:
            self._put(check)

    def trouble(self) -> str:
        """What is wrong with the first check that something is wrong with; "" for none."""
        return next((words for row in self.rows if (words := row.trouble())), "")

    @Slot(QAction)
    def _add_kind(self, action: QAction) -> None:
        kind: CheckKind = action.data()
        row = self._put(Check(str(kind)))
        first = next(iter(row.fields.values()), row.label)
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def _put(self, check: Check) -> CheckRow:
        row = CheckRow(check, self._theme)
        row.changed.connect(self.changed)
        row.remove_asked.connect(lambda: self._remove(row))
        self._column.insertWidget(len(self.rows), row)
        self.rows.append(row)
        return row

    def _remove(self, row: CheckRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.add.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for rows to come."""
        self._theme = theme
