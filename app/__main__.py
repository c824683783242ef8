"""The program `orcinus`: opens the window, or does one thing on the command line."""

from __future__ import annotations

import os
import sys
import threading

ENGINE_HOST = "--engine-host"
HARDWARE = "--hardware"
COMMANDS = ("ask", "prompt", "doctor", "bench", "models", "lab")


def main() -> int:
    """Start what the arguments ask for; returns the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == [ENGINE_HOST]:
        from app.engine.host_process import main as serve

        return serve(*arguments[1:])
    _open_standard_streams()
    if arguments[:1] == [HARDWARE]:
        from app.engine.survey import main as survey

        return survey()
    code = _do(arguments)
    _leave_lookups_behind(code)
    return code


def _do(arguments: list[str]) -> int:
    if arguments and (arguments[0] in COMMANDS or arguments[0] in {"-h", "--help", "--version"}):
        from app.cli import run

        return run(arguments)
    from app.display import has_display

    if not has_display(os.environ):
        from app.cli import without_display

        return without_display(arguments)
    from app.opening import run as open_window

    return open_window(arguments)


def _leave_lookups_behind(code: int) -> None:
    """End at once where the system still looks up a host's name.

    That cannot be called off, it can take a minute without a network, and Python would wait. All is saved by now.
    """
    if any(thread.name.startswith("asyncio_") for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _open_standard_streams() -> None:
    """A program started by a double click may have none, and llama.cpp writes to them whatever one does."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (open for as long as the program runs)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    raise SystemExit(main())
