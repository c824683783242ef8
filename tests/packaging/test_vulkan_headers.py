"""Which Vulkan headers a bundle is compiled with."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import product
import pytest
import vulkan

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is missing")


def prefix(root: Path, patch: int, *, spirv: bool = True) -> Path:
    """As a system's /usr with headers of 1.3 and this patch."""
    (root / "include" / "vulkan").mkdir(parents=True)
    (root / "include" / "vulkan" / "vulkan_core.h").write_text(
        f"#define VK_HEADER_VERSION {patch}\n"
        "#define VK_HEADER_VERSION_COMPLETE VK_MAKE_API_VERSION(0, 1, 3, VK_HEADER_VERSION)\n"
    )
    if spirv:
        (root / "share" / "cmake" / "SPIRV-Headers").mkdir(parents=True)
    return root


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(vulkan, "BUILD", tmp_path / "build")
    monkeypatch.setattr(vulkan, "mirrors", lambda: [(tmp_path / "no mirror").as_uri(), tmp_path.as_uri() + "/"])
    return tmp_path / "build"


def package(folder: Path, name: str, tree: Path) -> tuple[str, str]:
    """A Debian package of this tree, as its place on the mirror and its sum."""
    root = folder / name
    shutil.copytree(tree, root / "usr")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: {product.MAINTAINER}\nDescription: x\n"
    )
    made = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--build", str(root), str(made)], check=True, capture_output=True)
    return made.relative_to(folder).as_posix(), hashlib.sha256(made.read_bytes()).hexdigest()


def test_the_systems_headers_are_taken_where_they_are_new_enough(tmp_path: Path):
    assert vulkan.headers([tmp_path / "none", prefix(tmp_path / "usr", 275)]) is None
    assert vulkan.version(tmp_path / "usr") == (1, 3, 275)
    assert vulkan.version(tmp_path / "none") == (0, 0, 0)


@needs_dpkg
@pytest.mark.parametrize(("patch", "spirv"), [(239, True), (280, False)])
def test_newer_ones_are_fetched_once_where_the_systems_do_not_do(tmp_path, build, monkeypatch, patch, spirv):
    tree = prefix(tmp_path / "tree", 309)
    (tree / "lib").mkdir()
    (tree / "lib" / "libvulkan.so").write_bytes(b"of another system")
    monkeypatch.setattr(vulkan, "_PACKAGES", (package(tmp_path, "headers", tree),))
    usual = prefix(tmp_path / "usr", patch, spirv=spirv)
    found = vulkan.headers([usual])
    assert found is not None
    assert vulkan.version(found) == (1, 3, 309)
    assert not (found / "lib").exists()
    monkeypatch.setattr(vulkan, "_PACKAGES", None)
    assert vulkan.headers([usual]) == found


@needs_dpkg
def test_what_is_not_the_pinned_file_is_refused(tmp_path, build, monkeypatch):
    place, _ = package(tmp_path, "headers", prefix(tmp_path / "tree", 309))
    monkeypatch.setattr(vulkan, "_PACKAGES", ((place, "0" * 64),))
    with pytest.raises(SystemExit, match=r"(?s)not the file that was pinned.*--headers"):
        vulkan.headers([tmp_path / "none"])
    assert not list((build / "downloads").iterdir())
