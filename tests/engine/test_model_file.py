"""Files that are no models, or no longer: each is refused with a sentence before llama.cpp sees it."""

from __future__ import annotations

import ctypes
import os
import random
import struct
from pathlib import Path

import pytest

from app.core.errors import AppError, ModelFileError
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import gguf
from app.engine.base import Delta, Turn
from app.engine.devices import library
from app.engine.llama import load
from app.engine.model_file import inspect
from app.engine.turn import play
from tests.engine.gguf_writer import (
    ARRAY,
    F32,
    F64,
    STRING,
    TENSOR_F16,
    TENSOR_F32,
    U8,
    Typed,
    gguf_bytes,
    tiny_model,
)

NAN, INF = float("nan"), float("inf")


def small(**changes):
    """Metadata of a model so small that a test can write it in no time; `__` stands for a dot."""
    tokens = [f"<0x{byte:02X}>" for byte in range(256)] + ["<s>", "</s>", "a"]
    metadata = {
        "general.architecture": "llama",
        "general.name": "Small",
        "llama.context_length": 256,
        "llama.embedding_length": 32,
        "llama.block_count": 1,
        "llama.feed_forward_length": 32,
        "llama.attention.head_count": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": [6] * 256 + [3, 3, 1],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 257,
    }
    for key, value in changes.items():
        metadata[key.replace("__", ".")] = value
    return {key: value for key, value in metadata.items() if value is not None}


def tensor(name="token_embd.weight", shape=(32, 259), kind=TENSOR_F16, data=None):
    size = {TENSOR_F16: 2, TENSOR_F32: 4}.get(kind, 4)
    count = 1
    for side in shape:
        count *= side
    return name, shape, kind, b"\0" * (size * count) if data is None else data


def whole(**changes):
    return gguf_bytes(small(**changes), [tensor()])


def head(magic=b"GGUF", version=3, n_tensors=0, n_entries=0):
    return magic + struct.pack("<IQQ", version, n_tensors, n_entries)


TOKENS = small()["tokenizer.ggml.tokens"]

