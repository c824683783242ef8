"""The .run: a shell script with the program behind it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import icons
import linux
import product
import pytest

MISSING = [name for name in ("xz", "tar", "sha256sum") if not shutil.which(name)]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(MISSING), reason=f"for Linux; missing: {', '.join(MISSING) or 'nothing'}"
)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installer of a program that says what it was given."""
    monkeypatch.setattr(product, "BUILD", tmp_path / "build")
    monkeypatch.setattr(product, "DIST", tmp_path / "dist")
    monkeypatch.setattr(linux, "_XZ", ["xz", "-0"])
    product.DIST.mkdir()
    icons.main(product.BUILD / "icons")
    bundle = tmp_path / "dist" / "Orcinus"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "orcinus").write_text('#!/bin/sh\necho "was given: $*"\n')
    (bundle / "orcinus").chmod(0o755)
    (bundle / "_internal" / "part").write_text("1")
    return linux.run_file(bundle, "")


@pytest.fixture
def person(tmp_path: Path) -> Path:
    home = tmp_path / "Ada Łovelace $x 100% `文` 🐋"
    home.mkdir()
    return home


def run(installer: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return subprocess.run(
        ["sh", str(installer), *words], env=environ, capture_output=True, text=True, timeout=300, check=False
    )


def words_of_exec(line: str) -> list[str]:
    """A desktop entry's Exec line, read back as the specification says."""
    text = re.sub(r"\\(.)", lambda found: {"s": " ", "\\": "\\"}[found[1]], line.removeprefix("Exec="))
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', text)
    return [re.sub(r"\\(.)", r"\1", quoted).replace("%%", "%") if quoted else plain for quoted, plain in words]


def test_it_installs_for_one_person_and_is_found_by_the_desktop(made, person):
    done = run(made, person, "--no-start")
    assert done.returncode == 0, done.stderr
    told = subprocess.run([person / ".local/bin/orcinus", "a b"], capture_output=True, text=True, check=True).stdout
    assert told == "was given: a b\n"
    share = person / ".local" / "share"
    entry = (share / "applications" / "orcinus.desktop").read_text("utf-8")
    line = next(line for line in entry.splitlines() if line.startswith("Exec="))
    assert words_of_exec(line) == [str(person / ".local/lib/orcinus/orcinus"), "%F"]
    assert (share / "icons/hicolor/48x48/apps/orcinus.png").is_file()
    assert (share / "icons/hicolor/scalable/apps/orcinus.svg").is_file()
    assert (share / "mime/packages/orcinus.xml").is_file()
    assert sorted(path.name for path in (person / ".local" / "lib").iterdir()) == ["orcinus"]


def test_a_second_time_it_replaces_what_is_there_and_leaves_chats_alone(made, person):
    run(made, person, "--no-start")
    (person / ".local/share/Orcinus").mkdir()
    (person / ".local/share/Orcinus/orcinus.db").write_text("chats")
    (person / ".local/lib/orcinus/_internal/of an older version").write_text("x")
    assert run(made, person, "--no-start").returncode == 0
    assert not (person / ".local/lib/orcinus/_internal/of an older version").exists()
    assert (person / ".local/share/Orcinus/orcinus.db").read_text() == "chats"


def test_it_removes_itself_and_keeps_chats_unless_told_otherwise(made, person):
    run(made, person, "--no-start")
    (person / ".local/share/Orcinus").mkdir()
    (person / ".local/share/icons/hicolor/48x48/apps/other.png").write_text("somebody else's")
    kept = person / ".local/lib/orcinus/uninstall.sh"
    done = run(kept, person, "--uninstall")
    assert done.returncode == 0, done.stderr
    left = [path.name for path in person.rglob("*") if "orcinus" in path.name.lower()]
    assert left == ["Orcinus"], "caches of the desktop's own tools may stay"
    assert (person / ".local/share/icons/hicolor/48x48/apps/other.png").is_file()
    assert (person / ".local/share/Orcinus").is_dir()
    assert "Chats, settings and models stay" in done.stdout
    run(made, person, "--uninstall", "--with-chats")
    assert not (person / ".local/share/Orcinus").exists()


def test_unpacked_to_be_carried_along_it_has_a_folder_that_keeps_everything(made, person):
    done = run(made, person, "--portable", str(person))
    assert done.returncode == 0, done.stderr
    assert (person / "Orcinus" / "data").is_dir()
    assert (person / "Orcinus" / "orcinus").is_file()
    assert not (person / ".local").exists()
    assert run(made, person, "--portable", str(person)).returncode == 1, "what is there is not overwritten"


@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_a_file_that_did_not_arrive_whole_says_so_and_changes_nothing(made, person, harm):
    run(made, person, "--no-start")
    raw = bytearray(made.read_bytes())
    if harm == "cut":
        raw = raw[:-20]
    else:
        raw[-20] ^= 1
    made.write_bytes(raw)
    done = run(made, person, "--no-start")
    assert done.returncode == 1
    assert "download it again" in done.stderr
    assert (person / ".local/lib/orcinus/orcinus").is_file()
    assert sorted(path.name for path in (person / ".local" / "lib").iterdir()) == ["orcinus"]
