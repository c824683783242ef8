"""How much memory is free on a Mac, and what else its kernel tells: the programs that come with macOS are asked."""

from __future__ import annotations

import re
import subprocess


def free_bytes() -> int:
    """Memory that can be had without swapping, what gives way counted as free.

    Raises:
        OSError, ValueError: it cannot be told.
    """
    report = _told(["/usr/bin/vm_stat"], check=True)
    page = re.search(r"page size of (\d+) bytes", report)
    counts = dict(re.findall(r"^Pages ([\w ]+):\s+(\d+)\.", report, re.MULTILINE))
    if not page or "free" not in counts:
        raise ValueError
    pages = sum(int(counts.get(kind, 0)) for kind in ("free", "inactive", "speculative", "purgeable"))
    return pages * int(page[1])


def sysctl(name: str) -> str:
    """What the kernel keeps under this name; "" where there is none.

    Raises:
        OSError, ValueError: it cannot be told.
    """
    return _told(["/usr/sbin/sysctl", "-n", name], check=False).strip()


def _told(command: list[str], *, check: bool) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=check).stdout
    except subprocess.SubprocessError as error:
        raise OSError(str(error)) from error
