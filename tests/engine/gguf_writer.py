"""Writes GGUF files for tests: whole tiny models with random weights, and broken ones, byte by byte."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine import gguf

U8, U16, U32, I32, F32, BOOL, STRING, ARRAY, U64, F64 = 0, 2, 4, 5, 6, 7, 8, 9, 10, 12
_CODES = {U8: "B", U16: "H", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", F64: "d"}

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
TENSOR_F32, TENSOR_F16 = 0, 1
_BYTES = {TENSOR_F32: 4, TENSOR_F16: 2}


@dataclass(frozen=True)
class Typed:
    """A metadata value with its GGUF type; `inner` for arrays."""

    kind: int
    value: Any
    inner: int = 0


def packed(value: Any) -> bytes:
    """A metadata value with its type in front; plain Python values take the usual type."""
    if not isinstance(value, Typed):
        value = typed(value)
    if value.kind == ARRAY:
        return (
            struct.pack("<IIQ", ARRAY, value.inner, len(value.value)) + b"".join(string(text) for text in value.value)
            if value.inner == STRING
            else struct.pack("<IIQ", ARRAY, value.inner, len(value.value))
            + struct.pack(f"<{len(value.value)}{_CODES[value.inner]}", *value.value)
        )
    if value.kind == STRING:
        return struct.pack("<I", STRING) + string(value.value)
    return struct.pack("<I" + _CODES[value.kind], value.kind, value.value)


def typed(value: Any) -> Typed:
    """The usual GGUF type for a Python value."""
    if isinstance(value, bool):
        return Typed(BOOL, value)
    if isinstance(value, int):
        return Typed(U32, value)
    if isinstance(value, float):
        return Typed(F32, value)
    if isinstance(value, str):
        return Typed(STRING, value)
    inner = typed(value[0]).kind if value else U32
    return Typed(ARRAY, value, I32 if inner == U32 else inner)


def string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_bytes(
    metadata: Mapping[str, Any],
    tensors: Sequence[tuple[str, tuple[int, ...], int, bytes]],
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """A whole file. Each tensor is its name, shape (fastest first), type and data."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += string(key) + packed(value)
    data = b""
    for name, shape, kind, raw in tensors:
        head += string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", kind, len(data))
        data += raw + b"\0" * (-len(raw) % alignment)
    return head + b"\0" * (-len(head) % alignment) + data


def random_f16(count: int, chance: random.Random) -> bytes:
    """`count` numbers of either sign between 0.06 and 0.12."""
    bits = int.from_bytes(chance.randbytes(2 * count), "little")
    keep = int.from_bytes(b"\xff\x83" * count, "little")
    exponent = int.from_bytes(b"\x00\x2c" * count, "little")
    return (bits & keep | exponent).to_bytes(2 * count, "little")


def spm_vocabulary(size: int = 32_000) -> tuple[list[str], list[float], list[int]]:
    """A SentencePiece-like vocabulary: specials, bytes, signs, and made-up pieces that merge; scores fall by rank."""
    chance = random.Random(7)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    letters = "etaoinshrdlcumwfgypbvkjxqz"
    pieces = dict.fromkeys(["▁", *letters, *letters.upper(), *"0123456789.,;:!?'\"()<>|_-/[]{}"])
    pieces |= dict.fromkeys("äöüéñßאבגمرحبا你好世界😀")
    pieces |= dict.fromkeys(["▁▁", "▁▁▁▁", "us", "use", "user", "▁user", "sys", "▁assistant", "im", "▁the", "<|", "|>"])
    known = list(pieces)
    while len(pieces) < size - len(tokens):
        grown = chance.choice(known) + chance.choice(letters)
        if len(grown) < 12 and grown not in pieces:
            pieces[grown] = None
            known.append(grown)
    tokens += pieces
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(pieces))]
    return tokens, scores, types + [NORMAL] * len(pieces)


