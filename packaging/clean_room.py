"""Installs a .deb or a .run in an empty system that has only what a desktop has, and tries it there.

    python3 packaging/clean_room.py INSTALLER [--keep]

Needs root and debootstrap, and a network for the empty system's packages; the program itself then gets none. There is
no Python in that system and no compiler. With a .deb its own Depends bring what it needs; for a .run the libraries
that any desktop has are installed first. The folder with the program cannot be written to by the user who runs it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import product

_ROOM = product.BUILD / "clean-room"
_OF_A_DESKTOP = (
    "libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libx11-6 libx11-xcb1 libxcb-randr0 libxcb-render0 "
    "libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libwayland-client0 libwayland-cursor0 "
    "libwayland-egl1 xz-utils"
).split()


def main() -> None:
    """Read the arguments, set the system up, install and try."""
    parser = argparse.ArgumentParser(description="Try an installer in an empty system.")
    parser.add_argument("installer", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the empty system there for another try")
    asked = parser.parse_args()
    if os.name == "nt" or os.geteuid() != 0:
        raise SystemExit("An empty system needs root, on Linux.")
    room = prepare(keep=asked.keep)
    with mounted(room):
        program = install(asked.installer, room)
        _expect_bare(room)
        smoke = [sys.executable, str(product.HERE / "smoke.py"), program, "--in", str(room)]
        code = subprocess.run(smoke, check=False).returncode
    if not asked.keep:
        shutil.rmtree(room, ignore_errors=True)
    raise SystemExit(code)


def prepare(*, keep: bool) -> Path:
    """A system of nothing but Debian's essential packages."""
    fresh = product.BUILD / "empty-system.tar"
    if keep and (_ROOM / "etc").is_dir():
        return _ROOM
    shutil.rmtree(_ROOM, ignore_errors=True)
    _ROOM.mkdir(parents=True)
    if not fresh.exists():
        subprocess.run(["debootstrap", "--variant=minbase", _codename(), str(_ROOM)], check=True)
        subprocess.run(["tar", "-cf", str(fresh), "-C", str(_ROOM), "."], check=True)
    else:
        subprocess.run(["tar", "-xf", str(fresh), "-C", str(_ROOM)], check=True)
    return _ROOM


@contextmanager
def mounted(room: Path) -> Iterator[None]:
    """With what a running system has: processes, devices, and the way to a display."""
    places = ["proc", "dev", "tmp/.X11-unix"]
    Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
    done: list[Path] = []
    try:
        for place in places:
            target = room / place
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", f"/{place}", str(target)], check=True)
            done.append(target)
        yield
    finally:
        for target in reversed(done):
            subprocess.run(["umount", str(target)], check=False)


def install(installer: Path, room: Path) -> str:
    """Install it; returns the program's place as that system sees it."""
    inside = room / "root" / installer.name
    shutil.copyfile(installer, inside)
    quiet = ["apt-get", "-qq", "-y", "--no-install-recommends"]
    _within(room, ["apt-get", "-qq", "update"])
    if installer.suffix == ".deb":
        _within(room, [*quiet, "install", f"/root/{installer.name}"])
        inside.unlink()
        return "/usr/bin/orcinus"
    _within(room, [*quiet, "install", *_OF_A_DESKTOP])
    _within(room, ["sh", f"/root/{installer.name}", "--no-start"], HOME="/opt")
    inside.unlink()
    return "/opt/.local/bin/orcinus"


def _within(room: Path, command: list[str], **environ: str) -> None:
    given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8", **environ}
    words = [f"{key}={value}" for key, value in given.items()]
    resolver = room / "etc" / "resolv.conf"
    shutil.copyfile("/etc/resolv.conf", resolver)
    subprocess.run(["chroot", str(room), "env", "-i", *words, *command], check=True, stdout=subprocess.DEVNULL)


def _expect_bare(room: Path) -> None:
    there = [name for name in ("python3", "gcc", "cc", "clang") if (room / "usr" / "bin" / name).exists()]
    if there:
        raise SystemExit(f"The empty system is not empty: it has {', '.join(there)}.")


def _codename() -> str:
    lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    return next((line.split("=")[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")), "bookworm")


if __name__ == "__main__":
    main()
