"""Chooses a file of a repository: one row per quant, with what it takes and how it would run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.known import Entry
from app.core.library import Gate, Quant, Repo
from app.ui.buttons import WordButton
from app.ui.context_chooser import USUAL_CONTEXT, ContextChooser
from app.ui.icons import icon
from app.ui.model_rows import QUANT_COLUMNS, quant_key, quant_rows
from app.ui.model_words import FIT_LOOKS, FIT_MEANINGS
from app.ui.quiet import QuietComboBox
from app.ui.row_view import RowView
from app.ui.soon import Soon
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.model_services import ModelServices


_WIDE_LETTERS = 60
_REFRESH_MS = 250
_GATES = {
    Gate.OPEN: "",
    Gate.AUTO: "Its licence has to be accepted on its page on the Hub before it can be downloaded.",
    Gate.MANUAL: "Its owners decide who may download it: ask for access on its page on the Hub.",
}


class QuantPicker(QFrame):
    """Shows the quants of a repository at a commit.

    Signals: `pressed(Quant)` for the button in its row; `revision_asked(str)`: another branch or tag;
    `page_asked()`: the repository's page on the Hub, to accept a licence there.
    """

    pressed = Signal(object)
    revision_asked = Signal(str)
    page_asked = Signal()

    def __init__(self, services: ModelServices, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._services = services
        self._repo: Repo | None = None
        self._known: Entry | None = None
        self._wanted = ""
        self.version = QuietComboBox()
        self.version.setAccessibleName("Branch or tag")
        self.version.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.version.setMinimumContentsLength(9)
        self.version.activated.connect(self._choose_version)
        self._commit = QLabel()
        self._commit.setProperty("kind", "faint")
        self._gate = QLabel(wordWrap=True)
        self._gate.setProperty("kind", "warn")
        self.accept = WordButton("Open the model’s page…", theme, kind="outline", icon_name="external")
        self.accept.clicked.connect(self.page_asked)
        self.context = ContextChooser()
        self.context.changed.connect(self.refresh)
        self._machine_picture = QLabel()
        self._machine = QLabel(wordWrap=True)
        self._machine.setProperty("kind", "muted")
        self.quants = RowView("Files to choose from", "File", QUANT_COLUMNS, theme, button="Retry now")
        self.quants.setProperty("kind", "bare")
        self.quants.pressed.connect(self._pressed)
        self.quants.opened.connect(self._pressed)
        self.quants.setAccessibleDescription("Space or Enter presses the button in the row.")
        self._foot = QLabel(
            "Sizes on disk in GB, as on the Hub; memory in GiB: weights, the context and room to work in. "
            "Verdicts are for the memory that is free now."
        )
        self._foot.setProperty("kind", "faint")
        self._foot.setWordWrap(True)
        self._legend = QGridLayout()
        self._lay_out()
        self.set_theme(theme)
        self._soon = Soon(self.refresh, _REFRESH_MS, self)
        services.fitting.changed.connect(self._soon.now)
        services.downloads.changed.connect(self._soon.now)
        services.downloads.progressed.connect(self._soon.ask)
        services.local.changed.connect(self._soon.now)

    def _lay_out(self) -> None:
        title = QLabel("Choose a file")
        title.setProperty("kind", "title")
        self._version_label = QLabel("Version")
        self._version_label.setProperty("kind", "muted")
        self._version_label.setBuddy(self.version)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self._commit)
        head.addWidget(self._version_label)
        head.addWidget(self.version)
        gate = QHBoxLayout()
        gate.setSpacing(10)
        gate.addWidget(self._gate, 1)
        gate.addWidget(self.accept, 0, Qt.AlignmentFlag.AlignTop)
        machine = QHBoxLayout()
        machine.setSpacing(10)
        machine.addWidget(self._machine_picture, 0, Qt.AlignmentFlag.AlignTop)
        machine.addWidget(self._machine, 1)
        top = QVBoxLayout()
        top.setContentsMargins(18, 14, 18, 10)
        top.setSpacing(12)
        top.addLayout(head)
        top.addLayout(gate)
        top.addWidget(self.context)
        top.addLayout(machine)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(18, 8, 18, 14)
        bottom.setSpacing(8)
        self._legend.setHorizontalSpacing(6)
        self._legend.setVerticalSpacing(4)
        bottom.addLayout(self._legend)
        bottom.addWidget(self._foot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.quants)
        column.addLayout(bottom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a narrow page the commit is told by the tooltip alone."""
        super().resizeEvent(event)
        self._show_commit()

    def _show_commit(self) -> None:
        wide = self.width() >= _WIDE_LETTERS * self.fontMetrics().averageCharWidth()
        self._commit.setVisible(wide)
        self._version_label.setVisible(wide and not self.version.isHidden())

    def show_repo(self, repo: Repo, known: Entry | None, path: str = "", label: str = "") -> None:
        """Show a repository; a file's path or a quant's label may have been asked for."""
        other = self._repo is None or repo.repo_id != self._repo.repo_id
        self._repo, self._known = repo, known
        self._wanted = quant_in(repo, path, label)
        train = repo.n_ctx_train or (known.context_tokens if known is not None else None)
        self.context.set_most(train)
        if other:
            self.context.set_value(min(USUAL_CONTEXT, train or USUAL_CONTEXT))
        self._show_versions(repo)
        self._commit.setText(f"commit {repo.commit[:7]}")
        self._commit.setToolTip(f"Downloads come from exactly this commit: {repo.commit}")
        self._gate.setText(_GATES[repo.gate])
        for widget in (self._gate, self.accept):
            widget.setVisible(repo.gate is not Gate.OPEN)
        self.refresh()
        if self._wanted:
            self.quants.choose(self._wanted)

    def _show_versions(self, repo: Repo) -> None:
        self.version.clear()
        names = list(dict.fromkeys((repo.revision or "main", *repo.branches, *repo.tags)))
        for name in names:
            self.version.addItem(f"{name} (tag)" if name in repo.tags and name not in repo.branches else name, name)
        self.version.setCurrentIndex(0)
        several = len(names) > 1
        self.version.setVisible(several)
        self._show_commit()

    @Slot()
    def refresh(self) -> None:
        """Judge the quants anew."""
        self._machine.setText(f"This computer: {self._services.fitting.machine_words()}")
        if self._repo is not None:
            self.quants.show_rows(
                quant_rows(self._services, self._repo, self._known, self.context.value(), self._wanted)
            )

    def set_theme(self, theme: Theme) -> None:
        """Draw the shapes in this theme's colours."""
        self._machine_picture.setPixmap(icon("hardware", theme.muted, 18).pixmap(18, 18))
        while (item := self._legend.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for place, (fit, meaning) in enumerate(FIT_MEANINGS.items()):
            name, tone, words = FIT_LOOKS[fit]
            picture, label = QLabel(), QLabel(f"{words}: {meaning}")
            picture.setPixmap(icon(name, getattr(theme, tone), 15).pixmap(15, 15))
            label.setProperty("kind", "faint")
            label.setWordWrap(True)
            row, column = divmod(place, 2)
            self._legend.addWidget(picture, row, column * 2)
            self._legend.addWidget(label, row, column * 2 + 1)
        self._legend.setColumnStretch(1, 1)
        self._legend.setColumnStretch(3, 1)

    @Slot(str)
    def _pressed(self, key: str) -> None:
        quant = self._quant(key)
        if quant is not None:
            self.pressed.emit(quant)

    def _quant(self, key: str) -> Quant | None:
        quants = self._repo.quants if self._repo is not None else ()
        return next((quant for quant in quants if quant_key(quant) == key), None)

    @Slot(int)
    def _choose_version(self, place: int) -> None:
        revision = self.version.itemData(place)
        if self._repo is not None and revision != self._repo.revision:
            self.revision_asked.emit(revision)


def quant_in(repo: Repo, path: str, label: str) -> str:
    """The key of the quant that was asked for by a file's path or by a label; "" where none was."""
    for quant in repo.quants:
        if (path and path in [file.path for file in quant.files]) or (label and label.lower() == quant.label.lower()):
            return quant_key(quant)
    return ""
