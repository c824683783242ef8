"""Whether a model fits this computer: verdicts for lists and pickers, from what the machine has free right now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QObject, Signal

from app.core.errors import AppError
from app.core.fit import Machine, Needs
from app.core.library import Quant
from app.core.stopping import StopFlag
from app.core.verdicts import Fit, Verdict, estimate, recommended, verdict
from app.services.lane import Lane

USUAL_CONTEXT = 8192
"""Tokens that a verdict assumes where nobody chose."""


class Fitting(QObject):
    """Gives verdicts at once, from what it knows, and looks closer on its own lane. Lives in the GUI thread.

    Signals:
        changed(): the machine was looked at, or a file's own header was read: verdicts may differ now.
    """

    changed = Signal()

    def __init__(
        self,
        look: Callable[[], Machine],
        needs_of_file: Callable[[str], Needs],
        parent: QObject | None = None,
    ) -> None:
        """`look` tells what the machine has now; `needs_of_file` reads a header. Both are called on a worker.

        `needs_of_file` raises AppError where the file cannot be read; its size alone decides then.
        """
        super().__init__(parent)
        self._look = look
        self._needs_of_file = needs_of_file
        self._machine: Machine | None = None
        self._read: dict[str, Needs | None] = {}
        self._lane = Lane("fitting", self)
        self._looking = False

    @property
    def machine(self) -> Machine | None:
        """What was found at the last look; None before the first."""
        return self._machine

    def refresh(self) -> None:
        """Look at the machine again: memory comes and goes. Answers with `changed`."""
        if self._looking:
            return
        self._looking = True

        def job(stop: StopFlag) -> Iterator[object]:
            del stop
            yield self._look()

        ticket = self._lane.submit(job)
        ticket.items.connect(lambda batch: self._looked(batch[0]))
        ticket.ended.connect(lambda _outcome: setattr(self, "_looking", False))

    def verdict(
        self,
        size_bytes: int,
        *,
        path: str = "",
        n_params: int | None = None,
        architecture: str = "",
        n_ctx: int | None = None,
        n_ctx_train: int | None = None,
    ) -> Verdict:
        """How a model would run here, now.

        Args:
            size_bytes: of all its files.
            path: where it is on disk, if it is; its header is then read in the background and used from then on.
            n_params: as the Hub tells it.
            architecture: as the Hub tells it.
            n_ctx: tokens of context; where left out, USUAL_CONTEXT or what the model was trained for, if that is less.
            n_ctx_train: tokens it was trained for, as the Hub tells it; only used where `n_ctx` is left out.
        """
        needs = (self._of_file(path) if path else None) or estimate(
            size_bytes, n_params, architecture, n_ctx_train or 0
        )
        if n_ctx is None:
            n_ctx = min(USUAL_CONTEXT, needs.n_ctx_train or USUAL_CONTEXT)
        if self._machine is None:
            self.refresh()
            return Verdict(Fit.UNKNOWN, needs.total(n_ctx), 0, needs.n_layers, needs.estimated)
        return verdict(needs, n_ctx, self._machine)

    def recommended(
        self,
        quants: Sequence[Quant],
        n_ctx: int | None = None,
        *,
        n_params: int | None = None,
        architecture: str = "",
        n_ctx_train: int | None = None,
    ) -> Quant | None:
        """The quant that most people want on this computer; None where none runs."""
        found = [
            (
                quant,
                self.verdict(
                    quant.size_bytes,
                    n_params=n_params,
                    architecture=architecture,
                    n_ctx=n_ctx,
                    n_ctx_train=n_ctx_train,
                ),
            )
            for quant in quants
        ]
        return recommended(found, n_params)

    def machine_words(self) -> str:
        """The computer in a line: "RTX 4060, 8.0 GiB, 6.7 GiB usable now · memory 15.4 GiB, 9.1 GiB free"."""
        machine = self._machine
        if machine is None:
            return "Looking at this computer…"
        parts = []
        if machine.has_gpu:
            gpu = [machine.gpu_name or "GPU"]
            if machine.gpu_total_bytes:
                gpu.append(_gib(machine.gpu_total_bytes))
            if machine.gpu_free_bytes is not None:
                gpu.append(f"{_gib(machine.gpu_free_bytes)} free")
            parts.append(", ".join(gpu))
        if machine.free_bytes is not None:
            total = f"{_gib(machine.total_bytes)}, " if machine.total_bytes else ""
            parts.append(f"memory {total}{_gib(machine.free_bytes)} free")
        if not machine.has_gpu:
            parts.append("no GPU that llama.cpp can use")
        return " · ".join(parts)

    def close(self) -> bool:
        """End the lane; for the end of the program. Whether it ended in time."""
        return self._lane.close()

    def _looked(self, machine: Machine) -> None:
        if machine != self._machine:
            self._machine = machine
            self.changed.emit()

    def _of_file(self, path: str) -> Needs | None:
        """A file's own needs, once they were read."""
        if path not in self._read:
            self._read[path] = None

            def job(stop: StopFlag) -> Iterator[object]:
                del stop
                try:
                    yield self._needs_of_file(path)
                except AppError:  # whoever opens the file is told; for a verdict its size has to do
                    return

            self._lane.submit(job).items.connect(lambda batch: self._header_read(path, batch[0]))
        return self._read[path]

    def _header_read(self, path: str, needs: Needs) -> None:
        self._read[path] = needs
        self.changed.emit()

    def forget(self, path: str) -> None:
        """A file was replaced or removed: read its header again when it is asked for."""
        self._read.pop(path, None)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"
