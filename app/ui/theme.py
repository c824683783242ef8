"""How the app looks: two frozen sets of design tokens, and the palette and style sheet made from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.style_sheet import style_sheet


@dataclass(frozen=True, slots=True)
class Theme:
    """Design tokens: colours as "#rrggbb", fonts by family, sizes in points.

    Words may be written in text, muted, faint, accent, link, ok, warn or danger on window, panel, sidebar, raised,
    field and bubble: each pair reaches a contrast of 4.5:1. Lines that only divide use `border`, the edges of things
    one can use `control`.
    """

    name: str
    dark: bool
    window: str
    sidebar: str
    panel: str
    raised: str
    field: str
    border: str
    control: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_soft: str
    fill: str
    """Ground of filled buttons; `accent_text` is the writing on it."""
    accent_text: str
    hover: str
    selection: str
    bubble: str
    code_bg: str
    code_border: str
    inline_bg: str
    ok: str
    warn: str
    danger: str
    info_bg: str
    warn_bg: str
    danger_bg: str
    link: str
    syntax_keyword: str
    syntax_string: str
    syntax_number: str
    syntax_comment: str
    syntax_function: str
    syntax_name: str
    body_font: str = "Inter"
    mono_font: str = "JetBrains Mono"
    font_pt: float = 11.0
    """Size of the text in messages; the window's own words follow it."""

    @property
    def chrome_pt(self) -> float:
        """Size of labels, buttons and fields."""
        return self.font_pt - 1

    @property
    def small_pt(self) -> float:
        """Size of side notes: dates, sources, hints."""
        return self.font_pt * 0.82

    def sized(self, font_pt: float) -> Theme:
        """The same theme at another text size."""
        return replace(self, font_pt=float(font_pt))

    def stronger(self) -> Theme:
        """With edges of 3:1 and darker side notes, for a desktop that asks for high contrast."""
        return replace(self, border=self.faint, control=self.muted, faint=self.muted, muted=self.text)


LIGHT = Theme(
    name="light",
    dark=False,
    window="#ffffff",
    sidebar="#f6f7f9",
    panel="#fafbfc",
    raised="#ffffff",
    field="#ffffff",
    border="#e4e7ec",
    control="#d3d8e0",
    text="#1b1f24",
    muted="#545c67",
    faint="#626a76",
    accent="#3158d6",
    accent_soft="#e9efff",
    fill="#3561e8",
    accent_text="#ffffff",
    hover="#eceff3",
    selection="#e3e9fd",
    bubble="#f0f2f6",
    code_bg="#f7f8fa",
    code_border="#e4e7ec",
    inline_bg="#eef0f4",
    ok="#14734a",
    warn="#8a5200",
    danger="#b3261e",
    info_bg="#eef3ff",
    warn_bg="#fff6e5",
    danger_bg="#fdeeed",
    link="#3158d6",
    syntax_keyword="#8a2db0",
    syntax_string="#2f6f2f",
    syntax_number="#a24a00",
    syntax_comment="#626a76",
    syntax_function="#1f55c4",
    syntax_name="#a24a00",
)

DARK = Theme(
    name="dark",
    dark=True,
    window="#1a1b1e",
    sidebar="#131416",
    panel="#17181b",
    raised="#212327",
    field="#1e2023",
    border="#2b2e33",
    control="#3a3e45",
    text="#e6e8eb",
    muted="#a3abb6",
    faint="#929aa6",
    accent="#86a5ff",
    accent_soft="#222c47",
    fill="#3f69ea",
    accent_text="#ffffff",
    hover="#25272c",
    selection="#262d42",
    bubble="#26292e",
    code_bg="#131417",
    code_border="#2b2e33",
    inline_bg="#2b2e34",
    ok="#4cc38a",
    warn="#f0a94a",
    danger="#ff8a80",
    info_bg="#1d2436",
    warn_bg="#2e2617",
    danger_bg="#351f1f",
    link="#86a5ff",
    syntax_keyword="#c792ea",
    syntax_string="#9ccc7c",
    syntax_number="#f0a45d",
    syntax_comment="#8b93a0",
    syntax_function="#82aaff",
    syntax_name="#f0a45d",
)


def chosen(theme: str, font_pt: float) -> Theme:
    """The theme for a Look: "light", "dark", or "system", which follows the desktop and is light where it is silent."""
    hints = QGuiApplication.styleHints()
    dark = theme == "dark" or (theme == "system" and hints.colorScheme().name == "Dark")
    found = (DARK if dark else LIGHT).sized(font_pt)
    # the hint came with Qt 6.10
    accessibility = getattr(hints, "accessibility", None)
    wants_more = accessibility is not None and accessibility().contrastPreference().name == "HighContrast"
    return found.stronger() if wants_more else found


def palette(theme: Theme) -> QPalette:
    """The theme as Qt's own widgets see it."""
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.panel,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.faint,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.Light: theme.raised,
        role.Midlight: theme.border,
        role.Mid: theme.control,
        role.Dark: theme.control,
        role.Shadow: "#000000",
        role.Highlight: theme.fill,
        role.HighlightedText: theme.accent_text,
        role.Link: theme.link,
        role.LinkVisited: theme.link,
        role.Accent: theme.accent,
    }
    made = QPalette()
    for key, colour in colours.items():
        made.setColor(key, QColor(colour))
    for key in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, key, QColor(theme.faint))
    return made


def body_font(theme: Theme) -> QFont:
    """The font of the window's own words."""
    font = QFont(theme.body_font)
    font.setPointSizeF(theme.chrome_pt)
    return font


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole app this theme; widgets that draw themselves are told separately, by their `set_theme`."""
    colours, font, sheet = palette(theme), body_font(theme), style_sheet(theme)
    if (app.styleSheet(), app.palette(), app.font()) == (sheet, colours, font):
        return
    # off first: Qt puts a sheet in another's place widget by widget, which takes it four times as long
    app.setStyleSheet("")
    if app.style().name() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(colours)
    app.setFont(font)
    app.setStyleSheet(sheet)
