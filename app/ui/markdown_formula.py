r"""Where formulas are in Markdown: $x$ and \(x\) inside a line, $$x$$ and \[x\] on lines of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

_CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_LONGEST = 4000


def formula_inline(state: StateInline, silent: bool) -> bool:
    """Inline rule: one `formula` token whose content is the LaTeX and whose markup is the opening mark."""
    opening = _opening(state.src, state.pos)
    if not opening:
        return False
    start = state.pos + len(opening)
    end = _closing(state.src, opening, start, min(state.posMax, start + _LONGEST))
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.markup = state.src[start:end].strip(), opening
    state.pos = end + len(_CLOSING[opening])
    return True


def _opening(source: str, position: int) -> str:
    for mark in _CLOSING:
        if source.startswith(mark, position):
            return mark
    return ""


def _closing(source: str, opening: str, start: int, limit: int) -> int:
    end = source.find(_CLOSING[opening], start, limit)
    if opening != "$":
        return end
    # Money is not a formula: "$5 and $10" has a space before the second sign, "$5-$10" a digit behind it
    if end < 0 or source[start : start + 1].isspace() or "\n" in source[start:end]:
        return -1
    if source[end - 1].isspace() or source[end + 1 : end + 2].isdigit():
        return -1
    return end


def formula_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule: a `formula_block` token from an opening mark at the start of a line to a closing one at an end.

    A formula that never closes takes the lines up to the next blank one and becomes a paragraph; so nothing that is
    still to come can change what stands before it.
    """
    if state.is_code_block(start_line):
        return False
    opening = _opening(state.src, state.bMarks[start_line] + state.tShift[start_line])
    if opening not in ("$$", "\\["):
        return False
    closing, lines, closed = _CLOSING[opening], [], False
    line = start_line
    while line < end_line and not closed:
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if not text or (line > start_line and state.sCount[line] < state.blkIndent):
            break
        body = text[2:] if line == start_line else text
        closed = body.endswith(closing)
        if line == start_line and closing in body and not closed:
            return False
        lines.append(body[: -len(closing)] if closed else body)
        line += 1
    if not silent:
        _push(state, opening, lines, closed, (start_line, line))
    return True


def _push(state: StateBlock, opening: str, lines: list[str], closed: bool, span: tuple[int, int]) -> None:
    state.line = span[1]
    content = "\n".join(lines).strip()
    if closed and content:
        token = state.push("formula_block", "", 0)
        token.content, token.markup, token.map = content, opening, list(span)
        return
    token = state.push("paragraph_open", "p", 1)
    token.map = list(span)
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = state.getLines(*span, state.blkIndent, False).strip(), list(span), []
    state.push("paragraph_close", "p", -1)
