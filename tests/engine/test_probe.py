"""Looking at the hardware in a process of its own: what it finds, and what becomes of one that dies or hangs."""

from __future__ import annotations

import dataclasses
import json
import sys

import pytest

from app.core.devices import Device, DeviceKind, offload_devices
from app.core.hardware import Backend, BackendState, Hardware, from_plain
from app.core.hardware_words import hardware_lines, instruction_words
from app.core.placement import Placed, Placement
from app.engine import drivers, survey
from app.engine.devices import library
from app.engine.probe import Probe, probe

GB = 10**9


def script(tmp_path, text: str) -> list[str]:
    path = tmp_path / "looks.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_the_process_finds_what_llama_cpp_finds():
    found = probe()
    assert found.trouble == ""
    assert found.devices == library().devices() or len(found.devices) == len(library().devices())
    assert [backend.name for backend in found.backends][:1] == ["CPU"]
    assert found.backends[0].state is BackendState.READY
    assert found.instructions == survey.instructions(found.system_info)
    assert found.cpu
    assert found.memory_total_bytes
    assert found.looked_at > 0


@pytest.mark.skipif(sys.platform == "win32", reason="it dies of a signal")
def test_a_driver_that_crashes_costs_the_process_and_is_told(tmp_path, caplog):
    crash = "import os, signal, sys; sys.stderr.write('libbad.so: boom'); sys.stderr.flush(); os.kill(os.getpid(), 11)"
    found = probe(script(tmp_path, crash))
    assert "ended the process" in found.trouble
    assert "-11" in found.trouble
    assert found.backends[0].state is BackendState.REFUSED
    assert found.cores >= 1
    assert found.memory_total_bytes
    assert "libbad.so: boom" in caplog.text


def test_a_driver_that_hangs_is_given_up(tmp_path):
    found = probe(script(tmp_path, "import time; time.sleep(600)"), limit_s=0.5)
    assert "did not answer" in found.trouble
    assert not found.devices


@pytest.mark.parametrize("said", ["", "nonsense", "[]", '{"cpu": "x"}', '{"devices": [{}], "backends": []}'])
def test_an_answer_that_is_none_is_told(tmp_path, said):
    found = probe(script(tmp_path, f"print({said!r})"))
    assert "could not be understood" in found.trouble


def test_what_a_driver_prints_does_not_spoil_the_answer(tmp_path):
    noisy = "import os; from app.engine import survey; real = survey.survey\n"
    noisy += "def survey_loudly():\n    os.write(1, b'driver says hello'); print('and so'); return real()\n"
    noisy += "survey.survey = survey_loudly; raise SystemExit(survey.main())"
    assert probe(script(tmp_path, noisy)).trouble == ""


def test_a_program_that_is_not_there_is_told(tmp_path):
    assert "No process could be started" in probe([str(tmp_path / "gone")]).trouble


def test_what_was_found_survives_json():
    gpu = Device("CUDA0", "RTX", DeviceKind.GPU, "CUDA", 7 * GB, 8 * GB, "0000:01:00.0")
    found = Hardware("Ryzen", 8, 16, ("AVX2",), 9 * GB, 16 * GB, (gpu,), (), "CPU : AVX2 = 1", 12.5)
    assert from_plain(json.loads(json.dumps(dataclasses.asdict(found)))) == found


def test_devices_are_looked_for_once_and_free_memory_every_time():
    looks: list[int] = []

    def look() -> Hardware:
        looks.append(1)
        return Hardware("Ryzen", 8, 16)

    once = Probe(look=look)
    assert once.look().hardware is once.look().hardware
    assert once.look().free_bytes
    assert once.machine().cores == 8
    assert len(looks) == 1
    once.look(again=True)
    assert len(looks) == 2


def test_what_the_loaded_model_has_is_there_for_the_next_one():
    gpu = Device("CUDA0", "RTX", DeviceKind.GPU, "CUDA", 2 * GB, 8 * GB)
    held = Placement(20, placed=(Placed("CUDA0", 4 * GB, GB, GB), Placed("CPU", GB, GB, GB, GB)))
    loaded = Probe(lambda: held, lambda: Hardware("Ryzen", 8, 16, devices=(gpu,)))
    empty = Probe(look=lambda: Hardware("Ryzen", 8, 16, devices=(gpu,)))
    assert loaded.machine().gpus[0].free_bytes == 8 * GB
    assert empty.machine().gpus[0].free_bytes == 2 * GB
    more = loaded.machine().free_bytes - empty.machine().free_bytes
    assert abs(more - 2 * GB) < GB // 2, "a mapped file was free before"


