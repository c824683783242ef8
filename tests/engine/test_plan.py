"""How a model is loaded on machines of all sizes."""

import dataclasses

import pytest

from app.core.errors import ModelMemoryError
from app.core.fit import Machine
from app.core.options import Loading
from app.engine import memory
from app.engine.model_file import inspect
from app.engine.plan import AUTO_CONTEXT, plan

GB = 10**9
ROOMY = Machine(64 * GB, 4)


@pytest.fixture
def seven_b(starter):
    """The header of a 7B model at Q4_K_M: 4.37 GB, 32 layers, 8 KV heads of 128."""
    return dataclasses.replace(
        inspect(str(starter)),
        name="Mistral 7B",
        size_bytes=4_370_000_000,
        n_params=7_240_000_000,
        n_ctx_train=32_768,
        n_layers=32,
        n_embd=4096,
        n_vocab=32_002,
        kv_values_k=32 * 8 * 128,
        kv_values_v=32 * 8 * 128,
    )


def test_auto_takes_what_the_model_was_trained_for_up_to_a_sensible_length(seven_b):
    assert plan(seven_b, Loading(), ROOMY).n_ctx == AUTO_CONTEXT
    assert plan(dataclasses.replace(seven_b, n_ctx_train=2048), Loading(), ROOMY).n_ctx == 2048


@pytest.mark.parametrize(("trained", "taken"), [(300, 256), (100, 256), (2000, 1792)])
def test_a_context_is_a_multiple_of_256(seven_b, trained, taken):
    assert plan(dataclasses.replace(seven_b, n_ctx_train=trained), Loading(), ROOMY).n_ctx == taken
    assert plan(seven_b, Loading(context_tokens=1000), ROOMY).n_ctx == 768


def test_auto_takes_a_smaller_context_where_memory_is_short_and_says_so(seven_b):
    found = plan(seven_b, Loading(), Machine(int(5.3 * GB), 4))
    assert 2048 <= found.n_ctx < AUTO_CONTEXT
    assert f"{found.n_ctx:,}" in found.notices[0]
    assert found.needed_bytes <= 5.3 * GB


def test_a_model_that_does_not_fit_is_refused_with_both_sizes(seven_b):
    with pytest.raises(ModelMemoryError) as caught:
        plan(seven_b, Loading(), Machine(int(3.9 * GB), 4))
    assert "Mistral 7B" in caught.value.title
    assert "3.9 GB is free" in caught.value.detail
    assert "quant" in caught.value.hint


def test_a_context_asked_for_that_does_not_fit_is_refused_with_that_advice(seven_b):
    with pytest.raises(ModelMemoryError) as caught:
        plan(seven_b, Loading(context_tokens=131_072), Machine(16 * GB, 4))
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
    sizes = [plan(seven_b, Loading(kv_type=kind), ROOMY).needed_bytes for kind in ("f16", "q8_0", "q4_0")]
    assert sizes == sorted(sizes, reverse=True)
    assert 0.4 * GB < sizes[0] - sizes[1] < 0.6 * GB


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


def test_this_machine_has_memory_and_cores():
    free = memory.free_bytes()
    assert free is not None
    assert free > 10**8
    assert memory.physical_cores() >= 1


def test_a_mac_counts_pages_that_give_way_as_free(monkeypatch):
    report = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                               1000.\n"
        "Pages active:                            99999.\n"
        "Pages inactive:                           2000.\n"
        "Pages speculative:                         300.\n"
        "Pages purgeable:                            40.\n"
    )

    def run(*_args, **_more):
        return type("Run", (), {"stdout": report})

    monkeypatch.setattr(memory.subprocess, "run", run)
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory.free_bytes() == 3340 * 16384


def test_a_limit_on_the_container_counts(monkeypatch):
    files = {
        "/sys/fs/cgroup/memory.max": "1000000000",
        "/sys/fs/cgroup/memory.current": "900000000",
        "/sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 300000000\n",
    }
    monkeypatch.setattr(memory, "_read", lambda path: files.get(path, ""))
    monkeypatch.setattr(memory.Path, "read_text", lambda _self: "MemTotal: 9 kB\nMemAvailable:   8000000 kB\n")
    monkeypatch.setattr(memory.sys, "platform", "linux")
    assert memory.free_bytes() == 400_000_000


def test_a_system_that_does_not_tell_its_memory_is_survived(monkeypatch):
    def gone(_self):
        raise OSError

    monkeypatch.setattr(memory.Path, "read_text", gone)
    monkeypatch.setattr(memory.sys, "platform", "linux")
    assert memory.free_bytes() is None


def test_hyper_threads_are_not_counted_as_cores(monkeypatch):
    monkeypatch.setattr(memory.os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(
        memory, "_read", lambda path: {"cpu0": "0,2", "cpu1": "1,3", "cpu2": "0,2", "cpu3": "1,3"}[path.split("/")[5]]
    )
    monkeypatch.setattr(memory.sys, "platform", "linux")
    assert memory.physical_cores() == 2
