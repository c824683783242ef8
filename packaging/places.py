"""Where `smoke.py` tries a program: on this system or in an empty one, with a home and hardly an environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_USER = 12345
"""A user without rights or a name, in the empty system."""
_LIMIT_S = 120


class Place:
    """A program with a home; `root` is the folder of the empty system that it is started in."""

    def __init__(
        self, program: str, home: Path, root: Path | None, *, portable: bool, environ: Mapping[str, str]
    ) -> None:
        self.program = program if root is not None else str(Path(program).absolute())
        self.home = home
        self._root = root
        self._portable = portable
        self._environ = self._environment(environ)
        if portable:
            (self.folder / "data").mkdir(exist_ok=True)
            self.hand_over(self.folder / "data")
        self.hand_over(home)

    @property
    def folder(self) -> Path:
        """Where the program lies, without links."""
        if self._root is None:
            return Path(self.program).resolve().parent
        return self._root / self._resolved_inside(self.program).parent.relative_to("/")

    @property
    def data(self) -> Path:
        """Where the program keeps everything."""
        if self._portable:
            return self.folder / "data"
        if sys.platform == "win32":
            return self.home / "Orcinus"  # Windows tells programs of one home folder alone, whatever is set
        if sys.platform == "darwin":
            return self.home / "Library" / "Application Support" / "Orcinus"
        return self.home / ".local" / "share" / "Orcinus"

    @property
    def database(self) -> Path:
        """The file with chats and settings."""
        return self.data / "orcinus.db"

    def starter(self) -> Path:
        """The model that came along."""
        inside = [self.folder, *([self.folder.parent] if sys.platform == "darwin" else [])]
        return next(path for above in inside for path in above.rglob("starter.gguf"))

    def seen(self, path: Path) -> str:
        """A path as the program sees it."""
        return str(path) if self._root is None else "/" + str(path.relative_to(self._root))

    def hand_over(self, path: Path) -> None:
        """Let the program's user have a file, a folder and what is in it."""
        if self._root is not None:
            for one in [path, *path.rglob("*"), path.parent]:
                if one != self._root and one != self._root / "home":
                    os.chown(one, _USER, _USER)

    def output(self, *words: str) -> str:
        """What the program prints when it is asked to do one thing.

        Raises:
            SystemExit: it failed.
        """
        done = self._run(words)
        if done.returncode:
            told = (done.stdout[-1500:] + done.stderr[-3000:]).decode("utf-8", "replace")
            raise SystemExit(f"NOT: `{' '.join(words)}` ended with code {done.returncode}\n{told}")
        return done.stdout.decode("utf-8")

    def told(self, *words: str) -> tuple[int, str]:
        """The program's exit code when it is asked to do one thing, and all that it says, troubles too."""
        done = self._run(words)
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Open the window."""
        return subprocess.Popen([*self._prefix(), self.program, *words], env=self._environ, cwd=self._cwd())

    def processes(self) -> dict[int, str]:
        """The program's processes, each with its command line."""
        if sys.platform == "linux":
            return dict(self._in_proc())
        if sys.platform == "win32":
            name = Path(self.program).name
            told = subprocess.run(["tasklist", "/FI", f"IMAGENAME eq {name}", "/FO", "CSV", "/NH"], capture_output=True)
            lines = told.stdout.decode("utf-8", "replace").splitlines()
            return {int(line.split('","')[1]): name for line in lines if line.startswith(f'"{name}')}
        told = subprocess.run(["pgrep", "-fl", str(self.folder)], capture_output=True)
        lines = told.stdout.decode("utf-8", "replace").splitlines()
        return {int(line.split(" ", 1)[0]): line for line in lines if "smoke.py" not in line}

    def engine(self) -> int:
        """The process that runs the model.

        Raises:
            SystemExit: there is none.
        """
        found = [pid for pid, command in self.processes().items() if "--engine-host" in command]
        if not found:
            raise SystemExit("NOT: an engine's process runs")
        return found[-1]

    def kill(self, pid: int) -> None:
        """End a process the hard way."""
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def strays(self) -> Iterator[Path]:
        """What was written and belongs nowhere, or was forgotten."""
        allowed = [self.data, self.home / "models to add"]
        if not self._portable and sys.platform == "linux":
            allowed += [self.home / ".cache" / "Orcinus", self.home / ".local" / "state" / "Orcinus"]
        if not self._portable and sys.platform == "darwin":
            allowed += [self.home / "Library" / kind / "Orcinus" for kind in ("Caches", "Logs")]
        # of the system's own libraries: pictures of fonts and compiled shaders
        allowed += [self.home / ".cache" / name for name in ("fontconfig", "mesa_shader_cache", "mesa_shader_cache_db")]
        for path in self.home.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(folder) for folder in allowed):
                yield path
        if self._root is not None:
            # this user may write nowhere else
            for path in [*(self._root / "tmp").rglob("*"), *(self._root / "var" / "tmp").rglob("*")]:
                if path.lstat().st_uid == _USER:
                    yield path

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        command = [*self._prefix(), self._for_commands(), *words]
        return subprocess.run(
            command, env=self._environ, cwd=self._cwd(), capture_output=True, timeout=_LIMIT_S, check=False
        )

    def _for_commands(self) -> str:
        if sys.platform == "win32":
            return str(Path(self.program).with_name("orcinus-console.exe"))
        return self.program

    def _prefix(self) -> list[str]:
        if self._root is None:
            return []
        user = f"--userspec={_USER}:{_USER}"
        within = ["env", "-i", *(f"{key}={value}" for key, value in self._environ.items())]
        return ["unshare", "--net", "chroot", user, str(self._root), *within]

    def _cwd(self) -> str:
        return "/" if self._root is not None else str(self.home)

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        home = self.seen(self.home)
        if sys.platform == "win32":
            kept = {key: value for key, value in os.environ.items() if key.upper() not in {"PYTHONPATH", "PYTHONHOME"}}
            own = {} if self._portable else {"ORCINUS_HOME": str(self.data)}
            return {**kept, "USERPROFILE": home, **own, **environ}
        path = "/usr/bin:/bin:/usr/sbin:/sbin"
        # no keychain of whoever runs this
        return {"HOME": home, "PATH": path, "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": "disabled:", **environ}

    def _in_proc(self) -> Iterator[tuple[int, str]]:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                program = os.readlink(entry / "exe").removesuffix(" (deleted)")
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                state = (entry / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()[0]
            except (OSError, IndexError):
                continue
            if Path(program).is_relative_to(self.folder) and state != "Z":
                yield int(entry.name), command

    def _resolved_inside(self, name: str) -> Path:
        """Follow links as the empty system does: its root is not ours."""
        told = subprocess.run(["chroot", str(self._root), "readlink", "-f", name], capture_output=True, text=True)
        return Path(told.stdout.strip() or shutil.which(name) or name)
