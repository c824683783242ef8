"""Writes what a bundle is made of: the licences of everything in it, and a bill of materials (CycloneDX).

    python packaging/licences.py BUNDLE_INSIDE

Runs in the environment that the bundle was made in, for it asks the packages there. The argument is the folder with
the libraries; `licences/` and `sbom.cdx.json` are written into it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import product

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors|ofl)", re.IGNORECASE)
_TOOLS = {"pip", "setuptools", "wheel", "pyinstaller", "pyinstaller-hooks-contrib", "altgraph", "macholib", "pefile"}
_QT = (
    "Qt and its Python bindings are used under the GNU Lesser General Public License, version 3; its text and that of\n"
    "the GNU General Public License, which it builds upon, lie beside this file. They are shared libraries of their\n"
    "own in the folder PySide6 and may be replaced there by versions of your own making. Their source is at\n"
    "https://download.qt.io/official_releases/QtForPython/ and https://download.qt.io/official_releases/qt/\n"
)


@dataclass
class Component:
    """Something of others in the bundle."""

    name: str
    version: str
    licence: str
    kind: str = "library"
    purl: str = ""
    texts: list[Path] = field(default_factory=list)
    note: str = ""


def main(inside: Path) -> None:
    """Write the licences and the bill of materials for the bundle with its libraries in this folder."""
    components = sorted([*packages(), *others(), *system_libraries(inside)], key=lambda one: one.name.lower())
    folder = inside / "licences"
    shutil.rmtree(folder, ignore_errors=True)
    write_licences(components, folder)
    bill = json.dumps(bill_of_materials(components), indent=1)
    (inside / "sbom.cdx.json").write_text(bill, encoding="utf-8")
    silent = [one.name for one in components if not (one.texts or one.note)]
    if silent:
        raise SystemExit(f"No licence was found for {', '.join(silent)}.")


def packages() -> Iterator[Component]:
    """The Python packages that the program is made of; the environment has no others but the tools for bundles."""
    for found in metadata.distributions():
        name = found.metadata["Name"]
        if name.lower() in _TOOLS | {"hf-xet", "diskcache", "orcinus", "cmake", "ninja"}:
            continue
        texts = [Path(str(found.locate_file(file))) for file in found.files or [] if _LICENCE_FILE.search(file.name)]
        texts = [file for file in texts if file.suffix not in {".py", ".pyc"} and file.is_file()]
        licence = found.metadata["License-Expression"] or _licence_named(found)
        qt = name.lower().startswith(("pyside6", "shiboken6"))
        own = product.HERE / "licences" / f"{name.lower()}.txt"
        texts += [own] if own.exists() else []
        yield Component(
            name,
            found.version,
            "LGPL-3.0-only" if qt else licence,
            purl=f"pkg:pypi/{name.lower().replace('_', '-')}@{found.version}",
            texts=[product.HERE / "licences" / f"{text}.txt" for text in ("LGPL-3.0", "GPL-3.0")] if qt else texts,
            note=_QT if qt else ("" if texts else f"Under the licence {licence}, as its author says.\n"),
        )


def others() -> Iterator[Component]:
    """What no package tells of: Python itself, llama.cpp, the fonts."""
    base = Path(sys.base_prefix)
    places = [base / "LICENSE.txt", base / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "LICENSE.txt"]
    places += [Path(f"/usr/share/doc/python{sys.version_info[0]}.{sys.version_info[1]}/copyright")]
    texts = [file for file in places if file.is_file()][:1]
    note = "" if texts else "Python is under the PSF licence: https://docs.python.org/3/license.html\n"
    yield Component("Python", platform.python_version(), "Python-2.0", "framework", texts=texts, note=note)
    fonts = product.ROOT / "resources" / "fonts"
    yield Component("Inter", "4", "OFL-1.1", "file", texts=[fonts / "OFL-Inter.txt"])
    yield Component("JetBrains Mono", "2", "OFL-1.1", "file", texts=[fonts / "OFL-JetBrainsMono.txt"])
    engine = metadata.version("llama-cpp-python")
    texts = [product.HERE / "licences" / "llama.cpp.txt"]
    yield Component("llama.cpp", f"of llama-cpp-python {engine}", "MIT", texts=texts)


def system_libraries(inside: Path) -> Iterator[Component]:
    """What was taken along of this Linux system's own libraries, by the packages that own them."""
    if product.SYSTEM != "linux" or not shutil.which("dpkg-query"):
        return
    owners: dict[str, str] = {}
    for file in sorted(inside.glob("*.so*")):
        if file.is_symlink() or not file.is_file():
            continue
        found = subprocess.run(["dpkg-query", "-S", f"*/{file.name}"], capture_output=True, text=True)
        if found.returncode == 0:
            owners.setdefault(found.stdout.split(":")[0], file.name)
    for package in owners:
        query = ["dpkg-query", "-W", "-f=${Version}", package]
        version = subprocess.run(query, capture_output=True, text=True).stdout.split("\n")[0]
        text = Path("/usr/share/doc") / package / "copyright"
        name = owners[package].split(".so")[0]
        purl = f"pkg:deb/{platform.freedesktop_os_release().get('ID', 'debian')}/{package}@{version}"
        yield Component(name, version, "see its text", purl=purl, texts=[text] if text.is_file() else [])


def write_licences(components: list[Component], folder: Path) -> None:
    """One folder per component, and a list of all."""
    folder.mkdir(parents=True)
    shutil.copyfile(product.ROOT / "LICENSE", folder / "LICENSE-Orcinus.txt")
    lines = [f"{product.NAME} {product.version()} is under the Apache License 2.0. In it are:", ""]
    for one in components:
        lines.append(f"{one.name} {one.version}: {one.licence}")
        place = folder / re.sub(r"[^\w.+-]", "-", one.name)
        place.mkdir(exist_ok=True)
        for number, text in enumerate(one.texts):
            name = text.name if not (place / text.name).exists() else f"{number}-{text.name}"
            (place / name).write_bytes(text.read_bytes())
        if one.note:
            (place / "NOTE.txt").write_text(one.note, encoding="utf-8")
    (folder / "README.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def bill_of_materials(components: list[Component]) -> dict[str, object]:
    """As CycloneDX 1.5 writes it. The same contents make the same bill, so it carries no time."""
    main_part = {
        "type": "application",
        "bom-ref": product.PROGRAM,
        "name": product.NAME,
        "version": product.version(),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    parts = []
    for one in components:
        part: dict[str, object] = {
            "type": one.kind,
            "bom-ref": one.purl or f"{one.name}@{one.version}",
            "name": one.name,
            "version": one.version,
            "licenses": [{"license": {"name": one.licence}}],
        }
        if one.purl:
            part["purl"] = one.purl
        parts.append(part)
    digest = hashlib.sha256(json.dumps([main_part, parts]).encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"component": main_part},
        "components": parts,
        "dependencies": [{"ref": product.PROGRAM, "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def _licence_named(found: metadata.Distribution) -> str:
    named = found.metadata["License"] or ""
    if named and len(named) < 60:
        return named
    classes = [line for line in found.metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    return classes[0].rsplit(" :: ", 1)[-1] if classes else "see its text"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
