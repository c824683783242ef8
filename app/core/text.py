"""Text from outside, made safe to store, show and encode."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text without NUL, with surrogate pairs joined and lone surrogates turned into U+FFFD.

    Run it wherever text enters: typed, pasted, read from a file, the command line or JSON. Nothing else is changed.
    """
    if text.isascii():
        return text.replace("\0", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")
