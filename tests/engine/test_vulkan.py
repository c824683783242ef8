"""Layers on a GPU for real, through Vulkan: on a GPU where there is one, else on Mesa's software device.

The backend is no part of a CPU build: `build_vulkan.py` builds it, or ORCINUS_TEST_VULKAN says where it lies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.hardware import BackendState
from app.core.options import Loading, Sampling
from app.core.role import Role
from app.core.stopping import StopFlag
from app.engine import drivers, host
from app.engine.base import Delta, Request, Turn
from app.engine.devices import BACKEND_PATH
from app.engine.probe import probe
from tests.engine.build_vulkan import PLACE
from tests.engine.gguf_writer import lora_adapter

BACKEND = Path(os.environ.get("ORCINUS_TEST_VULKAN") or PLACE)
TURNS = [Turn(Role.USER, "Write a list of fruits.")]


def _why_not() -> str:
    if not BACKEND.is_file():
        return f"there is no Vulkan backend at {BACKEND}: see tests/engine/build_vulkan.py"
    return "" if _devices() else "Vulkan offers no device here, not even a software one"


def _devices() -> list[str]:
    """What Vulkan offers, asked in a process of its own."""
    ask = "import json; from app.engine.drivers import vulkan_devices; print(json.dumps(vulkan_devices()))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=300, check=False)
    return [name for name, _ in json.loads(done.stdout)] if done.returncode == 0 else []


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "it runs")


@pytest.fixture
def vulkan(monkeypatch):
    """Processes that are started find the backend, and take a software device."""
    monkeypatch.setenv(BACKEND_PATH, str(BACKEND))
    monkeypatch.setenv("GGML_VK_VISIBLE_DEVICES", "0")


@pytest.fixture
def opened():
    engines = []

    def make(path, **loading):
        engine = host.load(str(path), Loading(**loading), StopFlag())
        assert engine is not None
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()


def say(engine) -> str:
    request = Request(engine.render(TURNS).tokens, Sampling(temperature=0, max_tokens=6))
    return "".join(event.text for event in engine.stream(request, StopFlag()) if isinstance(event, Delta))


def test_the_device_is_found_with_its_memory(vulkan):
    found = probe()
    assert found.trouble == ""
    gpu = found.gpus()[0]
    assert gpu.backend == "Vulkan"
    assert gpu.total_bytes >= gpu.free_bytes > 0
    backend = next(backend for backend in found.backends if backend.name == "Vulkan")
    assert backend.state is BackendState.READY
    assert gpu.title in backend.reason
    assert found.advice == ""


def test_a_software_device_is_refused_as_users_have_it(vulkan, monkeypatch):
    monkeypatch.delenv("GGML_VK_VISIBLE_DEVICES")
    if any(kind != 4 for _, kind in drivers.vulkan_devices()):
        pytest.skip("there is a GPU here")
    found = probe()
    assert not found.gpus()
    backend = next(backend for backend in found.backends if backend.name == "Vulkan")
    assert backend.state is BackendState.REFUSED
    assert "slow software renderer" in backend.reason


def test_auto_puts_all_layers_on_the_device_and_the_answer_is_the_same(vulkan, opened, starter):
    there, here = opened(starter), opened(starter, gpu_layers=0)
    where = there.facts.placement
    assert where.gpu_layers == there.facts.gpu_layers == there.facts.n_layers + 1
    assert where.why_cpu == ""
    gpu = where.on("Vulkan0")
    assert gpu.weights > 0.5 * starter.stat().st_size
    assert gpu.context > 0
    assert gpu.work > 0
    assert here.facts.gpu_layers == 0
    assert [part.device for part in here.facts.placement.placed] == ["CPU"], "0 keeps the model off the GPU"
    assert say(there) == say(here)


def test_some_layers_go_there_and_the_rest_stays(vulkan, opened, starter):
    where = opened(starter, gpu_layers=3).facts.placement
    assert where.gpu_layers == 3
    assert where.on("Vulkan0").weights > 0
    assert where.on("CPU").context > 0, "the KV cache lies with its layers"
    assert where.on("Vulkan0").context > 0


def test_a_quantised_cache_and_an_adapter_lie_there_too(vulkan, opened, starter, tmp_path):
    """Nothing is said with them: a software device takes minutes to compile what that needs."""
    adapter = lora_adapter(tmp_path / "pirate.gguf", starter)
    plain = opened(starter).facts.placement.on("Vulkan0")
    changed = opened(starter, kv_type="q8_0", adapters=(f"1 {adapter}",)).facts.placement
    assert changed.kv_type == "q8_0"
    assert changed.on("Vulkan0").context < 0.6 * plain.context
    assert changed.on("Vulkan0").weights > plain.weights
