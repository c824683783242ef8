"""The tokens can be read, the icons and fonts are there, and the style sheet is one for all."""

from __future__ import annotations

import re
from itertools import product

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication, QLabel

from app.ui import theme as looks
from app.ui.fonts import FONT_FILES, load_fonts
from app.ui.icons import app_icon, icon
from app.ui.resources import resource_path
from app.ui.skeleton import kept_shown, kept_width, skeleton_colours

WRITING = ("text", "muted", "faint", "accent", "link", "ok", "warn", "danger")
GROUNDS = ("window", "sidebar", "panel", "raised", "field", "bubble", "info_bg", "warn_bg", "danger_bg")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it: 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [looks.LIGHT, looks.DARK], ids=["light", "dark"])
def test_every_writing_colour_has_a_contrast_of_4_5_on_every_ground(theme):
    poor = {
        (ink, ground): round(contrast(getattr(theme, ink), getattr(theme, ground)), 2)
        for ink, ground in product(WRITING, GROUNDS)
        if contrast(getattr(theme, ink), getattr(theme, ground)) < 4.5
    }
    assert not poor


@pytest.mark.parametrize("theme", [looks.LIGHT, looks.DARK], ids=["light", "dark"])
def test_chosen_hovered_and_filled_grounds_can_be_read_too(theme):
    pairs = [("text", "selection"), ("muted", "selection"), ("text", "hover"), ("muted", "hover")]
    pairs += [("text", "accent_soft"), ("text", "inline_bg"), ("accent_text", "fill")]
    tones = ("text", "muted", "accent", "ok", "warn", "danger")
    pairs += [(tone, ground) for tone in tones for ground in ("hover", "accent_soft")]  # rows of models
    pairs += [(f"syntax_{kind}", "code_bg") for kind in ("keyword", "string", "number", "comment", "function", "name")]
    assert not [pair for pair in pairs if contrast(*(getattr(theme, token) for token in pair)) < 4.5]


@pytest.mark.parametrize("theme", [looks.LIGHT, looks.DARK], ids=["light", "dark"])
def test_high_contrast_gives_edges_of_three_to_one(theme):
    strong = theme.stronger()
    assert contrast(strong.border, strong.window) >= 3
    assert contrast(strong.control, strong.field) >= 3


def test_system_is_light_where_the_desktop_says_nothing(qapp):
    assert looks.chosen("system", 11).name == "light"
    assert looks.chosen("dark", 14) == looks.DARK.sized(14)


def test_the_bundled_fonts_load_and_are_used(qtbot, light):
    assert load_fonts() == ()
    assert {"Inter", "JetBrains Mono"} <= set(QFontDatabase.families())
    label = QLabel("Words")
    qtbot.addWidget(label)
    assert QFontInfo(label.font()).family() == "Inter"
    assert all(
        resource_path("fonts", name).exists() for name in (*FONT_FILES, "OFL-Inter.txt", "OFL-JetBrainsMono.txt")
    )


def test_every_icon_draws_something_in_the_colour_asked_for(qapp):
    names = [path.stem for path in resource_path("icons").glob("*.svg")]
    assert len(names) > 30
    for name in names:
        picture = icon(name, "#ff0000", 24).pixmap(24, 24).toImage()
        seen = {
            picture.pixelColor(x, y).name() for x in range(24) for y in range(24) if picture.pixelColor(x, y).alpha()
        }
        assert seen, name
        if "currentColor" in resource_path("icons", f"{name}.svg").read_text("utf-8"):
            assert all(re.fullmatch("#[0-9a-f]{2}0000", colour) for colour in seen), name
    assert not app_icon().isNull()


def test_the_style_sheet_is_understood_by_qt(qapp: QApplication, recwarn):
    """Qt warns of a sheet it cannot parse, and the suite fails on its warnings."""
    for theme in (looks.LIGHT, looks.DARK, looks.DARK.stronger().sized(18)):
        looks.apply(qapp, theme)
        assert theme.accent in qapp.styleSheet()
    looks.apply(qapp, looks.LIGHT)


def test_a_theme_is_put_on_once_and_another_reaches_every_widget(qtbot, light, qapp: QApplication):
    class Label(QLabel):
        changes = 0

        def changeEvent(self, event: QEvent) -> None:
            self.changes += event.type() == QEvent.Type.StyleChange
            super().changeEvent(event)

    label = Label("Words")
    qtbot.addWidget(label)
    label.show()
    before = label.changes
    looks.apply(qapp, looks.LIGHT)
    assert label.changes == before
    looks.apply(qapp, looks.DARK)
    assert label.changes > before
    assert label.palette().color(label.foregroundRole()).name() == looks.DARK.text
    qapp.setFont(QFont("JetBrains Mono", 30))
    looks.apply(qapp, looks.DARK)
    assert qapp.font() == looks.body_font(looks.DARK)
    looks.apply(qapp, looks.LIGHT)


def test_the_first_paint_has_the_colours_of_the_theme(tmp_path):
    for theme in (looks.LIGHT, looks.DARK):
        state = QSettings(str(tmp_path / f"{theme.name}.ini"), QSettings.Format.IniFormat)
        state.setValue("window/dark", theme.dark)
        state.sync()
        again = QSettings(str(tmp_path / f"{theme.name}.ini"), QSettings.Format.IniFormat)
        expected = (theme.window, theme.sidebar, theme.panel, theme.border, theme.raised, theme.control)
        assert skeleton_colours(again) == expected


def test_widths_and_panels_are_read_back_whatever_stands_in_the_file(tmp_path):
    state = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    assert kept_width(state, "w", (100, 200, 300)) == 200
    for written, read in ((250, 250), (10, 100), (9999, 300), ("wide", 200)):
        state.setValue("w", written)
        assert kept_width(state, "w", (100, 200, 300)) == read
    assert kept_shown(state, "p")
    state.setValue("p", False)
    assert not kept_shown(state, "p")
