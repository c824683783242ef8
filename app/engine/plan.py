"""How a model will be loaded on this machine: context, layers on the GPU, threads, and whether it fits at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.errors import ModelMemoryError
from app.core.fit import AUTO_SHARE, LEAST_CONTEXT, VALUE_BYTES, Machine, Needs, attention_bytes, offload, working_bytes
from app.core.options import Loading
from app.engine.auto import AUTO_CONTEXT, STEP, Choice, Wish, best
from app.engine.model_file import ModelFile

__all__ = ["AUTO_CONTEXT", "Plan", "needs_of", "plan", "wish_for"]

_ONE_THREAD_PARAMS = 50_000_000
"""Up to this size threads wait for each other more than they work: the starter makes 4,400 tokens/s on one thread,
1,800 on two, and 15 on two when another program keeps the cores busy."""
_THREADS_BESIDE_GPU = 4
"""Where every layer is on a GPU, the processor only hands it work."""
_USUAL_BATCH = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load. `gpu_layers` is -1 for all, `split` how many go to each GPU; estimates in bytes of what is taken.

    `why_cpu`: why no layer goes to a GPU although one was asked for, or there is one and Auto decides; else "".
    """

    n_ctx: int
    gpu_layers: int
    threads: int
    batch_tokens: int
    type_k: str
    type_v: str
    flash_attention: str
    mmap: bool
    needed_bytes: int
    """Of main memory."""
    notices: tuple[str, ...] = ()
    split: tuple[int, ...] = ()
    gpu_bytes: tuple[int, ...] = ()
    """On each GPU."""
    why_cpu: str = ""
    n_ctx_exact: int = 0
    """The context to fall back to where the model cannot have its KV cache in this type: it takes no more in f16."""


def plan(model: ModelFile, loading: Loading, machine: Machine) -> Plan:
    """Decide how to load a model. What the person left to Auto takes at most 85 % of what is free, here and there.

    Raises:
        ModelMemoryError: not even the least fits into memory.
    """
    wish = wish_for(model, loading, machine)
    choice = best(wish)
    placed, free = choice.placed, machine.free_bytes
    # a context that the person asked for may take all that is free
    share = AUTO_SHARE if loading.context_tokens is None else 1.0
    if free is not None and placed.main_bytes > free * share:
        raise _no_room(model, loading, placed.main_bytes, free, choice.n_ctx)
    flash, scores = _flash(model, loading, machine, choice)
    type_v = _type_v(choice.kv_type, flash)
    why_cpu = _why_cpu(model, loading, machine, choice)
    whole = placed.layers > model.n_layers
    return Plan(
        n_ctx=choice.n_ctx,
        gpu_layers=-1 if whole else placed.layers,
        threads=loading.threads or _threads(model, machine, whole=whole),
        batch_tokens=choice.batch_tokens,
        type_k=choice.kv_type,
        type_v=type_v,
        flash_attention=flash,
        mmap=_mmap(loading, machine, whole=whole),
        needed_bytes=placed.main_bytes + scores,
        notices=(*_notices(model, loading, choice, wish, type_v), *([why_cpu] if why_cpu else [])),
        split=placed.split,
        gpu_bytes=placed.card_bytes,
        why_cpu=why_cpu,
        n_ctx_exact=choice.n_ctx if loading.context_tokens is not None else _exact(choice.n_ctx, choice.kv_type),
    )


def wish_for(model: ModelFile, loading: Loading, machine: Machine) -> Wish:
    """What can be chosen from when this model is loaded like this."""
    return Wish(
        lambda kv, batch: _needs(model, loading, kv, batch), model.n_layers, model.n_ctx_train, loading, machine
    )