def test_layers_go_to_integrated_gpus_only_where_there_is_no_other():
    cpu = Device("CPU", "Ryzen", DeviceKind.CPU, "CPU")
    card = Device("CUDA0", "RTX", DeviceKind.GPU, "CUDA", id="0000:01:00.0")
    again = Device("Vulkan0", "RTX", DeviceKind.GPU, "Vulkan", id="0000:01:00.0")
    inside = Device("Vulkan1", "Radeon 780M", DeviceKind.INTEGRATED, "Vulkan")
    other = Device("SYCL0", "Radeon 780M", DeviceKind.INTEGRATED, "SYCL")
    assert offload_devices([cpu, card, again, inside]) == (card,)
    assert offload_devices([cpu, inside, other]) == (inside,)
    assert offload_devices([cpu]) == ()
    assert inside.unified
    assert not card.unified


def test_memory_that_is_the_computers_own_is_told_to_the_plan():
    inside = Device("Vulkan0", "Radeon 780M", DeviceKind.INTEGRATED, "Vulkan", 9 * GB, 12 * GB)
    metal = Device("MTL0", "Apple M3", DeviceKind.GPU, "MTL", 9 * GB, 12 * GB)
    for device in (inside, metal):
        machine = Hardware("x", 8, 8, devices=(device,)).machine(10 * GB)
        assert machine.gpus[0].unified
        assert machine.gpu_free_bytes == 9 * GB


def test_instruction_sets_are_read_from_llama_cpps_own_words():
    said = "CUDA : ARCHS = 890 | USE_GRAPHS = 1 | CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 0 | FMA = 1 | OPENMP = 1 |"
    assert survey.instructions(said) == ("SSE3", "AVX2", "FMA")
    assert instruction_words(Hardware("x", 1, 1, ("SSE3", "AVX2", "AVX512"))) == "AVX2, AVX-512"
    assert instruction_words(Hardware("x", 1, 1, ("SSE3",))) == "SSE3"


def test_a_backend_whose_library_cannot_be_opened_says_what_is_missing(tmp_path):
    (tmp_path / "libggml-cuda.so").write_bytes(b"no library")
    found = survey._not_opened("CUDA", tmp_path)
    assert found.state is BackendState.REFUSED
    assert "cannot be opened" in found.reason
    assert str(tmp_path) in found.reason


def test_a_backend_that_is_not_built_in_is_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(drivers, "gpu_of", lambda _backend: "")
    assert survey._not_opened("CUDA", tmp_path).state is BackendState.ABSENT
    monkeypatch.setattr(drivers, "gpu_of", lambda _backend: "NVIDIA’s driver")
    assert "NVIDIA’s driver is there" in survey._not_opened("CUDA", None).reason


def test_a_vulkan_that_has_only_software_says_so(monkeypatch):
    monkeypatch.setattr(drivers, "_driver", lambda _backend: True)
    monkeypatch.setattr(drivers, "vulkan_devices", lambda: (("llvmpipe (LLVM 15)", 4),))
    assert "slow software renderer answered (llvmpipe" in drivers.why_no_device("Vulkan")
    assert drivers.gpu_of("Vulkan") == ""
    monkeypatch.setattr(drivers, "vulkan_devices", lambda: (("llvmpipe", 4), ("Radeon", 2)))
    assert drivers.gpu_of("Vulkan") == "Radeon"
    monkeypatch.setattr(drivers, "_driver", lambda _backend: False)
    assert "the Vulkan loader was not found" in drivers.why_no_device("Vulkan")


def test_how_to_get_a_gpu_build_is_told_where_no_gpu_can_be_used():
    advice = probe().advice
    usable = bool(library().gpus())
    assert usable or sys.platform == "darwin" or "packaging/dev.py --gpu" in advice


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has Metal")
def test_a_bundled_program_names_the_download_for_nvidia_and_no_command_of_the_source(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    absent = [Backend("CUDA", BackendState.ABSENT, ""), Backend("Vulkan", BackendState.REFUSED, "")]
    monkeypatch.setattr(drivers, "gpu_of", lambda backend: "NVIDIA’s driver" if backend == "CUDA" else "")
    assert "download" in survey._advice(absent)
    monkeypatch.setattr(drivers, "gpu_of", lambda _backend: "")
    assert survey._advice(absent) == ""


def test_the_report_names_every_device_and_reason():
    gpu = Device("CUDA0", "RTX 4060", DeviceKind.GPU, "CUDA", 7 << 30, 8 << 30)
    lines = "\n".join(hardware_lines(Hardware("Ryzen", 8, 16, ("AVX2",), 9 << 30, 16 << 30, (gpu,))))
    assert "CUDA CUDA0: RTX 4060, 7.0 of 8.0 GiB free" in lines
    assert "Memory: 9.0 GiB of 16.0 GiB free" in lines


def test_why_a_backend_cannot_be_opened_is_told_in_the_systems_words(monkeypatch):
    def bundled(path):
        raise OSError(f"Failed to load {path!r}. Most likely it was not found when frozen.") from OSError(
            "libvulkan.so.1: cannot open shared object file"
        )

    monkeypatch.setattr(drivers.ctypes, "CDLL", bundled)
    monkeypatch.setattr(drivers, "_driver", lambda _backend: True)
    assert drivers.why_not_opened("Vulkan", "x.so") == "Its library is there but cannot be opened: libvulkan.so.1."
