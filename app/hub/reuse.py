"""Models that are on this computer already, in our own folder or another program's, so that none is fetched twice.

Nothing here is ever written to or removed: other programs' files are linked, or used where they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from app.core.library import RemoteFile

_BY_CONTENT = ("models--*/blobs/{sha256}", "blobs/sha256-{sha256}")
"""Hugging Face's cache and Ollama's store name files after their content."""

_BY_NAME = (
    *("*.gguf", "*/*.gguf", "*/*/*.gguf", "*/*/*/*.gguf"),
    *("models--*/snapshots/*/*.gguf", "models--*/snapshots/*/*/*.gguf"),
)
"""Flat, a folder a model, <owner>/<name>/ as here and at LM Studio's, and the names of Hugging Face's cache."""
_ANY_MODEL = "model.gguf"
"""Jan calls every model so."""


def known_places(environ: Mapping[str, str] | None = None, home: Path | None = None) -> tuple[Path, ...]:
    """Where other programs keep models, whichever system this is; those that exist."""
    env = os.environ if environ is None else environ
    base = Path.home() if home is None else home
    cache = Path(env.get("XDG_CACHE_HOME") or base / ".cache")
    on_a_mac = base / "Library" / "Application Support"
    local, roaming = Path(env.get("LOCALAPPDATA") or on_a_mac), Path(env.get("APPDATA") or on_a_mac)
    data, settings = Path(env.get("XDG_DATA_HOME") or base / ".local" / "share"), base / ".config"
    hugging_face = Path(env.get("HF_HOME") or cache / "huggingface")
    places = (
        Path(env.get("HF_HUB_CACHE") or hugging_face / "hub"),
        Path(env.get("LLAMA_CACHE") or cache / "llama.cpp"),
        base / "Library" / "Caches" / "llama.cpp",
        local / "llama.cpp",
        Path(env.get("OLLAMA_MODELS") or base / ".ollama" / "models"),
        base / ".lmstudio" / "models",
        cache / "lm-studio" / "models",
        *(place / "nomic.ai" / "GPT4All" for place in (data, local)),
        *(place / "Jan" / "data" / "llamacpp" / "models" for place in (data, settings, roaming)),
    )
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))


def candidates(file: RemoteFile, places: tuple[Path, ...]) -> Iterator[Path]:
    """Files that may have the wanted content, each once; those with its name first.

    Two models of one family in one quant often have the very same size, and each would have to be read as a whole: so
    the name has to be the same too, or be the content's checksum.
    """
    name = PurePosixPath(file.path).name.casefold()
    named = (path for path in _matching(places, _BY_NAME, "") if _may_be(path.name.casefold(), name))
    seen = set()
    for path in (*named, *_matching(places, _BY_CONTENT, file.sha256)):
        try:
            facts = path.stat()
        except OSError:
            continue
        if facts.st_size == file.size_bytes and (facts.st_dev, facts.st_ino) not in seen and path.is_file():
            seen.add((facts.st_dev, facts.st_ino))
            yield path


def _may_be(name: str, wanted: str) -> bool:
    """Whether a file of this name may be the wanted one; llama.cpp puts owner and repository before its own."""
    return name in (wanted, _ANY_MODEL) or name.endswith(f"_{wanted}")


def link(source: Path, target: Path) -> bool:
    """Give the content of `source` a second name. False where the two lie on different disks or links are unknown."""
    fresh = target.with_name(f"{target.name}.link")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        os.link(os.path.realpath(source), fresh)
        os.replace(fresh, target)
        fresh.unlink(missing_ok=True)  # replacing one name by another of the same file leaves both
    except OSError:
        return False
    return True


def _matching(places: tuple[Path, ...], patterns: tuple[str, ...], sha256: str) -> Iterator[Path]:
    for place in places:
        for pattern in patterns:
            try:
                yield from place.glob(pattern.format(sha256=sha256))
            except OSError:
                continue