def _exact(n_ctx: int, kv_type: str) -> int:
    return n_ctx if kv_type == "f16" else max(STEP, int(n_ctx * VALUE_BYTES[kv_type] / 2) // STEP * STEP)


def _threads(model: ModelFile, machine: Machine, *, whole: bool) -> int:
    if model.n_params <= _ONE_THREAD_PARAMS:
        return 1
    return min(machine.cores, _THREADS_BESIDE_GPU) if whole else machine.cores


def _mmap(loading: Loading, machine: Machine, *, whole: bool) -> bool:
    """Read straight into a GPU with memory of its own, else mapped."""
    if loading.mmap is not None:
        return loading.mmap
    return not whole or any(card.unified for card in machine.cards())


def needs_of(model: ModelFile, loading: Loading) -> Needs:
    """What a model takes when it is loaded like this, from its own header; Auto counts as what it takes at best."""
    kv_type = "f16" if loading.kv_type == "auto" else loading.kv_type
    return _needs(model, loading, kv_type, loading.batch_tokens or _USUAL_BATCH)


def _needs(model: ModelFile, loading: Loading, kv_type: str, batch: int) -> Needs:
    type_v = _type_v(kv_type, loading.flash_attention)
    per_token = model.kv_values_k * VALUE_BYTES[kv_type] + model.kv_values_v * VALUE_BYTES[type_v]
    return Needs(
        model.size_bytes,
        per_token + attention_bytes(batch, model.n_heads, flash=loading.flash_attention != "off"),
        working_bytes(batch, model.n_embd, model.n_vocab),
        model.n_layers,
        model.n_ctx_train,
        estimated=False,
        layer_bytes=model.layer_bytes,
        output_bytes=model.output_bytes,
        tied=model.tied,
    )


def _flash(model: ModelFile, loading: Loading, machine: Machine, choice: Choice) -> tuple[str, int]:
    """Whether to use flash attention, and what going without it takes in main memory.

    On a processor llama.cpp's plain attention is the faster one: on a 7B shape 50 tokens behind 2,000 are read in half
    the time, and each further one costs a seventh less. It needs every head's scores in memory, and an exact cache.
    """
    heads = attention_bytes(choice.batch_tokens, model.n_heads, flash=False)
    scores = choice.n_ctx * (heads - attention_bytes(choice.batch_tokens, model.n_heads, flash=True))
    free = machine.free_bytes
    fits = free is None or choice.placed.main_bytes + scores <= free * AUTO_SHARE
    if loading.flash_attention == "auto" and not choice.placed.layers and choice.kv_type == "f16" and fits:
        return "off", scores
    return loading.flash_attention, 0


def _type_v(kv_type: str, flash_attention: str) -> str:
    """The values of the cache can only be quantised with flash attention."""
    return "f16" if flash_attention == "off" else kv_type


def _notices(model: ModelFile, loading: Loading, choice: Choice, wish: Wish, type_v: str) -> list[str]:
    found = []
    if type_v != choice.kv_type:
        found.append(
            f"Only half of the KV cache is {choice.kv_type}: the other half needs flash attention, which is off."
        )
    if choice.n_ctx > model.n_ctx_train:
        found.append(
            f"The context of {choice.n_ctx:,} tokens is longer than the {model.n_ctx_train:,} that the model was "
            "trained for: answers to long chats may lose their sense."
        )
    if choice.n_ctx < wish.base_context:
        found.append(f"The context is {choice.n_ctx:,} tokens: for more there is too little memory.")
    if loading.gpu_layers and choice.placed.layers and not choice.placed.fits:
        found.append(
            f"{choice.placed.layers} layers on the GPU are more than it has room for: if it cannot be loaded, "
            "set fewer, or leave it to Auto."
        )
    return found


def _why_cpu(model: ModelFile, loading: Loading, machine: Machine, choice: Choice) -> str:
    if choice.placed.layers or loading.gpu_layers == 0:
        return ""
    cards = machine.cards()
    if not cards:
        return "No GPU was found that llama.cpp can use: the model runs on the CPU." if loading.gpu_layers else ""
    needs = _needs(model, loading, choice.kv_type, choice.batch_tokens)
    least = offload(needs, choice.n_ctx, machine, 1).card_bytes
    room = max(cards, key=lambda card: card.free_bytes or 0)
    return (
        f"The model runs on the CPU: {room.name} has {_gib(room.free_bytes or 0)} free, of which "
        f"{AUTO_SHARE * 100:.0f} % is used, and even one layer needs {_gib(max(least))}."
    )


def _no_room(model: ModelFile, loading: Loading, needed: int, free: int, n_ctx: int) -> ModelMemoryError:
    hints: Sequence[str] = ("Close other programs", "choose a smaller quant of this model")
    if loading.context_tokens is not None and n_ctx > LEAST_CONTEXT:
        hints = ("Choose a smaller context", *hints[1:])
    hint = f"{hints[0]}, or {hints[1]}."
    kept = ""
    if loading.context_tokens is None and needed <= free:
        kept = f" Auto leaves {100 - AUTO_SHARE * 100:.0f} % of that for other programs."
        hint = f"{hint[:-1]}; or set the context yourself, to {n_ctx:,} tokens, to load it all the same."
    return ModelMemoryError(
        f"{model.name} does not fit in memory",
        f"It needs {needed / 1e9:.1f} GB with a context of {n_ctx:,} tokens; {free / 1e9:.1f} GB is free.{kept}",
        hint,
    )


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"
