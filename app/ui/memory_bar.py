"""A bar of memory: what takes how much, with a legend in the same order and the sums in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme import Theme

_BAR_PX, _GAP_PX, _SWATCH_PX = 13, 2, 10
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar. `kind` chooses its look: weights, context, work, other or free."""

    name: str
    size_bytes: int
    kind: str


def colour(kind: str, theme: Theme) -> QBrush:
    """How a kind of memory is painted; work is hatched, so that it differs by more than its colour."""
    tokens = {"weights": "accent", "context": "syntax_keyword", "work": "accent", "other": "faint", "free": "border"}
    style = Qt.BrushStyle.Dense3Pattern if kind == "work" else Qt.BrushStyle.SolidPattern
    return QBrush(QColor(getattr(theme, tokens[kind])), style)


def gib(size_bytes: int) -> str:
    """A number of GiB as a legend has it: "3.4"; what is less than a tenth in MiB, with the unit."""
    size = size_bytes / GIB
    return f"{size:.1f}" if size >= 0.095 or not size_bytes else f"{max(1, round(size * 1024))} MiB"


def with_unit(size_bytes: int) -> str:
    """The same with its unit always: "3.4 GiB", "12 MiB"."""
    words = gib(size_bytes)
    return words if words.endswith("MiB") else f"{words} GiB"


class _Swatch(QWidget):
    """A small square in a part's colour."""

    def __init__(self, kind: str, theme: Theme) -> None:
        super().__init__()
        self._kind, self._theme = kind, theme
        self.setFixedSize(_SWATCH_PX, _SWATCH_PX)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The square."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(self._kind, self._theme))
        painter.drawRoundedRect(self.rect(), 2.5, 2.5)


class _Entry(QWidget):
    """One entry of a legend."""

    def __init__(self, kind: str, theme: Theme) -> None:
        super().__init__()
        self.words = QLabel()
        self.words.setProperty("kind", "faint")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(_Swatch(kind, theme))
        row.addWidget(self.words)


class Bar(QWidget):
    """The bar alone. `mark`: a line at so many bytes; what lies behind it is hatched."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: Sequence[Part] = ()
        self._mark: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_BAR_PX + 4)

    def show_parts(self, parts: Sequence[Part], mark: int | None = None) -> None:
        """Show these, in order."""
        self._parts, self._mark = parts, mark
        words = ", ".join(f"{part.name} {with_unit(part.size_bytes)}" for part in parts if part.size_bytes)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(200, _BAR_PX + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The pieces with a gap between them, and the mark."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        total = sum(part.size_bytes for part in self._parts)
        if not total:
            return
        x, scale = 0.0, self.width() / total
        for part in self._parts:
            wide = part.size_bytes * scale
            if wide >= 0.5:
                painter.setBrush(colour(part.kind, self._theme))
                painter.drawRoundedRect(QRectF(x, 2, max(1.0, wide - _GAP_PX), _BAR_PX), 3, 3)
            x += wide
        if self._mark is not None and self._mark < total:
            at = self._mark * scale
            used = sum(part.size_bytes for part in self._parts if part.kind != "free") * scale
            if used > at:
                painter.setBrush(QBrush(QColor(self._theme.window), Qt.BrushStyle.BDiagPattern))
                painter.drawRect(QRectF(at, 2, used - at - _GAP_PX, _BAR_PX))
            painter.setBrush(QColor(self._theme.text))
            painter.drawRect(QRectF(at - 1, 0, 2, _BAR_PX + 4))


class MemoryBar(QWidget):
    """A bar under its name and over its legend."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = QLabel()
        self._name.setProperty("kind", "fact")
        self._sum = QLabel()
        self._sum.setProperty("kind", "muted")
        self.bar = Bar(theme)
        self._legend = QGridLayout()
        self._legend.setHorizontalSpacing(12)
        self._legend.setVerticalSpacing(2)
        self._entries: list[_Entry] = []
        self._kinds: tuple[str, ...] = ()
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(self._sum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addLayout(self._legend)

    def show_memory(self, name: str, total_words: str, parts: Sequence[Part], mark: int | None = None) -> None:
        """Show this memory."""
        self._name.setText(name)
        self._name.setVisible(bool(name))
        self._sum.setText(total_words)
        self.bar.show_parts(parts, mark)
        self.bar.setAccessibleName(f"{name}: {total_words}")
        if tuple(part.kind for part in parts) != self._kinds:
            self._make_legend(parts)
        for part, entry in zip(parts, self._entries, strict=True):
            entry.words.setText(f"{part.name} <b>{gib(part.size_bytes)}</b>")
        self._arrange()

    def words(self) -> str:
        """What it says, for tests and for reading aloud."""
        return f"{self.bar.accessibleName()}. {self.bar.accessibleDescription()}"

    def _make_legend(self, parts: Sequence[Part]) -> None:
        for entry in self._entries:
            self._legend.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        self._entries = [_Entry(part.kind, self._theme) for part in parts]
        self._kinds = tuple(part.kind for part in parts)

    def _arrange(self) -> None:
        """As many entries in a row as there is room for."""
        widest = max((entry.sizeHint().width() for entry in self._entries), default=1) + 12
        whole = sum(entry.sizeHint().width() + 12 for entry in self._entries)
        fit = len(self._entries) if whole <= self.width() else max(1, self.width() // widest)
        for place, entry in enumerate(self._entries):
            self._legend.addWidget(entry, place // fit, place % fit)
        for column in range(len(self._entries) + 1):
            self._legend.setColumnStretch(column, 1 if column == fit else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The legend takes more lines where there is less room."""
        super().resizeEvent(event)
        self._arrange()

    def set_theme(self, theme: Theme) -> None:
        """Use this theme for legends to come."""
        self._theme = theme
