"""The system's own dialogs for choosing files; opened, never waited for."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QDir, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_model(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose a GGUF file; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Open a GGUF file")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(["Models in GGUF format (*.gguf)", "All files (*)"])
    return _open(dialog, chosen)


def ask_adapter(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose a LoRA adapter; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Add a LoRA adapter")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(["LoRA adapters in GGUF format (*.gguf)", "All files (*)"])
    return _open(dialog, chosen)


def ask_export(parent: QWidget, title: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose where a chat is written; `chosen` gets a path ending in .md or .json."""
    dialog = QFileDialog(parent, "Export the chat")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(["Markdown (*.md)", "JSON, with all versions and figures (*.json)"])
    dialog.setDefaultSuffix("md")
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation) or QDir.homePath()
    dialog.setDirectory(folder)
    dialog.selectFile(file_name(title))
    dialog.filterSelected.connect(lambda words: dialog.setDefaultSuffix("json" if "json" in words else "md"))
    return _open(dialog, chosen)


def ask_questions(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose a file with questions; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Read questions from a file")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    kinds = "*.csv *.tsv *.jsonl *.ndjson *.json *.parquet *.txt *.md"
    dialog.setNameFilters([f"Questions ({kinds})", "All files (*)"])
    return _open(dialog, chosen)


def ask_plan(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose the plan of an experiment; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Open a plan file")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(["Plans of experiments (*.toml)", "All files (*)"])
    return _open(dialog, chosen)


def ask_save(parent: QWidget, title: str, name: str, ending: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose where something is written; `chosen` gets a path with this ending."""
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters([f"{ending.upper()} (*.{ending})"])
    dialog.setDefaultSuffix(ending)
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation) or QDir.homePath()
    dialog.setDirectory(folder)
    dialog.selectFile(file_name(name))
    return _open(dialog, chosen)


def ask_prompts_file(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose a file with prompts; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Import prompts")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(["Prompts (*.json *.md *.markdown *.zip)", "All files (*)"])
    return _open(dialog, chosen)


def ask_prompts_folder(parent: QWidget, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose a folder of Markdown files; `chosen` gets its path."""
    dialog = QFileDialog(parent, "Import a folder of prompts")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
    return _open(dialog, chosen)


def ask_prompts_export(parent: QWidget, title: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Let the person choose where prompts are written; a path without an ending is a folder of Markdown files."""
    dialog = QFileDialog(parent, "Export prompts")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    kinds = {
        "One JSON file (*.json)": "json",
        "Markdown files in a zip (*.zip)": "zip",
        "A folder of Markdown files (*)": "",
    }
    dialog.setNameFilters(list(kinds))
    dialog.setDefaultSuffix("json")
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation) or QDir.homePath()
    dialog.setDirectory(folder)
    dialog.selectFile(file_name(title))
    dialog.filterSelected.connect(lambda words: dialog.setDefaultSuffix(kinds.get(words, "")))
    return _open(dialog, chosen)


def file_name(title: str) -> str:
    """A chat's title as a file name that every system takes."""
    plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', " ", title)
    return " ".join(plain.split())[:80].strip(" .") or "Chat"


def _open(dialog: QFileDialog, chosen: Callable[[str], object]) -> QFileDialog:
    dialog.fileSelected.connect(chosen)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
