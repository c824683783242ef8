"""A form for a group of settings, generated from their declarations: no setting has a row made by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.settings import Resolved, Scope, Setting, Source, Value, declared
from app.ui.buttons import WordButton
from app.ui.setting_editors import editor_for
from app.ui.theme import Theme

SOURCE_WORDS: Mapping[Source, str] = {
    Source.DEFAULT: "Default",
    Source.MODEL: "Model’s own",
    Source.MODEL_CHANGED: "This model",
    Source.CHAT: "This chat",
    Source.APP: "Changed",
}


_LONG_LABEL = 28


class SettingRow(QWidget):
    """One setting: its label, where its value comes from, its editor, and a way back.

    Signals: `changed` with the key and a checked value; `reset_asked` with the key.
    """

    changed = Signal(str, object)
    reset_asked = Signal(str)

    def __init__(
        self, setting: Setting, here: Source, theme: Theme, parent: QWidget, words: Mapping[Source, str] = SOURCE_WORDS
    ) -> None:
        super().__init__(parent)
        self.setting = setting
        self._here = here
        self._words = words
        self._editor = editor_for(setting, theme, self)
        self._editor.committed.connect(self._committed)
        self._editor.refused.connect(self._refused)
        label = QLabel(setting.label, wordWrap=len(setting.label) > _LONG_LABEL)
        self._source = QLabel(words[Source.DEFAULT])
        self._source.setProperty("kind", "faint")
        self._reset = WordButton("Reset", theme, kind="tiny")
        self._reset.setAccessibleName(f"Reset {setting.label}")
        self._reset.clicked.connect(self._ask_reset)
        self._trouble = QLabel(wordWrap=True)
        self._trouble.setProperty("kind", "danger")
        self._trouble.hide()
        for part in (label, self):
            part.setToolTip(self._tip())
        self._lay_out(label)

    def _lay_out(self, label: QLabel) -> None:
        origin = QHBoxLayout()
        origin.setSpacing(4)
        origin.addWidget(self._source)
        origin.addWidget(self._reset)
        origin.addStretch()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(label, 0, 0)
        grid.addLayout(origin, 1, 0)
        if self._editor.side is not None:
            grid.addWidget(self._editor.side, 0, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        if self._editor.below is not None:
            if self._editor.side is None:
                grid.setRowMinimumHeight(2, 4)
            grid.addWidget(self._editor.below, 3, 0, 1, 2)
        grid.addWidget(self._trouble, 4, 0, 1, 2)

    def _tip(self) -> str:
        unit = f" In {self.setting.unit}." if self.setting.unit else ""
        return f"{self.setting.help}{unit} Takes {self.setting.allowed()}."

    def show_value(self, value: Value, source: Source) -> None:
        """Show a value and its origin; it can be reset where it was changed here."""
        self._editor.show_value(value)
        here = source is self._here
        self._source.setText(self._words[source])
        self._source.setProperty("kind", "chat" if here else "faint")
        self._source.style().unpolish(self._source)
        self._source.style().polish(self._source)
        self._reset.setVisible(here)

    def show_auto(self, text: str) -> None:
        """Say what Auto comes to."""
        self._editor.show_auto(text)

    def show_trouble(self, sentence: str) -> None:
        """Say why a value was not taken; "" when all is well."""
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))

    def set_theme(self, theme: Theme) -> None:
        """Draw icons in this theme's colours."""
        self._editor.set_theme(theme)

    def flush(self) -> None:
        """Tell of what was entered and not taken yet, if it is allowed."""
        self._editor.flush()

    def forget(self) -> None:
        """Let go of what was entered and not taken."""
        self._editor.forget()

    @Slot(object)
    def _committed(self, value: Value) -> None:
        self.show_trouble("")
        self.changed.emit(self.setting.key, value)

    @Slot(str)
    def _refused(self, sentence: str) -> None:
        self.show_trouble(sentence)

    @Slot()
    def _ask_reset(self) -> None:
        self._editor.forget()
        self.reset_asked.emit(self.setting.key)


