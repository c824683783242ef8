"""Where files live: the data folder, what lies in it, and the resources that came with the program."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HOME_VARIABLE = "ORCINUS_HOME"
PORTABLE = "data"
"""A folder of this name beside a bundled program keeps everything there."""
_NAME = "Orcinus"
_DATABASE = "orcinus.db"
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Where this start of the program keeps and finds its files.

    `warning` is empty, or a sentence for the window: the usual folder could not be used. `lasting` is False when no
    folder at all could be written to; then `database` is None and everything lives in memory.
    """

    data_dir: Path
    cache_dir: Path
    logs_dir: Path
    resources_dir: Path
    lasting: bool = True
    warning: str = ""

    @property
    def database(self) -> Path | None:
        """The one file with chats and settings; None when nothing can be kept."""
        return self.data_dir / _DATABASE if self.lasting else None

    @property
    def backups_dir(self) -> Path:
        """Copies of the database, the newest few."""
        return self.data_dir / "backups"

    @property
    def models_dir(self) -> Path:
        """Where models are kept unless the person chose another folder."""
        return self.data_dir / "models"

    @property
    def trials_file(self) -> Path | None:
        """What the engine learnt of model files; None when nothing can be kept."""
        return self.data_dir / "trials.json" if self.lasting else None

    @property
    def lock_file(self) -> Path:
        """Held by the one window that may write."""
        return self.data_dir / "orcinus.lock"

    @property
    def window_file(self) -> Path:
        """Where the window was and how it was divided."""
        return self.data_dir / "window.ini"


def find_paths(environ: Mapping[str, str] | None = None) -> Paths:
    """Choose the data folder and make it.

    ORCINUS_HOME wins, then a folder `data` beside a bundled program, then the system's usual place. Where that cannot
    be written to, a folder beside the program is used, then one in the temporary folder, and at last none. Never
    raises.

    Args:
        environ: where ORCINUS_HOME is looked up; the process's own environment when left out.
    """
    wished = _wished(os.environ if environ is None else environ)
    if _usable(wished.data_dir):
        return wished
    trouble = f"The folder {_shown(wished.data_dir)} cannot be written to."
    for folder, where in _fallbacks():
        if _usable(folder):
            return _inside(folder, f"{trouble} Chats are kept {where} for now: {_shown(folder)}")
    return Paths(
        wished.data_dir,
        wished.cache_dir,
        wished.logs_dir,
        resources_dir(),
        lasting=False,
        warning=f"{trouble} No other folder can be used either, so chats are gone when the window closes. "
        f"Set {HOME_VARIABLE} to a folder that can be written to.",
    )


def stand_ins(paths: Paths) -> Iterator[tuple[Path, Path]]:
    """The folders of this person that were used where the usual one could not be, each with the database in it.

    The one that is in use now is left out.
    """
    for folder, _ in _fallbacks():
        database = folder / _DATABASE
        try:
            if database.is_file() and _is_own(folder) and folder.resolve() != paths.data_dir.resolve():
                yield folder, database
        except (OSError, RuntimeError):
            continue


def resources_dir() -> Path:
    """What came with the program: in the bundle when it is one, else in the source tree."""
    return Path(getattr(sys, "_MEIPASS", _PACKAGE_PARENT)) / "resources"


def _wished(environ: Mapping[str, str]) -> Paths:
    if home := environ.get(HOME_VARIABLE, "").strip():
        return _inside(Path(home).expanduser().absolute())
    if (portable := _portable()) is not None:
        return _inside(portable)
    places = platformdirs.PlatformDirs(_NAME, appauthor=False)
    return Paths(places.user_data_path, places.user_cache_path, places.user_log_path, resources_dir())


def _inside(folder: Path, warning: str = "") -> Paths:
    return Paths(folder, folder / "cache", folder / "logs", resources_dir(), warning=warning)


def _portable() -> Path | None:
    """The folder that makes a bundled program keep everything beside itself, where somebody made one."""
    beside = _program_dir() if getattr(sys, "frozen", False) else None
    return beside / PORTABLE if beside is not None and (beside / PORTABLE).is_dir() else None


def _fallbacks() -> Iterator[tuple[Path, str]]:
    if (beside := _program_dir()) is not None:
        yield beside / f"{_NAME} data", "beside the program"
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    try:
        yield Path(tempfile.gettempdir()) / f"{_NAME.lower()}-{user}", "in a temporary folder, which may be emptied,"
    except OSError:  # not even a temporary folder exists
        return


def _program_dir() -> Path | None:
    """The folder that a person sees as the program's place; None for one installed among other packages."""
    if getattr(sys, "frozen", False):
        folder = Path(sys.executable).resolve().parent
        # a file inside an .app bundle would break its signature
        return folder.parents[2] if folder.name == "MacOS" and len(folder.parents) > 2 else folder
    return _PACKAGE_PARENT if (_PACKAGE_PARENT / "pyproject.toml").is_file() else None


def _usable(folder: Path) -> bool:
    """Whether files can be made in the folder, which is made first when missing, for this person's eyes alone."""
    try:
        str(folder).encode()  # SQLite takes names as UTF-8 only
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_own(folder) and os.getuid() != 0:
            return False  # anyone could have put such a folder into the temporary one
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def _is_own(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _shown(folder: Path) -> str:
    return str(folder).encode(errors="replace").decode()
