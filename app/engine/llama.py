"""One model in this process, through llama.cpp: load, render, count, stream, close."""

from __future__ import annotations

import ctypes
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.devices import cards_of
from app.core.errors import EngineError
from app.core.exactness import RECURRENT
from app.core.fit import Machine
from app.core.options import Loading, Sampling
from app.core.stopping import StopFlag
from app.engine import lookup, memory
from app.engine.adapters import Adapters, size_bytes
from app.engine.base import (
    MOST_AT_ONCE,
    Event,
    ModelFacts,
    Prompt,
    Reading,
    Request,
    StopReason,
    Tagged,
    Turn,
    Wish,
)
from app.engine.decoder import Decoder
from app.engine.devices import Library, library
from app.engine.many import Many
from app.engine.model_file import ModelFile, inspect
from app.engine.moving import can_move
from app.engine.placing import devices, placement
from app.engine.plan import Plan, plan
from app.engine.refusal import no_context, refused
from app.engine.release import release, version
from app.engine.sampling import Sampler
from app.engine.snapshots import Snapshots
from app.engine.split_files import stamps
from app.engine.writing import Writing

log = logging.getLogger(__name__)

_KV_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}
_WORTH_WRITING = 16
"""Ids that a conversation has grown by before an idle moment is used to write it down."""
_HEAD_BYTES = 4 << 20
"""Of the file, with its name, shape and most of its vocabulary."""
_WARM_CHATS = 4
"""So many chats keep what was read of them, as far as they fit into one context together."""
_FEW_AT_ONCE = 4
_FLASH = {"auto": -1, "off": 0, "on": 1}


def this_machine() -> Machine:
    """What this computer offers now."""
    cards = cards_of(library().gpus())
    return Machine.with_gpus(memory.free_bytes(), memory.physical_cores(), memory.total_bytes(), cards)


def load(
    path: str,
    loading: Loading,
    stop: StopFlag,
    on_progress: Callable[[float], None] = lambda _fraction: None,
    machine: Machine | None = None,
    *,
    check_weights: bool = False,
) -> LlamaEngine | None:
    """Load a GGUF file; None when stopped meanwhile.

    `on_progress` is called in this thread with rising fractions from 0 to 1. `check_weights` reads the whole file and
    refuses one with weights that are no numbers.

    Raises:
        ModelFileError: the file cannot be used; the text says why.
        ModelMemoryError: there is no room for it.
    """
    file = inspect(path)
    how = plan(file, loading, (machine or this_machine()).without(size_bytes(loading.adapters)))
    native = library()
    native.lines.clear()
    model = _load_model(native, file, how, stop, on_progress, check_weights=check_weights)
    if model is None:
        if stop.is_set():
            return None
        raise refused(file, how, list(native.lines))
    try:
        return LlamaEngine(native, model, file, how, loading)
    except BaseException:
        native.llama.llama_model_free(model)
        raise


