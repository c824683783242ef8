"""Linux's installers, made of a finished bundle: a .deb, and a .run that needs no root and no package manager.

    python3 packaging/linux.py BUNDLE

The .run is a shell script with the program behind it. Both unpack to the same folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import product

_FILES = product.HERE / "linux"
_PROGRAM_PLACE = Path("usr/lib") / product.PROGRAM
_BASE = ("libc6", "libstdc++6", "libgcc-s1")
_NEWER_NAMES = {name: f"{name}t64 | {name}" for name in ("libglib2.0-0", "libssl3", "libpng16-16")}
"""What Debian and Ubuntu renamed when times got 64 bits; either will do."""
_CPP = {"3.4.29": "11", "3.4.30": "12", "3.4.31": "13", "3.4.32": "13.2", "3.4.33": "14", "3.4.34": "15"}
"""The first release of GCC that has a version of its C++ library's symbols."""
_XZ = ["xz", "--threads=0", "--x86", "--lzma2=preset=9e"] if product.MACHINE == "x86_64" else ["xz", "-9e", "-T0"]


def main(bundle: Path, gpu: str = "") -> list[Path]:
    """Make both; returns the files."""
    made = [deb(bundle, gpu), run_file(bundle, gpu)]
    for file in made:
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB", flush=True)
    return made


def deb(bundle: Path, gpu: str) -> Path:
    """A package for Debian, Ubuntu and their kin."""
    root = product.BUILD / "deb"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(bundle, root / _PROGRAM_PLACE, symlinks=True)
    share = root / "usr" / "share"
    desktop_files(share)
    link = root / "usr" / "bin" / product.PROGRAM
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../lib/{product.PROGRAM}/{product.PROGRAM}")
    _documents(share)
    control = root / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(_control(root, bundle), encoding="utf-8")
    (control / "md5sums").write_text(_md5sums(root), encoding="utf-8")
    for path in root.rglob("*"):
        if not path.is_symlink() and not path.is_relative_to(root / _PROGRAM_PLACE):
            path.chmod(0o755 if path.is_dir() else 0o644)
    target = product.DIST / product.installer_name(".deb", gpu)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z9", "-Sextreme", "--build", root, target], check=True)
    return target


def run_file(bundle: Path, gpu: str) -> Path:
    """A script that holds the whole program and installs it for one person."""
    root = product.BUILD / "run"
    shutil.rmtree(root, ignore_errors=True)
    desktop_files(root / "share")
    shutil.copytree(bundle, root / "program", symlinks=True)
    payload = product.BUILD / "payload.tar.xz"
    fixed = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", f"--mtime=@{_when()}"]
    archive = ["tar", *fixed, "-cf", "-", "-C", str(root), "."]
    with payload.open("wb") as packed, subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
        subprocess.run(_XZ, stdin=tar.stdout, stdout=packed, check=True)
    if tar.returncode:
        raise SystemExit("tar could not pack the program.")
    target = product.DIST / product.installer_name(".run", gpu)
    script = header(target.name, payload)
    with target.open("wb") as file, payload.open("rb") as packed:
        file.write(script)
        shutil.copyfileobj(packed, file)
    target.chmod(0o755)
    return target


def header(name: str, payload: Path) -> bytes:
    """The script before the program, which knows how long and of what content the whole file has to be."""
    script = (_FILES / "installer.sh").read_text("utf-8")
    values = {
        "VERSION": product.version(),
        "FILE": name,
        "APP_ID": product.APP_ID,
        "SHA256": hashlib.sha256(payload.read_bytes()).hexdigest(),
        "START": str(script.count("\n") + 1),
    }
    size, before = 0, -1
    while size != before:  # the number of its digits is part of what it counts
        before = size
        filled = _filled(script, {**values, "SIZE": str(size)}).encode()
        size = len(filled) + payload.stat().st_size
    return filled


def desktop_files(share: Path) -> None:
    """What a desktop reads of a program, as it lies under a folder `share`."""
    when = time.strftime("%Y-%m-%d", time.gmtime(_when()))
    meta = (_FILES / "metainfo.xml").read_text("utf-8")
    _write(share / "metainfo" / f"{product.APP_ID}.metainfo.xml", meta, VERSION=product.version(), DATE=when)
    _write(share / "applications" / "orcinus.desktop", (_FILES / "orcinus.desktop").read_text("utf-8"))
    _write(share / "mime" / "packages" / "orcinus.xml", (_FILES / "orcinus-mime.xml").read_text("utf-8"))
    icons = share / "icons" / "hicolor"
    for picture in sorted((product.BUILD / "icons").glob("orcinus-*.png")):
        size = picture.stem.split("-")[1]
        place = icons / f"{size}x{size}" / "apps" / "orcinus.png"
        place.parent.mkdir(parents=True)
        shutil.copyfile(picture, place)
    drawing = icons / "scalable" / "apps" / "orcinus.svg"
    drawing.parent.mkdir(parents=True)
    shutil.copyfile(product.ROOT / "resources" / "icons" / "orcinus.svg", drawing)


