"""From a listing that a stranger wrote to the rows that a person chooses from."""

from __future__ import annotations

import pytest

from app.core.errors import HubNotFoundError
from app.core.library import RemoteFile
from app.hub.quant_names import bits_of, is_label, label_of, quality_of
from app.hub.quants import choose, quants, remote_file
from app.hub.reference import Reference, parse

SHA = "a" * 64
GB = 10**9


def item(path="model.Q4_K_M.gguf", size=GB, **changed):
    whole = {"type": "file", "path": path, "size": size, "oid": "0" * 40, "lfs": {"oid": SHA, "size": size}}
    return {**whole, **changed}


def remote(path, size=GB):
    return RemoteFile(path, size, SHA)


def labels(*paths):
    return [quant.label for quant in quants(remote(path, GB + number) for number, path in enumerate(paths))]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mistral-7b-openorca.Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("Qwen2.5-0.5B-Instruct-Q4_0_4_8.gguf", "Q4_0_4_8"),
        ("model-IQ2_XXS.gguf", "IQ2_XXS"),
        ("model.i1-IQ3_S.gguf", "IQ3_S"),
        ("model-IQ4_NL-imat.gguf", "IQ4_NL"),
        ("phi-4-q4.gguf", "Q4"),
        ("phi-4-fp16.gguf", "F16"),
        ("ggml-model-f16.gguf", "F16"),
        ("SmolLM2-bf16.gguf", "BF16"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("bitnet-TQ2_0.gguf", "TQ2_0"),
        ("granite.Q3_K.gguf", "Q3_K_M"),
        ("Q4_0-then-Q8_0.gguf", "Q8_0"),
        ("starter.gguf", ""),
        ("QwQ-32B.gguf", ""),
        ("model-Q9_K.gguf", ""),
        ("EQ4_0ther.gguf", ""),
    ],
)
def test_the_label_is_found_in_the_file_names_that_people_make(name, label):
    assert label_of(name) == label


def test_a_label_alone_is_known_from_a_branch():
    assert is_label("q4_k_m")
    assert is_label("UD-IQ1_S")
    assert not is_label("main")
    assert not is_label("gptq-4bit-32g")


def test_bits_come_from_the_label_and_else_from_the_size():
    assert bits_of("Q4_K_M") == 4.89
    assert bits_of("Q4_K_L") == pytest.approx(4.89)
    assert bits_of("UD-Q4_K_XL") == pytest.approx(4.89)
    assert bits_of("Q4", 9_050_000_000, 14_700_000_000) == pytest.approx(4.93)
    assert bits_of("", 5 * GB, 8 * GB) == 5.0
    assert bits_of("", 5 * GB) == 0
    assert bits_of("", 5 * GB, 10) == 0, "a listing that lies about the number of weights"


def test_every_quality_is_said_in_words_that_never_get_worse_with_more_bits():
    usual = ["Q2_K", "Q3_K_M", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16"]
    words = [quality_of(bits_of(label)) for label in usual]
    assert all(words)
    assert len(set(words)) == len(usual)
    assert quality_of(0) == ""


def test_a_listing_becomes_one_row_for_each_quant_the_smallest_first():
    files = [item(f"mistral.{label}.gguf", size) for label, size in (("Q8_0", 7), ("Q2_K", 3), ("Q4_K_M", 4))]
    rows = quants(file for one in files if (file := remote_file(one)))
    assert [(row.label, row.size_bytes) for row in rows] == [("Q2_K", 3), ("Q4_K_M", 4), ("Q8_0", 7)]
    assert rows[1].bits == 4.89
    assert rows[1].quality == "Good balance"


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "file",
        {},
        item(type="directory"),
        item(path=7),
        item(path="../up.gguf"),
        item(path="CON.gguf"),
        item(path="README.md"),
        item(size=0),
        item(size=-5),
        item(size=2**60),
        item(size=True),
        item(size="1000"),
        item(size=1.5),
        item(size=None),
        item(lfs=None),
        item(lfs={}),
        item(lfs={"oid": "A" * 64, "size": GB}),
        item(lfs={"oid": "a" * 63, "size": GB}),
        item(lfs={"oid": SHA + "\n", "size": GB}),
        item(lfs={"oid": 5, "size": GB}),
        item(lfs={"oid": SHA, "size": GB - 1}),
        item(path="mmproj-model-f16.gguf"),
        item(path="sub/MMPROJ.gguf"),
        item(path="model.imatrix.gguf"),
        item(path="imatrix_unsloth.gguf"),
        item(path="ggml-vocab-llama.gguf"),
    ],
)
def test_what_is_no_whole_model_file_or_lies_is_left_out(broken):
    assert remote_file(broken) is None


