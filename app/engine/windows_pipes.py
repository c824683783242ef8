"""What the engine's process needs on Windows: pipes that can be asked whether they hold data, and a common end."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Iterable
from typing import Any

_EXTENDED_LIMITS = 9
_KILL_ON_CLOSE = 0x2000
_PAUSE_S = 0.001


def has_data(fds: Iterable[int], timeout_s: float) -> bool:
    """Whether one of these pipes holds data or is at its end; looks for so long.

    A pipe cannot be waited for with a time limit.
    """
    import msvcrt

    handles = [msvcrt.get_osfhandle(fd) for fd in fds]  # type: ignore[attr-defined,unused-ignore]
    available = ctypes.c_ulong()
    until = time.monotonic() + timeout_s
    while True:
        for handle in handles:
            peek = _kernel().PeekNamedPipe(ctypes.c_void_p(handle), None, 0, None, ctypes.byref(available), None)
            if not peek or available.value:
                return True
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE_S)


def tie_to_this_process(process: subprocess.Popen[bytes]) -> object:
    """A job object that ends the process when its last handle closes, at the latest with this process."""

    class Limits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of which only the flags are used."""

        _fields_ = [
            ("times", ctypes.c_int64 * 2),
            ("flags", ctypes.c_uint32),
            ("working_set", ctypes.c_size_t * 2),
            ("processes", ctypes.c_uint32),
            ("affinity", ctypes.c_size_t),
            ("classes", ctypes.c_uint32 * 2),
            ("io", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        ]

    kernel = _kernel()
    job = kernel.CreateJobObjectW(None, None)
    limits = Limits(flags=_KILL_ON_CLOSE)
    kernel.SetInformationJobObject(
        ctypes.c_void_p(job), _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.c_uint32(ctypes.sizeof(limits))
    )
    handle = getattr(process, "_handle", 0)
    kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(int(handle)))
    return job


def _kernel() -> Any:
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.CreateJobObjectW.restype = ctypes.c_void_p
    return kernel
