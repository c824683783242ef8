"""Models put into the folder, from the disk or from a Hub on loopback."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from app.core.library import LocalModel
from app.storage.model_notes import ModelNote, noted_now

SPLIT = "big-0000{}-of-00002.gguf"


def put(folder: Path, name: str, content: bytes = b"GGUF model") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def look_again(services, *, asked: bool = True) -> list[LocalModel]:
    """Refresh and wait until that is done."""
    library = services.model_library
    library.refresh(asked=asked)
    services.wait(lambda: library._files.is_idle)
    return list(library.models())


def add(services, path: Path, how: str) -> LocalModel:
    heard: list[str] = []
    services.model_library.add_file(str(path), how, heard.append)
    services.wait(lambda: bool(heard))
    model = services.model_library.model(heard[0])
    assert model is not None
    return model


def from_the_hub(path: Path, *content: bytes) -> ModelNote:
    """A note as a finished download leaves it."""
    sums = tuple(hashlib.sha256(part).hexdigest() for part in content)
    facts = path.stat()
    return noted_now(
        ModelNote(
            LocalModel(
                str(path), "From the Hub", facts.st_size, "Q4_K_M", "llama", licence="mit", repo_id="a/b", sha256=sums,
                verified_ms=5,
            ),
            facts.st_mtime_ns,
        )
    )  # fmt: skip


def replace_managed(note: ModelNote) -> ModelNote:
    return replace(note, model=replace(note.model, managed=True))
