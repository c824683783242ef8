"""One word per task, on every system: sets up what the task needs, then does it.

    python3 packaging/dev.py run [ARGUMENTS OF ORCINUS]    open the window; without a display, chat in the terminal
    python3 packaging/dev.py test [ARGUMENTS OF PYTEST]    the whole suite
    python3 packaging/dev.py lint | types | check          style; types; style, types and the suite
    python3 packaging/dev.py bench [NAME]                  the measurements in tests/benchmarks
    python3 packaging/dev.py setup                         only set up
    python3 packaging/dev.py installers [--gpu cuda]       what people download for this system, in dist
    python3 packaging/dev.py smoke [PROGRAM]               try the built program as a person would

`--gpu cuda|vulkan|metal|cpu` before the word builds llama.cpp for that backend (kept until another is asked for).
Needs Python 3.11 to 3.13 and, to build llama.cpp once (about five minutes on two cores), a C++ compiler.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "orcinus-setup.txt"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

QT_LIBRARIES = (
    "libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1 "
    "libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1 libx11-xcb1"
).split()
"""Debian's names of what the Qt wheel expects of the system."""
WINDOW_TESTS = ["xvfb", "openbox", "xdotool"]
"""For the stories played in a real window."""
VULKAN_BUILD = ["glslc", "libvulkan-dev"]
"""The compiler of shaders and the loader to link with, for installers alone."""
BUILD_TOOLS = ["build-essential", "cmake", "python3-venv"]

BACKENDS = {"cpu": "", "cuda": "-DGGML_CUDA=on", "vulkan": "-DGGML_VULKAN=on", "metal": "-DGGML_METAL=on"}


def main(arguments: Sequence[str]) -> int:
    """Do one task; returns its exit code."""
    words = list(arguments)
    gpu = ""
    if words[:1] == ["--gpu"]:
        gpu, words = (words[1] if len(words) > 1 else ""), words[2:]
        if gpu not in BACKENDS:
            print(f"--gpu takes one of {', '.join(BACKENDS)}.")
            return 2
    word, rest = (words[0], words[1:]) if words else ("", [])
    if word not in TASKS:
        print(__doc__)
        return 0 if word in {"", "help", "--help", "-h"} else 2
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        print(f"Orcinus needs Python 3.11, 3.12 or 3.13; this is {platform.python_version()}.")
        return 2
    if word not in WITH_AN_ENVIRONMENT_OF_THEIR_OWN:
        set_up(gpu, for_tests=word not in {"run", "setup"})
    return TASKS[word](rest)


def set_up(gpu: str, *, for_tests: bool) -> None:
    """Install what is missing: system libraries (Debian, with the right to), a virtual environment, the packages."""
    install_system_libraries([*QT_LIBRARIES, *(WINDOW_TESTS if for_tests else [])])
    before = STAMP.read_text().split("\n") if STAMP.exists() else ["", "", ""]
    gpu = gpu or (before[1] if len(before) > 1 and before[1] else default_backend())
    extras = "dev" if for_tests or before[2:3] == ["dev"] else ""
    wanted = [fingerprint(), gpu, extras]
    if before == wanted and PYTHON.exists():
        return
    if not PYTHON.exists():
        print("Setting up a virtual environment in .venv ...", flush=True)
        run([sys.executable, "-m", "venv", str(VENV)])
    print("Installing the packages; llama.cpp is compiled once, which takes about five minutes ...", flush=True)
    cmake = " ".join(part for part in ("-DLLAVA_BUILD=OFF", BACKENDS[gpu], os.environ.get("CMAKE_ARGS", "")) if part)
    environment = {"CMAKE_ARGS": cmake}
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    constraints = ["-c", str(ROOT / "packaging" / "constraints.txt")]
    if len(before) > 1 and before[1] and before[1] != gpu:
        # pip caches a built wheel by its version alone, so another backend must go past the cache
        llama = next(name for name in dependencies() if name.startswith("llama-cpp-python"))
        run([*pip, "--no-cache-dir", "--force-reinstall", "--no-deps", llama], environment)
    run([*pip, *constraints, "-e", f"{ROOT}[{extras}]" if extras else str(ROOT)], environment)
    STAMP.write_text("\n".join(wanted))


def default_backend() -> str:
    """Metal on a Mac with Apple silicon, else the CPU."""
    return "metal" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "cpu"


