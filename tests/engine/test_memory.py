"""What a machine has, as each system tells it."""

import struct

from app.engine import mac_memory, memory


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

    monkeypatch.setattr(mac_memory.subprocess, "run", run)
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


def test_windows_counts_cores_with_and_without_hyper_threads():
    """Entries as GetLogicalProcessorInformationEx writes them: a kind, its own length, then what differs by kind."""
    short, long = struct.pack("<II40x", 0, 48), struct.pack("<II56x", 0, 64)
    assert memory.cores_told(short * 6) == 6
    assert memory.cores_told(long + short + long) == 3
    assert memory.cores_told(short + struct.pack("<II40x", 1, 48)) == 1, "a NUMA node is no core"
    assert memory.cores_told(b"") == 0
    assert memory.cores_told(struct.pack("<II", 0, 0) * 4) == 0, "a length of nothing leads nowhere"
