"""A very small llama-architecture decoder, written for speed on a CPU in bfloat16."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as functional
from torch import Tensor


@dataclass(frozen=True)
class Shape:
    """The model's sizes; width and feed_forward must be multiples of 32, the block of the Q8_0 quant."""

    vocabulary: int
    width: int = 192
    layers: int = 5
    heads: int = 6
    kv_heads: int = 6
    head_width: int = 32
    feed_forward: int = 480
    context: int = 2048
    rope_base: float = 500000.0
    """Large, so that half of each head hardly turns within a chat: what was said long ago is found by what it is."""
    norm_epsilon: float = 1e-5


def _normalised(x: Tensor, epsilon: float) -> Tensor:
    """RMS norm without its gain: the gain is folded into the weight that follows, which is much smaller than x."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    return x * torch.rsqrt(length * length / x.shape[-1] + epsilon).to(x.dtype)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position in half-split order (slices are faster); the export permutes the rows for llama.cpp."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


def _attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention; q, k, v: (batch, heads, time, head width).

    Plain products: PyTorch's fused kernel takes 1.4 to 3.6 times as long here, forward and backward together. The later
    half of the questions is asked apart, so that the earlier ones need not look at what comes after them.
    """
    time = q.shape[2]
    parts = []
    for start, end in ((0, time // 2), (time // 2, time)) if time >= 128 else ((0, time),):
        future = torch.full((end - start, end), -torch.inf, dtype=q.dtype).triu(start + 1)
        scores = q[:, :, start:end] * q.shape[-1] ** -0.5 @ k[:, :, :end].mT + future
        parts.append(scores.softmax(-1) @ v[:, :, :end])
    return torch.cat(parts, 2)


class Block(nn.Module):
    """One layer: grouped-query attention and SwiGLU, each behind a norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, keys = shape.width, shape.kv_heads * shape.head_width
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.q = nn.Linear(width, shape.heads * shape.head_width, bias=False)
        self.k = nn.Linear(width, keys, bias=False)
        self.v = nn.Linear(width, keys, bias=False)
        self.o = nn.Linear(shape.heads * shape.head_width, width, bias=False)
        self.gate = nn.Linear(width, shape.feed_forward, bias=False)
        self.up = nn.Linear(width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """x: (batch, time, width); cos, sin: (time, 1, head_width / 2)."""
        shape = self.shape
        batch, time, _ = x.shape
        heads, kv = shape.heads, shape.kv_heads
        weight = (torch.cat((self.q.weight, self.k.weight, self.v.weight)) * self.attn_norm).to(x.dtype)
        qkv = functional.linear(_normalised(x, shape.norm_epsilon), weight).view(batch, time, heads + 2 * kv, -1)
        rotated = _rotated(qkv[:, :, : heads + kv], cos, sin)
        q = rotated[:, :, :heads].transpose(1, 2)
        k, v = (
            part.transpose(1, 2).unsqueeze(2).expand(batch, kv, heads // kv, time, shape.head_width).reshape(q.shape)
            for part in (rotated[:, :, heads:], qkv[:, :, heads + kv :])
        )
        mixed = _attended(q, k, v)
        x = x + functional.linear(mixed.transpose(1, 2).reshape(batch, time, -1), self.o.weight.to(x.dtype))
        weight = (torch.cat((self.gate.weight, self.up.weight)) * self.ffn_norm).to(x.dtype)
        gate, up = functional.linear(_normalised(x, shape.norm_epsilon), weight).chunk(2, -1)
        return x + functional.linear(functional.silu(gate) * up, self.down.weight.to(x.dtype))


class Model(nn.Module):
    """Token ids in, scores for the next token out; input and output share one embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        # Large embeddings, so that a token's identity survives the layers, need a small gain before the shared head.
        self.norm = nn.Parameter(torch.full((shape.width,), 0.1))
        inverse = shape.rope_base ** -(torch.arange(0, shape.head_width, 2) / shape.head_width)
        angles = torch.outer(torch.arange(shape.context).float(), inverse)
        self.register_buffer("cos", angles.cos()[:, None], persistent=False)
        self.register_buffer("sin", angles.sin()[:, None], persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                spread = 0.5 if name.startswith("embedding") else 1 / math.sqrt(weight.shape[1])
                nn.init.normal_(weight, std=spread * (0.1 if name.endswith(("o.weight", "down.weight")) else 1))

    def hidden(self, ids: Tensor) -> Tensor:
        """ids: (batch, time) -> (batch, time, width), normalised but for the last gain."""
        time = ids.shape[1]
        x = functional.embedding(ids, self.embedding.weight).bfloat16()
        cos, sin = self.cos[:time].bfloat16(), self.sin[:time].bfloat16()
        for block in self.blocks:
            x = block(x, cos, sin)
        return _normalised(x, self.shape.norm_epsilon)

    def scores(self, hidden: Tensor) -> Tensor:
        """hidden: (..., width) -> (..., vocabulary)."""
        return functional.linear(hidden, (self.embedding.weight * self.norm).to(hidden.dtype))
