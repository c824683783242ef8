"""llama.cpp itself: opened once and quietly, with the devices it can use.

The only module that imports llama_cpp; the others are handed the library.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import logging
import os
import sys
import threading
from collections import deque
from functools import cache
from pathlib import Path
from typing import Any

from app.core.devices import Device, DeviceKind, offload_devices

log = logging.getLogger(__name__)

# enum ggml_log_level: https://github.com/ggml-org/llama.cpp/blob/master/ggml/include/ggml.h
_LEVELS = {2: logging.DEBUG, 3: logging.INFO, 4: logging.INFO}
"""Its own grading is for its developers: what matters to people comes back as an AppError."""
_DEBUG = 1
_KINDS = (DeviceKind.CPU, DeviceKind.GPU, DeviceKind.INTEGRATED, DeviceKind.ACCELERATOR)
"""In the order of enum ggml_backend_dev_type."""
BACKEND_PATH = "GGML_BACKEND_PATH"
"""ggml's own name for one more backend, built apart from the others."""


class _Props(ctypes.Structure):
    """struct ggml_backend_dev_props."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("memory_free", ctypes.c_size_t),
        ("memory_total", ctypes.c_size_t),
        ("type", ctypes.c_int),
        ("device_id", ctypes.c_char_p),
        ("caps", ctypes.c_bool * 16),
    ]


class Library:
    """The loaded library. `llama` is the low-level module; `lines` holds what llama.cpp said last."""

    def __init__(self) -> None:
        os.environ["GGML_NO_BACKTRACE"] = "1"  # else abort() forks a debugger from inside a window's process
        _open_standard_streams()
        llama = _bindings()
        self.llama: Any = llama
        self.lines: deque[str] = deque(maxlen=2000)
        self._partial = ""
        self._level = logging.DEBUG
        self._on_log = llama.llama_log_callback(self._logged)
        llama.llama_log_set(self._on_log, ctypes.c_void_p(0))
        self._on_abort: Any = None
        llama.llama_backend_init()
        self.folder = self._load_backends()
        """Where backends were looked for; None where this build has them within."""
        self.first_lines = tuple(self.lines)
        """What was said while the backends were opened."""
        self.strlen = ctypes.cast(_libc().strlen, llama.ggml_abort_callback)
        """An abort callback that never takes the GIL; give it a StopFlag's address."""

    def symbol(self, name: str) -> Any:
        """A function of ggml that the bindings leave out, from the copy of ggml that llama.cpp itself uses."""
        try:
            return getattr(self.llama._lib, name)  # noqa: SLF001 - a handle finds what its library depends on
        except AttributeError:
            for library in ("ggml", "ggml-base"):  # Windows finds only a library's own symbols
                try:
                    return getattr(ctypes.CDLL(f"{library}.dll"), name)
                except (OSError, AttributeError):
                    continue
            raise

    def report_aborts_to(self, fd: int) -> None:
        """Write the reason to this open file, one line, before llama.cpp ends the process."""
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
        setter = self.symbol("ggml_set_abort_callback")
        setter.argtypes, setter.restype = [prototype], ctypes.c_void_p
        self._on_abort = prototype(lambda text: _write_line(fd, text))
        setter(self._on_abort)

    def gpus(self) -> tuple[Device, ...]:
        """The GPUs that layers can be put on, in llama.cpp's order."""
        return offload_devices(self.devices())

    def devices(self) -> tuple[Device, ...]:
        """Every device of every backend."""
        count, get, tell = (self.symbol(f"ggml_backend_dev_{what}") for what in ("count", "get", "get_props"))
        count.argtypes, count.restype = [], ctypes.c_size_t
        get.argtypes, get.restype = [ctypes.c_size_t], ctypes.c_void_p
        tell.argtypes, tell.restype = [ctypes.c_void_p, ctypes.POINTER(_Props)], None
        backend, name = self.symbol("ggml_backend_dev_backend_reg"), self.symbol("ggml_backend_reg_name")
        backend.argtypes, backend.restype = [ctypes.c_void_p], ctypes.c_void_p
        name.argtypes, name.restype = [ctypes.c_void_p], ctypes.c_char_p
        found = []
        for index in range(count()):
            props = _Props()
            device = get(index)
            tell(device, ctypes.byref(props))
            if props.type < len(_KINDS):
                found.append(
                    Device(
                        _text(props.name),
                        _text(props.description).strip(),
                        _KINDS[props.type],
                        _text(name(backend(device))),
                        props.memory_free,
                        props.memory_total,
                        _text(props.device_id),
                    )
                )
        return tuple(found)

    def backends(self) -> tuple[str, ...]:
        """The names of all backends that were opened, whether they found a device or not."""
        count, get, name = (self.symbol(f"ggml_backend_reg_{what}") for what in ("count", "get", "name"))
        count.argtypes, count.restype = [], ctypes.c_size_t
        get.argtypes, get.restype = [ctypes.c_size_t], ctypes.c_void_p
        name.argtypes, name.restype = [ctypes.c_void_p], ctypes.c_char_p
        return tuple(_text(name(get(index))) for index in range(count()))

    def _load_backends(self) -> Path | None:
        """Load CPU variants and GPU backends where the library was built to find them at run time."""
        package = Path(self.llama.__file__).parent
        for folder in (package / "lib", package, package.parent / "bin", package.parent / "lib"):
            if any(folder.glob("*ggml-cpu-*")):
                load = self.symbol("ggml_backend_load_all_from_path")
                load.argtypes, load.restype = [ctypes.c_char_p], None
                load(os.fsencode(folder))
                return folder
        if apart := os.environ.get(BACKEND_PATH):
            load = self.symbol("ggml_backend_load")
            load.argtypes, load.restype = [ctypes.c_char_p], ctypes.c_void_p
            load(os.fsencode(apart))
        return None

    def _logged(self, level: int, text: bytes, _data: Any) -> None:
        if level == _DEBUG:
            return
        if level in _LEVELS:
            self._flush()
            self._level = _LEVELS[level]
        self._partial += _text(text)
        if self._partial.endswith("\n") or len(self._partial) > 4000:
            self._flush()

    def _flush(self) -> None:
        line, self._partial = self._partial.strip(), ""
        if line.strip("."):
            self.lines.append(line)
            log.log(self._level, "%s", line)


