"""What the computer has, what a loaded model takes of it, and what Auto would come to; looked at on its own lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Signal

from app.core.fit import Machine
from app.core.hardware import Findings, Forecast
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.services.lane import Lane


class HardwareWatch(QObject):
    """Knows what was found at the last look. Lives in the GUI thread; what looks runs on a worker.

    Signals:
        changed(): something was found, or a look began.
        forecast_made(str): it is known what Auto comes to for the model file at this path.
    """

    changed = Signal()
    forecast_made = Signal(str)

    def __init__(
        self,
        look: Callable[[bool], Findings],
        machine: Callable[[], Machine],
        forecast: Callable[[str, Loading, Machine], Forecast],
        parent: QObject | None = None,
    ) -> None:
        """`look` finds out what there is, anew if told so; `machine` says what the next model may have; both block."""
        super().__init__(parent)
        self._look_at, self._machine_now, self._forecast = look, machine, forecast
        self._lane = Lane("hardware", self)
        self._looking = False
        self._forecasts: dict[tuple[str, Loading], Forecast | None] = {}
        self._look: Findings | None = None
        self._machine: Machine | None = None

    @property
    def look(self) -> Findings | None:
        """What was found; None before the first look."""
        return self._look

    @property
    def machine(self) -> Machine | None:
        """The computer as the next model would find it; None before the first look."""
        return self._machine

    @property
    def is_looking(self) -> bool:
        """Whether a look is under way."""
        return self._looking

    def refresh(self, *, again: bool = False) -> None:
        """Look at free memory, and `again` at all the devices; answers with `changed`."""
        if self._looking:
            return
        self._looking = True

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            found = self._look_at(again)
            yield found, self._machine_now()

        ticket = self._lane.submit(job)
        ticket.items.connect(lambda batch: self._found(*batch[-1]))
        ticket.ended.connect(lambda _outcome: self._looked())
        self.changed.emit()

    def forecast(self, path: str, loading: Loading) -> Forecast | None:
        """What loading a file like this would come to; None until it is found out, which `forecast_made` tells."""
        key = path, loading
        if key not in self._forecasts:
            self._forecasts[key] = None

            def job(stop: StopFlag) -> Iterator[object]:
                del stop
                yield self._forecast(path, loading, self._machine_now())

            self._lane.submit(job).items.connect(lambda batch: self._made(key, batch[0]))
        return self._forecasts[key]

    def forget(self) -> None:
        """What is free has changed much: work out anew what is asked for next."""
        self._forecasts = {key: found for key, found in self._forecasts.items() if found is None}

    def close(self) -> bool:
        """End the lane; for the end of the program. Whether it ended in time."""
        return self._lane.close()

    def _found(self, look: Findings, machine: Machine) -> None:
        self._look, self._machine = look, machine
        self.forget()

    def _looked(self) -> None:
        self._looking = False
        self.changed.emit()

    def _made(self, key: tuple[str, Loading], found: Forecast) -> None:
        self._forecasts[key] = found
        self.forecast_made.emit(key[0])
