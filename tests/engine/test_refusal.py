"""What llama.cpp says when there is no room, and what the person is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.errors import ModelFileError, ModelMemoryError
from app.core.fit import Gpu, Machine
from app.core.options import Loading
from app.core.stopping import StopFlag
from app.engine import llama
from app.engine.devices import library
from app.engine.model_file import inspect
from app.engine.plan import plan
from app.engine.refusal import no_context, refused

GB = 10**9
WITH_A_GPU = Machine.with_gpus(16 * GB, 4, 32 * GB, (Gpu("RTX 4060", 7 * GB, 8 * GB),))
# as llama.cpp 0.3.36 writes it, shortened
CUDA = [
    "load_tensors: offloaded 13/33 layers to GPU",
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4685.30 MiB on device 0: cudaMalloc failed: out of memory",
    "alloc_tensor_range: failed to allocate CUDA0 buffer of size 4912895488",
    "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
]
METAL = [
    "ggml_metal_buffer_init: error: failed to allocate buffer, size =  4685.30 MiB",
    "llama_model_load: error loading model: unable to allocate Metal buffer",
]
VULKAN = ["llama_model_load: error loading model: vk::Device::allocateMemory: ErrorOutOfDeviceMemory"]
MAIN = [
    "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 4912895488",
    "alloc_tensor_range: failed to allocate CPU buffer of size 4912895488",
    "llama_model_load: error loading model: unable to allocate CPU buffer",
]
PINNED = ["llama_model_load: error loading model: unable to allocate CUDA_Host buffer"]
DAMAGED = ["llama_model_load: error loading model: missing tensor 'blk.0.attn_k.weight'"]


@pytest.fixture
def file(starter):
    return inspect(str(starter))


@pytest.fixture
def on_gpu(file):
    return replace(plan(file, Loading(), WITH_A_GPU), gpu_layers=6)


@pytest.mark.parametrize("lines", [CUDA, METAL, VULKAN], ids=["CUDA", "Metal", "Vulkan"])
def test_a_gpu_whose_memory_runs_out_says_nothing_against_the_file(file, on_gpu, lines):
    error = refused(file, on_gpu, lines)
    assert isinstance(error, ModelMemoryError)
    assert error.gpu_layers == 6
    assert "GPU's memory" in error.title
    assert "6 layers" in error.detail
    assert "ownload" not in str(error)
    whole = refused(file, replace(on_gpu, gpu_layers=-1), lines)
    assert isinstance(whole, ModelMemoryError)
    assert whole.gpu_layers == file.n_layers + 1


@pytest.mark.parametrize("lines", [MAIN, PINNED], ids=["CPU", "pinned"])
def test_main_memory_that_runs_out_is_no_matter_of_layers(file, on_gpu, lines):
    for how in (on_gpu, replace(on_gpu, gpu_layers=0)):
        error = refused(file, how, lines)
        assert isinstance(error, ModelMemoryError)
        assert error.gpu_layers == 0
        assert "smaller" in error.hint


def test_a_file_that_is_really_damaged_is_downloaded_again(file, on_gpu):
    error = refused(file, on_gpu, DAMAGED)
    assert isinstance(error, ModelFileError)
    assert "missing tensor" in error.detail
    assert "ownload" in error.hint


def test_a_context_that_finds_no_room_tells_whose_memory_it_was(file, on_gpu):
    short = no_context(file, on_gpu, CUDA[1:3])
    assert (short.gpu_layers, "6 layers on it" in short.detail) == (6, True)
    assert "fewer layers" in short.hint
    assert no_context(file, on_gpu, []).gpu_layers == 6
    assert no_context(file, on_gpu, MAIN[1:2]).gpu_layers == 0
    assert no_context(file, replace(on_gpu, gpu_layers=0), []).gpu_layers == 0


def test_a_model_that_finds_no_room_on_a_gpu_is_refused_as_such_by_loading(starter, monkeypatch):
    def no_model(_path, _params):
        library().lines.extend(CUDA)

    monkeypatch.setattr(library().llama, "llama_model_load_from_file", no_model)
    with pytest.raises(ModelMemoryError) as caught:
        llama.load(str(starter), Loading(gpu_layers=3), StopFlag(), machine=WITH_A_GPU)
    assert caught.value.gpu_layers == 3


def test_a_context_that_finds_no_room_is_refused_as_such_by_loading(starter, monkeypatch):
    monkeypatch.setattr(library().llama, "llama_init_from_model", lambda _model, _params: None)
    with pytest.raises(ModelMemoryError) as caught:
        llama.load(str(starter), Loading(gpu_layers=3), StopFlag(), machine=WITH_A_GPU)
    assert caught.value.gpu_layers == 3
