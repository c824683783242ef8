"""The Python that a bundle is made from: an environment of its own, with native parts compiled for every machine.

llama.cpp is built with one library per kind of processor and per GPU, of which the program opens the ones that fit
where it runs. numpy is built without OpenBLAS, 25 MB that the program's small matrices do not need.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import vulkan
from product import BUILD, HERE, ROOT, SYSTEM, project

GPUS = ("vulkan", "cuda", "none")

_FOR_ALL_MACHINES = [
    "-DGGML_NATIVE=OFF",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    "-DLLAVA_BUILD=OFF",
]
_NUMPY_OPTIONS = ["-Dallow-noblas=true", "-Dblas=none", "-Dlapack=none"]

_CONSTRAINTS = (HERE / "constraints.txt", HERE / "constraints-installers.txt")

_ENGINE_MODULE = '''"""llama.cpp through the low-level module alone: the rest of the package is not in this bundle."""

__version__ = "{version}"
'''


def make(gpu: str, headers: Path | None = None) -> Path:
    """Set up the environment, unless it is there already; returns its Python.

    Args:
        gpu: one of GPUS: "vulkan" is in the usual download (Metal on macOS), "cuda" has both, "none" the processor.
        headers: a prefix with Vulkan's and SPIR-V's headers; without it they are found or fetched.
    """
    _check_interpreter()
    folder = BUILD / "environment"
    python = folder / ("Scripts/python.exe" if SYSTEM == "windows" else "bin/python")
    stamp = folder / "orcinus.txt"
    wanted = _fingerprint(gpu)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print("Setting up an environment for the bundle ...", flush=True)
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    wheels = [_llama_wheel(python, gpu, headers), _numpy_wheel(python)]
    requirements = [*_dependencies(), "pyinstaller", "pyinstaller-hooks-contrib"]
    _pip(python, "install", "--quiet", *_constraints(), *map(str, wheels), *requirements)
    _leave_the_low_level(python)
    stamp.write_text(wanted)
    return python


def site_packages(python: Path) -> Path:
    """Where the environment keeps its packages."""
    code = "import sysconfig; print(sysconfig.get_path('platlib'))"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def cmake_options(gpu: str, headers: Path | None) -> list[str]:
    """How llama.cpp is built for machines that are not known yet."""
    options = list(_FOR_ALL_MACHINES)
    if SYSTEM == "macos":
        options += ["-DGGML_METAL=ON", "-DGGML_METAL_EMBED_LIBRARY=ON"]
    elif gpu != "none":
        options.append("-DGGML_VULKAN=ON")
        if headers is not None:
            options += [f"-DVulkan_INCLUDE_DIR={headers / 'include'}", f"-DCMAKE_PREFIX_PATH={headers}"]
    if gpu == "cuda":
        options.append("-DGGML_CUDA=ON")
    if SYSTEM == "linux":
        # names for a debugger, which nobody needs on a desktop
        options += ["-DCMAKE_SHARED_LINKER_FLAGS=-s", "-DCMAKE_MODULE_LINKER_FLAGS=-s"]
    return options


def _check_interpreter() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise SystemExit(f"A bundle is made with Python 3.11, 3.12 or 3.13; this is {platform.python_version()}.")
    if SYSTEM == "linux" and not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = sysconfig.get_config_var("INSTSONAME") or ""
        if not any(Path(str(sysconfig.get_config_var("LIBDIR"))).rglob(f"{library.removesuffix('.a')}*.so*")):
            raise SystemExit(
                "This Python has no shared library of itself, which a bundle needs. Use the system's Python with its "
                "development package (python3-dev), or one built with --enable-shared."
            )


def _llama_wheel(python: Path, gpu: str, headers: Path | None) -> Path:
    requirement = next(name for name in _dependencies() if name.startswith("llama-cpp-python"))
    if headers is None and SYSTEM == "linux" and gpu != "none":
        headers = vulkan.headers()
    options = cmake_options(gpu, headers)
    folder = BUILD / "wheels" / f"llama-{_hash(requirement, *options, platform.python_version())}"
    if not (found := list(folder.glob("*.whl"))):
        print("Compiling llama.cpp for all machines, which takes ten minutes or more ...", flush=True)
        asked = [*shlex.split(os.environ.get("CMAKE_ARGS", "")), *options]
        _wheel(python, folder, requirement, environment={"CMAKE_ARGS": shlex.join(asked)})
        found = list(folder.glob("*.whl"))
    return found[0]


def _numpy_wheel(python: Path) -> Path:
    folder = BUILD / "wheels" / f"numpy-{_hash(*_NUMPY_OPTIONS, _pinned('numpy'), platform.python_version())}"
    if not (found := list(folder.glob("*.whl"))):
        print("Compiling numpy without OpenBLAS, which takes some minutes ...", flush=True)
        _wheel(python, folder, "numpy", *(f"--config-settings=setup-args={option}" for option in _NUMPY_OPTIONS))
        found = list(folder.glob("*.whl"))
    return found[0]


def _wheel(
    python: Path, folder: Path, requirement: str, *options: str, environment: dict[str, str] | None = None
) -> None:
    name = requirement.split("=")[0]
    # pip keeps a wheel by its version alone, and one of other options may lie in its cache
    source = ["--wheel-dir", str(folder), "--no-deps", "--no-cache-dir", "--no-binary", name]
    _pip(python, "wheel", *source, *_constraints(), *options, requirement, environment=environment)


def _leave_the_low_level(python: Path) -> None:
    """Keep of llama-cpp-python what is used: its front half imports a cache that pickles, a server and numpy."""
    package = site_packages(python) / "llama_cpp"
    version = _pinned("llama_cpp_python")
    (package / "__init__.py").write_text(_ENGINE_MODULE.format(version=version), encoding="utf-8")


def _dependencies() -> list[str]:
    names = project()["dependencies"]
    assert isinstance(names, list)
    return [str(name) for name in names]


def _constraints() -> list[str]:
    return [word for file in _CONSTRAINTS for word in ("-c", str(file))]


def _pinned(name: str) -> str:
    lines = _CONSTRAINTS[0].read_text("utf-8").splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(f"{name}=="))


def _fingerprint(gpu: str) -> str:
    files = [ROOT / "pyproject.toml", *_CONSTRAINTS, Path(__file__)]
    return _hash(gpu, platform.python_version(), *(file.read_text("utf-8") for file in files))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _pip(python: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})})
    if done.returncode:
        raise SystemExit(done.returncode)
