"""Keeps Python's cycle collector in the GUI thread.

Left to itself it runs in whatever thread happens to allocate. In a worker it would then destroy Qt objects that were
part of a cycle, outside the thread they live in, and the program would crash at some later moment.

A full collection looks at every object there is, and those that the program is made of took it 60 ms of the GUI
thread's time. They are put aside once, soon after the start, as they stay until the end.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_CHECK_MS = 2000
_THRESHOLDS = (5000, 10, 10)
"""As gc.set_threshold's; the first is higher because a check comes only every other second."""
_SETTLED_MS = 10_000
"""By then the modules that are imported late are there, and little that will go again."""


class GarbageCollector(QObject):
    """Switches automatic collection off and collects from a timer of the GUI thread instead."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start()
        QTimer.singleShot(_SETTLED_MS, self, put_aside)


def collect_if_due() -> None:
    """Collect the generations whose counters say so; in the GUI thread alone."""
    for generation, (count, threshold) in reversed(list(enumerate(zip(gc.get_count(), _THRESHOLDS, strict=True)))):
        if count > threshold:
            gc.collect(generation)
            return


def put_aside() -> None:
    """Let later collections pass over all that is there now.

    What was made lately is looked at once more, as garbage that is put aside stays. To look at all would take the time
    that this shall save.
    """
    gc.collect(1)
    gc.freeze()
