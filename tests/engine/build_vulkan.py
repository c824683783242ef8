"""Builds ggml's Vulkan backend as a library of its own, for test_vulkan.py; takes a few minutes.

    pip download --no-deps --no-binary llama-cpp-python llama-cpp-python==0.3.36
    tar xzf llama_cpp_python-0.3.36.tar.gz
    python tests/engine/build_vulkan.py llama_cpp_python-0.3.36

Needs cmake, ninja, a C++ compiler, glslc, the Vulkan loader, Vulkan headers of 1.3.275 or later and SPIRV-Headers.
Where those of the system are older, give newer ones that lie under another prefix: `--headers /path/usr`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

NAME = "libggml-vulkan.so"
PLACE = Path.home() / ".cache" / "orcinus-tests" / NAME
"""Where the test looks for it, unless ORCINUS_TEST_VULKAN says otherwise."""


def build(source: Path, headers: Path | None, jobs: int, target: Path) -> None:
    """Build from the unpacked source package of llama-cpp-python that is installed: both must be of one version."""
    ggml = source / "vendor" / "llama.cpp" / "ggml"
    (ggml / "ggml.pc.in").touch()  # the source package leaves it out, and cmake wants it
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "BUILD_SHARED_LIBS": "ON",
        "GGML_BACKEND_DL": "ON",
        "GGML_BUILD_TESTS": "OFF",
        "GGML_BUILD_EXAMPLES": "OFF",
        "GGML_CPU": "OFF",
        "GGML_NATIVE": "OFF",
        "GGML_CCACHE": "OFF",
        "GGML_VULKAN": "ON",
    }
    if headers is not None:
        options |= {"Vulkan_INCLUDE_DIR": str(headers / "include"), "CMAKE_PREFIX_PATH": str(headers)}
    with tempfile.TemporaryDirectory(prefix="orcinus-vulkan-") as folder:
        given = [f"-D{key}={value}" for key, value in options.items()]
        subprocess.run(["cmake", "-S", str(ggml), "-B", folder, "-G", "Ninja", *given], check=True)
        subprocess.run(["cmake", "--build", folder, "--target", "ggml-vulkan", "-j", str(jobs)], check=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(Path(folder).rglob(NAME)), target)


def main() -> None:
    """Read the arguments and build."""
    parser = argparse.ArgumentParser(description="Build ggml's Vulkan backend for the tests.")
    parser.add_argument("source", type=Path, help="the unpacked source package of llama-cpp-python")
    parser.add_argument("--headers", type=Path, help="a prefix with newer Vulkan headers and SPIRV-Headers")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--target", type=Path, default=PLACE, help=f"where it goes ({PLACE})")
    asked = parser.parse_args()
    build(asked.source, asked.headers, asked.jobs, asked.target)


if __name__ == "__main__":
    main()
