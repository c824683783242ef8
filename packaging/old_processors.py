"""Runs the engine of a bundle on processors that lack what newer ones have, as qemu plays them.

    python3 packaging/old_processors.py

For Linux on x86-64, with qemu-user, after a bundle was made here. Each processor has to find a build of llama.cpp that
it can run, and to answer with it. A bundle restarts itself and starts a process for the engine, and qemu would not
follow there: so it is the environment's own Python that runs, with the very libraries that lie in the bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import bundle
import product

_PROCESSORS = {
    "Nehalem": ("sse42", "x64"),
    "SandyBridge": ("sandybridge",),
    "IvyBridge": ("ivybridge",),
    "Haswell": ("haswell",),
}
"""What each may choose. The first, of 2008, is the oldest that Qt runs on; qemu plays none with AVX-512."""
_LIMIT_S = 300


def main() -> None:
    """Try all of them, and end with a sentence at the first that does not work."""
    python = product.BUILD / "environment" / "bin" / "python"
    folder = bundle.inside_of(product.bundle_folder()) / "llama_cpp" / "lib"
    if not python.exists() or not folder.is_dir():
        raise SystemExit("There is no bundle here; python3 packaging/dev.py installers makes one.")
    expect_the_same(folder, python)
    for name, builds in _PROCESSORS.items():
        found = json.loads(under_qemu(name, python, "--hardware"))
        words = next(backend["reason"] for backend in found["backends"] if backend["name"] == "CPU")
        if not any(f"for {build} was chosen" in words for build in builds):
            raise SystemExit(f"{name}: {words}")
        starter = product.ROOT / "resources" / "starter" / "starter.gguf"
        small = ["-p", "32", "-n", "8", "-r", "1", "--in-thread", "--json"]
        under_qemu(name, python, "bench", str(starter), *small)
        print(f"  ok  {name}: {words} It reads and writes.", flush=True)


def under_qemu(processor: str, python: Path, *words: str) -> str:
    """What the program prints on this processor.

    Raises:
        SystemExit: it failed, as with an instruction that the processor does not have.
    """
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "ORCINUS_HOME": home, "PYTHONPATH": str(product.ROOT)}
        command = ["qemu-x86_64", "-cpu", processor, str(python), "-m", "app", *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode:
        raise SystemExit(f"{processor}: code {done.returncode}\n{done.stdout[-800:]}\n{done.stderr[-2000:]}")
    return done.stdout


def expect_the_same(folder: Path, python: Path) -> None:
    """What is tried here is what the bundle holds.

    Raises:
        SystemExit: a library of the bundle is not in the environment.
    """
    packages = Path(subprocess.check_output([python, "-c", "import llama_cpp; print(*llama_cpp.__path__)"], text=True))
    site = Path(str(packages).strip()).parent
    known = {_digest(file) for part in ("llama_cpp/lib", "bin", "lib") for file in (site / part).glob("*.so*")}
    strange = [file.name for file in folder.iterdir() if _digest(file) not in known]
    if strange:
        raise SystemExit(f"The environment does not have the bundle's {', '.join(strange)}.")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    if sys.platform != "linux":
        raise SystemExit("qemu plays processors on Linux.")
    main()
