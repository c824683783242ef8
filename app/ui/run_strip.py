"""How far a run is, in words and as a bar, and the buttons that begin, pause and stop it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.core.lab import CellState
from app.scoring.measures import Missed
from app.services.findings import Findings
from app.services.lab_progress import Progress
from app.services.lab_run import LabRun
from app.services.notice import Notice
from app.ui.buttons import WordButton
from app.ui.model_facts import ElidedLabel
from app.ui.shrinking import Shrinking
from app.ui.theme import Theme
from app.ui.thresholds_editor import MEASURE_WORDS

_NARROW_PX = 640


class RunStrip(QWidget):
    """Follows a run.

    Signals: `announced(str)`: something that who hears the window should be told; `told(Notice)`.
    """

    announced = Signal(str)
    told = Signal(object)

    def __init__(self, run: LabRun, findings: Findings, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._findings = run, findings
        self.missed = WordButton("", theme, kind="link", icon_name="warning")
        self.missed.hide()
        self._done = QLabel()
        self._done.setProperty("kind", "heading")
        self._left = ElidedLabel("")
        self._left.setProperty("kind", "muted")
        self._facts = QLabel()
        self._facts.setProperty("kind", "faint")
        self.retry = WordButton("Ask again for what failed", theme, kind="outline", icon_name="refresh")
        self.go = WordButton("Start", theme, kind="filled", icon_name="play")
        self.pause = WordButton("Pause", theme, kind="outline", icon_name="pause")
        self.pause.setToolTip("Begin with nothing further; what is being written comes to its end first")
        self.stop = WordButton("Stop", theme, kind="outline", icon_name="stop")
        self.stop.setToolTip("Stop at once; what is being written is asked for again when it goes on")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Answers and judgements done")
        self._theme = theme
        self._shrinking = Shrinking(self.retry, self.pause, self.stop)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._done)
        row.addWidget(self._left, 1)
        for part in (self.missed, self._facts, self.retry, self.go, self.pause, self.stop):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 6)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self.bar)
        self.go.clicked.connect(run.start)
        self.pause.clicked.connect(self._pause)
        self.stop.clicked.connect(run.stop)
        self.retry.clicked.connect(self._retry)
        self.missed.clicked.connect(self._tell_missed)
        run.progressed.connect(self.show_progress)
        run.judged.connect(self._hide_missed)
        run.cell_changed.connect(self._hide_missed)
        run.ballots.changed.connect(self.show_missed)
        findings.settled.connect(self.show_missed)
        run.state_changed.connect(self._state_changed)
        self.show_progress(run.progress())
        self.show_missed()

    @Slot()
    def show_missed(self) -> None:
        """Say which thresholds of the plan were not reached, once all is done."""
        missed = self._findings.missed()
        self.missed.setText(_missed_words(len(missed)))
        self.missed.setToolTip("\n".join(map(_told, missed)))
        self.missed.setVisible(bool(missed))

    @Slot()
    def _tell_missed(self) -> None:
        missed = self._findings.missed()
        self.told.emit(Notice(_missed_words(len(missed)), "\n".join(map(_told, missed)), level="warning"))

    @Slot()
    def _hide_missed(self) -> None:
        self.missed.hide()

    @Slot(object)
    def show_progress(self, progress: Progress) -> None:
        """Show how far it is now."""
        run, ended = self._run, progress.done + progress.failed
        whole = progress.total + progress.judgements
        self.bar.setRange(0, max(1, whole))
        self.bar.setValue(ended + progress.judged)
        self._done.setText(f"{ended:,} of {progress.total:,} answers")
        waits = run.makes_room
        words = "making room for somebody who waits for the model…" if waits else ""
        pausing = run.pausing and not waits
        self._left.setText(words or left_words(progress, busy=run.busy, pausing=pausing, begun=ended > 0))
        self._left.setToolTip(self._left.text())
        facts = [f"{progress.judged:,} of {progress.judgements:,} judged"] if progress.judgements else []
        if progress.unparsed:
            facts.append(f"{progress.unparsed:,} without a verdict")
        if run.busy and progress.tokens_per_s:
            facts.append(f"{progress.tokens_per_s:.0f} tok/s")
        self._facts.setText(" · ".join(facts))
        self.go.setVisible(not run.busy and not progress.is_complete)
        self.go.setText("Go on" if ended else "Start")
        self.pause.setVisible(run.busy)
        self.pause.setEnabled(not pausing)
        self.stop.setVisible(run.busy)
        self.retry.setVisible(not run.busy and (progress.failed > 0 or run.has_judge_errors))
        self.bar.setVisible(run.busy or not progress.is_complete)

    @Slot(object)
    def _state_changed(self, _state: object) -> None:
        progress = self._run.progress()
        self.show_progress(progress)
        self.show_missed()
        if not self._run.busy:
            self.announced.emit("The experiment is done" if progress.is_complete else "The experiment is paused")

    @Slot()
    def _pause(self) -> None:
        self._run.pause()
        self.show_progress(self._run.progress())

    @Slot()
    def _retry(self) -> None:
        failed = [place for place, cell in self._run.cells().items() if cell.state is CellState.FAILED]
        if failed:
            self._run.retry(failed)
        self._run.retry_judge()
        self._run.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, buttons are their icons and the figures go."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW_PX * max(1.0, self._theme.font_pt / 11)
        self._shrinking.set_narrow(narrow)
        self._facts.setVisible(not narrow)

    def set_theme(self, theme: Theme) -> None:
        """Follow the theme's text size."""
        self._theme = theme

    def minimumSizeHint(self) -> QSize:
        """Words are shortened where there is little room."""
        return QSize(200, super().minimumSizeHint().height())


def _missed_words(count: int) -> str:
    return "A threshold was missed" if count == 1 else f"{count} thresholds were missed"


def _told(missed: Missed) -> str:
    words = MEASURE_WORDS.get(missed.measure, "").lower() or f"check “{missed.measure}” passed"
    found = "nothing to measure yet" if missed.value is None else f"{missed.value:.1%}"
    return f"{missed.contestant}: {words} {found}, at least {missed.low:.1%} wanted"


def left_words(progress: Progress, *, busy: bool, pausing: bool, begun: bool) -> str:
    """What is still to come, in a few words."""
    if progress.is_complete:
        return f"{progress.failed:,} failed" if progress.failed else "All done"
    if pausing:
        running = len(progress.running)
        return f"pausing, {running} still being written" if running else "pausing…"
    if not busy:
        return "paused" if begun else "not started"
    if progress.left_s is None:
        return "getting going…" if progress.running else "waiting for the model…"
    minutes = round(progress.left_s / 60)
    if progress.left_s >= 5400:
        left = f"about {progress.left_s / 3600:.1f} hours left"
    elif minutes:
        left = f"about {minutes} min left"
    else:
        left = f"about {max(1, round(progress.left_s))} s left"
    return f"{left}, judging included" if progress.judgements else left
