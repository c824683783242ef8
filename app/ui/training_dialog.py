"""Writes rated answers to a file to train a model with: which of them, in what format, and how that looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QStandardPaths, Qt, Signal, Slot
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import AppError
from app.datasets.made_beside import beside, made_of, written_made
from app.datasets.training import ChatFormat, PairFormat, fits, pair_fits, written, written_preferences
from app.ui.buttons import WordButton
from app.ui.file_dialogs import file_name
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.datasets.training import Examples
    from app.services.model_sums import Fill
    from app.services.notice import Notice
    from app.services.origins import Origins
    from app.services.training import TrainingSource

_CHATS = (
    (ChatFormat.OPENAI, "OpenAI chat (JSON lines)", "jsonl"),
    (ChatFormat.SHAREGPT, "ShareGPT (JSON)", "json"),
    (ChatFormat.OPENORCA_JSONL, "OpenOrca columns (JSON lines)", "jsonl"),
    (ChatFormat.OPENORCA_CSV, "OpenOrca columns (CSV)", "csv"),
)
_PAIRS = (
    (PairFormat.TEXT, "prompt, chosen, rejected as texts (JSON lines)", "jsonl"),
    (PairFormat.MESSAGES, "prompt, chosen, rejected as messages (JSON lines)", "jsonl"),
)
_PREVIEW_CHARACTERS = 1500


class TrainingDialog(QDialog):
    """Opened, never waited for. Signals: `written(str)`: this file was written."""

    written = Signal(str)

    def __init__(self, source: TrainingSource, origins: Origins, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finished.connect(self.deleteLater)
        self.setWindowTitle("Training data")
        self.resize(620, 460)
        self._source, self._origins = source, origins
        self._groups: tuple[Examples, ...] = ()
        self._closed = False
        self.which, self.form = QComboBox(), QComboBox()
        self.which.setAccessibleName("Which answers")
        self.form.setAccessibleName("Format")
        self.count = QLabel("Collecting…", wordWrap=True)
        self.count.setProperty("kind", "muted")
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        self.preview.setTabChangesFocus(True)
        font = QFont(theme.mono_font)
        font.setPointSizeF(theme.small_pt)
        self.preview.setFont(font)
        self.preview.setAccessibleName("The first example")
        self.made_beside = QCheckBox("Write what made each answer into a file beside it")
        self.made_beside.setChecked(True)
        self.made_beside.setToolTip(
            "Model and SHA-256, prompt, sampler values, seed, tokens and times, as JSON lines in the same order;"
            " the training data itself stays as other programs want it"
        )
        self.trouble = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.trouble.setProperty("kind", "danger")
        self.trouble.hide()
        self.save = WordButton("Save…", theme, kind="filled")
        self.save.setDefault(True)
        self.save.setEnabled(False)
        self.cancel = WordButton("Cancel", theme, kind="outline")
        self._lay_out()
        self.which.currentIndexChanged.connect(self._show_forms)
        self.form.currentIndexChanged.connect(self._show_preview)
        self.save.clicked.connect(self._ask_file)
        self.cancel.clicked.connect(self.reject)
        source.collect(self._collected, self._failed)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Answers", self.which)
        form.addRow("Format", self.form)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        title = QLabel(self._source.title, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        title.setProperty("kind", "title")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(title)
        column.addLayout(form)
        column.addWidget(self.count)
        column.addWidget(self.preview, 1)
        column.addWidget(self.made_beside)
        column.addWidget(self.trouble)
        column.addLayout(buttons)

    # --- showing ----------------------------------------------------------------------------------------------------

    def done(self, result: int) -> None:
        """Closed: what comes after that is for nobody."""
        self._closed = True
        super().done(result)

    def _collected(self, groups: tuple[Examples, ...]) -> None:
        if self._closed:
            return
        self._groups = groups
        self.which.clear()
        for group in groups:
            self.which.addItem(f"{group.title} ({len(group.preferences if group.are_pairs else group.dialogues):,})")
        # what there is something of comes first
        full = (at for at, group in enumerate(groups) if group.dialogues or group.preferences)
        self.which.setCurrentIndex(next(full, 0))
        self._show_forms()

    def _failed(self, error: AppError) -> None:
        if self._closed:
            return
        self.count.setText("")
        self.trouble.setText(" ".join(part for part in (f"{error.title}.", error.detail, error.hint) if part))
        self.trouble.show()

    @property
    def _group(self) -> Examples | None:
        at = self.which.currentIndex()
        return self._groups[at] if 0 <= at < len(self._groups) else None

    @Slot()
    def _show_forms(self) -> None:
        group = self._group
        if group is None:
            return
        forms = _PAIRS if group.are_pairs else _CHATS
        names = [words for _, words, _ in forms]
        if [self.form.itemText(at) for at in range(self.form.count())] != names:
            self.form.blockSignals(True)
            self.form.clear()
            for known, words, ending in forms:
                self.form.addItem(words, (known, ending))
            self.form.blockSignals(False)
        self._show_preview()

    @Slot()
    def _show_preview(self) -> None:
        """Say how many examples the file will hold, and show its beginning."""
        group, chosen = self._group, self.form.currentData()
        if group is None or chosen is None:
            return
        form = chosen[0]
        if isinstance(form, PairFormat):
            pairs = [one for one in group.preferences if pair_fits(one, form)]
            every, fitting, first = len(group.preferences), len(pairs), written_preferences(pairs[:1], form)
        else:
            chats = [one for one in group.dialogues if fits(one, form)]
            every, fitting, first = len(group.dialogues), len(chats), written(chats[:1], form)
        said = [f"{fitting:,} {'example' if fitting == 1 else 'examples'}"]
        if every > fitting:
            said.append(f"{every - fitting:,} left out: this format holds one question and its answer")
        if group.left_out:
            said.append(group.left_out)
        self.count.setText(
            " · ".join(said) if every or group.left_out else f"There is nothing yet. {self._source.hint}"
        )
        self.preview.setPlainText(first[:_PREVIEW_CHARACTERS] + ("…" if len(first) > _PREVIEW_CHARACTERS else ""))
        self.save.setEnabled(fitting > 0)

    # --- writing ----------------------------------------------------------------------------------------------------

    @Slot()
    def _ask_file(self) -> None:
        _, ending = self.form.currentData()
        dialog = QFileDialog(self, "Save training data")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([f"{self.form.currentText()} (*.{ending})", "All files (*)"])
        dialog.setDefaultSuffix(ending)
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation) or QDir.homePath()
        dialog.setDirectory(folder)
        dialog.selectFile(f"{file_name(self._source.title)}.{ending}")
        dialog.fileSelected.connect(self.write)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def write(self, path: str) -> None:
        """Write the file; the dialog closes once it is there."""
        group, (form, _) = self._group, self.form.currentData()
        if group is None:
            return
        self.trouble.hide()
        self.save.setEnabled(False)

        def text() -> str:
            if isinstance(form, PairFormat):
                return written_preferences(group.preferences, form)
            return written(group.dialogues, form)

        if not self.made_beside.isChecked():
            self._source.write(((path, text),), self._written, self._refused)
            return

        def both(fill: Fill) -> None:
            if self._closed:
                return
            # first what stands beside it: where there is a file of training data, it is there too
            files = ((beside(path), lambda: written_made(group, form, fill)), (path, text))
            self._source.write(files, self._written, self._refused)

        self._origins.sums_first(made_of(group), both, self._tell_wait)

    def _tell_wait(self, notice: Notice) -> None:
        if not self._closed:
            self.count.setText(f"{notice.title}. {notice.detail}")

    def _written(self, path: str) -> None:
        if not self._closed:
            self.written.emit(path)
            self.accept()

    def _refused(self, error: AppError) -> None:
        if not self._closed:
            self.save.setEnabled(True)
            self._failed(error)
