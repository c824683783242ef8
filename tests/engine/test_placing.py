"""What llama.cpp says while it loads, and what that means for each device."""

from __future__ import annotations

from app.core.placement import Placed
from app.engine.placing import flash_attention, layers_on_gpus, placed

MIB = 1 << 20
# as llama.cpp 0.3.36 writes it on two GPUs, shortened
TWO_GPUS = """
load_tensors: offloading output layer to GPU
load_tensors: offloading 19 repeating layers to GPU
load_tensors: offloaded 20/33 layers to GPU
load_tensors:   CPU_Mapped model buffer size =  1677.41 MiB
load_tensors:        CUDA0 model buffer size =  1200.00 MiB
load_tensors:        CUDA1 model buffer size =  1300.00 MiB
llama_adapter_lora_init_impl:      CUDA1 LoRA buffer size =    10.00 MiB
llama_context: constructing llama_context
llama_context:  CUDA_Host  output buffer size =     0.50 MiB
llama_kv_cache:        CPU KV buffer size =   416.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =   320.00 MiB
llama_kv_cache:      CUDA1 KV buffer size =   288.00 MiB
sched_reserve:      CUDA0 compute buffer size =   164.00 MiB
sched_reserve:      CUDA1 compute buffer size =   148.00 MiB
sched_reserve:  CUDA_Host compute buffer size =    16.50 MiB
resolve_fused_ops: Flash Attention enabled
""".splitlines()


def test_weights_context_and_work_are_summed_by_device():
    assert placed(TWO_GPUS, ["CUDA0", "CUDA1"]) == (
        Placed("CUDA0", 1200 * MIB, 320 * MIB, 164 * MIB),
        Placed("CUDA1", 1310 * MIB, 288 * MIB, 148 * MIB),
        Placed("CPU", int(1677.41 * MIB), 416 * MIB, 17 * MIB, int(1677.41 * MIB)),
    )


def test_of_two_contexts_the_later_counts():
    again = [
        *TWO_GPUS,
        "llama_context: constructing llama_context",
        "llama_kv_cache:      CUDA0 KV buffer size =   100.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =    50.00 MiB",
    ]
    first, second, main = placed(again, ["CUDA0", "CUDA1"])
    assert (first.weights, first.context, first.work) == (1200 * MIB, 100 * MIB, 50 * MIB)
    assert (second.weights, second.context, main.context) == (1310 * MIB, 0, 0)


def test_both_caches_of_a_model_with_sliding_windows_count():
    lines = ["llama_kv_cache: CUDA0 KV buffer size = 10.00 MiB", "llama_kv_cache: CUDA0 KV buffer size = 30.00 MiB"]
    assert placed(lines, ["CUDA0"])[0].context == 40 * MIB


def test_weights_arranged_anew_for_the_processor_count_once():
    """They are a copy, and the file's own pages give way."""
    lines = [
        "load_tensors:   CPU_Mapped model buffer size =  420.00 MiB",
        "load_tensors:   CPU_REPACK model buffer size =  202.00 MiB",
    ]
    (main,) = placed(lines, [])
    assert (main.weights, main.mapped, main.taken) == (420 * MIB, 218 * MIB, 202 * MIB)


def test_a_tenth_gpu_is_not_taken_for_the_first():
    lines = [f"load_tensors: {name} model buffer size = 1.00 MiB" for name in ("CUDA1", "CUDA10", "CUDA10_Split")]
    assert [part.weights for part in placed(lines, ["CUDA1", "CUDA10"])] == [MIB, 2 * MIB]


def test_layers_count_only_where_a_gpu_has_weights():
    """llama.cpp writes how many were wished for, GPU or not."""
    assert layers_on_gpus(TWO_GPUS, placed(TWO_GPUS, ["CUDA0", "CUDA1"])) == 20
    wished = ["load_tensors: offloaded 33/33 layers to GPU", "load_tensors:   CPU_Mapped model buffer size = 1.00 MiB"]
    assert layers_on_gpus(wished, placed(wished, [])) == 0


def test_flash_attention_is_what_llama_cpp_says_it_is():
    assert flash_attention(TWO_GPUS) is True
    assert flash_attention(["x: Flash Attention disabled"]) is False
    assert flash_attention([]) is None


def test_a_real_load_tells_where_everything_is(open_model, starter):
    engine = open_model(starter)
    where = engine.facts.placement
    assert [part.device for part in where.placed] == ["CPU"]
    main = where.placed[0]
    assert 0.8 * starter.stat().st_size < main.weights < 1.1 * starter.stat().st_size
    assert main.context > MIB
    assert main.work > MIB
    assert (where.gpu_layers, where.kv_type, where.flash_attention) == (0, "f16", False)
    assert where.batch_tokens == 256
    assert where.why_cpu == ""


def test_a_gpu_asked_for_where_there_is_none_is_told(open_model, starter):
    from app.engine.devices import library

    if not library().gpus():
        facts = open_model(starter, gpu_layers=3).facts
        assert "No GPU was found" in facts.placement.why_cpu
        assert facts.gpu_layers == 0