def fingerprint() -> str:
    """Changes when the packages to install change."""
    files = [ROOT / "pyproject.toml", ROOT / "packaging" / "constraints.txt"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def dependencies() -> list[str]:
    """The packages that pyproject.toml asks for."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["project"]["dependencies"])


def install_system_libraries(libraries: Sequence[str]) -> None:
    """On Debian and its kin, install the libraries that are missing, or say which they are."""
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        return
    tools = [tool for tool in BUILD_TOOLS if not (tool == "cmake" and shutil.which("cmake"))]
    tools = [tool for tool in tools if not (tool == "build-essential" and shutil.which("g++"))]
    tools = [tool for tool in tools if not (tool == "python3-venv" and has_ensurepip())]
    missing = [name for name in [*libraries, *tools] if not is_installed(name)]
    if not missing:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (not shutil.which("sudo") or subprocess.run([*prefix, "true"], capture_output=True).returncode):
        print("These system packages are missing and there is no right to install them here. Please run:")
        print("  sudo apt-get install " + " ".join(missing), flush=True)
        return
    print("Installing system packages: " + " ".join(missing), flush=True)
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if run(install, environment, check=False, quiet=True):
        run([*prefix, "apt-get", "update", "-qq"], environment, check=False, quiet=True)
        if run(install, environment, check=False, quiet=True):
            print("Some could not be installed; the window or its tests may not work without them.", flush=True)


def is_installed(package: str) -> bool:
    """Whether dpkg knows this package as installed."""
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    return subprocess.run(query, capture_output=True, text=True).stdout.startswith("install ok installed")


def has_ensurepip() -> bool:
    """Debian splits this part of Python off; without it no virtual environment can be made."""
    try:
        import ensurepip  # noqa: F401  (only whether it is there)
    except ImportError:
        return False
    return True


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, check: bool = True, quiet: bool = False
) -> int:
    """Run a command in the project's folder; with `check`, its failure ends this program with its exit code."""
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=output)
    if check and done.returncode:
        raise SystemExit(done.returncode)
    return done.returncode


def task_run(rest: Sequence[str]) -> int:
    """Start the app with the given arguments."""
    return run([str(PYTHON), "-m", "app", *rest], check=False)


def task_test(rest: Sequence[str]) -> int:
    """Run the suite offscreen, all of it on as many cores as there are."""
    # one more than there are cores: tests wait, too
    spread = [] if rest else ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
    return run([str(PYTHON), "-m", "pytest", *spread, *rest], check=False)


def task_lint(rest: Sequence[str]) -> int:
    """Check style and the import contracts."""
    codes = [
        run([str(PYTHON), "-m", "ruff", "check", *rest], check=False),
        run([str(PYTHON), "-m", "ruff", "format", "--check"], check=False),
        run([str(PYTHON.parent / "lint-imports"), "--no-cache"], check=False),
    ]
    return max(codes)


def task_types(rest: Sequence[str]) -> int:
    """Check types: strictly below ui."""
    return run([str(PYTHON), "-m", "mypy", *rest], check=False)


def task_check(rest: Sequence[str]) -> int:
    """All that must pass before a change lands."""
    return max(task_lint([]), task_types([]), task_test(rest))


def task_bench(rest: Sequence[str]) -> int:
    """Run the measurements; a name picks one."""
    folder = ROOT / "tests" / "benchmarks"
    names = rest[:1] or sorted(file.stem.removeprefix("bench_") for file in folder.glob("bench_*.py"))
    codes = [run([str(PYTHON), str(folder / f"bench_{name}.py"), *rest[1:]], check=False) for name in names]
    return max(codes, default=0)


def task_installers(rest: Sequence[str]) -> int:
    """Make what people download; the program's own environment stays as it is."""
    install_system_libraries([*QT_LIBRARIES, *([] if "none" in rest else VULKAN_BUILD), "binutils", "xz-utils"])
    return run([sys.executable, str(ROOT / "packaging" / "installers.py"), *rest], check=False)


def task_smoke(rest: Sequence[str]) -> int:
    """Try a program, by default the bundle that was made here."""
    sys.path.insert(0, str(ROOT / "packaging"))
    import product

    install_system_libraries([*QT_LIBRARIES, *WINDOW_TESTS])
    given = rest or [str(product.program_file(product.bundle_folder()))]
    return run([sys.executable, str(ROOT / "packaging" / "smoke.py"), *given], check=False)


def task_setup(rest: Sequence[str]) -> int:
    """Only set up."""
    del rest
    return 0


TASKS = {
    "run": task_run,
    "test": task_test,
    "lint": task_lint,
    "types": task_types,
    "check": task_check,
    "bench": task_bench,
    "setup": task_setup,
    "installers": task_installers,
    "smoke": task_smoke,
}
WITH_AN_ENVIRONMENT_OF_THEIR_OWN = {"installers", "smoke"}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
