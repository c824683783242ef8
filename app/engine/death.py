"""The end of an engine's process in words: a sentence for the person, and a report that can be passed on."""

from __future__ import annotations

import os
import platform
import signal
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import app
from app.core.errors import EngineDiedError
from app.core.options import Loading
from app.engine.base import ModelFacts
from app.engine.trial import engine_version

_DOING = {
    "": "waiting for the next message",
    "load": "loading the model",
    "try": "trying the model for the first time",
    "stream": "writing a reply",
    "rest": "writing down what was read of chats",
}
_SIGNALS = {
    "SIGABRT": "llama.cpp gave up on an error of its own.",
    "SIGSEGV": "llama.cpp crashed.",
    "SIGBUS": "The model's file changed or its disk failed while it was in use.",
    "SIGKILL": "The system ended its process; most often memory had run out.",
    "SIGILL": "This processor lacks an instruction that llama.cpp used.",
    "SIGFPE": "llama.cpp crashed over a number.",
}

_WINDOWS = {
    0xC0000005: "SIGSEGV",  # access violation
    0xC0000006: "SIGBUS",  # a page of a mapped file could not be read
    0xC0000017: "SIGKILL",  # no memory
    0xC000001D: "SIGILL",  # illegal instruction
    0xC0000094: "SIGFPE",  # division by zero
    0xC00000FD: "SIGSEGV",  # the stack is full
    0xC000012D: "SIGKILL",  # no memory that could be paged out
    0xC0000409: "SIGABRT",  # fast fail, as abort() ends it
}
"""Exit codes of Windows, which has no signals, and the signals that say the same."""
_WINDOWS_ABORT = 3
"""Of abort() where it writes a line first; elsewhere any program's own code."""


@dataclass(slots=True)
class Work:
    """What a process was started for and is doing. `machine` is what it told of llama.cpp and the devices."""

    doing: str = ""
    path: str = ""
    loading: Loading = field(default_factory=Loading)
    facts: ModelFacts | None = None
    machine: str = ""
    has_gpu: bool = False
    silent_s: float | None = None
    """It was ended because it said nothing for so long."""
    ended_by_us: bool = False
    """It was ended because the program was closed."""

    def gpu_layers(self) -> int | None:
        """So many layers were on a GPU; None where some may have been, but nobody knows how many."""
        if self.doing == "try" or not self.has_gpu or self.loading.gpu_layers == 0:
            return 0
        return self.facts.gpu_layers if self.facts is not None else None


def died(work: Work, code: int | None, said: str, *, windows: bool = sys.platform == "win32") -> EngineDiedError:
    """The error that tells of it. `code` is the process's exit code, `said` its last words."""
    name = _name(code, windows=windows)
    reason = _reason(work, code, name)
    by_system = name == "SIGKILL" and work.silent_s is None and not work.ended_by_us
    layers = " or the layers on the GPU" if work.has_gpu and not by_system else ""
    kept = " What had come of the reply is kept." if work.doing == "stream" else ""
    return EngineDiedError(
        "The engine stopped unexpectedly",
        reason + kept,
        f"If it happens again, {'close other programs, ' if by_system else ''}lower the context{layers}, or choose "
        f"{'a smaller' if by_system else 'another'} file of this model.",
        _report(work, f"{_in_report(code, name)}: {reason}", said),
        gpu_layers=work.gpu_layers(),
        by_system=by_system,
        by_us=work.ended_by_us,
    )


def _report(work: Work, end: str, said: str) -> str:
    facts = work.facts
    lines = [
        f"The engine's process ended with {end}",
        f"When: {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, while {_DOING.get(work.doing, 'answering a question')}",
        f"Model: {_model(work)}",
    ]
    if facts is not None:
        layers = f"{facts.gpu_layers} of {facts.n_layers + 1} layers on a GPU"
        lines.append(f"Loaded with: {facts.n_ctx} tokens of context, {layers}, template {facts.template}")
    settings = ", ".join(f"{name} {'auto' if value is None else value}" for name, value in asdict(work.loading).items())
    lines += [
        f"Settings: {settings}",
        f"Engine: {engine_version()}",
        *([work.machine] if work.machine else []),
        f"Orcinus {app.__version__}, Python {platform.python_version()}, {platform.platform()}",
        "Its last words:",
        said or "none",
    ]
    return _without_places("\n".join(lines), work.path)


def _model(work: Work) -> str:
    facts = work.facts
    name = os.path.basename(work.path)
    if facts is None:
        try:
            return f"{name}, {os.path.getsize(work.path):,} bytes"
        except (OSError, ValueError):
            return name
    quant = f", {facts.quant}" if facts.quant else ""
    return f"{name}, {facts.size_bytes:,} bytes, {facts.architecture}{quant}, {facts.n_params:,} parameters"


def _without_places(text: str, path: str) -> str:
    """Where a person keeps their files, and so often their name, is nobody's business."""
    for place, instead in ((os.path.dirname(path), ""), (os.path.expanduser("~"), "~")):
        if len(place) > 1:
            text = text.replace(place + os.sep, instead + os.sep if instead else "").replace(place, instead or "…")
    return text


def _reason(work: Work, code: int | None, name: str) -> str:
    if work.ended_by_us:
        return "It was still at work when Orcinus was closed, and was ended."
    if work.silent_s is not None:
        return f"Its process did not answer for {work.silent_s:.0f} seconds and was ended."
    if code is None:
        return "Its process no longer answers."
    if name:
        return _SIGNALS.get(name, f"Its process was ended by {name}.")
    return f"Its process ended with code {code}."


def _name(code: int | None, *, windows: bool) -> str:
    """The signal that ended it, or the one that Windows means by it; "" for none."""
    if code is None:
        return ""
    if code >= 0:
        return "SIGABRT" if windows and code == _WINDOWS_ABORT else _WINDOWS.get(code, "")
    return signal.Signals(-code).name if -code in {one.value for one in signal.Signals} else f"signal {-code}"


def _in_report(code: int | None, name: str) -> str:
    if code is None or code < 0:
        return name or str(code)
    return f"0x{code:08X}" if code > 0xFFFF else str(code)
