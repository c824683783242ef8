"""Takes the HTML out of a model card: what it would do is not wanted, and its marks stand in the way of reading."""

from __future__ import annotations

import re

# code is left as it is; an autolink such as <https://…> is no tag, for a tag's name ends before a colon
_TAG = re.compile(r"(`[^`\n]*`)|</?([a-zA-Z][a-zA-Z0-9-]*)(?:\s[^<>]*)?/?>")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_BREAKS = {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "details", "summary", "table", "center"}


def without_html(text: str) -> str:
    """The card with its words and its Markdown, without tags and comments. Fenced code stays as it is."""
    found: list[str] = []
    plain: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            found.append(line)
            if mark is not None and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark is not None:
            found.append(_stripped("\n".join(plain)))
            plain = []
            fence = mark.group(1)
            found.append(line)
        else:
            plain.append(line)
    found.append(_stripped("\n".join(plain)))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(found)).strip("\n")


def _stripped(text: str) -> str:
    return _TAG.sub(_replaced, _without_comments(text))


def _replaced(match: re.Match[str]) -> str:
    if match.group(1):
        return match.group(1)
    return "\n" if match.group(2).lower() in _BREAKS else ""


def _without_comments(text: str) -> str:
    kept: list[str] = []
    place = 0
    while (begin := text.find("<!--", place)) >= 0:
        kept.append(text[place:begin])
        end = text.find("-->", begin + 4)
        if end < 0:
            return "".join(kept)
        place = end + 3
    return "".join([*kept, text[place:]])
