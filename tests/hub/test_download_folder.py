"""Disks and folders: full, read-only, too old for large files; names that must not lead anywhere else."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import AppError, DownloadError, NoRoomError, StorageError
from app.core.library import RemoteFile, Wanted
from app.core.stopping import StopFlag
from app.hub import download_folder
from app.hub.download import held_bytes
from app.hub.download_folder import check_folder, check_room, destination, disk_trouble, mounted_type
from tests.hub.fetching import NAME, fetch, left_in, noise, start, wanted_of

MIB = 2**20
CHILD = Path(__file__).with_name("download_child.py")

HOSTILE = [
    "../../outside.gguf",
    "/tmp/outside.gguf",
    "C:\\outside.gguf",
    "\\\\server\\share\\outside.gguf",
    "folder/../../outside.gguf",
    "CON.gguf",
    "model.gguf:stream.gguf",
    "trailing. /model.gguf",
    "model\u202egguf.exe.gguf",
    ".cache/model.gguf",
    "a" * 300 + ".gguf",
    "run.sh",
]


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_name_is_refused_before_anything_is_asked_or_written(standin, models, tmp_path, path):
    content = noise(1000)
    repo = standin.add("alice/Tiny-GGUF", {NAME: content})
    file = RemoteFile(path, 1000, wanted_of(repo).files[0].sha256)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AppError):
        fetch(standin, Wanted(repo.repo_id, repo.commit, "Q", (file,), "x"), models)
    assert sorted(tmp_path.rglob("*")) == before
    assert standin.asked == []


@pytest.mark.parametrize("repo_id", ["../..", "alice", "alice/..", "a/b/c", "/etc", "alice/nul", "alice\\x/y"])
def test_a_hostile_repository_is_refused(models, repo_id):
    with pytest.raises(AppError):
        destination(models, repo_id, NAME)


def test_a_link_out_of_the_models_folder_is_not_followed(standin, models, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    models.mkdir()
    (models / "alice").symlink_to(elsewhere)
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    with pytest.raises(DownloadError, match="leads somewhere else"):
        fetch(standin, wanted_of(repo), models)
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_the_place_of_an_unfinished_download_is_not_written_through(standin, models, tmp_path):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    wanted = wanted_of(repo)
    precious = tmp_path / "precious"
    precious.write_bytes(b"")
    (models / ".partial").mkdir(parents=True)
    (models / ".partial" / f"{wanted.files[0].sha256}.part").symlink_to(precious)
    with pytest.raises(StorageError):
        fetch(standin, wanted, models)
    assert precious.read_bytes() == b""


def test_a_models_folder_that_is_itself_a_link_is_fine(standin, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "models").symlink_to(tmp_path / "disk")
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    assert fetch(standin, wanted_of(repo), tmp_path / "models").content == noise(1000)


def test_too_little_room_is_told_before_the_start(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    file = RemoteFile(NAME, 2**60, wanted_of(repo).files[0].sha256)
    with pytest.raises(NoRoomError, match="not enough room"):
        fetch(standin, Wanted(repo.repo_id, repo.commit, "Q", (file,), "x"), models)
    assert standin.asked == []


def test_room_is_counted_with_a_little_to_spare(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage(100 * MIB))
    check_room(tmp_path, 36 * MIB)
    with pytest.raises(NoRoomError):
        check_room(tmp_path, 36 * MIB + 1)


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own with so many bytes; skips where this system does not let us make one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system of its own can be made here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_keeps_what_came_and_goes_on_once_there_is_room(standin, tmp_path):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(8 * MIB)})
    with small_disk(tmp_path / "disk", 80 * MIB) as models:
        (models / "other").write_bytes(bytes(MIB))
        standin.most = 3 * MIB
        filler = models / "filler"
        steps = start(standin, wanted_of(repo), models, StopFlag(), connections=1)
        have = next(step.have_bytes for step in steps if step.have_bytes > MIB)
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            file.write(bytes(76 * MIB - have))
        standin.most = None
        with pytest.raises(NoRoomError, match="disk is full"):
            list(steps)
        held = held_bytes(wanted_of(repo), models)
        assert MIB < held < 8 * MIB
        filler.unlink()
        before = standin.sent_bytes
        assert fetch(standin, wanted_of(repo), models).content == repo.files[NAME].content
        assert 8 * MIB - held <= standin.sent_bytes - before <= (8 * MIB - held) * 1.03


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_limit_on_file_sizes_is_told_in_words_and_what_came_is_kept(standin, models):
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(4 * MIB)})
    file = repo.files[NAME]
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20));"
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    arguments = [standin.url, str(models), repo.repo_id, repo.commit, NAME, str(file.size), file.sha256]
    done = subprocess.run([sys.executable, "-c", limited, CHILD, *arguments], capture_output=True, text=True)
    assert done.returncode == 1
    assert "NoRoomError: The file is too large for this folder" in done.stderr
    assert held_bytes(wanted_of(repo), models) == MIB
    assert fetch(standin, wanted_of(repo), models).content == file.content


def test_a_folder_that_cannot_be_made_is_told_at_once(standin, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    with pytest.raises(StorageError):
        fetch(standin, wanted_of(repo), tmp_path / "file" / "models")
    assert standin.asked == []


def test_a_read_only_folder_is_told_at_once():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        try:
            if as_root:
                os.seteuid(65534)  # root may write anywhere
            with pytest.raises(StorageError, match="cannot be written to"):
                check_folder(folder)
        finally:
            if as_root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert list(folder.iterdir()) == []


def test_a_folder_that_is_fine_is_made_and_left_empty(tmp_path):
    check_folder(tmp_path / "a" / "b", 2**40)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_fat_disks_are_refused_for_large_files_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(download_folder, "file_system", lambda folder: "vfat")
    check_folder(tmp_path, 2**32 - 1)
    with pytest.raises(NoRoomError, match="4 GB"):
        check_folder(tmp_path, 2**32)


def test_the_file_system_of_this_very_folder_is_known(tmp_path):
    if sys.platform != "linux":
        assert download_folder.file_system(tmp_path)
        return
    mounts = Path("/proc/self/mountinfo").read_text()
    name = download_folder.file_system(tmp_path)
    assert not name or f" - {name} " in mounts


def test_mounts_are_read_as_linux_writes_them():
    table = (
        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        "nonsense\n\n"
        "90 36 8:17 / /media/usb\\040stick rw,nosuid shared:5 - vfat /dev/sdb1 rw\n"
    )
    assert mounted_type(table, 8, 17) == "vfat"
    assert mounted_type(table, 98, 0) == "ext3"
    assert mounted_type(table, 1, 1) == ""


@pytest.mark.parametrize(
    ("number", "kind", "title"),
    [
        (errno.ENOSPC, NoRoomError, "The disk is full"),
        (errno.EDQUOT, NoRoomError, "The disk is full"),
        (errno.EFBIG, NoRoomError, "The file is too large for this folder"),
        (errno.EROFS, StorageError, "The models folder cannot be written to"),
        (errno.EACCES, StorageError, "The models folder cannot be written to"),
        (errno.EIO, StorageError, "A file in the models folder cannot be used"),
    ],
)
def test_trouble_with_a_disk_is_told_in_words(number, kind, title):
    told = disk_trouble(OSError(number, os.strerror(number), "somewhere"))
    assert isinstance(told, kind)
    assert told.title == title


def test_a_place_that_is_held_open_is_told_and_the_download_is_kept(standin, models, monkeypatch):
    """As on Windows, where a loaded model's file cannot be replaced."""
    monkeypatch.setattr("app.hub.download_job._REPLACE_WAIT_S", 0.001)
    replace = os.replace

    def refuse(source, target):
        if str(target).endswith(".gguf"):
            raise PermissionError(errno.EACCES, "in use", str(target))
        replace(source, target)

    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match="in use"):
        fetch(standin, wanted_of(repo), models)
    assert held_bytes(wanted_of(repo), models) == 1000
    monkeypatch.setattr(os, "replace", replace)
    before = len(standin.asked)
    assert fetch(standin, wanted_of(repo), models).content == noise(1000)
    assert len(standin.asked) == before


def test_a_place_that_is_free_again_after_a_moment_is_taken(standin, models, monkeypatch):
    """As on Windows, where a virus scanner looks at a new file first."""
    monkeypatch.setattr("app.hub.download_job._REPLACE_WAIT_S", 0.001)
    replace, refusals = os.replace, [PermissionError(errno.EACCES, "in use")] * 5

    def later(source, target):
        if str(target).endswith(".gguf") and refusals:
            raise refusals.pop()
        replace(source, target)

    monkeypatch.setattr(os, "replace", later)
    repo = standin.add("alice/Tiny-GGUF", {NAME: noise(1000)})
    assert fetch(standin, wanted_of(repo), models).content == noise(1000)
    assert left_in(models) == [f"alice/Tiny-GGUF/{NAME}"]
    assert refusals == []
