"""Why llama.cpp would not load a model or make a context, from its own lines: its answer is NULL and no more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.core.errors import ModelFileError, ModelMemoryError
from app.engine.model_file import ModelFile
from app.engine.plan import Plan

_NO_MEMORY = re.compile(
    r"unable to allocate|failed to allocate|out of memory|insufficient memory|bad_alloc|OutOf(?:Device|Host)Memory"
    r"|memory allocation of size \d+ failed",
    re.IGNORECASE,
)
_BUFFER = re.compile(r"to allocate (\S+) buffer")
_MAIN_MEMORY = re.compile(r"CPU|AMX|\S*Host", re.IGNORECASE)
"""Names of ggml's buffers that lie in main memory, though a GPU may read some of them."""


def refused(file: ModelFile, how: Plan, lines: Sequence[str]) -> ModelFileError | ModelMemoryError:
    """Why the model was not loaded."""
    short = [line for line in lines if _NO_MEMORY.search(line)]
    if short:
        return _no_room(file, how, short)
    said = next((line for line in reversed(lines) if "error" in line.lower()), "")
    if "unknown model architecture" in said:
        return ModelFileError(
            f"{file.name} is a kind of model that is not known here",
            f"Its architecture is {file.architecture}.",
            "Choose another model, or a newer version of Orcinus.",
        )
    return ModelFileError(
        f"{file.name} cannot be loaded",
        f"llama.cpp says: {said}." if said else "llama.cpp gave no reason.",
        "Download the file again, or choose another version of this model.",
    )


def no_context(file: ModelFile, how: Plan, lines: Sequence[str]) -> ModelMemoryError:
    """Why there is no context for the loaded model."""
    short = [line for line in lines if _NO_MEMORY.search(line)]
    layers = 0 if _is_main_memory(short) else _layers(file, how)
    fewer = ", or with fewer layers on the GPU" if layers else ", or close other programs"
    return ModelMemoryError(
        f"{file.name} could not be started",
        f"llama.cpp could not make a context of {how.n_ctx:,} tokens."
        + (f" The GPU's memory ran out, with {_layers_in_words(layers)} on it." if layers and short else ""),
        f"Load it with a smaller context{fewer}.",
        gpu_layers=layers,
    )


def _no_room(file: ModelFile, how: Plan, short: Sequence[str]) -> ModelMemoryError:
    layers = 0 if _is_main_memory(short) else _layers(file, how)
    if layers:
        return ModelMemoryError(
            f"{file.name} does not fit in the GPU's memory",
            f"It ran out while {_layers_in_words(layers)} were put there.",
            "Load it with fewer layers on the GPU, or close other programs that use it.",
            gpu_layers=layers,
        )
    return ModelMemoryError(
        f"{file.name} does not fit in memory",
        f"llama.cpp says: {short[-1]}.",
        "Close other programs, load it with a smaller context, or choose a smaller quant of this model.",
    )


def _is_main_memory(short: Sequence[str]) -> bool:
    """Whether it is main memory that ran out, as far as a buffer is named."""
    named = [found[1] for line in short if (found := _BUFFER.search(line))]
    return bool(named) and all(_MAIN_MEMORY.match(name) for name in named)


def _layers(file: ModelFile, how: Plan) -> int:
    """Layers that were to be on GPUs, the output counted as one."""
    return file.n_layers + 1 if how.gpu_layers < 0 else how.gpu_layers


def _layers_in_words(layers: int) -> str:
    return "1 layer" if layers == 1 else f"{layers} layers"
