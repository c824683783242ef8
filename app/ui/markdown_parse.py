"""The Markdown dialect of replies: CommonMark with tables, strikethrough, bare links and formulas, without HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from app.ui.markdown_formula import formula_block, formula_inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

SAFE_SCHEMES = ("http://", "https://", "mailto:")

# A paragraph longer than this is cut in two, so that its beginning becomes final while the rest still streams
PARAGRAPH_CAP = 1500
_CUT_FROM = 700
_CUT_BEFORE = 3 * PARAGRAPH_CAP
_SENTENCE_END = re.compile(r"[.!?:;][ \n](?=[A-Za-z])|\n(?=[A-Za-z])")

# One unbroken line is laid out in quadratic time: 100,000 characters take 0.15 s, a million 22 s
_UNBROKEN_RUN = re.compile(r"\S{2001,}")
_RUN_LENGTH = 2000
BREAK_OPPORTUNITY = "\u200b"

# Qt reads these as ends of blocks and frames; lone surrogates cannot become a QString
_UNSHOWABLE = {0: "\ufffd", 0x2029: "\u2028", 0xFDD0: "\ufffd", 0xFDD1: "\ufffd", 0xFFFC: "\ufffd", 0x0D: " "}
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Span:
    """One block of a parse: tokens[first:last], written on the lines line_first..line_last (end not included)."""

    first: int
    last: int
    line_first: int
    line_last: int


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True})
    parser.enable(["table", "strikethrough", "linkify"])
    # A definition further down would change text that is already final, an underline the paragraph above it
    parser.disable(["reference", "lheading"])
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False})  # "main.py" is a file, not a host in Paraguay
    parser.inline.ruler.before("escape", "formula", formula_inline)
    parser.block.ruler.before("fence", "formula_block", formula_block, {"alt": ["paragraph", "blockquote", "list"]})
    return parser


def parse(source: str) -> list[Token]:
    """The tokens of `source`, as markdown-it gives them, with `formula` and `formula_block` beside its own."""
    return _parser().parse(source)


def end_of(tokens: Sequence[Token], first: int) -> int:
    """The index behind the block that opens at `first`."""
    depth, index = 0, first
    while True:
        depth += tokens[index].nesting
        index += 1
        if depth == 0:
            return index


def blocks(tokens: Sequence[Token], first: int = 0, last: int | None = None) -> Iterator[Span]:
    """The blocks in tokens[first:last], one level deep."""
    last = len(tokens) if last is None else last
    while first < last:
        end = end_of(tokens, first)
        lines = tokens[first].map or [0, 0]
        yield Span(first, end, lines[0], lines[1])
        first = end


def line_starts(source: str) -> list[int]:
    """Where each line begins; its length is one more than the number of complete lines."""
    starts, position = [0], source.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = source.find("\n", position + 1)
    return starts


def cut_point(paragraph: str) -> int:
    """Where a long paragraph is cut, 0 for nowhere (yet).

    The answer never changes when text is added at the end, so streamed and whole text are cut at the same places.
    """
    if len(paragraph) < PARAGRAPH_CAP:
        return 0
    for match in _SENTENCE_END.finditer(paragraph, _CUT_FROM, _CUT_BEFORE):
        if _balanced(paragraph[: match.end()]):
            return match.end()
    if len(paragraph) <= _CUT_BEFORE:
        return 0
    space = paragraph.rfind(" ", _CUT_FROM, _CUT_BEFORE - 1) + 1
    return space if space and paragraph[space].isalpha() else _CUT_BEFORE


def _balanced(text: str) -> bool:
    return (
        all(text.count(mark) % 2 == 0 for mark in "`*~$_")
        and text.count("[") == text.count("]")
        and text.count("(") == text.count(")")
    )


def safe_link(url: str | int | float | None) -> str:
    """`url` if a person may open it, else an empty string."""
    text = str(url or "")
    return text if text.lower().startswith(SAFE_SCHEMES) else ""


def showable(text: str) -> str:
    """`text` as Qt can take it: nothing that ends a block, and a chance to break very long runs."""
    text = text.translate(_UNSHOWABLE)
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    if len(text) > _RUN_LENGTH:
        text = _UNBROKEN_RUN.sub(_with_breaks, text)
    return text


def _with_breaks(match: re.Match[str]) -> str:
    run = match.group()
    return BREAK_OPPORTUNITY.join(run[start : start + _RUN_LENGTH] for start in range(0, len(run), _RUN_LENGTH))
