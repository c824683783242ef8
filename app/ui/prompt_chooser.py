"""Choose prompts from the library for an experiment or a column: whole prompts, or any of their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.core.lab import Contestant
from app.core.prompts import found_in
from app.ui.buttons import WordButton
from app.ui.chat_sections import moment
from app.ui.filter_field import FilterField
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.core.prompts import PromptVersion
    from app.services.prompt_library import PromptLibrary

_CONTESTANT = Qt.ItemDataRole.UserRole
_PROMPT_ID = Qt.ItemDataRole.UserRole + 1


class PromptChooser(QDialog):
    """A tree of prompts with their versions. `chosen(tuple)` with `Contestant`s, in the order of the tree.

    With `one`, the one that the cursor is on is taken, else all that are ticked.
    """

    chosen = Signal(tuple)

    def __init__(
        self, prompts: PromptLibrary, theme: Theme, parent: QWidget | None = None, *, one: bool = False
    ) -> None:
        super().__init__(parent)
        self._one = one
        self.setWindowTitle("Prompts from the library")
        self._prompts = prompts
        self.search = FilterField("Search prompts", theme)
        self.search.setMaximumWidth(16_777_215)
        self.tree = QTreeWidget()
        self.tree.setProperty("kind", "items")
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName("Prompts and their versions")
        space = "" if one else "Space chooses a prompt, "
        self.tree.setAccessibleDescription(f"{space}the right arrow shows its versions.")
        note = QLabel("Open a prompt to choose among its versions.", wordWrap=True)
        note.setProperty("kind", "faint")
        self.add = WordButton("Add", theme, kind="filled")
        self.cancel = WordButton("Cancel", theme, kind="outline")
        buttons = QHBoxLayout()
        buttons.addWidget(note, 1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.search)
        column.addWidget(self.tree, 1)
        column.addLayout(buttons)
        self.resize(520, 460)
        self.search.textChanged.connect(self._filter)
        self.search.left_down.connect(lambda: self.tree.setFocus(Qt.FocusReason.OtherFocusReason))
        self.tree.itemExpanded.connect(self._expanded)
        self.tree.itemChanged.connect(self._show_count)
        self.tree.currentItemChanged.connect(self._show_count)
        self.tree.itemActivated.connect(self._activated)
        self.add.clicked.connect(self._add)
        self.cancel.clicked.connect(self.reject)
        prompts.changed.connect(self._fill)
        prompts.versions_read.connect(self._show_versions)
        self._fill()
        prompts.refresh()

    @Slot()
    def _fill(self) -> None:
        self.tree.clear()
        own = [one for one in self._prompts.prompts() if one.current]
        for prompt in own:
            item = self._item(self.tree.invisibleRootItem(), prompt.name, prompt.text, prompt.current, prompt.note)
            item.setText(0, f"{prompt.name}   v{prompt.number}")
            item.setData(0, _CONTESTANT, Contestant(f"{prompt.name} v{prompt.number}", prompt.text, prompt.current))
            if prompt.versions > 1:
                item.setData(0, _PROMPT_ID, prompt.id)
                item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        for one in self._prompts.bundled():
            words = f"{one.name}   comes with Orcinus"
            item = self._item(self.tree.invisibleRootItem(), one.name, one.version.text, one.version.hash, one.note)
            item.setText(0, words)
        if (first := self.tree.topLevelItem(0)) is not None:
            self.tree.setCurrentItem(first)
        self._show_count()

    def _item(self, parent: QTreeWidgetItem, name: str, text: str, version: str, note: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem(parent)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        if not self._one:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Unchecked)
        item.setData(0, _CONTESTANT, Contestant(name, text, version))
        item.setToolTip(0, f"{note}\n\n{text[:400]}".strip())
        return item

    @Slot(QTreeWidgetItem)
    def _expanded(self, item: QTreeWidgetItem) -> None:
        prompt_id = item.data(0, _PROMPT_ID)
        if prompt_id and not item.childCount():
            self._prompts.read_versions(prompt_id)

    @Slot(int, tuple)
    def _show_versions(self, prompt_id: int, versions: tuple[PromptVersion, ...]) -> None:
        items = map(self.tree.topLevelItem, range(self.tree.topLevelItemCount()))
        item = next((one for one in items if one is not None and one.data(0, _PROMPT_ID) == prompt_id), None)
        prompt = self._prompts.prompt(prompt_id)
        if item is None or prompt is None or item.childCount():
            return
        for number, version in reversed(list(enumerate(versions, start=1))):
            if version.hash == prompt.current:
                continue
            name = f"{prompt.name} v{number}"
            made = self._item(item, name, version.text, version.hash, version.note)
            when = moment(version.created_ms)
            made.setText(0, f"v{number}   {version.note or version.text[:60]}   {when.day} {when:%b %Y}")

    def contestants(self) -> tuple[Contestant, ...]:
        """Those that are ticked, or the one that is chosen."""
        if self._one:
            current = self.tree.currentItem()
            return (current.data(0, _CONTESTANT),) if current is not None else ()
        root = self.tree.invisibleRootItem()
        tops = [root.child(at) for at in range(root.childCount())]
        items = [item for top in tops if top is not None for item in (top, *map(top.child, range(top.childCount())))]
        return tuple(
            item.data(0, _CONTESTANT)
            for item in items
            if item is not None and item.checkState(0) == Qt.CheckState.Checked
        )

    @Slot()
    def _show_count(self) -> None:
        many = len(self.contestants())
        self.add.setEnabled(many > 0)
        self.add.setText(
            "Take" if self._one else "Add" if not many else "Add 1 prompt" if many == 1 else f"Add {many} prompts"
        )

    @Slot(str)
    def _filter(self, query: str) -> None:
        for at in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(at)
            if item is not None:
                contestant: Contestant = item.data(0, _CONTESTANT)
                item.setHidden(not found_in(query, contestant.name, contestant.system_prompt))
        items = map(self.tree.topLevelItem, range(self.tree.topLevelItemCount()))
        shown = next((item for item in items if item is not None and not item.isHidden()), None)
        current = self.tree.currentItem()
        if current is None or current.isHidden() or (current.parent() or current).isHidden():
            self.tree.setCurrentIndex(self.tree.indexFromItem(shown) if shown is not None else QModelIndex())
        self._show_count()

    @Slot(QTreeWidgetItem)
    def _activated(self, item: QTreeWidgetItem) -> None:
        """Enter on a prompt, or a double click, takes it along."""
        if not self._one:
            item.setCheckState(0, Qt.CheckState.Checked)
        self._add()

    @Slot()
    def _add(self) -> None:
        if found := self.contestants():
            self.accept()
            self.chosen.emit(found)
