"""From a repository's listing of files to what a person can choose: one row for each quant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.core.errors import HubError, HubNotFoundError
from app.core.library import Quant, RemoteFile
from app.core.split_names import part_of
from app.hub.facts import whole
from app.hub.names import safe_path as safe_path
from app.hub.quant_names import bits_of, label_of, quality_of
from app.hub.reference import Reference

_NO_MODEL = re.compile(r"mmproj|imatrix|^ggml-vocab", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 2**40
_MOST_PARTS = 999


def remote_file(item: object) -> RemoteFile | None:
    """One item of the Hub's listing, if it is a GGUF model file that may be kept and verified here; else None.

    Listings are written by strangers: an unsafe name, a size that cannot be or a missing SHA-256 leaves the file out.
    """
    if not isinstance(item, dict) or item.get("type") != "file":
        return None
    path, size, lfs = item.get("path"), whole(item.get("size"), _MOST_BYTES), item.get("lfs")
    if not isinstance(path, str) or not isinstance(lfs, dict) or not size:
        return None
    sha256 = lfs.get("oid", lfs.get("sha256"))
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or lfs.get("size", size) != size:
        return None
    try:
        safe_path(path)
    except HubError:
        return None
    return None if _NO_MODEL.search(path.rpartition("/")[2]) else RemoteFile(path, size, sha256)


def quants(files: Iterable[RemoteFile], n_params: int | None = None) -> tuple[Quant, ...]:
    """One row for each quant, smallest first; a split one whose parts are not all there is left out.

    Two files whose names differ in capitals alone cannot lie side by side on every system: the first one counts.
    """
    seen: set[str] = set()
    single: list[tuple[str, tuple[RemoteFile, ...]]] = []
    parts: dict[tuple[str, int], dict[int, RemoteFile]] = {}
    for file in files:
        if file.path.casefold() in seen:
            continue
        seen.add(file.path.casefold())
        part = part_of(file.path)
        if part is None:
            single.append((file.path[: -len(".gguf")], (file,)))
        else:
            parts.setdefault((part.start, part.n_parts), {})[part.number] = file
    for (stem, count), numbered in parts.items():
        if 1 <= count <= _MOST_PARTS and sorted(numbered) == list(range(1, count + 1)):
            single.append((stem, tuple(numbered[number] for number in range(1, count + 1))))
    return _labelled(single, n_params)


def choose(offered: Sequence[Quant], reference: Reference) -> Quant | None:
    """The quant that a reference names by file or by label; None where it names none.

    Raises HubNotFoundError where it names one that is not offered, and says which are.
    """
    if not reference.path and not reference.quant:
        return None
    wanted = (reference.quant or reference.path).casefold()
    for quant in offered:
        names = {quant.label, *(file.path for file in quant.files)}
        names |= {file.path.rpartition("/")[2] for file in quant.files}
        if wanted in {name.casefold() for name in names}:
            return quant
    labelled = [quant for quant in offered if label_of(quant.label).casefold() == label_of(wanted).casefold() != ""]
    if len(labelled) == 1 and not wanted.endswith(".gguf"):
        return labelled[0]
    there = ", ".join(quant.label for quant in offered[:20]) or "none"
    raise HubNotFoundError(
        "There is no such file to choose",
        f"{reference.quant or reference.path} is not among the models in {reference.repo_id}.",
        f"There are: {there}.",
    )


def _labelled(single: list[tuple[str, tuple[RemoteFile, ...]]], n_params: int | None) -> tuple[Quant, ...]:
    """`single`: path without its ending, files. Where two have the same label, both are told apart by their names."""
    labels = [_label(stem) for stem, _ in single]
    rows = []
    for (stem, files), label in zip(single, labels, strict=True):
        size = sum(file.size_bytes for file in files)
        bits = bits_of(label, size, n_params)
        shown = label if label and labels.count(label) == 1 else stem
        rows.append(Quant(shown, files, bits, quality_of(bits)))
    return tuple(sorted(rows, key=lambda quant: (quant.size_bytes, quant.label)))


def _label(stem: str) -> str:
    folder, _, name = stem.rpartition("/")
    return label_of(name) or label_of(folder.rpartition("/")[2])
