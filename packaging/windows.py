"""Windows' installer, made of a finished bundle by NSIS: for one person, without an administrator.

    python packaging/windows.py BUNDLE

Programs and installer are signed where ORCINUS_CERTIFICATE names a .pfx file, with the password in
ORCINUS_CERTIFICATE_PASSWORD.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import product

_NSIS = Path(os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")) / "NSIS" / "makensis.exe"
_CLOCK = "http://timestamp.digicert.com"
"""Says when a signature was made, so that it holds after its certificate has run out."""


def main(bundle: Path, gpu: str = "") -> list[Path]:
    """Make it; returns the files."""
    sign([*bundle.glob("*.exe"), *(bundle / "_internal" / "llama_cpp" / "lib").glob("*.dll")])
    target = product.DIST / product.installer_name(".exe", gpu)
    size_kb = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) // 1024
    compile_script(bundle, target, size_kb)
    sign([target])
    print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB", flush=True)
    return [target]


def compile_script(bundle: Path, target: Path, size_kb: int) -> None:
    """Run makensis, which Debian has too; a warning is an error."""
    program = shutil.which("makensis") or str(_NSIS)
    values = {
        "VERSION": product.version(),
        "FILE_VERSION": f"{product.version()}.0",
        "FILES": str(bundle / "*.*"),
        "OUTPUT": str(target),
        "ICON": str(product.BUILD / "icons" / "orcinus.ico"),
        "SIZE_KB": str(size_kb),
    }
    defined = [f"-D{key}={value}" for key, value in values.items()]
    script = str(product.HERE / "windows" / "orcinus.nsi")
    subprocess.run([program, "-V2", "-WX", "-INPUTCHARSET", "UTF8", *defined, script], check=True)


def sign(files: Sequence[Path]) -> None:
    """Sign them where there is a certificate, and say so where there is none."""
    certificate = os.environ.get("ORCINUS_CERTIFICATE", "")
    if not certificate:
        print("There is no certificate, so nothing is signed.", flush=True)
        return
    secret = os.environ.get("ORCINUS_CERTIFICATE_PASSWORD", "")
    kind = ["/fd", "sha256", "/tr", _CLOCK, "/td", "sha256"]
    done = subprocess.run(["signtool", "sign", "/f", certificate, "/p", secret, *kind, *map(str, files)])
    if done.returncode:
        raise SystemExit("signtool could not sign.")  # its command line holds the password, so it is not shown


if __name__ == "__main__":
    main(Path(sys.argv[1]))