def tiny_model(
    path: Path,
    *,
    chatml_type: int | None = CONTROL,
    extra_tokens: Sequence[tuple[str, int]] = (),
    template: str | None = None,
    context: int = 512,
    add_bos: bool = True,
    changes: Mapping[str, Any] | None = None,
    n_files: int = 1,
) -> Path:
    """A llama with two tiny layers of random weights and a SentencePiece vocabulary of 32,000 and more.

    `<|im_end|>` and `<|im_start|>` are 32000 and 32001 with this type, or not there for None. `changes` replaces
    metadata; a value of None takes the entry out. Over several files it is written beside `path`, whose name gets their
    numbers; the first is returned.
    """
    tokens, scores, types = spm_vocabulary()
    added = [("<|im_end|>", chatml_type), ("<|im_start|>", chatml_type)] if chatml_type is not None else []
    for text, kind in [*added, *extra_tokens]:
        tokens.append(text)
        scores.append(0.0)
        types.append(kind)
    n_embd, n_ff, n_layers, kv = 32, 64, 2, 16
    metadata: dict[str, Any] = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "general.file_type": 1,
        "llama.context_length": context,
        "llama.embedding_length": n_embd,
        "llama.block_count": n_layers,
        "llama.feed_forward_length": n_ff,
        "llama.attention.head_count": 2,
        "llama.attention.head_count_kv": 1,
        "llama.rope.dimension_count": 16,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": add_bos,
    }
    if template is not None:
        metadata["tokenizer.chat_template"] = template
    metadata = {key: value for key, value in {**metadata, **(changes or {})}.items() if value is not None}
    tensors = tiny_tensors(len(tokens), n_embd, n_ff, n_layers, kv)
    if n_files > 1:
        return _write_parts(path, metadata, tensors, n_files)
    path.write_bytes(gguf_bytes(metadata, tensors))
    return path


def _write_parts(path: Path, metadata: Mapping[str, Any], tensors: Sequence[Any], n_files: int) -> Path:
    """As llama.cpp's gguf-split does: the first file has the metadata, each its share of the tensors."""
    share = -(-len(tensors) // n_files)
    paths = []
    for number in range(n_files):
        split = {
            "split.no": Typed(U16, number),
            "split.count": Typed(U16, n_files),
            "split.tensors.count": Typed(I32, len(tensors)),
        }
        paths.append(path.with_name(f"{path.stem}-{number + 1:05}-of-{n_files:05}.gguf"))
        data = gguf_bytes(
            {**(metadata if number == 0 else {}), **split}, tensors[number * share : (number + 1) * share]
        )
        paths[-1].write_bytes(data)
    return paths[0]


def tiny_tensors(
    n_vocab: int, n_embd: int, n_ff: int, n_layers: int, kv: int
) -> list[tuple[str, tuple[int, ...], int, bytes]]:
    chance = random.Random(3)

    def weights(name: str, cols: int, rows: int) -> tuple[str, tuple[int, ...], int, bytes]:
        return name, (cols, rows), TENSOR_F16, random_f16(cols * rows, chance)

    def ones(name: str) -> tuple[str, tuple[int, ...], int, bytes]:
        return name, (n_embd,), TENSOR_F32, struct.pack(f"<{n_embd}f", *[1.0] * n_embd)

    tensors = [weights("token_embd.weight", n_embd, n_vocab)]
    for layer in range(n_layers):
        tensors += [
            ones(f"blk.{layer}.attn_norm.weight"),
            weights(f"blk.{layer}.attn_q.weight", n_embd, n_embd),
            weights(f"blk.{layer}.attn_k.weight", n_embd, kv),
            weights(f"blk.{layer}.attn_v.weight", n_embd, kv),
            weights(f"blk.{layer}.attn_output.weight", n_embd, n_embd),
            ones(f"blk.{layer}.ffn_norm.weight"),
            weights(f"blk.{layer}.ffn_gate.weight", n_embd, n_ff),
            weights(f"blk.{layer}.ffn_up.weight", n_embd, n_ff),
            weights(f"blk.{layer}.ffn_down.weight", n_ff, n_embd),
        ]
    return [*tensors, ones("output_norm.weight")]


def lora_adapter(
    path: Path,
    base: Path,
    *,
    rank: int = 4,
    architecture: str | None = None,
    kind: str = "adapter",
    wider_by: int = 0,
    tensor: str = "attn_q",
) -> Path:
    """A LoRA adapter for the layers of the model at `base`, strong enough to change every answer.

    `wider_by` makes its shape one that does not fit; `architecture` and `kind` replace what its header says.
    """
    model = gguf.read(base)
    chance = random.Random(11)
    pairs = []
    for layer in (one for one in model.tensors if one.name.endswith(f".{tensor}.weight")):
        into, out = layer.shape[0] + wider_by, layer.shape[1]
        pairs += [
            (f"{layer.name}.lora_a", (into, rank), TENSOR_F16, random_f16(into * rank, chance)),
            (f"{layer.name}.lora_b", (rank, out), TENSOR_F16, random_f16(rank * out, chance)),
        ]
    metadata = {
        "general.type": kind,
        "general.architecture": architecture or model.metadata["general.architecture"],
        "adapter.type": "lora",
        "adapter.lora.alpha": 64.0 * rank,
    }
    path.write_bytes(gguf_bytes(metadata, pairs))
    return path
