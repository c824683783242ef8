"""What a model file says of itself, judged before llama.cpp sees it; trouble comes as a sentence for people."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.chatml import IM_END, IM_START
from app.core.errors import ModelFileError
from app.core.split_names import part_of
from app.engine import gguf
from app.engine.exactness import inexact_of

_MAX_LAYERS = 512
_NO_TOKEN = (1 << 32) - 1
_LAYER = re.compile(r"blk\.(\d{1,4})\.")
_INTEGER_TYPES = {"I8", "I16", "I32", "I64", "F64"}

# llama_ftype: https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
_QUANTS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip

_LOOKS_LIKE = (
    (b"PK\x03\x04", "a PyTorch or zip archive"),
    (b"\x80\x02", "a PyTorch file"),
    (b"GGML", "a model in the old GGML format"),
    (b"ggjt", "a model in the old GGML format"),
    (b"tjgg", "a model in the old GGML format"),
    (b"lmgg", "a model in the old GGML format"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF", "a PDF"),
    (b"version https://git-lfs", "a Git LFS pointer: the note left where the real file was not downloaded"),
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The facts in a file's header. Sizes in bytes, lengths in tokens; `kv_values` per token of context."""

    path: str
    size_bytes: int
    name: str
    architecture: str
    quant: str
    n_params: int
    n_ctx_train: int
    n_layers: int
    n_embd: int
    n_heads: int
    n_vocab: int
    kv_values_k: int
    kv_values_v: int
    template: str
    """The Jinja chat template, empty where the file has none."""
    control_texts: frozenset[str]
    """Texts of the tokens that the file itself declares to be control tokens."""
    chatml_ids: tuple[tuple[str, int], ...]
    """ChatML's two control tokens and their ids, of whatever type, as far as the vocabulary has them."""
    n_files: int = 1
    """More than 1 for a model split over several files."""
    layer_bytes: tuple[int, ...] = ()
    """The weights of each layer."""
    output_bytes: int = 0
    """The weights behind the last layer; those of the input where the model has none of its own (`tied`)."""
    tied: bool = False
    mtime_ns: int = 0
    """Time of the newest of its files."""
    inexact: str = ""
    """Why it may write otherwise beside other answers than alone, see core/exactness.py; "" for no such reason."""


def inspect(path: str) -> ModelFile:
    """Read and judge a model file's header; 10 to 300 ms, whatever the file's size.

    Raises:
        ModelFileError: there is no file there, it cannot be read, or it is no model that can be run.
    """
    if "\0" in path or path != path.encode("utf-8", "replace").decode():
        raise ModelFileError(
            "This file name cannot be read",
            "It holds bytes that are no text on this system.",
            "Rename the file, with plain letters and digits, and open it again.",
        )
    try:
        return _inspect(Path(path))
    except gguf.CutOff as error:
        raise _cut_off(Path(path), error.needed) from error
    except gguf.BadGguf as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _inspect(path: Path) -> ModelFile:
    kind = path.stat().st_mode
    if not stat.S_ISREG(kind):
        # a pipe would be waited for, a device never ends
        what = "a folder" if stat.S_ISDIR(kind) else "not a file"
        raise ModelFileError(f"{path.name or path} is {what}", "A model is a single file.", "Choose a .gguf file.")
    _refuse_strangers(path)
    file = gguf.read(path)
    header = _Entries(file.metadata)
    architecture = header.text("general.architecture")
    if not architecture or not re.fullmatch(r"[\w.-]{1,64}", architecture):
        raise gguf.BadGguf("it names no architecture")
    if architecture == "clip" or "mmproj" in path.name.lower():
        raise ModelFileError(
            f"{path.name} is only the part of a model that sees",
            "A projector (mmproj) turns pictures into numbers; it cannot chat.",
            "Open the language model that it belongs to.",
        )
    files = (file, *_other_parts(path, header))
    if not any(part.tensors for part in files):
        raise gguf.BadGguf("it holds no weights")
    for part in files:
        _check_tensors(part)
    return _facts(files, header, architecture)


