"""Makes everything that people download for this system, in one go.

    python3 packaging/installers.py [--gpu vulkan|cuda|none] [--headers PREFIX]

Linux: .deb and .run; Windows: .exe; macOS: .dmg; beside them a bill of materials. `dist` then holds them and the bundle
they are made of. `python3 packaging/dev.py installers` is the same.
"""

from __future__ import annotations

import argparse
import importlib
import shutil

import bundle
import product

_LIMIT_MB = {"vulkan": 90.0, "none": 70.0}
"""A download on Linux is at most this large; what takes the space is printed with the bundle."""
_UNPACKED_LIMIT_MB = 250.0


def main() -> None:
    """Read the arguments and make all of it."""
    parser = argparse.ArgumentParser(description="Make everything that people download for this system.")
    bundle.add_arguments(parser)
    asked = parser.parse_args()
    folder = bundle.make(asked.gpu, asked.headers)
    gpu = "cuda" if asked.gpu == "cuda" else ""
    made = importlib.import_module(product.SYSTEM).main(folder, gpu)
    bill = next(path for path in folder.rglob("sbom.cdx.json") if not path.is_symlink())
    shutil.copyfile(bill, product.DIST / product.installer_name(".cdx.json", gpu))
    if product.SYSTEM == "linux" and asked.gpu in _LIMIT_MB:
        unpacked = sum(file.stat().st_size for file in bundle.files(folder)) / 1e6
        sizes = {file.name: (file.stat().st_size / 1e6, _LIMIT_MB[asked.gpu]) for file in made}
        sizes[folder.name] = (unpacked, _UNPACKED_LIMIT_MB)
        large = [f"{name} has {size:.1f} MB of {limit:.0f}" for name, (size, limit) in sizes.items() if size > limit]
        if large:
            raise SystemExit("Too large: " + "; ".join(large))


if __name__ == "__main__":
    main()
