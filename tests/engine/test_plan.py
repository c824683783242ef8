"""How a model is loaded on machines of all sizes."""

import dataclasses

import pytest

from app.core.errors import ModelMemoryError
from app.core.fit import Gpu, Machine
from app.core.options import Loading
from app.engine.auto import GPU_CONTEXT
from app.engine.model_file import inspect
from app.engine.plan import AUTO_CONTEXT, plan

GB = 10**9
ROOMY = Machine(64 * GB, 4)


@pytest.fixture
def seven_b(starter):
    """The header of a 7B model at Q4_K_M: 4.37 GB, 32 layers, 8 KV heads of 128."""
    return shaped(starter, "Mistral 7B", 4.37, 7.24, 32_768, 32, 4096, 32_002, 8 * 128)


def shaped(starter, name, size_gb, billions, trained, layers, width, vocabulary, kv_values, *, tied=False):
    """A header as a model of this shape has it; about 4.85 bits for a layer's weights, 6.6 for the output's."""
    output = vocabulary * width * 66 // 80
    each = (int(size_gb * GB) - output * (1 if tied else 2)) // layers
    return dataclasses.replace(
        inspect(str(starter)),
        name=name,
        size_bytes=int(size_gb * GB),
        n_params=int(billions * GB),
        n_ctx_train=trained,
        n_layers=layers,
        n_embd=width,
        n_heads=width // 128,
        n_vocab=vocabulary,
        kv_values_k=layers * kv_values,
        kv_values_v=layers * kv_values,
        layer_bytes=(each,) * layers,
        output_bytes=output,
        tied=tied,
    )


def test_auto_takes_what_the_model_was_trained_for_up_to_a_sensible_length(seven_b):
    assert plan(seven_b, Loading(), ROOMY).n_ctx == AUTO_CONTEXT
    assert plan(dataclasses.replace(seven_b, n_ctx_train=2048), Loading(), ROOMY).n_ctx == 2048


@pytest.mark.parametrize(("trained", "taken"), [(300, 256), (100, 256), (2000, 1792)])
def test_a_context_is_a_multiple_of_256(seven_b, trained, taken):
    assert plan(dataclasses.replace(seven_b, n_ctx_train=trained), Loading(), ROOMY).n_ctx == taken
    assert plan(seven_b, Loading(context_tokens=1000), ROOMY).n_ctx == 768


def test_auto_takes_a_smaller_context_where_memory_is_short_and_says_so(seven_b):
    found = plan(seven_b, Loading(), Machine(int(5.6 * GB), 4))
    assert 2048 <= found.n_ctx < AUTO_CONTEXT
    assert f"{found.n_ctx:,}" in found.notices[0]
    assert found.needed_bytes <= 5.6 * GB * 0.85


def test_a_model_that_does_not_fit_is_refused_with_both_sizes(seven_b):
    with pytest.raises(ModelMemoryError) as caught:
        plan(seven_b, Loading(), Machine(int(3.9 * GB), 4))
    assert "Mistral 7B" in caught.value.title
    assert "3.9 GB is free" in caught.value.detail
    assert "quant" in caught.value.hint


def test_a_model_that_would_leave_nothing_for_others_is_loaded_only_by_who_sets_its_context(seven_b):
    tight = Machine(int(4.9 * GB), 4)
    with pytest.raises(ModelMemoryError) as caught:
        plan(seven_b, Loading(), tight)
    assert "15 %" in caught.value.detail
    assert "2,048" in caught.value.hint
    assert plan(seven_b, Loading(context_tokens=2048), tight).n_ctx == 2048


def test_a_context_asked_for_that_does_not_fit_is_refused_with_that_advice(seven_b):
    with pytest.raises(ModelMemoryError) as caught:
        plan(seven_b, Loading(context_tokens=131_072), Machine(12 * GB, 4))
    assert "smaller context" in caught.value.hint


