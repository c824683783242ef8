"""Which names from the Hub may become files and folders here: listings are written by strangers."""

from __future__ import annotations

import re
import unicodedata

from app.core.errors import HubError

_SEGMENT_CHARS = 120
_SEGMENT_BYTES = 240
"""Linux and macOS allow 255, and something must be left for a suffix."""
_PATH_CHARS = 400
_FORBIDDEN = frozenset('<>:"|?*\\')
"""What Windows does not allow; the colon opens a second stream of a file there, the backslash a folder."""
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and format characters (those that turn the writing direction among them) and what is no character."""
_REPO_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")


def safe_path(path: str) -> str:
    """The path itself, if a GGUF file may be kept under it below a folder of ours on every system.

    Raises HubError otherwise: it leads out of the folder, is hidden, is not what it looks like, is a device on
    Windows, is too long, or names no GGUF file.
    """
    if not path.lower().endswith(".gguf"):
        raise _unsafe("It is not a GGUF file.")
    if len(path) > _PATH_CHARS:
        raise _unsafe("Its name is too long.")
    for segment in path.split("/"):
        trouble = _trouble(segment)
        if trouble:
            raise _unsafe(trouble)
    return path


def safe_repo_id(repo_id: str) -> str:
    """The id itself, if it has the Hub's form owner/name and both may be names of folders; else raises HubError."""
    parts = repo_id.split("/")
    if len(parts) != 2 or not all(_REPO_PART.fullmatch(part) for part in parts) or _double(repo_id):
        raise HubError(
            "That is not the name of a model on the Hub",
            "Such a name looks like TheBloke/Mistral-7B-OpenOrca-GGUF: owner, slash, name.",
            "Copy it from the top of the model's page.",
        )
    for part in parts:
        trouble = _trouble(part)
        if trouble:
            raise _unsafe(trouble)
    return repo_id


def _double(repo_id: str) -> bool:
    return "--" in repo_id or ".." in repo_id or repo_id.endswith(".git")


def _trouble(segment: str) -> str:
    """Why a file or folder must not have this name; "" where it may."""
    if not segment or segment.startswith((".", " ")) or segment.endswith((".", " ")):
        return "A part of its name is empty or begins or ends with a dot or a space."
    if len(segment) > _SEGMENT_CHARS or len(segment.encode("utf-8", "surrogatepass")) > _SEGMENT_BYTES:
        return "Its name is too long."
    if any(char in _FORBIDDEN or unicodedata.category(char) in _INVISIBLE for char in segment):
        return "Its name has characters that a file cannot have everywhere, or that cannot be seen."
    if unicodedata.normalize("NFC", segment) != segment:
        return "Its name is spelt in a way that two systems would read differently."
    if segment.split(".")[0].rstrip(" ").lower() in _DEVICES:
        return "Its name stands for a device on Windows."
    return ""


def _unsafe(why: str) -> HubError:
    return HubError("This file's name is not safe", why, "Choose another file or another repository.")
