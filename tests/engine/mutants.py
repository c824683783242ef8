"""Makes damaged GGUF files out of a good one: not noise, which any check finds, but what almost fits."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.engine.gguf_writer import ARRAY, BOOL, F32, F64, I32, STRING, U8, U16, U32, U64

_SIZES = {U8: 1, 1: 1, U16: 2, 3: 2, U32: 4, I32: 4, F32: 4, BOOL: 1, U64: 8, 11: 8, F64: 8}
_WHOLE = (0, 1, 2, 3, 7, 255, 256, 511, 513, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, -1e38, float("nan"), float("inf"), float("-inf"))
_TEXTS = (
    b"",
    b"\0",
    b"a\0b",
    b"\xff\xfe",
    b"llama",
    b"clip",
    b"bert",
    b"mamba",
    b"gpt2",
    b"spm",
    b"none",
    b"<s>",
    b"x" * 70_000,
)
_TEMPLATES = (
    b"{% for i in range(10**9) %}x{% endfor %}",
    b"{{ ''.__class__.__mro__ }}",
    b"{{ 'a' * 10**10 }}",
    b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    b"{% if %}",
    b"{{ messages | map('upper') | list | join }}" * 500,
    b"(" * 3000,
    b"{{ raise_exception('no') }}",
    b"{% for m in messages %}{% for m in messages %}{% for m in messages %}{{ m }}{% endfor %}{% endfor %}{% endfor %}",
    b"{{ 2 ** 3 ** 4 ** 5 }}",
)


@dataclass
class Entry:
    """One entry of the metadata: `raw` is the value as it lies in the file."""

    key: bytes
    kind: int
    raw: bytes


@dataclass
class TensorInfo:
    """One tensor's entry."""

    name: bytes
    shape: list[int]
    kind: int
    offset: int


@dataclass
class Parts:
    """A GGUF file taken apart."""

    entries: list[Entry]
    tensors: list[TensorInfo]
    data: bytes
    magic: bytes = b"GGUF"
    version: int = 3
    counts_off: list[int] = field(default_factory=lambda: [0, 0])
    """Added to the numbers of tensors and entries in the head."""

    def bytes(self) -> bytes:
        """The file."""
        out = bytearray(self.magic)
        tensors, entries = len(self.tensors) + self.counts_off[0], len(self.entries) + self.counts_off[1]
        out += struct.pack("<IQQ", self.version & 0xFFFFFFFF, tensors & (2**64 - 1), entries & (2**64 - 1))
        for entry in self.entries:
            out += (
                struct.pack("<Q", len(entry.key)) + entry.key + struct.pack("<I", entry.kind & 0xFFFFFFFF) + entry.raw
            )
        for info in self.tensors:
            out += struct.pack("<Q", len(info.name)) + info.name + struct.pack("<I", len(info.shape))
            out += b"".join(struct.pack("<Q", side & (2**64 - 1)) for side in info.shape)
            out += struct.pack("<IQ", info.kind & 0xFFFFFFFF, info.offset & (2**64 - 1))
        return bytes(out) + b"\0" * (-len(out) % 32) + self.data


def taken_apart(good: bytes) -> Parts:
    """The parts of a sound file."""
    at = 24

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return good[at - count : at]

    def number(code: str) -> int:
        return int(struct.unpack("<" + code, take(struct.calcsize("<" + code)))[0])

    def text() -> bytes:
        return take(number("Q"))

    def value(kind: int) -> None:
        if kind == STRING:
            text()
        elif kind == ARRAY:
            inner, count = number("I"), number("Q")
            if inner == STRING:
                for _ in range(count):
                    text()
            else:
                take(_SIZES[inner] * count)
        else:
            take(_SIZES[kind])

    n_tensors, n_entries = struct.unpack_from("<QQ", good, 8)
    entries, tensors = [], []
    for _ in range(n_entries):
        key, kind = text(), number("I")
        begins = at
        value(kind)
        entries.append(Entry(key, kind, good[begins:at]))
    for _ in range(n_tensors):
        name = text()
        shape = [number("Q") for _ in range(number("I"))]
        tensors.append(TensorInfo(name, shape, number("I"), number("Q")))
    return Parts(entries, tensors, good[at + -at % 32 :])


