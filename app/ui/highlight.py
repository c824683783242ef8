"""Colours for code, laid over the lines of a document without changing it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pygments.lexers import find_lexer_class, get_all_lexers
from PySide6.QtGui import QTextLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pygments.lexer import Lexer
    from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextDocument

    from app.ui.markdown_style import MarkdownStyle

# A few lines more or less never show; a hundred lines of Python take 5 ms to lex
AT_ONCE_LINES = 60
_LOOK_BACK_LINES = 25
_TOKENS_PER_STEP = 200
COMMON_LANGUAGES = ("python", "javascript", "bash", "json", "html", "sql", "cpp")


@cache
def _names() -> dict[str, str]:
    """Language -> lexer name. Pygments' own lookup searches the installed packages for every word it does not know."""
    return {alias: name for name, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}


@cache
def lexer_for(language: str) -> Lexer | None:
    """The lexer for the word behind an opening fence; None for text, or when Pygments does not know the word."""
    name = _names().get(language.lower())
    if name is None or name == "Text only":
        return None
    found = find_lexer_class(name)
    return None if found is None else found(stripnl=False, ensurenl=False)


def warm(languages: Sequence[str] = COMMON_LANGUAGES) -> Iterator[None]:
    """Load lexers, one a step: the first use of one costs up to 27 ms."""
    for language in languages:
        lexer = lexer_for(language)
        if lexer is not None:
            for _ in lexer.get_tokens("x = 1\n"):
                pass
        yield


def restart_line(lines: Sequence[str], changed: int) -> int:
    """Where lexing may begin again when line `changed` and those behind it are new: the last line not indented."""
    earliest = max(0, changed - _LOOK_BACK_LINES)
    while changed > earliest and not lines[changed][:1].strip():
        changed -= 1
    return changed


def highlight(
    document: QTextDocument, first_block: QTextBlock, lines: Sequence[str], lexer: Lexer, style: MarkdownStyle
) -> Iterator[None]:
    """Colour `lines`, which stand in the blocks from `first_block` on; pauses every few hundred tokens.

    Between two steps the document may change anywhere but in these lines; it must not be destroyed.
    """
    block, column = first_block, 0
    formats: list[QTextLayout.FormatRange] = []
    dirty_from = block.position()
    for count, (_, kind, text) in enumerate(lexer.get_tokens_unprocessed("\n".join(lines)), 1):
        form = style.syntax(kind)
        for number, part in enumerate(text.split("\n")):
            if number:
                block.layout().setFormats(formats)
                block, formats, column = block.next(), [], 0
                if not block.isValid():
                    return
            if part and form is not None:
                formats.append(_range(column, _utf16_length(part), form))
            column += _utf16_length(part)
        if count % _TOKENS_PER_STEP == 0:
            document.markContentsDirty(dirty_from, max(1, block.position() - dirty_from))
            dirty_from = block.position()
            yield
    block.layout().setFormats(formats)
    document.markContentsDirty(dirty_from, max(1, block.position() + block.length() - dirty_from))


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _range(start: int, length: int, form: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, form
    return made