def depends(bundle: Path) -> list[str]:
    """The packages of this system that have what the bundle takes from outside, as a package's Depends names them."""
    libraries = [file for file in bundle.rglob("*") if not file.is_symlink() and _is_elf(file)]
    inside = {file.name for file in bundle.rglob("*.so*")}
    needed: set[str] = set()
    glibc, cpp = "2.17", "3.4.29"
    for file in libraries:
        told = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True).stdout
        if "ggml-vulkan" not in file.name and "ggml-cuda" not in file.name:  # these are left alone where they cannot be
            needed |= set(re.findall(r"^ +NEEDED +(\S+)$", told, re.MULTILINE))
        glibc = max([glibc, *re.findall(r" GLIBC_([\d.]+)$", told, re.MULTILINE)], key=_numbers)
        cpp = max([cpp, *re.findall(r" GLIBCXX_([\d.]+)$", told, re.MULTILINE)], key=_numbers)
    owners = {owner for name in sorted(needed - inside) if (owner := _owner(name))} - set(_BASE)
    base = [f"libc6 (>= {glibc})", f"libstdc++6 (>= {_CPP.get(cpp, '12')})", "libgcc-s1"]
    return base + [_NEWER_NAMES.get(owner, owner) for owner in sorted(owners)]


def _control(root: Path, bundle: Path) -> str:
    size_kb = sum(file.lstat().st_size for file in root.rglob("*") if not file.is_dir()) // 1024
    machine = {"x86_64": "amd64"}.get(product.MACHINE, product.MACHINE)
    return (
        f"Package: {product.PROGRAM}\n"
        f"Version: {product.version()}\n"
        f"Architecture: {machine}\n"
        f"Maintainer: {product.MAINTAINER}\n"
        f"Installed-Size: {size_kb}\n"
        f"Depends: {', '.join(depends(bundle))}\n"
        "Recommends: libvulkan1, xdg-utils\n"
        "Section: utils\n"
        "Priority: optional\n"
        f"Description: {product.summary()[0].lower()}{product.summary()[1:]}\n"
        " Orcinus runs open models in the GGUF format on the processor or the GPU of\n"
        " this computer. A tiny model comes along, so the first message can be sent at\n"
        " once; others are found, downloaded and kept on its Models page, with a word\n"
        " for each on whether this computer can run it.\n"
    )


def _documents(share: Path) -> None:
    folder = share / "doc" / product.PROGRAM
    _write(
        folder / "copyright",
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {product.NAME}\n"
        "Comment: The licences of everything that lies in this package, each with its text, are in\n"
        f" /{_PROGRAM_PLACE}/_internal/licences\n"
        "\n"
        "Files: *\n"
        "Copyright: The Orcinus authors\n"
        "License: Apache-2.0\n"
        " The text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0\n",
    )
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(_when()))
    entry = f"{product.PROGRAM} ({product.version()}) stable; urgency=medium\n\n  * See NEWS.gz.\n\n"
    _packed(folder / "changelog.gz", f"{entry} -- {product.MAINTAINER}  {when}\n")
    _packed(folder / "NEWS.gz", (product.ROOT / "CHANGELOG.md").read_text("utf-8"))
    page = _filled((_FILES / "orcinus.1").read_text("utf-8"), {"VERSION": product.version()})
    _packed(share / "man" / "man1" / "orcinus.1.gz", page)
    _write(share / "lintian" / "overrides" / product.PROGRAM, (_FILES / "orcinus.lintian-overrides").read_text("utf-8"))


def _md5sums(root: Path) -> str:
    lines = [
        f"{hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()}  {file.relative_to(root)}"
        for file in sorted((root / "usr").rglob("*"))
        if file.is_file() and not file.is_symlink()
    ]
    return "\n".join([*lines, ""])


def _is_elf(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


def _owner(library: str) -> str:
    told = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True).stdout
    # of several it is the system's own that is meant, and not a copy that some program brings along
    found = re.findall(r"^([\w.+-]+)(?::\w+)?: (?:/usr)?/lib/[\w-]+/[^/\n]+$", told, re.MULTILINE)
    return next(iter(found), "")


def _when() -> int:
    """The time that files are said to be of: the same source then makes the same package."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    told = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=product.ROOT, capture_output=True, text=True)
    return int(told.stdout.strip() or time.time())


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def _filled(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _write(file: Path, text: str, **values: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_filled(text, values), encoding="utf-8")


def _packed(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode(), mtime=_when()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