def _facts(files: tuple[gguf.GgufFile, ...], header: _Entries, arch: str) -> ModelFile:
    file = files[0]
    n_layers = header.whole(f"{arch}.block_count", 1, _MAX_LAYERS)
    n_embd = header.whole(f"{arch}.embedding_length", 1, 1 << 20)
    n_heads = header.largest(f"{arch}.attention.head_count", 1)
    n_kv = header.each(f"{arch}.attention.head_count_kv", n_layers, n_heads)
    per_head = max(1, n_embd // max(1, n_heads))
    for key in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
        header.positive(f"{arch}.attention.{key}")
    tokens = _vocabulary(header)
    types = file.metadata.get("tokenizer.ggml.token_type", ())
    name = header.text("general.name") or file.path.stem
    layer_bytes, output_bytes, tied = _weights(files, n_layers)
    return ModelFile(
        path=str(file.path),
        size_bytes=sum(part.size_bytes for part in files),
        name=" ".join(name.split())[:100],
        architecture=arch,
        quant=_QUANTS.get(header.whole("general.file_type", 0, 1 << 16, default=-1), ""),
        n_params=sum(tensor.n_values for part in files for tensor in part.tensors),
        n_ctx_train=header.whole(f"{arch}.context_length", 1, 1 << 31),
        n_layers=n_layers,
        n_embd=n_embd,
        n_heads=n_heads,
        n_vocab=len(tokens),
        kv_values_k=sum(n_kv) * header.whole(f"{arch}.attention.key_length", 1, 1 << 20, default=per_head),
        kv_values_v=sum(n_kv) * header.whole(f"{arch}.attention.value_length", 1, 1 << 20, default=per_head),
        template=header.text("tokenizer.chat_template"),
        control_texts=frozenset(text for text, kind in zip(tokens, types, strict=False) if kind == 3),
        chatml_ids=tuple((text, tokens.index(text)) for text in (IM_START, IM_END) if text in tokens),
        n_files=len(files),
        layer_bytes=layer_bytes,
        output_bytes=output_bytes,
        tied=tied,
        mtime_ns=max(part.mtime_ns for part in files),
        inexact=inexact_of(file.metadata, arch),
    )


def _weights(files: tuple[gguf.GgufFile, ...], n_layers: int) -> tuple[tuple[int, ...], int, bool]:
    """The bytes of each layer and of the output, and whether the output is the input."""
    layers, rest = [0] * n_layers, dict.fromkeys(("output.weight", "output_norm.weight", "token_embd.weight"), 0)
    for tensor in (tensor for part in files for tensor in part.tensors):
        place = _LAYER.match(tensor.name)
        if place and int(place[1]) < n_layers:
            layers[int(place[1])] += tensor.size_bytes
        elif tensor.name in rest:
            rest[tensor.name] = tensor.size_bytes
    tied = not rest["output.weight"]
    return tuple(layers), rest["output_norm.weight"] + rest["token_embd.weight" if tied else "output.weight"], tied


class _Entries:
    """Metadata read by type and range."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        self._metadata = metadata

    def text(self, key: str) -> str:
        value = self._metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value: Any = self._metadata.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise gguf.BadGguf(f"{key} is missing" if value is None else f"{key} is {str(value)[:40]}")
        return int(value)

    def each(self, key: str, count: int, default: int) -> list[int]:
        """A value per layer, given once for all or as an array."""
        value = self._metadata.get(key, default)
        values = list(value) if isinstance(value, tuple) else [value] * count
        if len(values) < count or not all(type(one) is int and 0 <= one <= 1 << 16 for one in values):
            raise gguf.BadGguf(f"{key} does not fit the number of layers")
        return values[:count]

    def largest(self, key: str, default: int) -> int:
        value = self._metadata.get(key, default)
        values = value if isinstance(value, tuple) else (value,)
        if not values or not all(type(one) is int and 0 <= one <= 1 << 16 for one in values):
            raise gguf.BadGguf(f"{key} is {str(value)[:40]}")
        return int(max(values))

    def positive(self, key: str) -> None:
        value = self._metadata.get(key, 1.0)
        if not isinstance(value, float) or not 0 <= value <= 1:
            raise gguf.BadGguf(f"{key} is {str(value)[:40]}")

    def get(self, key: str) -> Any:
        return self._metadata.get(key)


def _vocabulary(header: _Entries) -> list[str]:
    """The tokens, once it is sure that llama.cpp can build its tables from them."""
    model = header.text("tokenizer.ggml.model")
    if model in ("", "none", "no_vocab"):
        raise ModelFileError(
            "This file has no vocabulary",
            "It holds weights but nothing to turn text into tokens.",
            "Choose a complete GGUF of a chat model.",
        )
    tokens = header.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens:
        raise gguf.BadGguf("its vocabulary is missing")
    named = [token for token in tokens if token]
    if len(set(named)) < len(named) or any("\0" in token for token in tokens):
        raise gguf.BadGguf("its vocabulary holds a token twice")
    for key in ("tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
        values = header.get(key)
        if values is not None and (not isinstance(values, tuple) or len(values) != len(tokens)):
            raise gguf.BadGguf(f"{key} does not fit its vocabulary")
    for kind in ("bos", "eos"):
        header.whole(f"tokenizer.ggml.{kind}_token_id", 0, len(tokens) - 1, default=-1)
    # files carry 4294967295 where there is none: llama.cpp goes without those that its vocabulary does not have
    for kind in ("eot", "eom", "unknown", "seperator", "padding", "cls", "mask"):
        header.whole(f"tokenizer.ggml.{kind}_token_id", 0, _NO_TOKEN, default=-1)
    if model == "llama":
        known = set(tokens)
        if not all(f"<0x{byte:02X}>" in known or chr(byte) in known for byte in range(256)):
            raise gguf.BadGguf("its vocabulary lacks tokens for single bytes")
    return tokens


def _check_tensors(file: gguf.GgufFile) -> None:
    for tensor in file.tensors:
        if tensor.name.endswith(".weight") and gguf.TENSOR_TYPES[tensor.kind][0] in _INTEGER_TYPES:
            raise gguf.BadGguf(f"{tensor.name} has a type that weights cannot have")


def _other_parts(path: Path, header: _Entries) -> tuple[gguf.GgufFile, ...]:
    """The headers of a model's other files, in order; none where the first is all of it.

    Raises:
        ModelFileError: it is not the first of several files, or one of them is missing or broken.
    """
    count = header.whole("split.count", 0, 9999, default=1)
    if count <= 1:
        return ()
    named = part_of(path.name)
    if named is None or named.n_parts != count:
        raise ModelFileError(
            "This is one part of a model in several files",
            f"It is split into {count} files whose names have been changed.",
            f"Give them back their names, ending in -00001-of-{count:05}.gguf and so on.",
        )
    files = [path.with_name(name) for name in named.names()]
    if named.number != 1:
        raise ModelFileError(
            f"This is part {named.number} of a model in {count} files",
            "Such a model is opened by its first file.",
            f"Open {files[0].name}.",
        )
    missing = [part.name for part in files if not part.is_file()]
    if missing:
        raise ModelFileError(
            "Parts of this model are missing",
            f"It is split into {count} files, and {', '.join(missing[:3])} is not beside the first.",
            "Put all of them into one folder.",
        )
    return tuple(_part(part) for part in files[1:])


def _part(path: Path) -> gguf.GgufFile:
    """One of the later files; what is wrong with it is told under its own name."""
    try:
        _refuse_strangers(path)
        return gguf.read(path)
    except gguf.CutOff as error:
        raise _cut_off(path, error.needed) from error
    except gguf.BadGguf as error:
        raise _damaged(str(path), str(error)) from error


def _refuse_strangers(path: Path) -> None:
    """Raise with the name of what it is, if the file is not even meant to be a GGUF."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(gguf.MAGIC):
        return
    if not start:
        raise ModelFileError(
            f"{path.name} is empty", "The file has no bytes in it.", "Download it again, then open it."
        )
    raise ModelFileError(
        f"{path.name} is not a GGUF file",
        f"It looks like {_kind(start)}.",
        "Orcinus opens models in the GGUF format; look for a download whose name ends in .gguf.",
    )


def _kind(start: bytes) -> str:
    for beginning, kind in _LOOKS_LIKE:
        if start.startswith(beginning):
            return kind
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:
        return "a model in the safetensors format"
    head = start.lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page: often the error page of a download that failed"
    if head.startswith((b"{", b"[")):
        return "a JSON file"
    if not start.strip(b"\0"):
        return "a download that was never filled: it begins with zeros"
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return "a text file" if error.start > len(start) - 4 else "something else"
    return "a text file"


def _cut_off(path: Path, needed: int) -> ModelFileError:
    has = path.stat().st_size
    if needed:
        detail = f"It has {_size(has)} of {_size(needed)}."
    else:
        detail = f"It ends after {_size(has)}, inside its own description."
    return ModelFileError(
        f"{path.name} is incomplete", detail, "The download was cut off: download the file again, then open it."
    )


def _damaged(path: str, why: str) -> ModelFileError:
    return ModelFileError(
        f"{Path(path).name} is damaged or not a usable model",
        f"It was not opened because {why}.",
        "Download the file again; if that does not help, choose another version of this model.",
    )


def _unreadable(path: str, error: OSError) -> ModelFileError:
    name = Path(path).name or path
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ModelFileError(
            f"{name} is not there",
            f"Nothing was found at {path}.",
            "It may have been moved or deleted: open it from where it is now, or choose another model.",
        )
    if isinstance(error, PermissionError):
        return ModelFileError(
            f"{name} may not be read",
            "The system refused to open it.",
            "Give yourself permission to read the file, or copy it to a folder of your own.",
        )
    return ModelFileError(
        f"{name} cannot be read",
        f"The system says: {error.strerror or type(error).__name__}.",
        "Check the disk that it is on.",
    )


def _size(count: int) -> str:
    """A size as people read it, 5.2 GB."""
    if count < 1000:
        return f"{count} bytes"
    size, unit = count / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if size >= 100 else f"{size:.1f} {unit}"