def mutant(good: bytes, seed: int) -> tuple[str, bytes]:
    """A damaged file and what was done to it; the same for the same seed."""
    chance, parts, done = random.Random(seed), taken_apart(good), []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choices(_CHANGES, _WEIGHTS)[0]
        change(parts, chance)
        done.append(change.__name__.strip("_"))
    data = parts.bytes()
    if chance.random() < 0.15:
        data = _noise(data, len(data) - len(parts.data), chance)
        done.append("noise")
    return " + ".join(done), data


def _noise(data: bytes, header: int, chance: random.Random) -> bytes:
    raw = bytearray(data)
    if chance.random() < 0.3:
        return bytes(raw[: chance.randrange(len(raw))])
    for _ in range(chance.randrange(1, 6)):
        raw[chance.randrange(header)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    return bytes(raw)


def _number(parts: Parts, chance: random.Random) -> None:
    """Another value for a number."""
    entry = chance.choice([entry for entry in parts.entries if entry.kind in _SIZES])
    if entry.kind in (F32, F64):
        entry.raw = struct.pack("<f" if entry.kind == F32 else "<d", chance.choice(_FLOATS))
    else:
        size = _SIZES[entry.kind]
        old = int.from_bytes(entry.raw, "little")
        new = chance.choice((*_WHOLE, old + 1, old - 1, old * 2, old // 2, -old)) & (2 ** (8 * size) - 1)
        entry.raw = new.to_bytes(size, "little")


def _text(parts: Parts, chance: random.Random) -> None:
    """Another text."""
    entry = chance.choice([entry for entry in parts.entries if entry.kind == STRING])
    raw = chance.choice(_TEXTS)
    entry.raw = struct.pack("<Q", len(raw)) + raw


def _template(parts: Parts, chance: random.Random) -> None:
    """Another chat template."""
    entry = next((entry for entry in parts.entries if entry.key == b"tokenizer.chat_template"), None)
    if entry is None:
        return
    old = entry.raw[8:]
    cut = chance.randrange(len(old) + 1)
    new = chance.choice((chance.choice(_TEMPLATES), old[:cut], old[:cut] + chance.choice(_TEMPLATES) + old[cut:]))
    entry.raw = struct.pack("<Q", len(new)) + new


def _kind(parts: Parts, chance: random.Random) -> None:
    """Another type for a value."""
    chance.choice(parts.entries).kind = chance.choice((*_SIZES, STRING, ARRAY, 13, 2**32 - 1))


def _drop(parts: Parts, chance: random.Random) -> None:
    """An entry less."""
    if len(parts.entries) > 1:
        parts.entries.remove(chance.choice(parts.entries))


def _again(parts: Parts, chance: random.Random) -> None:
    """An entry twice, or under another's name."""
    entry, other = chance.choice(parts.entries), chance.choice(parts.entries)
    parts.entries.append(Entry(chance.choice((entry.key, other.key, entry.key[:-1])), entry.kind, entry.raw))


def _swap(parts: Parts, chance: random.Random) -> None:
    """Two values in each other's place."""
    one, two = chance.choice(parts.entries), chance.choice(parts.entries)
    one.kind, one.raw, two.kind, two.raw = two.kind, two.raw, one.kind, one.raw


def _array(parts: Parts, chance: random.Random) -> None:
    """Another length, other kinds or other numbers in an array."""
    # another change may have called something an array that is too short to be one
    arrays = [entry for entry in parts.entries if entry.kind == ARRAY and len(entry.raw) >= 12]
    if not arrays:
        return
    entry = chance.choice(arrays)
    inner, count = struct.unpack_from("<IQ", entry.raw)
    what = chance.randrange(3)
    if what == 0:
        count = chance.choice((0, 1, count - 1, count + 1, 2**32, 2**61, 2**64 - 1)) & (2**64 - 1)
    elif what == 1:
        inner = chance.choice((*_SIZES, STRING, ARRAY, 99))
    raw = bytearray(struct.pack("<IQ", inner, count) + entry.raw[12:])
    if what == 2 and inner in _SIZES and len(raw) > 20:
        for _ in range(chance.randrange(1, 50)):
            at = 12 + chance.randrange((len(raw) - 12) // _SIZES[inner]) * _SIZES[inner]
            raw[at : at + _SIZES[inner]] = chance.choice(
                (b"\0" * _SIZES[inner], b"\xff" * _SIZES[inner], chance.randbytes(_SIZES[inner]))
            )
    entry.raw = bytes(raw)


def _token(parts: Parts, chance: random.Random) -> None:
    """Other texts in the vocabulary."""
    entry = next((entry for entry in parts.entries if entry.key == b"tokenizer.ggml.tokens"), None)
    if entry is None or entry.kind != ARRAY or entry.raw[:4] != struct.pack("<I", STRING):
        return
    texts, at = [], 12
    while at + 8 <= len(entry.raw):
        (length,) = struct.unpack_from("<Q", entry.raw, at)
        texts.append(entry.raw[at + 8 : at + 8 + length])
        at += 8 + length
    if not texts:
        return
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(texts))
        texts[at] = chance.choice(
            (
                b"",
                b"\0",
                b"\xff\xff",
                chance.choice(texts),
                b"<0xZZ>",
                b"<0x41>",
                b"\xf0\x9f\x98",
                b"y" * 5000,
                texts[at] + b"\xcc\x80",
            )
        )
    entry.raw = entry.raw[:12] + b"".join(struct.pack("<Q", len(text)) + text for text in texts)


def _shape(parts: Parts, chance: random.Random) -> None:
    """Another shape for a tensor."""
    info = chance.choice(parts.tensors)
    what = chance.randrange(4)
    if what == 0:
        side = chance.randrange(len(info.shape) or 1)
        info.shape[side : side + 1] = [chance.choice((0, 1, 31, 32, 33, 256, 2**31, 2**40, 2**63))]
    elif what == 1:
        info.shape.reverse()
    elif what == 2:
        info.shape += [chance.choice((1, 2, 2**62))] * chance.randrange(1, 4)
    else:
        del info.shape[chance.randrange(len(info.shape) or 1) :]


def _tensor_kind(parts: Parts, chance: random.Random) -> None:
    """Another type for a tensor, perhaps of the same size."""
    chance.choice(parts.tensors).kind = chance.choice((*range(45), 2**32 - 1))


def _offset(parts: Parts, chance: random.Random) -> None:
    """Another place for a tensor."""
    info = chance.choice(parts.tensors)
    info.offset = chance.choice((0, 1, 31, info.offset + 32, info.offset - 32, 2**63, 2**64 - 32, 10**9))


def _name(parts: Parts, chance: random.Random) -> None:
    """Another name for a tensor."""
    one, two = chance.choice(parts.tensors), chance.choice(parts.tensors)
    what = chance.randrange(3)
    if what == 0:
        one.name, two.name = two.name, one.name
    else:
        one.name = chance.choice(
            (b"", two.name, one.name + b"x", b"x" * 64, b"\0", one.name.replace(b"0", b"9"), b"\xff")
        )


def _no_tensor(parts: Parts, chance: random.Random) -> None:
    """A tensor less."""
    if len(parts.tensors) > 1:
        parts.tensors.remove(chance.choice(parts.tensors))


def _head(parts: Parts, chance: random.Random) -> None:
    """Another head."""
    what = chance.randrange(4)
    if what == 0:
        parts.version = chance.choice((0, 1, 2, 4, 3 << 24))
    elif what == 1:
        parts.magic = chance.choice((b"GGML", b"FUGG", b"\0\0\0\0", b"gguf"))
    else:
        parts.counts_off[what - 2] = chance.choice((1, -1, 2**32, 2**63, 100))


def _weights(parts: Parts, chance: random.Random) -> None:
    """Other weights: none that are numbers, or none at all."""
    raw = bytearray(parts.data)
    for _ in range(chance.randrange(1, 20)):
        at = chance.randrange(len(raw) - 8) & ~3
        raw[at : at + 4] = chance.choice(
            (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\xff\xff", chance.randbytes(4))
        )
    parts.data = bytes(raw) if chance.random() < 0.8 else bytes(raw[: chance.randrange(len(raw))])


_CHANGES: list[Callable[[Parts, random.Random], None]] = [
    _number, _text, _template, _kind, _drop, _again, _swap, _array, _token, _shape, _tensor_kind, _offset, _name,
    _no_tensor, _head, _weights,
]  # fmt: skip
_WEIGHTS = [8, 4, 5, 2, 4, 1, 3, 5, 5, 4, 3, 1, 3, 2, 1, 5]
