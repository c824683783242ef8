"""The headers that llama.cpp's Vulkan backend is compiled with: the system's where they are new enough, else Debian's.

What is fetched is pinned by its SHA-256 and comes to lie below `build`; nothing of the system is changed by it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from product import BUILD

OLDEST = (1, 3, 275)
"""The first version that the backend compiles with."""

_ROOTS = (Path("/usr/local"), Path("/usr"))
_PACKAGES = (
    (
        "pool/main/v/vulkan-loader/libvulkan-dev_1.4.309.0-1_amd64.deb",
        "8d329d465e16168afff58b1bd0dd6db46aac2cc3f56054a481b25a04e90b345a",
    ),
    (
        "pool/main/s/spirv-headers/spirv-headers_1.6.1+1.4.309.0-1_all.deb",
        "dc18db866d63680351c40ac6b6bece34cb52da64a7799ce1cc4f16f6bff4d064",
    ),
)
"""Of Debian 13, each by its place on a mirror and its SHA-256."""
_LIMIT_S = 60
_ADVICE = "Name a folder with newer ones by --headers, or leave Vulkan out with --gpu none."


def headers(roots: Sequence[Path] = _ROOTS) -> Path | None:
    """A prefix with headers that are new enough; None where the system's own are.

    Raises:
        SystemExit: they are too old, and no others can be had here.
    """
    if any(version(root) >= OLDEST for root in roots) and any(_has_spirv(root) for root in roots):
        return None
    fetched = BUILD / "vulkan-headers" / "usr"
    if version(fetched) >= OLDEST and _has_spirv(fetched):
        return fetched
    wanted = ".".join(map(str, OLDEST))
    if not shutil.which("dpkg-deb"):
        raise SystemExit(f"Vulkan's and SPIR-V's headers of {wanted} or later are missing. {_ADVICE}")
    print(f"Fetching Vulkan's headers, as the system's are older than {wanted} ...", flush=True)
    try:
        for place, sha256 in _PACKAGES:
            unpack(fetch(place, sha256), fetched.parent)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"Vulkan's headers cannot be fetched: {error}. {_ADVICE}") from error
    return fetched


def version(root: Path) -> tuple[int, int, int]:
    """Of the Vulkan headers below a prefix; zeros where there are none."""
    try:
        text = (root / "include" / "vulkan" / "vulkan_core.h").read_text("utf-8")
    except OSError:
        return 0, 0, 0
    patch = re.search(r"#define VK_HEADER_VERSION (\d+)", text)
    complete = re.search(r"VK_HEADER_VERSION_COMPLETE VK_MAKE_API_VERSION\(0, (\d+), (\d+),", text)
    if patch is None or complete is None:
        return 0, 0, 0
    return int(complete[1]), int(complete[2]), int(patch[1])


def fetch(place: str, sha256: str) -> Path:
    """Download one package from a mirror that the system uses, unless it is there.

    Raises:
        OSError: no mirror has it, or what they have is not what was pinned.
    """
    path = BUILD / "downloads" / place.rpartition("/")[2]
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    trouble = OSError("apt names no mirror")
    for mirror in mirrors():
        try:
            with urllib.request.urlopen(f"{mirror.rstrip('/')}/{place}", timeout=_LIMIT_S) as response:
                content = response.read()
        except OSError as error:
            trouble = error
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            path.write_bytes(content)
            return path
        trouble = OSError(f"{place} on {mirror} is not the file that was pinned")
    raise trouble


def mirrors() -> list[str]:
    """The addresses that the system takes its packages from."""
    ask = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    return list(dict.fromkeys(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()))


def unpack(package: Path, folder: Path) -> None:
    """Take a package's headers and what tells cmake of them; its library is for another system."""
    whole = folder.with_name(f"{folder.name}-whole")
    shutil.rmtree(whole, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-x", str(package), str(whole)], check=True)
    for part in ("usr/include", "usr/share/cmake"):
        if (whole / part).is_dir():
            shutil.copytree(whole / part, folder / part, dirs_exist_ok=True)
    shutil.rmtree(whole)


def _has_spirv(root: Path) -> bool:
    return any((root / place / "cmake" / "SPIRV-Headers").is_dir() for place in ("share", "lib"))
