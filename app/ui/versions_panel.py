"""The right side of the library of prompts: the versions of the one that is open, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.lab import Contestant
from app.services.compare_setup import MOST_COLUMNS
from app.ui.buttons import WordButton
from app.ui.theme import Theme
from app.ui.version_list import VersionList, rows_of

if TYPE_CHECKING:
    from app.services.prompt_desk import PromptDesk


class VersionsPanel(QFrame):
    """Shows the desk's versions.

    Signals: `compare_asked()`: those chosen, side by side; `test_asked()`: those, in an experiment; `restore_asked()`,
    `branch_asked()`: from the version that is shown; `menu_asked(str, QPoint)` with a version's hash.
    """

    compare_asked = Signal()
    test_asked = Signal()
    restore_asked = Signal()
    branch_asked = Signal()
    menu_asked = Signal(str, QPoint)

    def __init__(self, desk: PromptDesk, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._defaults: Mapping[str, tuple[str, ...]] = {}
        title = QLabel("Versions")
        title.setProperty("kind", "section")
        self._count = QLabel()
        self._count.setProperty("kind", "faint")
        self.list = VersionList(theme)
        self.list.shown.connect(desk.show_version)
        self.list.menu_asked.connect(self.menu_asked)
        self.list.chosen_changed.connect(self._show_buttons)
        self.compare = WordButton("Compare in columns", theme, kind="outline", icon_name="columns")
        self.compare.clicked.connect(self.compare_asked)
        self.test = WordButton("Test in an experiment", theme, kind="outline", icon_name="table")
        self.test.clicked.connect(self.test_asked)
        self.restore = WordButton("Restore", theme, kind="outline", icon_name="reset")
        self.restore.setToolTip("Make a new version that says what this one says")
        self.restore.clicked.connect(self.restore_asked)
        self.branch = WordButton("Branch", theme, kind="outline", icon_name="branch")
        self.branch.setToolTip("Make a prompt of its own that goes on from this version")
        self.branch.clicked.connect(self.branch_asked)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self._count)
        ways = QHBoxLayout()
        ways.setSpacing(8)
        ways.addWidget(self.restore, 1)
        ways.addWidget(self.branch, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.above = QVBoxLayout()
        column.addLayout(self.above)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addWidget(self.compare)
        column.addWidget(self.test)
        column.addLayout(ways)
        for signal in (desk.opened, desk.changed, desk.shown):
            signal.connect(self.refresh)
        desk.edited.connect(self.refresh)

    def show_defaults(self, defaults: Mapping[str, tuple[str, ...]]) -> None:
        """By hash, the names of the models whose chats begin with a version."""
        self._defaults = defaults
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what there is now."""
        desk, now = self._desk, datetime.now(tz=UTC).astimezone()
        current = desk.prompt.current if desk.prompt is not None else desk.base.hash if desk.base is not None else ""
        rows = rows_of(
            desk.versions,
            current,
            now,
            edited=desk.edited_versions(),
            defaults=self._defaults,
            dated=desk.bundled is None,
        )
        self.list.show_rows(rows, desk.base.hash if desk.base is not None else "")
        self._show_buttons()

    @Slot()
    def _show_buttons(self) -> None:
        desk, chosen = self._desk, len(self.list.chosen())
        self._count.setText(f"{chosen} chosen" if chosen > 1 else "")
        own = desk.prompt is not None and desk.base is not None
        older = own and desk.base is not None and desk.prompt is not None and desk.base.hash != desk.prompt.current
        self.restore.setEnabled(bool(older) and chosen < 2)
        self.branch.setEnabled(own and chosen < 2)
        self.compare.setEnabled(bool(desk.key))
        self.test.setEnabled(bool(desk.key))

    def contestants(self, name: str) -> tuple[Contestant, ...]:
        """What is to be compared: the versions that are chosen; else what is written, with what it was made from."""
        chosen = [row.place for row in self.list.chosen()]
        if len(chosen) > 1:
            newest = chosen[-MOST_COLUMNS:]
            return tuple(Contestant(f"{name} v{one.number}", one.version.text, one.version.hash) for one in newest)
        desk, numbers = self._desk, {one.hash: at for at, one in enumerate(self._desk.versions, start=1)}
        found: list[Contestant] = []
        for version_hash in (desk.base.parent if desk.base is not None else "", desk.base.hash if desk.base else ""):
            version = next((one for one in desk.versions if one.hash == version_hash), None)
            if version is not None:
                words = f"{name} v{numbers[version.hash]}" if desk.prompt is not None else name
                found.append(Contestant(words, version.text, version.hash))
        if desk.is_edited:
            found.append(Contestant(f"{name}, edited", desk.text))
        return tuple(found[-2:]) if len(found) > 1 else (Contestant("No prompt", ""), *found)
