"""Sampling settings as a llama.cpp sampler chain.

Samplers stand in llama.cpp's own order (common/sampling.cpp): penalties, DRY, top-k, typical-p, top-p, min-p, XTC,
temperature, and the choice itself.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Sequence
from typing import Any

from app.core.options import Sampling

MAX_SEED = 0xFFFF_FFFE
"""The highest seed; 0xFFFFFFFF is llama.cpp's own word for a random one."""

_BREAKERS = (b"\n", b":", b'"', b"*")
_MIROSTAT_M = 100
"""Candidates that Mirostat 1 estimates from, as in llama.cpp's command line."""


class Sampler:
    """A sampler chain for one reply. Used as a context manager, or given back with `close`."""

    def __init__(self, llama: Any, model: Any, sampling: Sampling, n_ctx: int) -> None:
        self._llama = llama
        self._vocab = llama.llama_model_get_vocab(model)
        self._n_vocab: int = llama.llama_vocab_n_tokens(self._vocab)
        self._n_ctx = n_ctx
        self.seed = secrets.randbelow(MAX_SEED + 1) if sampling.seed is None else sampling.seed
        """The seed in force: the one asked for, else a random one."""
        self._looks_back = _window(sampling, n_ctx)
        self._chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        for sampler in self._samplers(sampling):
            llama.llama_sampler_chain_add(self._chain, sampler)

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def see(self, tokens: Sequence[int]) -> None:
        """Let the penalties know the prompt."""
        for token in tokens[max(0, len(tokens) - self._looks_back) :] if self._looks_back else ():
            self._llama.llama_sampler_accept(self._chain, token)

    def choose(self, context: Any, at: int = -1) -> int:
        """The next id, from the logits of the token at this index of the last batch; of its last one by default."""
        return int(self._llama.llama_sampler_sample(self._chain, context, at))

    def names(self) -> list[str]:
        """The samplers in force, in their order."""
        count = self._llama.llama_sampler_chain_n(self._chain)
        chain = (self._llama.llama_sampler_chain_get(self._chain, i) for i in range(count))
        return [self._llama.llama_sampler_name(sampler).decode() for sampler in chain]

    def close(self) -> None:
        """Free the chain; harmless when repeated."""
        if self._chain is not None:
            self._llama.llama_sampler_free(self._chain)
            self._chain = None

    def _samplers(self, sampling: Sampling) -> list[Any]:
        llama = self._llama
        chain = self._penalties(sampling)
        if sampling.temperature <= 0:
            return [*chain, llama.llama_sampler_init_greedy()]
        if sampling.mirostat is not None:
            return [*chain, llama.llama_sampler_init_temp(sampling.temperature), self._mirostat(sampling)]
        if sampling.top_k is not None:
            chain.append(llama.llama_sampler_init_top_k(sampling.top_k))
        if sampling.typical_p is not None:
            chain.append(llama.llama_sampler_init_typical(sampling.typical_p, 1))
        if sampling.top_p is not None:
            chain.append(llama.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p is not None:
            chain.append(llama.llama_sampler_init_min_p(sampling.min_p, 1))
        if sampling.xtc_probability is not None:
            chain.append(llama.llama_sampler_init_xtc(sampling.xtc_probability, sampling.xtc_threshold, 1, self.seed))
        return [
            *chain,
            llama.llama_sampler_init_temp(sampling.temperature),
            llama.llama_sampler_init_dist(self.seed),
        ]

    def _penalties(self, sampling: Sampling) -> list[Any]:
        chain = []
        if _penalises(sampling):
            repeat = 1.0 if sampling.repeat_penalty is None else sampling.repeat_penalty
            chain.append(
                self._llama.llama_sampler_init_penalties(
                    self._n_vocab,
                    min(sampling.penalty_last_n, self._n_ctx),
                    repeat,
                    sampling.frequency_penalty or 0.0,
                    sampling.presence_penalty or 0.0,
                )
            )
        if sampling.dry_multiplier:
            chain.append(
                self._llama.llama_sampler_init_dry(
                    self._vocab,
                    sampling.dry_multiplier,
                    sampling.dry_base,
                    sampling.dry_allowed_length,
                    self._n_ctx,
                    (ctypes.c_char_p * len(_BREAKERS))(*_BREAKERS),
                    len(_BREAKERS),
                )
            )
        return chain

    def _mirostat(self, sampling: Sampling) -> Any:
        tau, eta = sampling.mirostat_tau, sampling.mirostat_eta
        if sampling.mirostat == "1":
            return self._llama.llama_sampler_init_mirostat(self._n_vocab, self.seed, tau, eta, _MIROSTAT_M)
        return self._llama.llama_sampler_init_mirostat_v2(self.seed, tau, eta)


def _penalises(sampling: Sampling) -> bool:
    repeat = sampling.repeat_penalty
    return bool((repeat is not None and repeat != 1.0) or sampling.frequency_penalty or sampling.presence_penalty)


def _window(sampling: Sampling, n_ctx: int) -> int:
    """How many tokens of the past the chain looks at."""
    if sampling.dry_multiplier:
        return n_ctx
    return min(sampling.penalty_last_n, n_ctx) if _penalises(sampling) else 0
