"""Memory and verdicts on machines of all sizes."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.fit import Gpu, Machine, Needs, offload
from app.core.library import Quant, RemoteFile
from app.core.verdicts import Fit, estimate, recommended, verdict

GB = 10**9
GIB = 2**30
SEVEN_B = 7_241_732_096


def quant(label: str, size_gb: float, bits: float) -> Quant:
    return Quant(label, (RemoteFile(f"{label}.gguf", int(size_gb * GB), "0" * 64),), bits)


OPENORCA = (
    quant("Q2_K", 3.08, 2.6), quant("Q3_K_M", 3.52, 3.9), quant("Q4_K_S", 4.14, 4.6), quant("Q4_K_M", 4.37, 4.85),
    quant("Q5_K_M", 5.13, 5.7), quant("Q6_K", 5.94, 6.6), quant("Q8_0", 7.70, 8.5),
)  # fmt: skip


def choices(machine: Machine, quants: tuple[Quant, ...] = OPENORCA, n_ctx: int = 8192, n_params: int = SEVEN_B):
    return [(one, verdict(estimate(one.size_bytes, n_params, "llama"), n_ctx, machine)) for one in quants]


def test_a_7b_model_takes_a_gibibyte_of_kv_cache_for_8192_tokens():
    """128 KiB a token at f16: Mistral 7B's 32 layers with 8 KV heads of 128."""
    needs = estimate(int(4.37 * GB), SEVEN_B, "llama")
    assert needs.kv_bytes_per_token * 8192 == pytest.approx(GIB, rel=0.01)
    assert needs.total(8192) == pytest.approx(4.37 * GB + GIB + 0.31 * GB, rel=0.01)


def test_llama_2_with_keys_for_every_head_takes_four_times_as_much():
    many, few = estimate(4 * GB, 6_738_415_616, "llama"), estimate(4 * GB, SEVEN_B, "llama")
    assert many.kv_bytes_per_token == pytest.approx(4 * few.kv_bytes_per_token, rel=0.01)
    assert estimate(4 * GB, 6_738_415_616, "qwen2").kv_bytes_per_token < many.kv_bytes_per_token


@pytest.mark.parametrize("count", [0.1e9, 0.36e9, 0.5e9, 1.2e9, 1.5e9, 3e9, 7e9, 12e9, 14e9, 24e9, 32e9, 70e9, 400e9])
def test_every_size_of_model_gets_an_estimate_that_grows_with_it(count):
    small, large = estimate(int(count / 2), int(count)), estimate(int(count * 1.2), int(count * 2))
    assert 0 < small.total(4096) < large.total(4096)


def test_a_missing_number_of_weights_is_guessed_from_the_size():
    assert estimate(int(4.37 * GB)).n_layers == 32