def library() -> Library:
    """llama.cpp, opened at the first call; about 0.1 s. There is one per process, as its log and backends are."""
    with _opening:  # a model may be loading while another thread asks for the devices
        return _opened()


@cache
def _opened() -> Library:
    opened = Library()
    for fd in _abort_reports:
        opened.report_aborts_to(fd)
    return opened


def report_aborts_to(fd: int) -> None:
    """Let llama.cpp's last words go to this open file once it is opened, which this does not do."""
    _abort_reports[:] = [fd]
    if _opened.cache_info().currsize:
        library().report_aborts_to(fd)


_opening = threading.Lock()
_abort_reports: list[int] = []
"""Where the last words go; at most one, as ggml itself has one place for it per process."""


def _bindings() -> Any:
    """The functions of llama.cpp alone.

    The package around them would first import NumPy and classes of its own that nothing here uses: four fifths of the
    time until a model begins to load. So it is known by its place only while its one module is imported, and whoever
    wants the whole package can still import it afterwards.
    """
    if "llama_cpp" not in sys.modules and (found := importlib.util.find_spec("llama_cpp")) is not None:
        sys.modules["llama_cpp"] = importlib.util.module_from_spec(found)
        try:
            from llama_cpp import llama_cpp as llama
        finally:
            del sys.modules["llama_cpp"]
    else:
        from llama_cpp import llama_cpp as llama
    return llama


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def _libc() -> Any:
    return ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)


def _write_line(fd: int, text: bytes) -> None:
    # the process is about to end: there is nobody left to tell of an error
    with contextlib.suppress(OSError):
        os.write(fd, (text or b"").replace(b"\n", b" ").strip() + b"\n")


def _open_standard_streams() -> None:
    """Give fds 0 to 2 a place to write where a windowed program was started without them."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
