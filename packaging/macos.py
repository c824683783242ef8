"""macOS's disk image, made of a finished .app: signed, notarised and stapled where the keys for that are given.

    python3 packaging/macos.py BUNDLE

ORCINUS_SIGNING_IDENTITY names a "Developer ID Application" in the keychain; without one the app is signed for no one,
which Apple silicon asks for, and macOS then warns before the first start. ORCINUS_APPLE_ID, ORCINUS_APPLE_TEAM and
ORCINUS_APPLE_PASSWORD (of an app's own) are for the notary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import product

_MACH = {b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"}
"""How programs and libraries for macOS begin: of one kind of processor, and of several."""


def main(bundle: Path, gpu: str = "") -> list[Path]:
    """Make it; returns the files."""
    del gpu  # Metal is in the only one there is
    identity = os.environ.get("ORCINUS_SIGNING_IDENTITY", "")
    sign(bundle, identity or "-")
    image = disk_image(bundle)
    if identity:
        _codesign(image, identity, ())
        notarise(image)
    else:
        print("There is no identity to sign with, so macOS will warn before the first start.", flush=True)
    print(f"{image.name}: {image.stat().st_size / 1e6:.1f} MB", flush=True)
    return [image]


def sign(bundle: Path, identity: str) -> None:
    """Sign everything that can run, from the inside out: a signature covers what lies deeper."""
    inside = [path for path in bundle.rglob("*") if path.is_file() and not path.is_symlink() and _is_program(path)]
    main_program = product.program_file(bundle)
    for file in sorted(inside, key=lambda path: -len(path.parts)):
        if file != main_program:
            _codesign(file, identity, ())
    entitled = ("--entitlements", str(product.HERE / "macos" / "entitlements.plist"))
    _codesign(bundle, identity, entitled)
    subprocess.run(["codesign", "--verify", "--deep", "--strict", str(bundle)], check=True)


def disk_image(bundle: Path) -> Path:
    """The image that a person opens: the app, and a link to where it is dragged."""
    folder = product.BUILD / "image"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["ditto", str(bundle), str(folder / bundle.name)], check=True)
    (folder / "Applications").symlink_to("/Applications")
    target = product.DIST / product.installer_name(".dmg")
    target.unlink(missing_ok=True)
    form = ["-volname", product.NAME, "-fs", "HFS+", "-format", "ULMO"]
    subprocess.run(["hdiutil", "create", "-srcfolder", str(folder), *form, str(target)], check=True)
    return target


def notarise(image: Path) -> None:
    """Have Apple look at it, and keep its answer in the image so that a start needs no network."""
    keys = [os.environ.get(f"ORCINUS_APPLE_{name}", "") for name in ("ID", "TEAM", "PASSWORD")]
    if not all(keys):
        print("There are no keys for the notary, so the image is signed only.", flush=True)
        return
    account, team, password = keys
    given = ["--apple-id", account, "--team-id", team, "--password", password]
    done = subprocess.run(["xcrun", "notarytool", "submit", str(image), "--wait", *given])
    if done.returncode:
        raise SystemExit("The notary did not take the image.")  # its command line holds the password
    subprocess.run(["xcrun", "stapler", "staple", str(image)], check=True)


def _codesign(path: Path, identity: str, more: tuple[str, ...]) -> None:
    clock = "--timestamp" if identity != "-" else "--timestamp=none"
    command = ["codesign", "--force", "--options", "runtime", clock, *more, "--sign", identity, str(path)]
    subprocess.run(command, check=True)


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _MACH


if __name__ == "__main__":
    main(Path(sys.argv[1]))
