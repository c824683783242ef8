"""The icon in every size and format."""

from __future__ import annotations

import struct
from pathlib import Path

import icons
from PySide6.QtGui import QImage


def test_it_is_drawn_in_every_size_that_a_desktop_asks_for(tmp_path: Path):
    icons.main(tmp_path)
    for size in icons.SIZES:
        picture = QImage(str(tmp_path / f"orcinus-{size}.png"))
        assert (picture.width(), picture.height()) == (size, size)
        assert picture.pixelColor(size // 2, 1 + size // 16).alpha() == 255
        assert picture.pixelColor(0, 0).alpha() == 0, "its corners are round"


def test_windows_finds_each_size_in_its_icon(tmp_path: Path):
    icons.main(tmp_path)
    raw = (tmp_path / "orcinus.ico").read_bytes()
    count = struct.unpack_from("<H", raw, 4)[0]
    for number in range(count):
        side, _, _, _, _, _, length, place = struct.unpack_from("<BBBBHHII", raw, 6 + 16 * number)
        picture = QImage.fromData(raw[place : place + length])
        assert picture.width() == (side or 256)
    assert count == 7


def test_macos_finds_each_size_in_its_icon(tmp_path: Path):
    icons.main(tmp_path)
    raw = (tmp_path / "orcinus.icns").read_bytes()
    kind, length = struct.unpack_from(">4sI", raw)
    assert (kind, length) == (b"icns", len(raw))
    place, widths = 8, []
    while place < len(raw):
        kind, length = struct.unpack_from(">4sI", raw, place)
        widths.append(QImage.fromData(raw[place + 8 : place + length]).width())
        place += length
    assert max(widths) == 1024
    assert min(widths) == 16