class LlamaEngine:
    """A loaded model with one context. Used by one thread at a time."""

    def __init__(self, native: Library, model: Any, file: ModelFile, how: Plan, loading: Loading) -> None:
        self._native, self._llama = native, native.llama
        self._model: Any = model
        self._how = how
        self._file = file
        self._notices = list(how.notices)
        self._looks_up = loading.lookup and self._can_forget()
        self._flash_auto, self._alike = loading.flash_attention == "auto", False
        self._adapters = Adapters(native, model, loading.adapters, file.architecture)
        self._decoder = Decoder(
            native, self._make_context, how.batch_tokens, _WARM_CHATS, self._can_move, self._n_spare()
        )
        try:
            self._writing = Writing(self._llama, model, file, loading.template, self._decoder.n_ctx)
        except BaseException:
            self._decoder.close()
            raise
        self._vocabulary = self._writing.vocabulary
        where = placement(native, self._how, self._adapters.words)
        self._facts = ModelFacts(
            name=file.name,
            path=file.path,
            architecture=file.architecture,
            size_bytes=file.size_bytes,
            n_params=file.n_params,
            n_ctx=self._decoder.n_ctx,
            n_ctx_train=file.n_ctx_train,
            n_layers=file.n_layers,
            n_vocab=self._vocabulary.size,
            gpu_layers=where.gpu_layers,
            template=self._writing.template,
            notices=(*self._notices, *self._writing.notices),
            quant=file.quant,
            placement=where,
            can_move=self._decoder.cache.can_move,
            n_at_once=min(self._n_spare(), MOST_AT_ONCE),
            mtime_ns=file.mtime_ns,
            engine=release(),
            devices=devices(native, where),
            inexact=file.inexact or ("" if self._can_forget() else RECURRENT),
        )

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return self._facts

    def tell(self, notice: str, *, why_cpu: bool = False) -> None:
        """Add a sentence for the person to what is known of the model."""
        self._facts = self._facts.told(notice, why_cpu=why_cpu)

    @property
    def is_alive(self) -> bool:
        """Whether it is open."""
        return self._model is not None

    @property
    def threads(self) -> int:
        """CPU threads at work."""
        return self._how.threads

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns."""
        self._must_be_open()
        return self._writing.render(turns, reply=reply)

    def count(self, text: str) -> int:
        """How many tokens a text is on its own."""
        self._must_be_open()
        return len(self._vocabulary.text_tokens(text))

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see the contract."""
        self._must_be_open()
        if (refusal := self._writing.refusal(request)) is not None:
            raise refusal
        self._make_alike(alike=False)
        return self._reply(request, stop)

    def stream_many(
        self, wishes: Iterator[Wish | None], stop: StopFlag, width: int = MOST_AT_ONCE, *, from_scratch: bool = False
    ) -> Iterator[Tagged]:
        """Generate several replies at once; see the contract."""
        self._must_be_open()
        if from_scratch:
            self._decoder.cache.empty()
            self._make_alike(alike=True)
        steady = self._how.gpu_layers == 0
        return Many(self._decoder, self._writing, stop, steady=steady, from_scratch=from_scratch).stream(
            wishes, min(width, self._facts.n_at_once)
        )

    def keep_in(self, folder: str, limit_bytes: int) -> None:
        """Keep snapshots of conversations there."""
        self._must_be_open()
        self._decoder.keep_in(Snapshots(Path(folder), self._identity(), limit_bytes))

    def drop(self, conversation: int) -> None:
        """Forget a conversation, and its snapshot."""
        self._must_be_open()
        self._decoder.cache.drop(conversation)

    def rest(self, stop: StopFlag | None = None) -> None:
        """Write the snapshots that are out of date."""
        self._must_be_open()
        self._decoder.cache.save(least_tokens=_WORTH_WRITING, stop=stop)

    def close(self) -> None:
        """Write the snapshots, free the context, then the model; harmless when repeated."""
        if self._model is not None:
            self._decoder.cache.save()
            self._decoder.close()
            self._llama.llama_model_free(self._model)
            self._model = None

    def sampler(self, sampling: Sampling) -> Sampler:
        """A sampler chain for this model; a context manager."""
        return self._writing.sampler(sampling)

    def read(self, tokens: Sequence[int], stop: StopFlag, conversation: int = 0) -> Iterator[int]:
        """Read a prompt as far as the cache does not know it; yields how many tokens are in place."""
        return self._decoder.read(tokens, stop, conversation)

    def choices(self, sampler: Sampler, stop: StopFlag) -> Iterator[int]:
        """Ids as they are chosen, one decode each, until stopped or the context is full."""
        decoder = self._decoder
        while not stop.is_set():
            token = sampler.choose(decoder.context)
            yield token
            if len(decoder.sequence.tokens) >= decoder.n_ctx or not decoder.add((token,)):
                return

    def _choices(self, request: Request, sampler: Sampler, stop: StopFlag) -> Iterator[int]:
        if not self._looks_up:
            return self.choices(sampler, stop)
        return lookup.choices(self._decoder, sampler, stop, lookup.Lookup(request.tokens))

    def piece(self, token: int) -> bytes:
        """The bytes of one id."""
        return self._vocabulary.piece(token)

    def forget(self) -> None:
        """Empty the cache."""
        self._decoder.cache.clear()

    def _read(self, request: Request, stop: StopFlag) -> Iterator[int]:
        return self._decoder.read(
            request.tokens, stop, request.conversation, request.left_out_at, may_move=request.may_move
        )

    def _make_alike(self, *, alike: bool) -> None:
        """Have a context in which replies side by side do not depend on each other, or the fastest one for a chat.

        Plain attention adds up in another order wherever a sequence's cells lie between those of others; flash
        attention does not, but is slower on a processor.
        """
        if self._how.flash_attention == "off" and self._flash_auto and self._alike != alike:
            self._alike = alike
            self._decoder.begin_anew()

    def _n_spare(self) -> int:
        """Sequences for replies side by side. A recurrent state takes memory for each, whether it is used or not."""
        # llama.cpp aborts where a batch is smaller than the number of sequences
        most = min(3 * MOST_AT_ONCE, self._how.batch_tokens - _WARM_CHATS - 1)
        return most if self._can_forget() else _FEW_AT_ONCE

    def _can_forget(self) -> bool:
        """Whether the end of what was read can be forgotten; a recurrent state cannot."""
        llama, model = self._llama, self._model
        return not (llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model))

    def _can_move(self, context: Any) -> bool:
        return can_move(self._llama, self._model, context, self._how.type_k)

    def _reply(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        reply = self._writing.begin(request)
        with self.sampler(request.sampling) as sampler:
            first = True
            for done in self._read(request, stop):
                if first:
                    reply.cached_tokens, reply.moved_tokens, first = done, self._decoder.cache.moved, False
                yield Reading(done, len(request.tokens))
            sampler.see(request.tokens)
            reason: StopReason | None = None
            for token in self._choices(request, sampler, stop):
                delta, reason = self._writing.grow(reply, token)
                if delta is not None:
                    yield delta
                if reason is not None:
                    break
            reason = reason or (StopReason.STOPPED if stop.is_set() else StopReason.CONTEXT)
            yield from self._writing.end(reply, reason, sampler.seed)

    def _identity(self) -> str:
        """What a snapshot's state would not fit if it were another."""
        how = self._how
        with open(self._file.path, "rb") as start:
            head = hashlib.sha256(start.read(_HEAD_BYTES)).hexdigest()
        library = f"{version()} {self._llama.llama_print_system_info().decode()}"
        types = f"{how.type_k} {how.type_v} {self._flash()}"
        return f"{head} {stamps(self._file.path)} {types} {library} {self._adapters.identity}".strip()

    def _flash(self) -> str:
        """Whether flash attention is in use, on which the layout of values depends; else all that it depends on."""
        where = self._facts.placement
        if where.flash_attention is None:
            return f"{self._how.flash_attention} {where.gpu_layers} {' '.join(self._facts.devices)}"
        return "on" if where.flash_attention else "off"

    def _must_be_open(self) -> None:
        if self._model is None:
            raise EngineError("The model is not loaded", "It was closed.", "Load it again.")

    def _make_context(self) -> Any:
        """A fresh context as planned; called again after a fatal error.

        Raises:
            ModelMemoryError: llama.cpp could not make one.
        """
        how = self._how
        context = self._llama.llama_init_from_model(self._model, self._context_params())
        if not context and how.type_k != "f16":
            self._how = replace(how, type_k="f16", type_v="f16", n_ctx=how.n_ctx_exact)
            context = self._llama.llama_init_from_model(self._model, self._context_params())
            if context:
                self._notices.append(f"The KV cache is f16: this model cannot have it in {how.type_k} here.")
        if not context:
            raise no_context(self._file, how, list(self._native.lines))
        self._adapters.attach(context)
        return context

    def _context_params(self) -> Any:
        how = self._how
        params = self._llama.llama_context_default_params()
        params.n_ctx = how.n_ctx
        params.n_seq_max, params.kv_unified = _WARM_CHATS + self._n_spare() + 1, True
        params.n_batch = how.batch_tokens
        params.n_ubatch = min(how.batch_tokens, 512)
        params.n_threads = params.n_threads_batch = how.threads
        params.flash_attn_type = _FLASH["on" if self._alike else how.flash_attention]
        params.type_k, params.type_v = _KV_TYPES[how.type_k], _KV_TYPES[how.type_v]
        params.no_perf = True
        return params


def _load_model(
    native: Library,
    file: ModelFile,
    how: Plan,
    stop: StopFlag,
    on_progress: Callable[[float], None],
    *,
    check_weights: bool,
) -> Any:
    """The loaded model; None when llama.cpp refused it or was stopped."""
    llama = native.llama
    trouble: list[BaseException] = []

    def progressed(fraction: float, _data: Any) -> bool:
        try:
            on_progress(fraction)
        except BaseException as error:  # noqa: BLE001 - nothing may pass through C; it is raised again below
            trouble.append(error)
        return not trouble and not stop.is_set()

    params = llama.llama_model_default_params()
    params.n_gpu_layers = how.gpu_layers
    if how.split:
        params.tensor_split = (ctypes.c_float * llama.llama_max_devices())(*how.split)
    no_gpus = (ctypes.c_void_p * 1)()
    if not how.gpu_layers:
        # else prompts would be read on a GPU even so
        params.devices = ctypes.addressof(no_gpus)
    params.check_tensors = check_weights
    params.load_mode = llama.LLAMA_LOAD_MODE_MMAP if how.mmap else llama.LLAMA_LOAD_MODE_NONE
    callback = llama.llama_progress_callback(progressed)
    params.progress_callback = callback
    model = llama.llama_model_load_from_file(file.path.encode(), params)
    if trouble:
        if model:
            llama.llama_model_free(model)
        raise trouble[0]
    return model
