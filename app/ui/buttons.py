"""Buttons with a stroke icon: they keep the icon's name, so that a new theme can colour it anew."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.theme import Theme


class IconButton(QToolButton):
    """A button that is only an icon; its words are the tooltip and the accessible name."""

    def __init__(
        self,
        icon_name: str,
        words: str,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        keys: str = "",
        side_px: int = 32,
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self._colour = ""
        self.setFixedSize(side_px, side_px)
        self.setIconSize(QSize(18, 18) if side_px >= 30 else QSize(15, 15))
        self.set_words(words, keys)
        self.set_theme(theme)

    def set_words(self, words: str, keys: str = "") -> None:
        """What the button does, and the keys that do the same."""
        self.setAccessibleName(words)
        self.setToolTip(f"{words} ({keys})" if keys else words)

    def set_icon(self, icon_name: str, theme: Theme) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self.set_theme(theme)

    def set_colour(self, token: str, theme: Theme) -> None:
        """Draw the icon in the theme's colour of that name, such as "accent_text"."""
        self._colour = token
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        token = self._colour or ("accent" if self.isChecked() else "muted")
        self.setIcon(icon(self._icon_name, getattr(theme, token), self.iconSize().width()))


class WordButton(QPushButton):
    """A button with words, and perhaps an icon before them.

    `kind` is its look: "outline", "wide" (outline, words at the left), "filled", "link" or "fold".
    """

    def __init__(
        self, words: str, theme: Theme, parent: QWidget | None = None, *, kind: str = "outline", icon_name: str = ""
    ) -> None:
        super().__init__(words, parent)
        self._icon_name = icon_name
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        if kind == "link":
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_theme(theme)

    def set_icon(self, icon_name: str, theme: Theme) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in this theme's colours."""
        if self._icon_name:
            token = {"filled": "accent_text", "link": "link"}.get(self.property("kind"), "muted")
            self.setIcon(icon(self._icon_name, getattr(theme, token), 16))
            self.setIconSize(QSize(16, 16))
