"""Draws the program's icon in every size and format that systems ask for, from the one SVG file.

    python packaging/icons.py FOLDER

Needs PySide6. Writes `orcinus-16.png` to `orcinus-512.png`, `orcinus.ico` for Windows and `orcinus.icns` for macOS.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "resources" / "icons" / "orcinus.svg"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
"""In pixels, as folders of the hicolor theme are called."""
_ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
_ICNS_KINDS = {
    b"icp4": 16,
    b"icp5": 32,
    b"icp6": 64,
    b"ic07": 128,
    b"ic08": 256,
    b"ic09": 512,
    b"ic10": 1024,
    b"ic11": 32,
    b"ic12": 64,
    b"ic13": 256,
    b"ic14": 512,
}
"""The types of Apple's format that hold PNG; the last four are for screens of two pixels a point."""


def main(folder: Path) -> None:
    """Write all of them into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw(sorted({*SIZES, *_ICO_SIZES, *_ICNS_KINDS.values()}))
    for size in SIZES:
        (folder / f"orcinus-{size}.png").write_bytes(pictures[size])
    (folder / "orcinus.ico").write_bytes(ico({size: pictures[size] for size in _ICO_SIZES}))
    (folder / "orcinus.icns").write_bytes(icns(pictures))


def draw(sizes: list[int]) -> dict[int, bytes]:
    """The icon as PNG, by its side in pixels."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(QByteArray(SOURCE.read_bytes()))
    pictures = {}
    for size in sizes:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, Qt text
        pictures[size] = bytes(buffer.data().data())
    return pictures


def ico(pictures: Mapping[int, bytes]) -> bytes:
    """A Windows icon of PNG pictures, which Windows reads in any size since Vista."""
    directory = struct.pack("<HHH", 0, 1, len(pictures))
    place = len(directory) + 16 * len(pictures)
    entries = b""
    for size, picture in sorted(pictures.items()):
        side = size % 256  # 0 stands for 256
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), place)
        place += len(picture)
    return directory + entries + b"".join(picture for _, picture in sorted(pictures.items()))


def icns(pictures: Mapping[int, bytes]) -> bytes:
    """An icon for macOS of PNG pictures."""
    parts = b"".join(
        struct.pack(">4sI", kind, len(pictures[size]) + 8) + pictures[size] for kind, size in _ICNS_KINDS.items()
    )
    return struct.pack(">4sI", b"icns", len(parts) + 8) + parts


if __name__ == "__main__":
    main(Path(sys.argv[1]))
