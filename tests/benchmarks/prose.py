"""Text as a model writes it: paragraphs, lists, code and tables, for measurements."""

from __future__ import annotations

import itertools

_WORDS = "the quick model reads a long prompt once and keeps every token it has seen in the cache of this chat".split()


def prose(words: int) -> str:
    """Markdown of about this many words, with something of everything in it."""
    source = itertools.cycle(_WORDS)
    parts: list[str] = []
    used = section = 0
    while used < words:
        section += 1
        kind = section % 5
        if kind == 0:
            rows = "\n".join(f"| {next(source)} | {number} |" for number in range(4))
            parts.append(f"| word | number |\n| --- | --: |\n{rows}")
            used += 20
        elif kind == 1:
            parts.append(f"## {next(source).title()} {section}")
            used += 3
        elif kind == 3:
            lines = "\n".join(f"    {next(source)}_{number} = {number} + len('{next(source)}')" for number in range(6))
            parts.append(f"```python\ndef section_{section}():\n{lines}\n```")
            used += 60
        elif kind == 4:
            parts.append("\n".join(f"- {next(source)} **{next(source)}** `{next(source)}`" for _ in range(5)))
            used += 20
        else:
            parts.append(" ".join(next(source) for _ in range(60)).capitalize() + ".")
            used += 60
    return "\n\n".join(parts)