def test_both_spellings_of_the_hubs_sha256_are_read():
    assert remote_file(item()) == RemoteFile("model.Q4_K_M.gguf", GB, SHA)
    assert remote_file(item(lfs={"sha256": SHA, "size": GB})) == RemoteFile("model.Q4_K_M.gguf", GB, SHA)


def test_the_parts_of_a_split_file_are_one_row_in_order():
    paths = [f"Q8_0/big-Q8_0-{number:05}-of-00003.gguf" for number in (2, 3, 1)]
    (row,) = quants(remote(path, GB) for path in paths)
    assert row.label == "Q8_0"
    assert row.size_bytes == 3 * GB
    assert [file.path for file in row.files] == sorted(paths)


@pytest.mark.parametrize(
    "numbers",
    [("00001-of-00003", "00003-of-00003"), ("00000-of-00001",), ("00001-of-00000",), ("00002-of-00001",)],
)
def test_a_split_file_with_a_part_missing_is_not_offered(numbers):
    assert quants(remote(f"big-Q8_0-{number}.gguf") for number in numbers) == ()


def test_two_split_files_in_two_folders_are_not_mixed():
    rows = quants(remote(f"{folder}/m-{n:05}-of-00002.gguf") for folder in ("Q4_K_M", "Q6_K") for n in (1, 2))
    assert [(row.label, len(row.files)) for row in rows] == [("Q4_K_M", 2), ("Q6_K", 2)]


def test_rows_that_would_be_called_alike_are_told_apart_by_their_files():
    assert labels("base.Q4_K_M.gguf", "chat.Q4_K_M.gguf", "chat.Q8_0.gguf") == ["base.Q4_K_M", "chat.Q4_K_M", "Q8_0"]
    assert labels("starter.gguf") == ["starter"]


def test_names_that_differ_in_capitals_alone_are_one_file():
    assert labels("Model.Q4_K_M.gguf", "model.q4_k_m.GGUF") == ["Q4_K_M"]


def test_a_quant_is_chosen_by_label_by_file_or_by_part():
    rows = quants(
        [remote("m.Q4_K_M.gguf"), *(remote(f"Q8_0/m-Q8_0-{n:05}-of-00002.gguf") for n in (1, 2)), remote("m-F16.gguf")]
    )
    by = {row.label: row for row in rows}
    assert choose(rows, parse("a/b")) is None
    assert choose(rows, parse("a/b:q4_k_m")) == by["Q4_K_M"]
    assert choose(rows, parse("a/b:fp16")) == by["F16"]
    assert choose(rows, Reference("a/b", quant="Q4_K")) == by["Q4_K_M"]
    assert choose(rows, Reference("a/b", path="m.Q4_K_M.gguf")) == by["Q4_K_M"]
    assert choose(rows, Reference("a/b", path="M.q4_k_m.GGUF")) == by["Q4_K_M"]
    assert choose(rows, Reference("a/b", path="m-Q8_0-00002-of-00002.gguf")) == by["Q8_0"]


def test_a_quant_that_is_not_there_is_answered_with_those_that_are():
    rows = quants([remote("m.Q4_K_M.gguf"), remote("m.Q8_0.gguf")])
    for wanted in (Reference("a/b", quant="Q5_K_M"), Reference("a/b", path="other.Q4_K_M.gguf")):
        with pytest.raises(HubNotFoundError) as caught:
            choose(rows, wanted)
        assert "Q4_K_M, Q8_0" in caught.value.hint


def test_an_ambiguous_label_is_not_guessed():
    rows = quants([remote("base.Q4_K_M.gguf"), remote("chat.Q4_K_M.gguf")])
    with pytest.raises(HubNotFoundError) as caught:
        choose(rows, Reference("a/b", quant="Q4_K_M"))
    assert "base.Q4_K_M, chat.Q4_K_M" in caught.value.hint
