"""Whether a folder can take models: its place, its room, and what its file system allows."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.core.errors import DownloadError, NoRoomError, StorageError
from app.hub.names import safe_path, safe_repo_id

PARTIAL = ".partial"
"""Where unfinished downloads lie: in the models folder, so that a finished one is moved without copying."""

SPARE_BYTES = 64 * 2**20
_FAT_BYTES = 2**32 - 1
_FAT = frozenset({"vfat", "msdos", "fat", "fat16", "fat32", "umsdos"})


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Tell trouble with the disk in words."""
    try:
        yield
    except OSError as error:
        raise disk_trouble(error) from error


def disk_trouble(error: OSError) -> StorageError | NoRoomError:
    """What an error of the file system means to somebody who downloads."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return NoRoomError(
                "The disk is full",
                "What was downloaded so far is kept.",
                "Make room, or choose another models folder, and go on.",
            )
        case errno.EFBIG:
            return NoRoomError(
                "The file is too large for this folder",
                "The folder's file system or the system's limits allow no file of this size.",
                "Choose a models folder on another disk.",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return StorageError(
                "The models folder cannot be written to",
                f"The system refused access to {error.filename or 'it'}.",
                "Choose another models folder, or allow writing there.",
            )
    return StorageError(
        "A file in the models folder cannot be used",
        f"The system says: {error.strerror or error}.",
        "Check that the disk is connected and works, and try again.",
    )


def destination(models_dir: Path, repo_id: str, path: str) -> Path:
    """Where a file of a repository is kept: <models>/<owner>/<name>/<path>.

    Raises an AppError for names that cannot be trusted, and where a link would lead out of the folder.
    """
    target = models_dir.joinpath(*safe_repo_id(repo_id).split("/"), *safe_path(path).split("/"))
    with kept():
        # what is no link so far cannot become one by the names: those were checked
        if not target.parent.resolve().is_relative_to(models_dir.resolve()) or target.is_symlink():
            raise DownloadError(
                "The model's folder leads somewhere else",
                f"{target} is, or lies behind, a link out of the models folder.",
                "Remove the link, or choose another models folder.",
            )
    return target


def check_folder(models_dir: Path, largest_bytes: int = 0) -> None:
    """Make the folder if need be and try it out. Raises StorageError or NoRoomError, worded for people.

    largest_bytes: the largest single file that it shall hold.
    """
    with kept():
        models_dir.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".orcinus-", dir=models_dir)
        os.close(handle)
        os.unlink(name)
    if largest_bytes > _FAT_BYTES and has_fat_limit(models_dir):
        raise NoRoomError(
            "This disk holds no file of 4 GB or more",
            f"It is formatted as FAT32, and the model's file has {largest_bytes / 1e9:.1f} GB.",
            "Choose a models folder on another disk, or a smaller quant.",
        )


def check_room(models_dir: Path, needed_bytes: int) -> None:
    """Raises NoRoomError unless so many bytes fit, and a little more, so that the system can go on working."""
    with kept():
        free = shutil.disk_usage(models_dir).free
    if free < needed_bytes + SPARE_BYTES:
        raise NoRoomError(
            "There is not enough room on the disk",
            f"{needed_bytes / 1e9:.1f} GB are still to come; {free / 1e9:.1f} GB are free.",
            "Make room, or choose another models folder or a smaller quant.",
        )


def has_fat_limit(folder: Path) -> bool:
    """Whether the folder lies on a file system without files of 4 GiB or more."""
    return file_system(folder).lower() in _FAT


if sys.platform == "win32":

    def file_system(folder: Path) -> str:
        """The file system's name, such as "NTFS"; "" where it cannot be told."""
        name = ctypes.create_unicode_buffer(64)
        root = ctypes.create_unicode_buffer(1024)
        kernel = ctypes.windll.kernel32
        if not kernel.GetVolumePathNameW(str(folder.resolve()), root, 1024):
            return ""
        return name.value if kernel.GetVolumeInformationW(root, None, 0, None, None, None, name, 64) else ""
elif sys.platform == "darwin":

    def file_system(folder: Path) -> str:
        """The file system's name, such as "apfs"; "" where it cannot be told."""
        # struct statfs of <sys/mount.h> with 64-bit inodes: f_fstypename begins at byte 72
        buffer = ctypes.create_string_buffer(4096)
        library = ctypes.CDLL(None)
        statfs = getattr(library, "statfs$INODE64", None) or library.statfs
        if statfs(os.fsencode(folder), buffer):
            return ""
        return buffer.raw[72:88].split(b"\0")[0].decode("ascii", "replace")
else:

    def file_system(folder: Path) -> str:
        """The file system's name, such as "ext4"; "" where it cannot be told."""
        try:
            mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace")
            device = os.stat(folder).st_dev
        except OSError:
            return ""
        return mounted_type(mounts, os.major(device), os.minor(device))


def mounted_type(mountinfo: str, major: int, minor: int) -> str:
    """The type of the file system with this device number, from Linux's table of mounts; "" if it is not there."""
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2:3] == [f"{major}:{minor}"] and source:
            return source.split()[0]
    return ""
