"""The headers of a run's grid: prompts with how many of their answers pass, and questions."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QWidget

from app.ui.contestant_colours import paint_mark
from app.ui.run_delegate import small_font
from app.ui.run_model import RunModel
from app.ui.theme import Theme

_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
_PAD_PX = 14
_VERSIONED = re.compile(r"(.*\S)\s+(v\d+)")


class _Header(QHeaderView):
    """What both have in common."""

    def __init__(self, orientation: Qt.Orientation, theme: Theme, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self._theme = theme
        self.setSectionsClickable(False)
        self.setHighlightSections(False)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme's colours."""
        self._theme = theme
        self.updateGeometry()
        self.viewport().update()

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _run(self) -> RunModel | None:
        model = self.model()
        return model if isinstance(model, RunModel) else None


class PromptHeader(_Header):
    """Above each column: its mark and name, what it is, and how many of its answers pass all checks."""

    def __init__(self, model: RunModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, theme, parent)
        self.setAccessibleName("Prompts")
        self._painted: dict[int, object] = {}
        """By section, what its share was told from."""
        self._watched = model
        model.looked_at.connect(self._look)

    @Slot()
    def _look(self) -> None:
        """Paint those anew whose share is another now."""
        for section, before in self._painted.items():
            if before != _shares(self._watched, section):
                left = self.sectionViewportPosition(section)
                self.viewport().update(QRect(left, 0, self.sectionSize(section), self.viewport().height()))

    def sizeHint(self) -> QSize:
        """Three lines; the grid says how wide."""
        return QSize(0, 3 * self.fontMetrics().height() + 26)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        """The mark, the name, a note, the bar."""
        run = self._run()
        if run is None or not rect.isValid():
            return
        theme, contestant = self._theme, run.plan.contestants[section]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, QColor(theme.window))
        line = self.fontMetrics().height()
        left, width, top = rect.left() + _PAD_PX, rect.width() - _PAD_PX - 8, rect.top() + 8
        paint_mark(painter, QRectF(left, top + (line - 9) / 2, 9, 9), section, theme)
        painter.setFont(self._bold())
        painter.setPen(QColor(theme.text))
        first, second = two_lines(contestant.name, contestant.system_prompt)
        name = QFontMetrics(painter.font()).elidedText(first, Qt.TextElideMode.ElideRight, width - 15)
        painter.drawText(QRect(left + 15, top, width - 15, line), _LEFT, name)
        painter.setFont(small_font(self.font(), theme))
        painter.setPen(QColor(theme.muted))
        note = QFontMetrics(painter.font()).elidedText(second, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, top + line + 2, width, line), _LEFT, note)
        self._painted[section] = _shares(run, section)
        self._paint_share(painter, QRect(left, top + 2 * line + 5, width, line), run, section)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()

    def _paint_share(self, painter: QPainter, box: QRect, run: RunModel, contestant: int) -> None:
        theme = self._theme
        (passed, looked), before = _shares(run, contestant)
        if not looked:
            return
        words = f"{round(100 * passed / looked)} %"
        if before is not None and before[1]:
            points = round(100 * (passed / looked - before[0] / before[1]))
            words += f" ({points:+d})" if points else " (±0)"
        room = painter.fontMetrics().horizontalAdvance(words) + 8
        bar = QRectF(box.left(), box.center().y() - 1.5, max(0, min(64, box.width() - room)), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.danger))
        painter.drawRoundedRect(bar, 2, 2)
        good = QRectF(bar)
        good.setWidth(bar.width() * passed / looked)
        if passed:
            # a gap keeps the two apart for those who see no red and green
            painter.fillRect(QRectF(good.right(), bar.top() - 1, 2 if passed < looked else 0, 6), QColor(theme.window))
            painter.setBrush(QColor(theme.ok))
            painter.drawRoundedRect(good, 2, 2)
        painter.setPen(QColor(theme.text))
        painter.drawText(box.adjusted(int(bar.width()) + 8, 0, 0, 0), _LEFT, words)


class QuestionHeader(_Header):
    """At the left of each line: its number and how the question begins. `width_px` is set by the grid."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, theme, parent)
        self.setAccessibleName("Questions")
        self.width_px = 220
        self.current = -1
        """The line that has the chosen cell."""

    def sizeHint(self) -> QSize:
        """As wide as the grid says, which knows the height, too: Qt would ask for each of hundreds of lines."""
        return QSize(self.width_px, 0)

    def sectionSizeFromContents(self, section: int) -> QSize:
        """One line."""
        del section
        return QSize(self.width_px, self.fontMetrics().height() + 14)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        """The number, the words, the seed."""
        run = self._run()
        if run is None or not rect.isValid() or section >= run.rowCount():
            return
        theme = self._theme
        question, seed = run.question_at(section)
        painter.save()
        painter.fillRect(rect, QColor(theme.hover if section == self.current else theme.window))
        number = painter.fontMetrics().horizontalAdvance(str(len(run.plan.questions))) + 4
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRect(rect.left() + 14, rect.top(), number, rect.height()), _RIGHT, str(question + 1))
        left, right = rect.left() + 14 + number + 10, rect.right() - 8
        if len(run.plan.seeds) > 1:
            words = f"seed {run.plan.seeds[seed]}"
            painter.setFont(small_font(self.font(), theme))
            room = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QRect(right - room, rect.top(), room, rect.height()), _RIGHT, words)
            right -= room + 8
        painter.setFont(self._bold() if section == self.current else self.font())
        painter.setPen(QColor(theme.text))
        text = " ".join(run.plan.questions[question].text[:300].split())
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, right - left)
        painter.drawText(QRect(left, rect.top(), right - left, rect.height()), _LEFT, shown)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()


def _shares(run: RunModel, contestant: int) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """How many of a prompt's answers pass and how many were looked at: now, and in the earlier run."""
    return run.findings.share(contestant), run.earlier_share(contestant)


def two_lines(name: str, prompt: str) -> tuple[str, str]:
    """What stands above a column: the version and the name where there is a version, else the name and the length."""
    if found := _VERSIONED.fullmatch(name):
        return found[2], found[1]
    words = len(prompt.split())
    return name, "1 word" if words == 1 else f"{words:,} words" if words else ""
