"""How a process of our own is started, watched, waited for and tied to this one, on each system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FLAG = "--engine-host"
_GIVES_WAY = 10
"""Of 19: it has a tenth of what the window has of a core that both want, and all of one that nobody wants."""
__all__ = ["FLAG", "command", "give_way", "has_data", "import_path", "state_of", "tie_to_this_process"]


def command() -> list[str]:
    """How the process is started: the bundle's own executable, or Python with this package."""
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "app"]
    return [*start, FLAG]


def import_path() -> str:
    """Where the process finds this very package, whatever its working directory."""
    return str(Path(__file__).resolve().parent.parent.parent)


def state_of(pid: int) -> tuple[str, float]:
    """A process's state as Linux names it and the CPU seconds it has had; nothing where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return "", 0.0


def give_way(pid: int) -> None:
    """Let others come first, where the system has such a thing: the window shall not wait for this process."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _GIVES_WAY)


if sys.platform == "win32":
    from app.engine.windows_pipes import has_data, tie_to_this_process
else:
    import select

    def has_data(fds: Iterable[int], timeout_s: float) -> bool:
        """Whether reading one of them would not wait; looks for so long."""
        poll = select.poll()
        for fd in fds:
            poll.register(fd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def tie_to_this_process(process: subprocess.Popen[bytes]) -> object:
        """The process looks after itself: see `host_process`."""
        return process
