"""LoRA adapters on a loaded model: all of them work, or loading ends with a sentence that says which does not."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.core.adapters import Adapter, adapter_of
from app.core.errors import EngineError, ModelFileError
from app.engine import gguf
from app.engine.devices import Library

_HEAD_BYTES = 4 << 20
_SAID = "failed to apply lora adapter:"
_REMEDY = "Take it off the model’s LoRA adapters, or choose one that was made for this model."


class Adapters:
    """The adapters of one model; llama.cpp frees them together with it."""

    def __init__(self, native: Library, model: Any, lines: Sequence[str], architecture: str) -> None:
        """Load them onto a model of this architecture. `lines`: see `core.adapters`.

        Raises:
            ModelFileError: one of them cannot be used, and why.
        """
        self._llama = native.llama
        self._adapters = [adapter_of(line) for line in lines]
        self._handles = [_loaded(native, model, adapter, architecture) for adapter in self._adapters]

    @property
    def words(self) -> tuple[str, ...]:
        """Each adapter and its weight, for people."""
        return tuple(f"{Path(adapter.path).name} × {adapter.weight:g}" for adapter in self._adapters)

    @property
    def identity(self) -> str:
        """What differs where another file or another weight would make another state."""
        return " ".join(map(_identity, self._adapters))

    def attach(self, context: Any) -> None:
        """Let a fresh context use them.

        Raises:
            EngineError: llama.cpp refused.
        """
        # one of weight 0 changes nothing but the time each token takes
        used = [(handle, one.weight) for handle, one in zip(self._handles, self._adapters, strict=True) if one.weight]
        if not used:
            return
        handles = (self._llama.llama_adapter_lora_p_ctypes * len(used))(*[handle for handle, _ in used])
        weights = (ctypes.c_float * len(used))(*[weight for _, weight in used])
        code = self._llama.llama_set_adapters_lora(context, handles, len(used), weights)
        if code != 0:
            raise EngineError("The LoRA adapters cannot be used", f"llama.cpp refused them with code {code}.", _REMEDY)


def size_bytes(lines: Sequence[str]) -> int:
    """What adapters take in memory: their files' sizes; one that is not there counts nothing, and is told of later."""
    total = 0
    for line in lines:
        path = Path(adapter_of(line).path)
        if path.is_file():
            total += path.stat().st_size
    return total


def _loaded(native: Library, model: Any, adapter: Adapter, architecture: str) -> Any:
    _check(adapter.path, architecture)
    handle = native.llama.llama_adapter_lora_init(model, os.fsencode(adapter.path))
    if not handle:
        said = next((line.partition(_SAID)[2].strip() for line in reversed(native.lines) if _SAID in line), "")
        raise _refused(adapter.path, f"llama.cpp says: {said}." if said else "llama.cpp gave no reason.")
    return handle


def _check(path: str, architecture: str) -> None:
    """Judge an adapter's header before llama.cpp sees it."""
    try:
        if not Path(path).is_file():
            raise _refused(path, "There is no file at its path.")
        header = gguf.read(Path(path)).metadata
    except gguf.BadGguf as error:
        raise _refused(path, f"Its file is damaged or no GGUF: {error}.") from error
    except (OSError, ValueError) as error:
        raise _refused(path, f"It cannot be read: {error}.") from error
    kind, base = header.get("general.type"), header.get("general.architecture")
    if kind != "adapter" or header.get("adapter.type") != "lora":
        raise _refused(path, "It is a model of its own and no LoRA adapter." if kind != "adapter" else
                       f"It is an adapter of another kind: {header.get('adapter.type')}.")  # fmt: skip
    if base != architecture:
        raise _refused(path, f"It was made for models of the architecture {base}; this one is {architecture}.")


def _refused(path: str, why: str) -> ModelFileError:
    return ModelFileError(f"The LoRA adapter {Path(path).name} cannot be used", why, _REMEDY)


def _identity(adapter: Adapter) -> str:
    found = os.stat(adapter.path)
    with open(adapter.path, "rb") as start:
        head = hashlib.sha256(start.read(_HEAD_BYTES)).hexdigest()
    return f"{head} {found.st_size} {found.st_mtime_ns} {adapter.weight!r}"
