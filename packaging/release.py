"""What a release says of itself.

python3 packaging/release.py check TAG        the tag, the version and the changelog agree
python3 packaging/release.py notes            the version's part of CHANGELOG.md
python3 packaging/release.py sums FOLDER      SHA256SUMS of what is in there, which sha256sum -c reads
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import product

_CHANGELOG = product.ROOT / "CHANGELOG.md"


def main(words: list[str]) -> int:
    """Do what the first word says; returns the exit code."""
    if words[:1] == ["check"] and len(words) == 2:
        check(words[1], product.version(), _CHANGELOG.read_text("utf-8"))
    elif words == ["notes"]:
        print(notes(product.version(), _CHANGELOG.read_text("utf-8")))
    elif words[:1] == ["sums"] and len(words) == 2:
        folder = Path(words[1])
        (folder / "SHA256SUMS").write_text(sums(folder), encoding="utf-8")
    else:
        print(__doc__)
        return 2
    return 0


def check(tag: str, version: str, changelog: str) -> None:
    """Refuse a tag that is not this version's, and a version without a word on it.

    Raises:
        SystemExit: they do not agree.
    """
    if tag != f"v{version}":
        raise SystemExit(f"The tag is {tag}, and the program's version {version}: v{version} was expected.")
    if not notes(version, changelog):
        raise SystemExit(f"CHANGELOG.md says nothing under a heading {version}.")


def notes(version: str, changelog: str) -> str:
    """What stands under the heading of a version, up to the next one; "" where there is none."""
    found = re.search(
        rf"^## \[?{re.escape(version)}(?![\d.])[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


def sums(folder: Path) -> str:
    """One line per file, in order of their names."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    return "".join(f"{_sha256(file)}  {file.name}\n" for file in files)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
