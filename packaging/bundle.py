"""Makes the bundle: one folder with the whole program, a Python and all it needs, for this system.

    python3 packaging/bundle.py [--gpu vulkan|cuda|none] [--headers PREFIX]

It comes to lie in `dist`, and everything in the making in `build/installers`. `--headers` names a prefix with
Vulkan's and SPIR-V's headers; without it the system's are taken, or on Debian and its kin newer ones are fetched.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import stat
import subprocess
from collections import defaultdict
from pathlib import Path

import environment
import product

_COUNTED_BYTES = 100_000
"""Files below this may lie somewhere twice."""
_NEEDED_FILES = (
    "resources/starter/starter.gguf",
    "resources/catalog.toml",
    "resources/prompts.toml",
    "py3langid/data/model.npz.xz",
    "latex2mathml/unimathsymbols.txt",
)
_PARTS = {
    "Qt": ("PySide6", "shiboken6", "libQt6"),
    "llama.cpp": ("llama_cpp",),
    "numpy": ("numpy",),
    "cryptography": ("cryptography",),
    "fonts and the starter model": ("resources",),
    "licences": ("licences", "sbom"),
}


def main() -> None:
    """Read the arguments, make the bundle and say what takes the space in it."""
    parser = argparse.ArgumentParser(description="Make the folder that holds the whole program.")
    add_arguments(parser)
    asked = parser.parse_args()
    make(asked.gpu, asked.headers)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What making a bundle can be told."""
    parser.add_argument("--gpu", choices=environment.GPUS, default="vulkan", help="vulkan: the usual download")
    parser.add_argument("--headers", type=Path, help="a prefix with Vulkan's and SPIR-V's headers")


def make(gpu: str, headers: Path | None) -> Path:
    """Make the bundle and check it; returns its folder."""
    python = environment.make(gpu, headers)
    product.BUILD.mkdir(parents=True, exist_ok=True)
    site = environment.site_packages(python)
    (product.BUILD / "site-packages.txt").write_text(str(site), encoding="utf-8")
    _run(python, product.HERE / "icons.py", product.BUILD / "icons")
    if product.SYSTEM == "windows":
        (product.BUILD / "version.txt").write_text(_windows_version(), encoding="utf-8")
    work = ["--workpath", str(product.BUILD / "work"), "--distpath", str(product.DIST)]
    _run(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *work, product.HERE / "orcinus.spec")
    folder = product.bundle_folder()
    inside = inside_of(folder)
    _strip(inside)
    _run(python, product.HERE / "licences.py", inside)
    _settle_permissions(folder)
    check(folder)
    print(table(folder), flush=True)
    return folder


def inside_of(bundle: Path) -> Path:
    """The folder with the libraries."""
    if product.SYSTEM == "macos":
        return bundle / "Contents" / "Frameworks"
    return bundle / "_internal"


def check(bundle: Path) -> None:
    """Look whether all is there, and each thing once.

    Raises:
        SystemExit: something is missing or there twice.
    """
    inside = inside_of(bundle)
    engine = inside / "llama_cpp" / "lib"
    wanted = ["*llama.*", "*ggml.*", "*ggml-base.*", "*ggml-cpu-*"]
    missing = [pattern for pattern in wanted if not any(engine.glob(pattern))]
    roots = (inside, bundle / "Contents" / "Resources")
    missing += [place for place in _NEEDED_FILES if not any((root / place).exists() for root in roots)]
    if not product.program_file(bundle).is_file():
        missing.append(product.program_file(bundle).name)
    if missing:
        raise SystemExit(f"The bundle lacks {', '.join(missing)}.")
    by_content: dict[str, list[str]] = defaultdict(list)
    for file in files(bundle):
        if file.stat().st_size > _COUNTED_BYTES:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            by_content[digest].append(str(file.relative_to(bundle)))
    twice = [" = ".join(names) for names in by_content.values() if len(names) > 1 and not _is_licence(names[0])]
    if twice:
        raise SystemExit("The bundle holds the same file more than once: " + "; ".join(twice))


def files(bundle: Path) -> list[Path]:
    """All files that take space, in order: no links."""
    return sorted(file for file in bundle.rglob("*") if file.is_file() and not file.is_symlink())


def table(bundle: Path) -> str:
    """What takes the space, the largest first."""
    inside = inside_of(bundle)
    sizes: dict[str, int] = defaultdict(int)
    for file in files(bundle):
        place = file.relative_to(inside).as_posix() if file.is_relative_to(inside) else file.name
        part = next((part for part, starts in _PARTS.items() if place.startswith(starts)), "")
        if not part:
            part = f"program ({file.name})" if "/" not in place and file.parent == bundle else "Python and packages"
        sizes[part] += file.stat().st_size
    lines = [f"{size / 1e6:8.1f} MB  {part}" for part, size in sorted(sizes.items(), key=lambda pair: -pair[1])]
    return "\n".join([f"{bundle}: {sum(sizes.values()) / 1e6:.1f} MB in {len(files(bundle))} files", *lines])


def _strip(inside: Path) -> None:
    """Take a debugger's names out of Python's own libraries, where they are 15 MB.

    Nothing else is touched: Qt's and numpy's libraries were changed after linking, and `strip` would break them.
    """
    if product.SYSTEM != "linux" or not shutil.which("strip"):
        return
    own = [*inside.glob("libpython3*.so*"), *inside.rglob("lib-dynload/*.so")]
    for file in own:
        if not file.is_symlink():
            file.chmod(file.stat().st_mode | stat.S_IWUSR)
            subprocess.run(["strip", "--strip-unneeded", str(file)], check=True)


def _settle_permissions(bundle: Path) -> None:
    """Programs and libraries can be run and read by all, other files read, and nothing written by others."""
    if os.name == "nt":
        return
    programs = {product.program_file(bundle)}
    for path in [bundle, *bundle.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def _is_licence(name: str) -> bool:
    return "/licences/" in name.replace("\\", "/")


def _windows_version() -> str:
    numbers = (*(int(part) for part in product.version().split(".")[:3]), 0)
    texts = {
        "CompanyName": "The Orcinus authors",
        "FileDescription": product.NAME,
        "FileVersion": product.version(),
        "InternalName": product.PROGRAM,
        "LegalCopyright": "The Orcinus authors, Apache-2.0",
        "ProductName": product.NAME,
        "ProductVersion": product.version(),
    }
    strings = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in texts.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}),"
        f" kids=[StringFileInfo([StringTable('040904B0', [{strings}])]),"
        " VarFileInfo([VarStruct('Translation', [1033, 1200])])])"
    )


def _run(python: Path, *arguments: str | Path) -> None:
    # Qt draws the icons without a display
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(product.ROOT)}
    done = subprocess.run([str(python), *map(str, arguments)], cwd=product.ROOT, env=environ)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
