"""What Auto comes to: the best way of loading that keeps within its share of what is free.

The order of what is given up: exactness of the KV cache first, which nobody notices, then the steps of reading, then
context, down to 2,048 tokens. A model that fits on the GPU whole comes before a longer context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from app.core.fit import AUTO_SHARE, LEAST_CONTEXT, Machine, Needs, Offload, offload
from app.core.options import Loading

AUTO_CONTEXT = 8192
"""The largest context that Auto takes without a GPU that holds everything. Its KV cache costs a 7B model about 1 GB,
and a CPU already needs minutes to read that much; who wants more asks for it."""
GPU_CONTEXT = 32_768
"""And with one: reading is fast there."""
_LEAST_WHOLE_CONTEXT = 4096
"""Below this, a longer context is worth more than the last layers on the GPU."""
STEP = 256
"""llama.cpp pads a context to multiples of this."""
_USUAL_BATCH, _GPU_BATCH, _SMALL_BATCH = 256, 512, 64


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of loading and what it takes. `fits`: within Auto's share of main memory and of every GPU."""

    n_ctx: int
    kv_type: str
    batch_tokens: int
    placed: Offload
    fits: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What may be chosen from: a model's header, what the person set, and the machine.

    `needs` gives what the model takes with a KV type and a batch.
    """

    needs: Callable[[str, int], Needs]
    n_layers: int
    n_ctx_train: int
    loading: Loading
    machine: Machine

    @property
    def base_context(self) -> int:
        """The context to begin with: the person's, else the usual one as far as the model was trained for it."""
        wanted = self.loading.context_tokens
        return rounded(min(self.n_ctx_train, AUTO_CONTEXT) if wanted is None else wanted)

    def at(self, n_ctx: int, kv_type: str, batch: int) -> Choice:
        """This way of loading."""
        placed = offload(self.needs(kv_type, batch), n_ctx, self.machine, self.loading.gpu_layers)
        free = self.machine.free_bytes
        fits = placed.fits and (free is None or placed.main_bytes <= free * AUTO_SHARE)
        return Choice(n_ctx, kv_type, batch, placed, fits)

    def is_whole(self, choice: Choice) -> bool:
        """Whether everything is on GPUs."""
        return choice.placed.layers > self.n_layers


def best(wish: Wish) -> Choice:
    """The best way that fits; the one that takes least where none does."""
    return _on_gpus(wish) or _mixed(wish) or _least(wish)


def context_for_gpus(wish: Wish) -> int:
    """The longest context, up to the usual one, with which everything is on GPUs; 0 where there is none."""
    if not wish.machine.cards() or wish.loading.gpu_layers is not None:
        return 0
    free = Wish(wish.needs, wish.n_layers, wish.n_ctx_train, replace(wish.loading, context_tokens=None), wish.machine)
    way = list(_ways(free, [_USUAL_BATCH]))[-1]
    choice = free.at(min(free.base_context, LEAST_CONTEXT), *way)
    if not choice.fits or not free.is_whole(choice):
        return 0
    return _longest(free, choice, rounded(min(wish.n_ctx_train, GPU_CONTEXT))).n_ctx


def rounded(n_ctx: int) -> int:
    """A context as llama.cpp has it."""
    return max(STEP, n_ctx // STEP * STEP)


def _on_gpus(wish: Wish) -> Choice | None:
    """Everything on GPUs, with as long a context as they hold."""
    if not wish.machine.cards():
        return None
    cards = wish.machine.cards()
    unified = any(card.unified for card in cards)
    longest = GPU_CONTEXT if all(card.free_bytes is not None for card in cards) else AUTO_CONTEXT
    ways = list(_ways(wish, [_USUAL_BATCH] if unified else [_GPU_BATCH, _USUAL_BATCH]))
    for kv_type, batch in ways:
        choice = wish.at(wish.base_context, kv_type, batch)
        if choice.fits and wish.is_whole(choice):
            # what was made less exact to have room does not spend the room on length
            limit = min(wish.n_ctx_train, longest) if (kv_type, batch) == ways[0] else wish.base_context
            return _longest(wish, choice, rounded(limit))
    shorter = wish.at(min(wish.base_context, _LEAST_WHOLE_CONTEXT), *ways[-1])
    if wish.loading.context_tokens is None and shorter.fits and wish.is_whole(shorter):
        return _longest(wish, shorter, wish.base_context)
    return None


def _mixed(wish: Wish) -> Choice | None:
    """As many layers on GPUs as fit, none where there is no GPU; the rest in main memory."""
    ways = list(_ways(wish, [_USUAL_BATCH, _SMALL_BATCH]))
    for kv_type, batch in ways:
        choice = wish.at(wish.base_context, kv_type, batch)
        if choice.fits:
            return choice
    if wish.loading.context_tokens is not None:
        return None
    least = wish.at(min(wish.base_context, LEAST_CONTEXT), *ways[-1])
    return _longest(wish, least, wish.base_context) if least.fits else None


def _least(wish: Wish) -> Choice:
    """What takes least."""
    kv_type, batch = list(_ways(wish, [_USUAL_BATCH, _SMALL_BATCH]))[-1]
    asked = wish.loading.context_tokens is not None
    return wish.at(wish.base_context if asked else min(wish.base_context, LEAST_CONTEXT), kv_type, batch)


def _ways(wish: Wish, batches: list[int]) -> Iterator[tuple[str, int]]:
    """KV types and batches to try, the best first; what the person set is not varied."""
    loading = wish.loading
    if loading.kv_type != "auto":
        kinds = [loading.kv_type]
    else:
        kinds = ["f16"] if loading.flash_attention == "off" else ["f16", "q8_0"]
    if loading.batch_tokens is not None:
        batches = [loading.batch_tokens]
    for kind in kinds:
        yield kind, batches[0]
    for batch in batches[1:]:
        yield kinds[-1], batch


def _longest(wish: Wish, choice: Choice, limit: int) -> Choice:
    """The same with the longest context that still fits, and leaves as many layers on the GPUs where all are there."""
    if wish.loading.context_tokens is not None:
        return choice
    low, high = choice.n_ctx // STEP, limit // STEP
    while low < high:
        middle = (low + high + 1) // 2
        longer = wish.at(middle * STEP, choice.kv_type, choice.batch_tokens)
        if longer.fits and (wish.is_whole(longer) or not wish.is_whole(choice)):
            low, choice = middle, longer
        else:
            high = middle - 1
    return choice
