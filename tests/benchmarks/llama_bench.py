"""llama-bench from the very llama.cpp that the app runs on: its source, linked against the installed library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

VERSION = version("llama-cpp-python")
CACHE = Path(tempfile.gettempdir()) / f"orcinus-llama-bench-{VERSION}"


def program() -> Path:
    """The program, built at the first call (ten seconds and a C++ compiler; the source comes through pip).

    `LLAMA_CPP_SOURCE` may name the source package or its unpacked folder instead.
    """
    built = CACHE / "llama-bench"
    if built.exists():
        return built
    CACHE.mkdir(parents=True, exist_ok=True)
    source, libraries = _source(), _libraries()
    tool = source / "tools" / "llama-bench"
    folders = [source / "include", source / "ggml" / "include", source / "common", source / "vendor", tool]
    names = ("llama-common", "llama", "ggml", "ggml-base", "ggml-cpu")
    found = [libraries / f"lib{name}.so" for name in names]
    subprocess.run(
        ["c++", "-O2", "-std=c++17", *(f"-I{folder}" for folder in folders), str(tool / "llama-bench.cpp"),
         str(tool / "main.cpp"), "-o", str(built), *map(str, filter(Path.exists, found)), f"-Wl,-rpath,{libraries}",
         "-lpthread"],
        check=True,
    )  # fmt: skip
    return built


def speeds(
    model: Path, n_prompt: int, n_gen: int, depth: int, threads: int, batch: int, kv_type: str, flash: str
) -> tuple:
    """Tokens per second of reading and of generating; one run of each after one that warms up."""
    command = [
        str(program()), "-m", str(model), "-p", str(n_prompt), "-n", str(n_gen), "-d", str(depth), "-t", str(threads),
        "-b", str(batch), "-ub", str(min(batch, 512)), "-ctk", kv_type, "-ctv", kv_type, "-fa", flash, "-ngl", "0",
        "-r", "2", "--no-warmup", "-o", "json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {(run["n_prompt"], run["n_gen"]): run["samples_ts"][-1] for run in json.loads(done.stdout)}
    return found.get((n_prompt, 0), 0.0), found.get((0, n_gen), 0.0)


def _source() -> Path:
    given = Path(os.environ.get("LLAMA_CPP_SOURCE", CACHE))
    unpacked = [found for found in (given, *given.glob("llama_cpp_python-*")) if (found / "vendor").is_dir()]
    if unpacked:
        return unpacked[0] / "vendor" / "llama.cpp"
    if not list(given.glob("*.tar.gz")):
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-binary",
            "llama-cpp-python",
            "-d",
            str(CACHE),
        ]
        subprocess.run([*pip, f"llama-cpp-python=={VERSION}"], check=True)
    package = given if given.is_file() else next(given.glob("*.tar.gz"))
    with tarfile.open(package) as archive:
        archive.extractall(CACHE, filter="data")
    return next(CACHE.glob("llama_cpp_python-*/")) / "vendor" / "llama.cpp"


def _libraries() -> Path:
    """Where the installed package keeps them."""
    package = Path(find_spec("llama_cpp").origin).parent
    return next(folder for folder in (package.parent / "lib", package / "lib") if (folder / "libllama.so").exists())
