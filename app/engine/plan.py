"""How a model will be loaded on this machine: context, layers on the GPU, threads, and whether it fits at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.errors import ModelMemoryError
from app.core.fit import VALUE_BYTES, Machine, Needs, attention_bytes, working_bytes
from app.core.options import Loading
from app.engine.model_file import ModelFile

AUTO_CONTEXT = 8192
"""The largest context that Auto takes. Its KV cache costs a 7B model about 1 GB, and a CPU already needs minutes to
read that much; who wants more asks for it."""
_SMALLEST_AUTO_CONTEXT = 2048
_STEP = 256
"""llama.cpp pads a context to multiples of this."""
_ONE_THREAD_PARAMS = 50_000_000
"""Up to this size threads wait for each other more than they work: the starter makes 4,400 tokens/s on one thread,
1,800 on two, and 15 on two when another program keeps the cores busy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load. `gpu_layers` is -1 for all; `needed_bytes` is an estimate of main memory."""

    n_ctx: int
    gpu_layers: int
    threads: int
    batch_tokens: int
    type_k: str
    type_v: str
    flash_attention: str
    mmap: bool
    needed_bytes: int
    notices: tuple[str, ...] = ()


def plan(model: ModelFile, loading: Loading, machine: Machine) -> Plan:
    """Decide how to load a model.

    Raises:
        ModelMemoryError: not even the smallest context fits into memory.
    """
    notices: list[str] = []
    type_v = _type_v(loading)
    if type_v != loading.kv_type:
        notices.append(
            f"Only half of the KV cache is {loading.kv_type}: the other half needs flash attention, which is off."
        )
    needs = needs_of(model, loading)
    gpu_layers = _gpu_layers(needs, loading, machine)
    if loading.gpu_layers and not machine.has_gpu:
        notices.append("No GPU was found that llama.cpp can use: the model runs on the CPU.")
    on_gpu = 1.0 if gpu_layers < 0 else min(1.0, gpu_layers / (model.n_layers + 1))
    fixed = int(needs.weights_bytes * (1 - on_gpu)) + needs.working_bytes
    per_token = needs.kv_bytes_per_token * (1 - on_gpu)
    n_ctx = _context(model, loading, machine, fixed, per_token, notices)
    needed = fixed + int(n_ctx * per_token)
    if machine.free_bytes is not None and needed > machine.free_bytes:
        raise _no_room(model, loading, needed, machine.free_bytes, n_ctx)
    return Plan(
        n_ctx=n_ctx,
        gpu_layers=gpu_layers,
        threads=loading.threads or (machine.cores if model.n_params > _ONE_THREAD_PARAMS else 1),
        batch_tokens=loading.batch_tokens,
        type_k=loading.kv_type,
        type_v=type_v,
        flash_attention=loading.flash_attention,
        mmap=loading.mmap,
        needed_bytes=needed,
        notices=tuple(notices),
    )


def _context(
    model: ModelFile,
    loading: Loading,
    machine: Machine,
    fixed_bytes: int,
    bytes_per_token: float,
    notices: list[str],
) -> int:
    if loading.context_tokens is not None:
        n_ctx = max(_STEP, loading.context_tokens // _STEP * _STEP)
        if n_ctx > model.n_ctx_train:
            notices.append(
                f"The context of {n_ctx:,} tokens is longer than the {model.n_ctx_train:,} that the model was trained "
                "for: answers to long chats may lose their sense."
            )
        return n_ctx
    wanted = max(_STEP, min(model.n_ctx_train, AUTO_CONTEXT) // _STEP * _STEP)
    if machine.free_bytes is None or bytes_per_token <= 0:
        return wanted
    fits = int(max(0, machine.free_bytes - fixed_bytes) / bytes_per_token) // _STEP * _STEP
    if fits >= wanted:
        return wanted
    n_ctx = max(min(wanted, _SMALLEST_AUTO_CONTEXT), fits)
    notices.append(f"The context is {n_ctx:,} tokens: for more there is too little memory.")
    return n_ctx


def needs_of(model: ModelFile, loading: Loading) -> Needs:
    """What a model takes when it is loaded like this, from its own header."""
    per_token = model.kv_values_k * VALUE_BYTES[loading.kv_type] + model.kv_values_v * VALUE_BYTES[_type_v(loading)]
    return Needs(
        model.size_bytes,
        per_token + attention_bytes(loading.batch_tokens, model.n_heads, flash=loading.flash_attention != "off"),
        working_bytes(loading.batch_tokens, model.n_embd, model.n_vocab),
        model.n_layers,
        model.n_ctx_train,
        estimated=False,
    )


def _type_v(loading: Loading) -> str:
    """The values of the cache can only be quantised with flash attention."""
    return "f16" if loading.flash_attention == "off" else loading.kv_type


def _gpu_layers(needs: Needs, loading: Loading, machine: Machine) -> int:
    if not machine.has_gpu:
        return 0
    if loading.gpu_layers is not None:
        return -1 if loading.gpu_layers > needs.n_layers else loading.gpu_layers
    if machine.gpu_free_bytes is None:
        return -1
    context = min(needs.n_ctx_train, AUTO_CONTEXT) if loading.context_tokens is None else loading.context_tokens
    fits = needs.gpu_layers(context, machine.gpu_free_bytes)
    return -1 if fits > needs.n_layers else fits


def _no_room(model: ModelFile, loading: Loading, needed: int, free: int, n_ctx: int) -> ModelMemoryError:
    hints: Sequence[str] = ("Close other programs", "choose a smaller quant of this model")
    if loading.context_tokens is not None and n_ctx > _SMALLEST_AUTO_CONTEXT:
        hints = ("Choose a smaller context", *hints[1:])
    return ModelMemoryError(
        f"{model.name} does not fit in memory",
        f"It needs {needed / 1e9:.1f} GB with a context of {n_ctx:,} tokens; {free / 1e9:.1f} GB is free.",
        f"{hints[0]}, or {hints[1]}.",
    )