STRANGERS = {
    "empty": (b"", "is empty"),
    "web page": (b"<!DOCTYPE html><html>404 Not Found</html>", "a web page"),
    "web page with spaces": (b"\n  <HTML>", "a web page"),
    "PyTorch": (b"PK\x03\x04" + b"\0" * 99, "PyTorch or zip"),
    "pickle": (b"\x80\x02}q\0", "a PyTorch file"),
    "safetensors": (struct.pack("<Q", 90) + b'{"a":{"dtype":"F16"}}', "safetensors"),
    "old GGML": (b"tjgg" + b"\0" * 99, "old GGML"),
    "JSON": (b'{"architectures": []}', "a JSON file"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"),
    "zeros": (b"\0" * 5000, "never filled"),
    "text": ("Grüße".encode(), "a text file"),
    "noise": (b"\xfe\xed\xfa\xce\xff", "something else"),
    "PDF": (b"%PDF-1.7", "a PDF"),
    "short": (b"GG", "a text file"),
}

DAMAGED = {
    "big endian": head(version=3 << 24),
    "version 1": head(version=1),
    "version 99": head(version=99),
    "too many tensors": head(n_tensors=2**40),
    "too many entries": head(n_entries=2**60),
    "no architecture": whole(general__architecture=None),
    "architecture is a number": whole(general__architecture=7),
    "architecture with odd letters": whole(general__architecture="../../x"),
    "no layers": whole(llama__block_count=None),
    "zero layers": whole(llama__block_count=0),
    "600 layers": whole(llama__block_count=600),
    "layers as text": whole(llama__block_count="1"),
    "no context length": whole(llama__context_length=None),
    "endless context": whole(llama__context_length=Typed(10, 2**62)),
    "eps below zero": whole(**{"llama__attention.layer_norm_rms_epsilon": -1.0}),
    "eps not a number": whole(**{"llama__attention.layer_norm_rms_epsilon": NAN}),
    "infinite number": whole(llama__rope__freq_base=INF),
    "infinite double": whole(llama__rope__freq_base=Typed(F64, -INF)),
    "score not a number": whole(tokenizer__ggml__scores=[NAN] * 259),
    "scores too short": whole(tokenizer__ggml__scores=[0.0] * 5),
    "types too short": whole(tokenizer__ggml__token_type=[1] * 5),
    "scores are one number": whole(tokenizer__ggml__scores=1.0),
    "token twice": whole(tokenizer__ggml__tokens=[*TOKENS[:-1], "<s>"]),
    "token with NUL": whole(tokenizer__ggml__tokens=[*TOKENS[:-1], "a\0b"]),
    "no tokens": whole(tokenizer__ggml__tokens=None),
    "tokens are numbers": whole(tokenizer__ggml__tokens=[1, 2, 3]),
    "a byte is missing": whole(tokenizer__ggml__tokens=["x0", *TOKENS[1:]]),
    "eos out of range": whole(tokenizer__ggml__eos_token_id=259),
    "bos is none": whole(tokenizer__ggml__bos_token_id=2**32 - 1),
    "padding below zero": whole(tokenizer__ggml__padding_token_id=Typed(5, -1)),
    "heads per layer too few": whole(**{"llama__attention.head_count_kv": [1, 1, 1]}, llama__block_count=5),
    "heads as text": whole(**{"llama__attention.head_count": "two"}),
    "no weights": gguf_bytes(small(), []),
    "integer weights": gguf_bytes(small(), [tensor(kind=26)]),
    "unknown tensor type": gguf_bytes(small(), [tensor(kind=99)]),
    "removed tensor type": gguf_bytes(small(), [tensor(kind=4)]),
    "five dimensions": gguf_bytes(small(), [tensor(shape=(1, 1, 1, 1, 1))]),
    "no dimensions": gguf_bytes(small(), [tensor(shape=())]),
    "a side of nought": gguf_bytes(small(), [tensor(shape=(32, 0))]),
    "a side that overflows": gguf_bytes(small(), [tensor(shape=(2**50, 2**50), data=b"")]),
    "rows that do not fit the type": gguf_bytes(small(), [tensor(shape=(33, 2), kind=8, data=b"")]),
    "tensor name too long": gguf_bytes(small(), [tensor(name="x" * 64)]),
    "tensor without a name": gguf_bytes(small(), [tensor(name="")]),
    "two tensors of one name": gguf_bytes(small(), [tensor(), tensor()]),
    "alignment of 3": gguf_bytes(small(general__alignment=3), [tensor()]),
    "alignment as text": gguf_bytes(small(general__alignment="32"), [tensor()]),
    "alignment of nought": gguf_bytes(small(general__alignment=0), [tensor()]),
    "unknown value type": head(n_entries=1) + struct.pack("<Q", 1) + b"k" + struct.pack("<I", 77),
    "array of arrays": head(n_entries=1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", ARRAY, ARRAY, 1),
    "key twice": head(n_entries=2) + 2 * (struct.pack("<Q", 1) + b"k" + struct.pack("<IB", U8, 1)),
    "key too long": head(n_entries=1) + struct.pack("<Q", 5000) + b"k" * 6000,
    "key empty": head(n_entries=1) + struct.pack("<Q", 0) + struct.pack("<IB", U8, 1),
}

CUT_OFF = {
    "in the magic": head()[:10],
    "in a key": head(n_entries=1) + struct.pack("<Q", 100) + b"k",
    "in a text": head(n_entries=1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IQ", STRING, 2**40),
    "in an array": head(n_entries=1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", ARRAY, F32, 2**61),
    "in an array of texts": head(n_entries=1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", ARRAY, STRING, 2**50),
    "in the vocabulary": whole()[:3000],
    "in the weights": whole()[:-5000],
    "before the weights": whole()[:-16576],
}


def refused(path: Path, phrase: str = "") -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        load(str(path), Loading(), StopFlag())
    error = caught.value
    assert error.title
    assert error.hint
    assert phrase in str(error), str(error)
    return error


@pytest.mark.parametrize(("data", "phrase"), STRANGERS.values(), ids=STRANGERS)
def test_a_file_of_another_kind_is_named(tmp_path, data, phrase):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    refused(path, phrase)


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_header_that_contradicts_itself_is_refused(tmp_path, data):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    refused(path, "damaged or not a usable model")


@pytest.mark.parametrize("data", CUT_OFF.values(), ids=CUT_OFF)
def test_a_file_that_was_cut_off_is_called_incomplete(tmp_path, data):
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    assert "incomplete" in refused(path).title


def test_a_cut_off_file_tells_how_much_of_it_is_there(tmp_path, starter):
    path = tmp_path / "model.gguf"
    path.write_bytes(starter.read_bytes()[:1_000_000])
    whole = f"{starter.stat().st_size / 1e6:.1f} MB"
    assert f"1.0 MB of {whole}" in refused(path).detail


def test_the_small_model_itself_is_fine(tmp_path):
    path = tmp_path / "small.gguf"
    path.write_bytes(whole())
    assert inspect(str(path)).n_vocab == 259


@pytest.mark.parametrize("kind", ["unknown", "seperator", "padding", "cls", "mask", "eot", "eom"])
def test_a_token_that_the_vocabulary_does_not_have_is_done_without(tmp_path, open_model, kind):
    path = tiny_model(tmp_path / "a.gguf", changes={f"tokenizer.ggml.{kind}_token_id": 2**32 - 1})
    assert open_model(path).count("user") > 0


def test_a_missing_file_a_folder_and_a_folder_that_is_gone_are_told_apart(tmp_path):
    refused(tmp_path / "gone.gguf", "is not there")
    refused(tmp_path / "no" / "gone.gguf", "is not there")
    refused(tmp_path, "is a folder")


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
def test_a_pipe_and_a_device_are_refused_without_reading_them(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    refused(tmp_path / "pipe.gguf", "is not a file")
    refused(Path("/dev/zero"), "is not a file")
    refused(Path("/"), "/ is a folder")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read anything")
def test_a_file_that_may_not_be_read_is_told(tmp_path, starter):
    path = tmp_path / "model.gguf"
    path.write_bytes(starter.read_bytes())
    path.chmod(0)
    refused(path, "may not be read")


def test_a_refusal_of_the_system_is_told(tmp_path, monkeypatch):
    (tmp_path / "model.gguf").write_bytes(b"GGUF")

    def denied(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    refused(tmp_path / "model.gguf", "may not be read")


def test_a_disk_that_fails_is_told(tmp_path, monkeypatch):
    def broken(*_args, **_more):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", broken)
    (tmp_path / "model.gguf").touch()
    refused(tmp_path / "model.gguf", "Input/output error")


def test_an_undecodable_file_name_is_refused_in_words(tmp_path):
    error = refused(tmp_path / os.fsdecode(b"mod\xffel.gguf"), "cannot be read")
    str(error).encode()


def test_a_name_with_nul_is_refused(tmp_path):
    with pytest.raises(ModelFileError):
        inspect(str(tmp_path) + "/a\0b.gguf")


@pytest.mark.parametrize("name", ["Modell ä 你好 😀.gguf", "a b'c\"d.gguf", "x" * 200 + ".gguf", "no ending"])
def test_odd_names_load(tmp_path, starter, open_model, name):
    path = tmp_path / name
    path.write_bytes(starter.read_bytes())
    assert open_model(path).count("Hello") > 0


def test_a_projector_is_told_from_a_model(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(whole(general__architecture="clip"))
    refused(path, "part of a model that sees")
    named = tmp_path / "mmproj-model.gguf"
    named.write_bytes(whole())
    refused(named, "part of a model that sees")


def test_an_architecture_that_llama_cpp_does_not_know_is_named(tmp_path):
    changes = {key.replace("llama", "newfangled"): value for key, value in small().items() if key.startswith("llama")}
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf_bytes({**small(), **changes, "general.architecture": "newfangled"}, [tensor()]))
    refused(path, "newfangled")


def test_weights_that_are_missing_are_told_in_llama_cpps_words(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(whole())
    refused(path, "llama.cpp says")


def test_a_file_without_a_vocabulary_is_told(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(whole(tokenizer__ggml__model="none"))
    refused(path, "no vocabulary")


def test_a_split_model_wants_its_first_file_and_all_others(tmp_path):
    data = whole(split__count=2)
    second = tmp_path / "m-00002-of-00002.gguf"
    second.write_bytes(data)
    refused(second, "m-00001-of-00002.gguf")
    renamed = tmp_path / "model.gguf"
    renamed.write_bytes(data)
    refused(renamed, "several files")
    first = tmp_path / "m-00001-of-00002.gguf"
    first.write_bytes(data)
    assert inspect(str(first)).n_files == 2
    assert inspect(str(first)).size_bytes == 2 * len(data)
    second.unlink()
    refused(first, "missing")


def test_a_model_in_several_files_is_the_same_as_in_one(tmp_path, open_model):
    one, first = tiny_model(tmp_path / "one.gguf"), tiny_model(tmp_path / "some.gguf", n_files=3)
    whole_facts, split_facts = inspect(str(one)), inspect(str(first))
    assert split_facts.n_files == 3
    assert split_facts.n_params == whole_facts.n_params
    assert split_facts.size_bytes == sum(part.stat().st_size for part in tmp_path.glob("some-*.gguf"))
    replies = []
    for path in (one, first):
        events = play(open_model(path), [Turn(Role.USER, "user")], Sampling(temperature=0, max_tokens=8), StopFlag())
        replies.append([event.text for event in events if isinstance(event, Delta)])
    assert replies[0] == replies[1] != []


@pytest.mark.parametrize("keep", [0, 20, 200, -1])
def test_a_later_file_that_is_broken_is_named(tmp_path, keep):
    first = tiny_model(tmp_path / "m.gguf", n_files=3)
    third = tmp_path / "m-00003-of-00003.gguf"
    third.write_bytes(third.read_bytes()[:keep])
    refused(first, third.name)


def test_the_facts_of_a_model_are_read(starter):
    facts = inspect(str(starter))
    assert (facts.name, facts.architecture, facts.quant) == ("Orcinus Starter", "llama", "Q8_0")
    assert facts.n_ctx_train == 2048
    assert facts.n_params > 1_000_000
    assert facts.size_bytes == starter.stat().st_size
    assert {"<|im_start|>", "<|im_end|>"} <= facts.control_texts
    assert "im_start" in facts.template


def test_the_estimate_of_the_kv_cache_is_that_of_llama_cpp(starter, open_model):
    library().lines.clear()
    open_model(starter, context_tokens=1024)
    facts = inspect(str(starter))
    said = [line for line in library().lines if "KV buffer size" in line]
    ours = 1024 * 2 * (facts.kv_values_k + facts.kv_values_v) / 2**20
    assert any(f"{ours:.2f} MiB" in line for line in said), (ours, said)


def test_a_file_without_a_name_is_called_by_its_file(tmp_path):
    path = tmp_path / "My model.gguf"
    path.write_bytes(whole(general__name=None))
    assert inspect(str(path)).name == "My model"


def test_sizes_of_tensor_types_are_those_of_ggml():
    sizes, blocks = library().symbol("ggml_type_size"), library().symbol("ggml_blck_size")
    sizes.restype, blocks.restype = ctypes.c_size_t, ctypes.c_int64
    for kind, (name, per_block, block_bytes) in gguf.TENSOR_TYPES.items():
        assert (name, per_block, block_bytes) == (name, blocks(kind), sizes(kind))


def test_five_hundred_changed_headers_are_refused_or_read_but_never_stumble(tmp_path, starter):
    chance = random.Random(1)
    good = starter.read_bytes()
    path = tmp_path / "mutant.gguf"
    outcomes = []
    for _ in range(500):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(2000 if chance.random() < 0.7 else 60_000)] = chance.choice([0, 1, 127, 128, 255])
        if chance.random() < 0.3:
            del data[chance.randrange(24, len(data)) :]
        path.write_bytes(data)
        try:
            inspect(str(path))
            outcomes.append("read")
        except AppError as error:
            outcomes.append("refused" if error.title and error.hint else "refused without words")
    assert {"read", "refused"} == set(outcomes)


def test_a_tiny_model_with_an_array_of_heads_per_layer_is_read(tmp_path):
    path = tiny_model(tmp_path / "a.gguf", changes={"llama.attention.head_count_kv": [1, 1]})
    assert inspect(str(path)).kv_values_k == 2 * 16
