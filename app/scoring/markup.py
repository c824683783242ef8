"""HTML and SVG that cannot be broken by what is put into it: every text is escaped, there is no other way in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

# what HTML cannot hold: controls but for tab and line ends, and halves of surrogate pairs
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMPTY = {"meta", "br", "hr", "col"}
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")


class Markup:
    """A piece of finished markup. Only `element`, `joined` and `style` of this module make any from texts."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


Content: TypeAlias = Markup | str | int | float | None


def escaped(text: str) -> str:
    """A text so that HTML shows just that, within an element or an attribute."""
    return html.escape(_IMPOSSIBLE.sub("\ufffd", text), quote=True)


def element(tag: str, *content: Content, **attributes: str | float | bool | None) -> Markup:
    """An element with its content. In attributes' names _ stands for -, and one at the end for nothing (class_).

    None leaves an attribute out, True gives it without a value.
    """
    parts = [tag]
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        if not _NAME.fullmatch(name):
            raise ValueError(f"no name of an attribute: {name!r}")
        if value is True:
            parts.append(name)
        elif value is not None and value is not False:
            parts.append(f'{name}="{escaped(_plain(value))}"')
    head = " ".join(parts)
    return Markup(f"<{head}>" if tag in _EMPTY else f"<{head}>{joined(content)}</{tag}>")


def joined(content: Iterable[Content]) -> Markup:
    """Pieces one after another; texts among them are escaped."""
    return Markup("".join(str(one) if isinstance(one, Markup) else escaped(_plain(one)) for one in content))


def style(sheet: str) -> Markup:
    """A style sheet of our own; it must not hold anything from outside, nor the end of its element."""
    if "<" in sheet:
        raise ValueError("a style sheet cannot hold <")
    return Markup(f"<style>{sheet}</style>")


def _plain(value: Content) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)
