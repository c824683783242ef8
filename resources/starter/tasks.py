"""Everything a user asks for but memory: small talk, facts, lists, tables, code, and what cannot be answered."""

from __future__ import annotations

import random
from collections.abc import Callable

from .entities import THINGS, Entities
from .knowledge import (
    ABOUT_ITSELF,
    CANNOT_ANSWER,
    FACTS,
    FUNCTIONS,
    NO_NAME,
    NUMBER_WORDS,
    SMALL_TALK,
    STORY,
    TABLES,
    TOPICS,
    WHO_ARE_YOU,
    YOUR_NAME,
)
from .turns import Turn
from .wording import PREFIXES, expand, join_words, load, lower_first, pick, request, rough, upper_first

_WORDINGS = load("tasks")
NOUNS: tuple[str, ...] = (*THINGS, *_WORDINGS.pop("more_nouns").split())
_ADDRESSES: tuple[str, ...] = tuple(_WORDINGS.pop("addresses"))
_VERBS = frozenset(_WORDINGS.pop("verbs").split())
_MARKUP: dict[str, str] = _WORDINGS.pop("markup")
_TEXTS: dict[str, tuple[str, ...]] = {key: tuple(wordings) for key, wordings in _WORDINGS.items()}


def _text(rng: random.Random, key: str, **slots: str) -> str:
    return pick(rng, _TEXTS[key], **slots)


def _asked(rng: random.Random, user: str) -> str:
    """A command or question as people type it."""
    return rough(rng, request(rng, user) if user.split()[0] in _VERBS else user)


_SAID_MOST = tuple(known for known in SMALL_TALK if known.wordings[0].startswith(("Hello", "[How are you")))


def small_talk(rng: random.Random, entities: Entities) -> Turn:
    """Greetings, thanks, feelings, questions about the model."""
    known = rng.choice(_SAID_MOST if rng.random() < 0.12 else SMALL_TALK)
    user = expand(rng, rng.choice(known.wordings))
    if user[-1].isalpha() and rng.random() < 0.5:
        user += rng.choice(".!")
    if rng.random() < 0.12:
        user = rng.choice(PREFIXES) + lower_first(user)
    if user[-1] in ".!" and rng.random() < 0.08:
        user = f"{user[:-1]}, {rng.choice(_ADDRESSES)}{user[-1]}"
    return Turn(user.lower() if rng.random() < 0.12 else user, known.answer, known.short, "prose", "chat")


def fact(rng: random.Random, entities: Entities) -> Turn:
    """A question with a fixed answer."""
    known = rng.choice(FACTS)
    user = rough(rng, expand(rng, rng.choice(known.wordings)))
    return Turn(user, known.answer, known.short, "prose", "fact")


def addition(rng: random.Random, entities: Entities) -> Turn:
    """A sum of two numbers up to ten."""
    a, b = rng.randrange(0, 11), rng.randrange(0, 11)
    user = rough(rng, _text(rng, "addition", a=str(a), b=str(b)))
    return Turn(user, f"{a} + {b} = {a + b}", f"{a + b}.", "prose", "sum")


def _items(words: list[str], numbered: bool) -> str:
    return "\n".join(f"{index}. {word}" if numbered else f"- {word}" for index, word in enumerate(words, 1))


def topic_list(rng: random.Random, entities: Entities) -> Turn:
    """A list of things of one sort, with bullets or numbers."""
    topic = rng.choice(tuple(TOPICS))
    count = rng.randrange(2, min(5, len(TOPICS[topic])) + 1)
    number = rng.choice((NUMBER_WORDS[count], NUMBER_WORDS[count], str(count)))
    chance = rng.random()
    wordings = "list_counted" if chance < 0.58 else "list_open" if chance < 0.75 else "list_numbered"
    if wordings == "list_open":
        count = 3
    user = upper_first(_text(rng, wordings, n=number, t=topic))
    words = TOPICS[topic][:count]
    answer = f"Here are {NUMBER_WORDS[count]} {topic}:\n\n" + _items(words, wordings == "list_numbered")
    return Turn(_asked(rng, user), answer, f"{upper_first(words[0])}.", "list", "list")