class SettingsForm(QWidget):
    """All settings of a group under their headings, the advanced ones folded away until asked for.

    `here` is the source that a value changed in this form has. Signals: `changed` with a key and a checked value;
    `reset_asked` with a key. Whoever keeps the values answers with `show_values`.
    """

    changed = Signal(str, object)
    reset_asked = Signal(str)

    def __init__(
        self,
        group: type,
        here: Source,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        scopes: Collection[Scope] = tuple(Scope),
        leave_out: Collection[str] = (),
        words: Mapping[Source, str] = SOURCE_WORDS,
    ) -> None:
        """`leave_out`: keys of settings that are edited elsewhere. `words` name the sources."""
        super().__init__(parent)
        self._theme = theme
        self._here = here
        self._words = words
        self._rows: dict[str, SettingRow] = {}
        self._resolved: Resolved | None = None
        self._auto: Mapping[str, str] = {}
        self._settings = [
            setting for key, setting in declared(group).items() if setting.scope in scopes and key not in leave_out
        ]
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self._part = ""
        self._add_rows(self._column, [setting for setting in self._settings if not setting.advanced])
        self._folded = [setting for setting in self._settings if setting.advanced]
        self._fold: WordButton | None = None
        self._advanced: QWidget | None = None
        if self._folded:
            self._add_fold(group)

    def _add_fold(self, group: type) -> None:
        self._fold = WordButton(f"Advanced ({len(self._folded)})", self._theme, kind="fold", icon_name="chevron-right")
        self._fold.setCheckable(True)
        self._fold.setAccessibleName(f"Advanced {group.__name__.lower()} settings")
        self._fold.toggled.connect(self._unfold)
        self._column.addWidget(self._fold)

    def _add_rows(self, column: QVBoxLayout, settings: list[Setting]) -> None:
        for setting in settings:
            if setting.part != self._part:
                self._part = setting.part
                heading = QLabel(setting.part)
                heading.setProperty("kind", "heading")
                if column.count():
                    column.addSpacing(6)
                column.addWidget(heading)
            row = SettingRow(setting, self._here, self._theme, self, self._words)
            row.changed.connect(self.changed)
            row.reset_asked.connect(self.reset_asked)
            self._rows[setting.key] = row
            column.addWidget(row)

    @Slot(bool)
    def _unfold(self, shown: bool) -> None:
        if self._fold is None:
            return
        self._fold.set_icon("chevron-down" if shown else "chevron-right", self._theme)
        if shown and self._advanced is None:
            # made when first wanted: fifteen rows that most people never open
            self._advanced = QWidget(self)
            column = QVBoxLayout(self._advanced)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(10)
            self._add_rows(column, self._folded)
            self._column.addWidget(self._advanced)
            self._fill()
        if self._advanced is not None:
            self._advanced.setVisible(shown)

    def show_values(self, resolved: Resolved, auto: Mapping[str, str] | None = None) -> None:
        """Show the values in force. `auto` says by key what a setting's Auto comes to at the moment."""
        self._resolved = resolved
        self._auto = auto or {}
        self._fill()

    def _fill(self) -> None:
        if self._resolved is None:
            return
        for key, row in self._rows.items():
            row.show_value(getattr(self._resolved.values, key), self._resolved.sources[key])
            row.show_auto(self._auto.get(key, ""))

    def flush(self) -> None:
        """Tell of what was entered and not taken yet: before a message is sent, and before closing."""
        for row in tuple(self._rows.values()):
            row.flush()

    def finish(self) -> None:
        """The same, before the values of somebody else are shown: what is not allowed is not carried over to them."""
        self.flush()
        for row in self._rows.values():
            row.forget()

    def show_trouble(self, key: str, sentence: str) -> None:
        """Say at a setting why its value was not taken."""
        if key in self._rows:
            self._rows[key].show_trouble(sentence)

    def changed_here(self) -> int:
        """How many values were changed in this form's own scope."""
        known = {setting.key for setting in self._settings}
        sources = self._resolved.sources if self._resolved is not None else {}
        return sum(source is self._here for key, source in sources.items() if key in known)

    def row(self, key: str) -> SettingRow | None:
        """The row of a setting; None where it is folded away or not in this form."""
        return self._rows.get(key)

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for rows that are made later."""
        self._theme = theme