def test_the_four_verdicts():
    needs = Needs(4 * GB, 131_072, GB // 4, 32)
    found = {
        Fit.GPU: Machine(GB, 8, True, 8 * GB),
        Fit.PARTLY: Machine(16 * GB, 8, True, 4 * GB),
        Fit.MEMORY: Machine(8 * GB, 8),
        Fit.TOO_BIG: Machine(4 * GB, 8),
        Fit.UNKNOWN: Machine(None, 8),
    }
    for fit, machine in found.items():
        assert verdict(needs, 4096, machine).fit is fit


def test_a_larger_context_can_make_a_model_too_big():
    needs = Needs(4 * GB, 131_072, GB // 4, 32)
    assert verdict(needs, 4096, Machine(6 * GB, 8)).fit is Fit.MEMORY
    assert verdict(needs, 32_768, Machine(6 * GB, 8)).fit is Fit.TOO_BIG


def test_what_auto_cannot_load_is_too_big():
    """It leaves 15 % to others, with as short a context as it takes."""
    needs = Needs(4 * GB, 131_072, GB // 4, 32)
    assert verdict(needs, 2048, Machine(5 * GB, 8)).fit is Fit.TOO_BIG
    assert verdict(needs, 2048, Machine(int(5.4 * GB), 8)).fit is Fit.MEMORY


def test_memory_that_a_gpu_shares_with_the_computer_is_counted_once():
    needs = Needs(4 * GB, 131_072, GB // 4, 32)
    mac = Machine.with_gpus(4 * GB, 8, 16 * GB, (Gpu("Apple M1", 11 * GB, 11 * GB, unified=True),))
    assert verdict(needs, 4096, mac).fit is Fit.TOO_BIG
    assert verdict(needs, 4096, Machine.with_gpus(6 * GB, 8, 16 * GB, mac.gpus)).fit is Fit.GPU


def test_several_gpus_are_filled_in_order_by_whole_layers():
    needs = Needs(33 * GB, 0.0, GB // 4, 32)
    two = tuple(Gpu(name, 20 * GB, 24 * GB) for name in "ab")
    found = offload(needs, 4096, Machine.with_gpus(64 * GB, 8, 64 * GB, two))
    assert (found.layers, found.split) == (32, (16, 16))
    assert all(taken <= 17 * GB for taken in found.card_bytes)
    assert found.main_bytes == GB + GB // 4


def test_a_copy_of_the_input_on_the_gpu_frees_no_main_memory():
    own = Needs(10 * GB, 0.0, GB, 2, layer_bytes=(4 * GB, 4 * GB), output_bytes=GB)
    tied = dataclasses.replace(own, tied=True, weights_bytes=9 * GB)
    gpu = Machine(64 * GB, 8, True, 64 * GB)
    assert offload(own, 512, gpu).main_bytes == 2 * GB
    assert offload(tied, 512, gpu).main_bytes == 2 * GB


def test_partly_counts_the_layers_and_what_stays_in_memory():
    needs = Needs(4 * GB, 131_072, GB // 4, 32)
    found = verdict(needs, 4096, Machine(16 * GB, 8, True, 3 * GB))
    assert 0 < found.gpu_layers < 32 == found.n_layers
    assert verdict(needs, 4096, Machine(GB // 2, 8, True, 3 * GB)).fit is Fit.TOO_BIG


def test_a_verdict_says_what_the_memory_is_for():
    found = verdict(estimate(4 * GB, SEVEN_B), 8192, Machine(16 * GB, 4))
    assert sum(size for _, size in found.parts) == found.needed_bytes
    assert found.estimated
    assert not verdict(dataclasses.replace(estimate(4 * GB), estimated=False), 8192, Machine(16 * GB, 4)).estimated


@pytest.mark.parametrize(
    ("machine", "label"),
    [
        (Machine(64 * GB, 8), "Q4_K_M"),
        (Machine(int(5.9 * GB), 8), "Q4_K_M"),
        (Machine(int(5.2 * GB), 8), "Q3_K_M"),
        (Machine(64 * GB, 8, True, 12 * GIB), "Q4_K_M"),
        (Machine(16 * GB, 8, True, int(5.3 * GB)), "Q4_K_M"),  # the GPU takes Q2_K whole: not worth it
        (Machine(None, 4), "Q4_K_M"),
    ],
)
def test_the_recommended_quant_is_the_usual_balance_that_runs_whole(machine, label):
    assert recommended(choices(machine), SEVEN_B).label == label


def test_nothing_is_recommended_where_nothing_runs():
    assert recommended(choices(Machine(2 * GB, 4)), SEVEN_B) is None


def test_a_small_model_is_recommended_with_more_bits():
    half_b = tuple(
        dataclasses.replace(one, files=(RemoteFile("a", one.size_bytes // 14, "0" * 64),)) for one in OPENORCA
    )
    assert recommended(choices(Machine(8 * GB, 4), half_b, n_params=494_000_000), 494_000_000).label == "Q8_0"


def test_of_two_equally_near_an_i_quant_comes_second():
    both = (quant("IQ4_NL", 4.4, 4.85), quant("Q4_K_M", 4.4, 4.85))
    assert recommended(choices(Machine(64 * GB, 8), both), SEVEN_B).label == "Q4_K_M"