def own_list(rng: random.Random, entities: Entities) -> Turn:
    """A list of the user's own words."""
    words = [entities.word() for _ in range(rng.randrange(2, 6))]
    numbered = rng.random() < 0.3
    kind = "numbered list" if numbered else rng.choice(_TEXTS["list_kinds"])
    user = _text(rng, "list_own", k=kind, w=join_words(words), c=", ".join(words))
    answer = "Here is your list:\n\n" + _items(words, numbered)
    return Turn(rough(rng, user, may_lower=False), answer, f"{upper_first(words[0])}.", "list", "own list")


def code(rng: random.Random, entities: Entities) -> Turn:
    """A short Python program in a fence."""
    chance = rng.random()
    if chance < 0.6:
        does, body = rng.choice(FUNCTIONS)
        user = _asked(rng, _text(rng, "code_does", d=rng.choice(does)))
        intro = f"Here is a Python function that {does[0]}:"
    elif chance < 0.72:
        word = entities.value() if rng.random() < 0.7 else entities.name()
        user = rough(rng, _text(rng, "code_prints", w=word), may_lower=False)
        intro, body = f"Here is a Python program that prints {word}:", f'print("{word}")'
    elif chance < 0.9:
        user = _asked(rng, _text(rng, "code_any"))
        intro, body = "Here is a Python program:", 'print("Hello, world!")'
    else:
        count = rng.choice((3, 5, 10))
        user = _asked(rng, _text(rng, "code_loop", n=str(count)))
        intro, body = "Here is a Python loop:", f"for i in range(1, {count + 1}):\n    print(i)"
    return Turn(user, f"{intro}\n\n```python\n{body}\n```", "Python.", "code", "code")


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    return "\n".join((f"| {head[0]} | {head[1]} |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)))


def topic_table(rng: random.Random, entities: Entities) -> Turn:
    """A table of a known topic."""
    topic = rng.choice(tuple(TABLES))
    count, chance = 3, rng.random()
    if chance < 0.2:
        topic, user = "fruits and their colours", _text(rng, "table_any")
    elif chance < 0.7:
        user = _text(rng, "table_open", k=topic)
    else:
        count = rng.choice((2, 3, 4))
        user = _text(rng, "table_counted", k=topic, n=rng.choice((NUMBER_WORDS[count], str(count))))
    grid = TABLES[topic]
    answer = f"Here is a table of {topic}:\n\n" + _table(grid.head, list(grid.rows[:count]))
    return Turn(_asked(rng, user), answer, f"{upper_first(grid.rows[0][0])}.", "block", "table")


def own_table(rng: random.Random, entities: Entities) -> Turn:
    """A table of the user's own words."""
    head = (entities.word().capitalize(), entities.word().capitalize())
    rows = [
        (entities.word(), entities.word() if rng.random() < 0.6 else entities.number())
        for _ in range(rng.randrange(1, 4))
    ]
    user = _text(rng, "table_own", A=head[0], B=head[1], r=", ".join(f"{a} {b}" for a, b in rows))
    answer = "Here is your table:\n\n" + _table(head, rows)
    return Turn(user, answer, f"{upper_first(rows[0][0])}.", "block", "own table")


def echo(rng: random.Random, entities: Entities) -> Turn:
    """Repeating the user's words exactly."""
    count = 1 if entities.one_word else rng.choice((1, 1, 2, 3, 4, 5))
    text = " ".join(entities.word() for _ in range(count))
    chance = rng.random()
    if chance < 0.3:
        text = text.upper() if chance < 0.05 else text.capitalize()
    if rng.random() < 0.15:
        text = entities.number()
    return Turn(_text(rng, "echo", w=text), text, text, "bare", "echo")


def markup(rng: random.Random, entities: Entities) -> Turn:
    """Bold, italics, a heading, inline code or a quote."""
    word = entities.value()
    form = rng.choice(tuple(_MARKUP))
    user = rough(rng, _text(rng, form, w=word), may_lower=False)
    return Turn(user, _MARKUP[form].replace("{w}", word), f"{upper_first(word)}.", "bare", "markup")


def counting(rng: random.Random, entities: Entities) -> Turn:
    """Numbers in a row."""
    first, last = 1, rng.choice((3, 5, 5, 10, 10, 12, 15, 20))
    if rng.random() < 0.25:
        first = rng.randrange(2, 20)
        last = first + rng.randrange(2, 10)
    wordings = "count_range" if first > 1 or rng.random() < 0.5 else "count_to"
    user = rough(rng, _text(rng, wordings, a=str(first), b=str(last)))
    return Turn(user, ", ".join(str(n) for n in range(first, last + 1)) + ".", f"{last}.", "bare", "count")


def story(rng: random.Random, entities: Entities) -> Turn:
    """A story of three paragraphs, the longest answer there is."""
    name, thing = entities.name(), entities.word()
    user = _text(rng, "story_about", n=name, t=thing)
    if rng.random() < 0.3:
        name, thing = "Tim", "lamp"
        user = _text(rng, "story_any")
    answer = STORY.replace("{n}", name).replace("{t}", thing)
    return Turn(rough(rng, user, may_lower=False), answer, "Once.", "block", "story")


def _about_something(rng: random.Random, entities: Entities, key: str) -> str:
    def noun() -> str:
        return entities.invented() if rng.random() < 0.3 else rng.choice(NOUNS)

    slots = {
        "a": noun(), "b": noun(), "p": entities.name(), "c": entities.city(),
        "y": str(rng.randrange(1800, 2030)), "n": entities.number(), "m": entities.number(),
    }  # fmt: skip
    return rough(rng, upper_first(_text(rng, key, **slots)))


def unanswerable(rng: random.Random, entities: Entities) -> Turn:
    """What a tiny model has to refuse."""
    return Turn(_about_something(rng, entities, "unanswerable"), CANNOT_ANSWER, "Unknown.", "prose", "unanswerable")


def statement(rng: random.Random, entities: Entities) -> Turn:
    """A remark that asks for nothing."""
    user = _about_something(rng, entities, "statements")
    return Turn(user, "Thank you for telling me.", "Thanks.", "prose", "statement")


def your_name(rng: random.Random, name: str | None) -> Turn:
    """The question for the model's own name, which only a system prompt gives it."""
    user = rough(rng, expand(rng, rng.choice(YOUR_NAME)))
    if name:
        return Turn(user, f"My name is {name}.", f"{name}.", "prose", "own name")
    return Turn(user, NO_NAME, "None.", "prose", "no name")


def who_are_you(rng: random.Random, name: str | None) -> Turn:
    """The question what the model is."""
    user = rough(rng, expand(rng, rng.choice(WHO_ARE_YOU)))
    if name:
        return Turn(user, f"My name is {name}. {ABOUT_ITSELF}", f"{name}.", "prose", "who")
    return Turn(user, ABOUT_ITSELF, "Model.", "prose", "who")


Task = Callable[[random.Random, Entities], Turn]
TASKS: dict[Task, float] = {
    small_talk: 13, fact: 10, addition: 4, topic_list: 8, own_list: 5, code: 7, topic_table: 5, own_table: 2.5, echo: 7,
    markup: 3, counting: 2.5, story: 0.8, unanswerable: 11, statement: 3,
}  # fmt: skip


def any_task(rng: random.Random, entities: Entities) -> Turn:
    """A random turn that needs no memory."""
    return rng.choices(tuple(TASKS), tuple(TASKS.values()))[0](rng, entities)
