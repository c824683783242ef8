"""Looks at the hardware in a process of its own, within a time limit; what kills or stops it is told, not felt."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.devices import CPU
from app.core.fit import Machine
from app.core.hardware import Backend, BackendState, Findings, Hardware, from_plain
from app.core.placement import Placement
from app.engine import memory

log = logging.getLogger(__name__)

FLAG = "--hardware"
LIMIT_S = 30.0
"""A driver that wakes a GPU up may take ten seconds; one that hangs takes for ever."""
_REPORT_BYTES = 4000


class Probe:
    """Remembers what was found, so that a GPU is woken up once; may be used from any thread."""

    def __init__(
        self, held: Callable[[], Placement | None] = lambda: None, look: Callable[[], Hardware] | None = None
    ) -> None:
        """`held` tells what a loaded model has at the moment; `look` stands in for the process that looks."""
        self._held = held
        self._look = look or probe
        self._found: Findings | None = None
        self._one = threading.Lock()

    def look(self, *, again: bool = False) -> Findings:
        """What is there; looked for at the first call and when asked for `again`. Free memory is always of now."""
        with self._one:
            if self._found is None or again:
                held = self._held()
                found = self._look()
                self._found = Findings(found, None, {part.device: part.total for part in held.placed} if held else {})
            return replace(self._found, free_bytes=memory.free_bytes())

    def machine(self) -> Machine:
        """The computer as a plan for the next model needs it: what the loaded one has counts as free."""
        found, held = self.look(), self._held()
        free = found.free_bytes
        if held is not None and free is not None:
            free += held.on(CPU).taken
        return found.machine(free)


def probe(start: Sequence[str] = (), limit_s: float = LIMIT_S) -> Hardware:
    """What this computer has. Blocks for half a second to the limit; for a worker.

    Where the process dies or hangs, what is known without llama.cpp, and `trouble` says what happened.

    Args:
        start: the program with its first arguments; this one when left out.
        limit_s: seconds after which the process is ended.
    """
    with tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                list(start or _command()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=limit_s,
                check=False,
                env={**os.environ, "PYTHONPATH": _import_path(), "GGML_NO_BACKTRACE": "1"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            if done.returncode == 0:
                return from_plain(json.loads(done.stdout))
            why = f"llama.cpp or a driver of a GPU ended the process that looked (code {done.returncode})."
        except subprocess.TimeoutExpired:
            why = f"A driver of a GPU did not answer within {limit_s:.0f} seconds."
        except OSError as error:
            why = f"No process could be started to look: {error}."
        except (ValueError, TypeError, KeyError) as error:
            why = f"The answer could not be understood: {error}."
        errors.seek(max(0, os.fstat(errors.fileno()).st_size - _REPORT_BYTES))
        log.warning("The hardware could not be looked at: %s\n%s", why, errors.read().decode("utf-8", "replace"))
    return _without_llama(why)


def _without_llama(why: str) -> Hardware:
    return Hardware(
        cpu=memory.processor_name(),
        cores=memory.physical_cores(),
        threads=os.cpu_count() or 1,
        memory_free_bytes=memory.free_bytes(),
        memory_total_bytes=memory.total_bytes(),
        backends=(Backend("llama.cpp", BackendState.REFUSED, why),),
        looked_at=time.time(),
        trouble=why,
    )


def _command() -> list[str]:
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*start, FLAG]


def _import_path() -> str:
    """Where the process finds this very package, whatever its working directory."""
    return str(Path(__file__).resolve().parent.parent.parent)