def test_an_absurd_context_is_refused_at_once(starter):
    with pytest.raises(ModelMemoryError):
        plan(inspect(str(starter)), Loading(context_tokens=10_485_760 - 256), Machine(4 * GB, 2))


def test_a_context_beyond_the_training_is_given_with_a_notice(seven_b):
    found = plan(seven_b, Loading(context_tokens=65_536), ROOMY)
    assert found.n_ctx == 65_536
    assert "32,768" in found.notices[0]


def test_nothing_is_refused_where_the_system_does_not_tell_its_memory(seven_b):
    assert plan(seven_b, Loading(context_tokens=131_072), Machine(None, 4)).n_ctx == 131_072


def test_a_quantised_cache_needs_less(seven_b):
    flash = "on"  # else the exact cache goes without, which takes room for scores
    sizes = [
        plan(seven_b, Loading(kv_type=kind, flash_attention=flash), ROOMY).needed_bytes
        for kind in ("auto", "q8_0", "q4_0")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert 0.4 * GB < sizes[0] - sizes[1] < 0.6 * GB


def test_auto_goes_without_flash_attention_on_a_processor_while_there_is_room(seven_b):
    assert plan(seven_b, Loading(), ROOMY).flash_attention == "off"
    assert plan(seven_b, Loading(kv_type="q8_0"), ROOMY).flash_attention == "auto"
    assert plan(seven_b, Loading(flash_attention="on"), ROOMY).flash_attention == "on"
    without, with_it = (plan(seven_b, Loading(flash_attention=way), ROOMY) for way in ("auto", "on"))
    assert without.n_ctx == with_it.n_ctx
    assert without.needed_bytes > with_it.needed_bytes
    tight = Machine(int(with_it.needed_bytes / 0.84), 4)
    assert plan(seven_b, Loading(), tight).flash_attention == "auto"


def test_half_of_a_quantised_cache_stays_exact_without_flash_attention(seven_b):
    found = plan(seven_b, Loading(kv_type="q8_0", flash_attention="off"), ROOMY)
    assert (found.type_k, found.type_v) == ("q8_0", "f16")
    assert "flash attention" in found.notices[0]
    assert not plan(seven_b, Loading(kv_type="q8_0"), ROOMY).notices


def test_threads_are_the_physical_cores_unless_asked_otherwise(seven_b):
    assert plan(seven_b, Loading(), ROOMY).threads == 4
    assert plan(seven_b, Loading(threads=2), ROOMY).threads == 2


def test_a_tiny_model_runs_on_one_thread(starter):
    assert plan(inspect(str(starter)), Loading(), ROOMY).threads == 1
    assert plan(inspect(str(starter)), Loading(threads=3), ROOMY).threads == 3


def test_without_a_gpu_nothing_goes_to_it(seven_b):
    assert plan(seven_b, Loading(), ROOMY).gpu_layers == 0
    assert plan(seven_b, Loading(gpu_layers=20), ROOMY).gpu_layers == 0
    assert "GPU" in plan(seven_b, Loading(gpu_layers=20), ROOMY).notices[0]
    assert not plan(seven_b, Loading(gpu_layers=0), ROOMY).notices


def test_all_layers_go_to_a_gpu_that_has_room(seven_b):
    found = plan(seven_b, Loading(), Machine(2 * GB, 4, has_gpu=True, gpu_free_bytes=12 * GB))
    assert found.gpu_layers == -1
    assert found.needed_bytes < GB
    assert (found.batch_tokens, found.threads, found.mmap) == (512, 4, False)


def test_some_layers_go_to_a_gpu_that_has_little(seven_b):
    found = plan(seven_b, Loading(), Machine(8 * GB, 4, has_gpu=True, gpu_free_bytes=4 * GB))
    assert 5 < found.gpu_layers < 25


def test_all_layers_go_to_a_gpu_that_does_not_tell(seven_b):
    assert plan(seven_b, Loading(), Machine(8 * GB, 4, has_gpu=True)).gpu_layers == -1


def test_the_layers_asked_for_are_given(seven_b):
    gpu = Machine(8 * GB, 4, has_gpu=True, gpu_free_bytes=4 * GB)
    assert plan(seven_b, Loading(gpu_layers=0), gpu).gpu_layers == 0
    assert plan(seven_b, Loading(gpu_layers=7), gpu).gpu_layers == 7
    assert plan(seven_b, Loading(gpu_layers=99), gpu).gpu_layers == -1


def test_a_model_that_the_gpu_holds_whole_gets_a_longer_context(seven_b):
    found = plan(seven_b, Loading(), Machine(16 * GB, 8, has_gpu=True, gpu_free_bytes=24 * GB))
    assert (found.gpu_layers, found.n_ctx, found.type_k) == (-1, GPU_CONTEXT, "f16")


def test_the_cache_is_made_less_exact_before_a_layer_leaves_the_gpu(seven_b):
    found = plan(seven_b, Loading(), Machine(16 * GB, 8, has_gpu=True, gpu_free_bytes=int(6.1 * GB)))
    assert (found.gpu_layers, found.type_k, found.n_ctx) == (-1, "q8_0", AUTO_CONTEXT)
    exact = plan(seven_b, Loading(kv_type="f16"), Machine(16 * GB, 8, has_gpu=True, gpu_free_bytes=int(6.1 * GB)))
    assert (exact.gpu_layers, exact.type_k) == (-1, "f16")
    assert 4096 <= exact.n_ctx < AUTO_CONTEXT


def test_without_flash_attention_auto_leaves_the_cache_exact(seven_b):
    assert plan(seven_b, Loading(flash_attention="off"), Machine(int(6.4 * GB), 4)).type_k == "f16"


def test_one_gpu_of_several_that_holds_everything_is_used_alone(seven_b):
    two = (Gpu("small", 6 * GB, 8 * GB), Gpu("large", 22 * GB, 24 * GB))
    assert plan(seven_b, Loading(), Machine.with_gpus(16 * GB, 8, 32 * GB, two)).split == (0, 33)


def test_several_gpus_share_what_none_of_them_holds(starter):
    seventy = shaped(starter, "Llama 70B", 42.5, 70.6, 131_072, 80, 8192, 128_256, 1024)
    two = (Gpu("one", 30 * GB, 32 * GB), Gpu("two", 30 * GB, 32 * GB))
    found = plan(seventy, Loading(), Machine.with_gpus(32 * GB, 16, 64 * GB, two))
    assert found.gpu_layers == -1
    assert sum(found.split) == 81
    assert all(split > 20 for split in found.split)


def test_layers_asked_for_beyond_the_room_are_given_with_a_notice(seven_b):
    found = plan(seven_b, Loading(gpu_layers=30), Machine(8 * GB, 4, has_gpu=True, gpu_free_bytes=2 * GB))
    assert found.gpu_layers == 30
    assert "more than it has room for" in found.notices[-1]


def test_why_nothing_is_on_a_gpu_that_is_there_is_told(seven_b):
    full = Machine.with_gpus(16 * GB, 8, 32 * GB, (Gpu("GeForce", GB // 5, 8 * GB),))
    found = plan(seven_b, Loading(), full)
    assert found.gpu_layers == 0
    assert "GeForce has 0.2 GiB free" in found.why_cpu
    assert found.why_cpu in found.notices
    assert not plan(seven_b, Loading(gpu_layers=0), full).why_cpu
    assert "No GPU" in plan(seven_b, Loading(gpu_layers=9), Machine(16 * GB, 8)).why_cpu
    assert not plan(seven_b, Loading(), Machine(16 * GB, 8)).why_cpu


def test_a_file_is_mapped_unless_a_gpu_takes_all_of_it(seven_b):
    roomy = Machine.with_gpus(16 * GB, 8, 32 * GB, (Gpu("GeForce", 12 * GB, 12 * GB),))
    assert not plan(seven_b, Loading(), roomy).mmap
    assert plan(seven_b, Loading(mmap=True), roomy).mmap
    assert plan(seven_b, Loading(), ROOMY).mmap
    assert not plan(seven_b, Loading(mmap=False), ROOMY).mmap
    mac = Machine.with_gpus(16 * GB, 8, 24 * GB, (Gpu("Apple M3", 16 * GB, 16 * GB, unified=True),))
    assert plan(seven_b, Loading(), mac).mmap


MODELS = {
    "1B": ("Llama 3.2 1B", 0.81, 1.24, 131_072, 16, 2048, 128_256, 512),
    "3B": ("Llama 3.2 3B", 2.02, 3.21, 131_072, 28, 3072, 128_256, 1024),
    "7B": ("Mistral 7B", 4.37, 7.24, 32_768, 32, 4096, 32_002, 1024),
    "8B": ("Llama 3.1 8B", 4.92, 8.03, 131_072, 32, 4096, 128_256, 1024),
    "13B, all heads": ("Llama 2 13B", 7.87, 13.0, 4096, 40, 5120, 32_000, 5120),
    "14B": ("Qwen 2.5 14B", 8.99, 14.8, 131_072, 48, 5120, 151_936, 1024),
    "32B": ("Qwen 2.5 32B", 19.9, 32.8, 131_072, 64, 5120, 151_936, 1024),
    "70B": ("Llama 3.1 70B", 42.5, 70.6, 131_072, 80, 8192, 128_256, 1024),
}
MACHINES = {
    "4 GB laptop": Machine(int(2.4 * GB), 2, total_bytes=4 * GB),
    "8 GB laptop": Machine(int(5.5 * GB), 4, total_bytes=8 * GB),
    "16 GB laptop": Machine(11 * GB, 8, total_bytes=16 * GB),
    "64 GB desktop": Machine(58 * GB, 16, total_bytes=64 * GB),
    "4 GB GPU": Machine.with_gpus(11 * GB, 6, 16 * GB, (Gpu("GTX 1650", int(3.6 * GB), 4 * GB),)),
    "8 GB GPU": Machine.with_gpus(11 * GB, 8, 16 * GB, (Gpu("RTX 4060", int(7.4 * GB), 8 * GB),)),
    "24 GB GPU": Machine.with_gpus(26 * GB, 16, 32 * GB, (Gpu("RTX 4090", 23 * GB, 24 * GB),)),
    "80 GB GPU": Machine.with_gpus(110 * GB, 16, 128 * GB, (Gpu("H100", 79 * GB, 80 * GB),)),
    "8 + 24 GB": Machine.with_gpus(
        26 * GB, 16, 32 * GB, (Gpu("RTX 4060", 7 * GB, 8 * GB), Gpu("RTX 4090", 23 * GB, 24 * GB))
    ),
    "4 x 12 GB": Machine.with_gpus(26 * GB, 16, 32 * GB, tuple(Gpu("RTX 3060", 11 * GB, 12 * GB) for _ in range(4))),
    "GPU in use": Machine.with_gpus(11 * GB, 8, 16 * GB, (Gpu("RTX 4060", GB // 3, 8 * GB),)),
    "8 GB Mac": Machine.with_gpus(4 * GB, 4, 8 * GB, (Gpu("Apple M1", int(5.3 * GB), int(5.3 * GB), unified=True),)),
    "36 GB Mac": Machine.with_gpus(28 * GB, 12, 36 * GB, (Gpu("Apple M3", 27 * GB, 27 * GB, unified=True),)),
    "silent GPU": Machine.with_gpus(11 * GB, 8, 16 * GB, (Gpu("Odd"),)),
    "silent system": Machine(None, 8),
}
# what Auto comes to: layers (-1 is all), context, KV type; None where the model does not fit
EXPECTED = [
    ("4 GB laptop", "1B", (0, 8192, "f16")),
    ("4 GB laptop", "3B", None),
    ("8 GB laptop", "3B", (0, 8192, "f16")),
    ("8 GB laptop", "7B", (0, 3584, "q8_0")),
    ("16 GB laptop", "8B", (0, 8192, "f16")),
    ("16 GB laptop", "13B, all heads", (0, 3072, "q8_0")),
    ("64 GB desktop", "70B", (0, 8192, "f16")),
    ("4 GB GPU", "1B", (-1, 32_768, "f16")),
    ("4 GB GPU", "7B", (18, 8192, "f16")),
    ("8 GB GPU", "7B", (-1, 14_080, "f16")),
    ("8 GB GPU", "32B", None),
    ("24 GB GPU", "14B", (-1, 32_768, "f16")),
    ("24 GB GPU", "32B", (58, 8192, "f16")),
    ("80 GB GPU", "70B", (-1, 32_768, "f16")),
    ("8 + 24 GB", "32B", (-1, 19_712, "f16")),
    ("4 x 12 GB", "70B", (64, 8192, "f16")),
    ("GPU in use", "8B", (0, 8192, "f16")),
    ("8 GB Mac", "3B", (-1, 10_240, "f16")),
    ("8 GB Mac", "7B", None),
    ("36 GB Mac", "32B", (-1, 13_056, "f16")),
    ("silent GPU", "7B", (-1, 8192, "f16")),
    ("silent system", "70B", (0, 8192, "f16")),
]


@pytest.mark.parametrize(("machine", "shape", "expected"), EXPECTED, ids=[f"{m}, {s}" for m, s, _ in EXPECTED])
def test_what_auto_comes_to(starter, machine, shape, expected):
    model = shaped(starter, *MODELS[shape], tied=MODELS[shape][2] < 4)
    if expected is None:
        with pytest.raises(ModelMemoryError):
            plan(model, Loading(), MACHINES[machine])
    else:
        found = plan(model, Loading(), MACHINES[machine])
        assert (found.gpu_layers, found.n_ctx, found.type_k) == expected


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("shape", MODELS.values(), ids=MODELS)
def test_auto_keeps_within_85_percent_of_what_is_free(starter, machine, shape):
    model = shaped(starter, *shape, tied=shape[2] < 4)
    try:
        found = plan(model, Loading(), machine)
    except ModelMemoryError:
        least = plan(model, Loading(context_tokens=2048), dataclasses.replace(machine, free_bytes=None))
        assert least.needed_bytes > machine.free_bytes * 0.85
        return
    layers = model.n_layers + 1 if found.gpu_layers < 0 else found.gpu_layers
    assert machine.free_bytes is None or found.needed_bytes <= machine.free_bytes * 0.85
    assert len(found.gpu_bytes) == len(machine.gpus)
    for gpu, taken in zip(machine.gpus, found.gpu_bytes, strict=True):
        assert gpu.free_bytes is None or taken <= gpu.free_bytes * 0.85
    assert sum(found.split) == layers
    assert 2048 <= found.n_ctx <= min(model.n_ctx_train, 32_768)
    assert found.n_ctx % 256 == 0
    assert found.n_ctx <= AUTO_CONTEXT or found.gpu_layers < 0
    assert 1 <= found.threads <= machine.cores
    if any(gpu.unified for gpu in machine.gpus):
        assert found.needed_bytes >= model.size_bytes


@pytest.mark.parametrize("shape", MODELS.values(), ids=MODELS)
def test_more_free_memory_never_means_less(starter, shape):
    model = shaped(starter, *shape, tied=shape[2] < 4)
    before = (0, 0)
    for free in range(1, 90, 3):
        machine = Machine.with_gpus(64 * GB, 8, 64 * GB, (Gpu("GPU", free * GB, 90 * GB),))
        found = plan(model, Loading(), machine)
        now = (model.n_layers + 1 if found.gpu_layers < 0 else found.gpu_layers, found.n_ctx)
        assert now[0] >= before[0]
        assert now >= before or now[0] > before[0]
        before = now
    assert before[0] == model.n_layers + 1
