"""Made-up replies of every shape, the same for the same seed."""

from __future__ import annotations

import random

WORDS = [
    "the",
    "of",
    "model",
    "token",
    "stream",
    "layout",
    "paint",
    "frame",
    "cache",
    "memory",
    "window",
    "thread",
    "event",
    "queue",
    "parser",
    "block",
    "inline",
    "table",
    "header",
    "signal",
    "slot",
    "render",
    "font",
    "width",
    "height",
    "scroll",
    "select",
    "copy",
    "keyboard",
    "focus",
    "because",
    "however",
    "therefore",
    "should",
    "measure",
]
CODE = {
    "python": 'def fib(n: int) -> int:\n    """The n-th number.\n\n    Slowly."""\n    a, b = 0, 1\n    return a\n',
    "javascript": "async function load(url) {\n  const r = await fetch(url);\n  return r.json(); // parsed\n}\n",
    "sql": "SELECT u.name, count(*) AS n\nFROM users u -- all\nGROUP BY u.name LIMIT 10;\n",
    "": "plain text\n\n    indented\n\n",
}
PIECES = (
    "# A heading with **bold** and `code`",
    "Setext\n---",
    "***",
    "- [ ] open\n- [x] done\n- plain",
    "1. one\n1. two\n   more of two\n\n   ```python\n   x = 1\n   ```\n1. three",
    "- a\n  - b\n    - c\n  - d\n\n  loose\n- e",
    "> quote\n> - list\n> - in it\n>\n> ```js\n> let a = 1\n> ```\n> end\nlazy",
    "> one\n\n> two",
    "| a | b |\n|:-:|--:|\n| 1 | **2** |\n| `3` | $x|y$ |",
    "| only | header |\n|---|---|",
    "  ```python\n  indented = fence\n```",
    "~~~~\n```\nnot closed by this\n~~~~",
    "````md\n```python\nx\n```\n````",
    "```python\nnever closed\n\n\n",
    "Inline $x^2$ and \\(y_1\\) and $5 and $10, 3$",
    "$$\nE = mc^2\n$$",
    "Text before\n\\[\n\\frac{a}{b}\n\\]\nand after",
    "$$\nnever closed\n- not a list",
    "$$a$$ and more",
    "Hard  \nbreak and soft\nbreak",
    "![alt](https://example.org/x.png) <b>html</b> <script>alert(1)</script>",
    "<div>\nblock\n</div>",
    "https://example.org/a_b_c and main.py and ada@example.org",
    "[link](https://example.org) [bad](javascript:alert(1)) [file](file:///etc/passwd)",
    "    indented code\n\n    more of it",
    "[foo]: https://example.org\n\n[foo]",
    "~~gone~~ *it **both** it* ***x*** __init__ snake_case_name",
    "Emoji 👩‍👩‍👧 עברית Ελληνικά 日本語\r\nwindows line\rold mac line",
    "* a\n* b\n\n* c\n\n\nafter",
    "3. three\n4. four\n\ntext\n\n1) other",
    "&amp; &#x2029; &nbsp; \\* \\$ \\(",
    "- \n- empty above",
    "#not a heading\n#\n##",
    "+ plus\n- minus\n* star",
)


def sentence(rng: random.Random) -> str:
    """A sentence with now and then a mark-up."""
    words = [rng.choice(WORDS) for _ in range(rng.randint(5, 15))]
    marks = ("**{}**", "*{}*", "`{}()`", "[{0}](https://example.org/{0})", "${}^2$")
    if rng.random() < 0.5:
        place = rng.randrange(len(words))
        words[place] = rng.choice(marks).format(words[place])
    return " ".join(words).capitalize() + "."


def paragraph(rng: random.Random, sentences: int = 4) -> str:
    """A paragraph on one line."""
    return " ".join(sentence(rng) for _ in range(sentences))


def block(rng: random.Random) -> str:
    """One block of an ordinary reply."""
    kind = rng.randrange(7)
    if kind == 0:
        return "\n".join(f"- {sentence(rng)}" for _ in range(rng.randint(2, 6)))
    if kind == 1:
        return "\n".join(f"{number}. {sentence(rng)}" for number in range(1, rng.randint(3, 7)))
    if kind == 2:
        rows = [f"| {rng.choice(WORDS)} | {rng.random() * 100:.2f} |" for _ in range(rng.randint(2, 7))]
        return "\n".join(["| Name | Value |", "|---|---:|", *rows])
    if kind == 3:
        language = rng.choice(list(CODE))
        return f"```{language}\n{CODE[language] * rng.randint(1, 3)}```"
    if kind == 4:
        return f"## {sentence(rng)}"
    return paragraph(rng, rng.randint(1, 12))


def document(rng: random.Random) -> str:
    """A whole reply, good or torn."""
    parts = [rng.choice(PIECES) if rng.random() < 0.5 else block(rng) for _ in range(rng.randint(1, 7))]
    text = ("\n\n" if rng.random() < 0.75 else "\n").join(parts) + ("\n" if rng.random() < 0.5 else "")
    return text[: rng.randrange(len(text)) or 1] if rng.random() < 0.2 else text


def reply(tokens: int, seed: int = 7) -> str:
    """A long ordinary reply of about this many tokens of five characters."""
    rng, parts, length = random.Random(seed), [], 0
    while length < 5 * tokens:
        parts.append(block(rng))
        length += len(parts[-1]) + 2
    return "\n\n".join(parts)
