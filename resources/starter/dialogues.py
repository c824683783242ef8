"""Makes up whole dialogues with exactly one right answer for each turn.

The right answer follows from what the dialogue shows: the system prompt at its top and the user's turns. Where a chat
went on under another system prompt, or an answer was cut or wrong, the odd answer stands in the history but is not
learned.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from .entities import Entities
from .held_out import is_held_out
from .memory import Fact, draw_fact, rough_question
from .styles import COMBINABLE, NEUTRAL, OWN_NAME, PLAIN, STYLE_WEIGHTS, Style, draw_style, rough_system
from .tasks import NOUNS, addition, any_task, fact, unanswerable, who_are_you, your_name
from .turns import Turn
from .wording import CORRECTIONS, load, lower_first, pick, rough, upper_first

_SMALL_WORDS = load("small_words")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. learn: whether training learns this answer. topic, style: what it exercises, for statistics."""

    role: str
    text: str
    learn: bool = False
    topic: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a system prompt sets: the style, the model's own name, facts about the user.

    text: "" for no system prompt.
    """

    text: str = ""
    style: Style = PLAIN
    name: str | None = None
    facts: tuple[Fact, ...] = ()


def draw_kinds(rng: random.Random) -> frozenset[str]:
    """Random style kinds: mostly one, often none, sometimes two that go together."""
    chance = rng.random()
    if chance < 0.60:
        return frozenset(rng.choices(tuple(STYLE_WEIGHTS), tuple(STYLE_WEIGHTS.values())))
    if chance < 0.68:
        kinds = frozenset(rng.sample(COMBINABLE, 2))
        return kinds - {"lower"} if "caps" in kinds else kinds
    return frozenset()


def draw_setup(rng: random.Random, entities: Entities, kinds: frozenset[str] | None = None) -> Setup:
    """A random system prompt; kinds: the styles it must ask for, None for random ones or no system prompt at all."""
    if kinds is None:
        chance = rng.random()
        if chance < 0.22:
            return Setup()
        if chance < 0.32:
            return Setup("You are a helpful assistant.")
        kinds = draw_kinds(rng)
    while True:
        setup = _draw_setup(rng, entities, kinds)
        if not is_held_out(setup.text):
            return setup


def _draw_setup(rng: random.Random, entities: Entities, kinds: frozenset[str]) -> Setup:
    style, sentences = draw_style(rng, entities, kinds)
    name, facts = None, []
    if rng.random() < (0.3 if kinds else 0.5):
        name = entities.name()
        sentences.append(pick(rng, OWN_NAME, n=name, m=entities.name()))
    if rng.random() < 0.15:
        facts.append(draw_fact(rng, entities, rng.choice(("name", "name", "code", "favourite", "live", "pet"))))
        sentences.append(facts[0].stated(rng))
    rng.shuffle(sentences)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2) if sentences else (1, 1, 2))):
        word = entities.invented() if rng.random() < 0.3 else rng.choice(NOUNS)
        neutral = pick(rng, NEUTRAL, a=word, n=entities.name())
        sentences.insert(rng.randrange(len(sentences) + 1) if rng.random() < 0.4 else 0, neutral)
    text = rng.choice((" ", " ", " ", "\n")).join(sentences)
    return Setup(rough_system(rng, text), style, name, tuple(facts))


@dataclass
class Talk:
    """A dialogue while it is being made."""

    rng: random.Random
    entities: Entities
    setup: Setup
    learn: bool = True
    messages: list[Message] = field(default_factory=list)
    known: dict[str, tuple[Fact, int]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def add(self, turn: Turn, *, answer: str | None = None, learn: bool | None = None) -> None:
        """Appends the turn; answer: what the history shows instead of the right answer."""
        self.said.append(turn.user)
        right = self.setup.style.apply(turn)
        label = "+".join(sorted(self.setup.style.kinds))
        learned = self.learn and answer is None if learn is None else learn
        self.messages.append(Message("user", turn.user))
        self.messages.append(Message("assistant", right if answer is None else answer, learned, turn.topic, label))

    def next_turn(self, memory_share: float) -> Turn | None:
        """A random turn that fits what was said so far; None where the dice found nothing fitting."""
        chance = self.rng.random()
        if chance < memory_share:
            return self._memory_turn()
        if chance < memory_share + 0.08:
            return self.rng.choice((your_name, your_name, who_are_you))(self.rng, self.setup.name)
        if chance < memory_share + 0.10:
            return self._said_turn()
        return any_task(self.rng, self.entities)

    def _memory_turn(self) -> Turn | None:
        chance = self.rng.random()
        if self.known and chance < 0.5:
            return self._recall_turn()
        return self._untold_turn() if chance < 0.67 else self._tell_turn()

    def _recall_turn(self) -> Turn:
        keys = list(self.known)
        key = min(self.rng.choices(keys, k=2), key=keys.index) if self.rng.random() < 0.6 else self.rng.choice(keys)
        told, at = self.known[key]
        distance = len(self.said) - at if at >= 0 else "S"
        return Turn(rough_question(self.rng, told), told.answer(), told.short(), "prose", f"recall {distance}")

    def _untold_turn(self) -> Turn | None:
        near = [
            told.kind
            for told, _ in self.known.values()
            if told.kind in ("pet", "kin", "favourite", "like", "mine", "other")
        ]
        kind = self.rng.choice(near) if near and self.rng.random() < 0.5 else None
        asked = draw_fact(self.rng, self.entities, kind)
        if asked.key in self.known or (
            asked.kind == "code" and any(told.kind == "code" for told, _ in self.known.values())
        ):
            return None
        return Turn(rough_question(self.rng, asked), asked.unknown(), "Unknown.", "prose", "not told")

    def _tell_turn(self) -> Turn | None:
        rng, now = self.rng, len(self.said)
        told = draw_fact(rng, self.entities, "name" if rng.random() < 0.08 else None)
        if self.known and rng.random() < 0.12:
            old = rng.choice([fact for fact, _ in self.known.values()])
            told = replace(old, value=draw_fact(rng, self.entities, old.kind).value)
        user, again = told.tell(rng), told.key in self.known
        if again:
            if rng.random() < 0.3:
                return None
            user = rng.choice(CORRECTIONS) + lower_first(user, *told.spelt)
        self.known[told.key] = (told, now)
        chance = rng.random()
        if chance < 0.12 and not again:
            other = draw_fact(rng, self.entities)
            if other.key not in self.known:
                self.known[other.key] = (other, now)
                second = other.tell(rng)
                user = (
                    f"{user} {second}"
                    if rng.random() < 0.6 or user[-1] != "."
                    else f"{user[:-1]} and {lower_first(second, *other.spelt)}"
                )
                return Turn(user, f"{told.acknowledge()} {other.acknowledge()}", "Noted.", "prose", "tell two")
        elif chance < 0.18:
            return Turn(f"{user} {told.ask(rng)}", told.answer(), told.short(), "prose", "recall 0")
        elif chance < 0.25:
            task = rng.choice((fact, addition))(rng, self.entities)
            return Turn(
                f"{user} {upper_first(task.user)}",
                f"{told.acknowledge()} {task.answer}",
                "Noted.",
                "prose",
                "tell and ask",
            )
        if rng.random() < 0.4:
            user = rough(rng, user, may_lower=told.value.islower() and told.kind != "other", kept=told.spelt)
        return Turn(user, told.acknowledge(), "Noted.", "prose", "tell")

    def _said_turn(self) -> Turn | None:
        first = self.rng.random() < 0.5
        if not self.said or '"' in (quoted := self.said[0 if first else -1]) or len(quoted) > 60:
            return None
        user = rough(self.rng, self.rng.choice(_SMALL_WORDS["first_said" if first else "last_said"]))
        return Turn(
            user, f'{"Your first message was" if first else "You said"}: "{quoted}"', "Unknown.", "prose", "said"
        )

    def play(self, turns: int, memory_share: float) -> None:
        """Adds the given number of turns."""
        end = len(self.said) + turns
        while len(self.said) < end:
            before = dict(self.known)
            turn = self.next_turn(memory_share)
            if turn is None or is_held_out(turn.user):
                self.known = before
                continue
            self.add(turn, answer=self._spoilt(turn))

    def _spoilt(self, turn: Turn) -> str | None:
        """Now and then what an interrupted or mistaken model would have left instead of the right answer."""
        chance = self.rng.random()
        if chance < 0.02:
            answer = self.setup.style.apply(turn)
            return answer[: self.rng.randrange(len(answer))].rstrip()
        if chance < 0.03:
            return unanswerable(self.rng, self.entities).answer
        return None


def dialogue(
    rng: random.Random,
    entities: Entities,
    *,
    turns: int | None = None,
    memory_share: float = 0.45,
    kinds: frozenset[str] | None = None,
) -> list[Message]:
    """A whole dialogue, the system prompt first if there is one.

    turns: how many turns, None for a random number up to eight. memory_share: how many of them are about telling and
    recalling, 0 to 1. kinds: styles the system prompt must ask for.
    """
    setup = draw_setup(rng, entities, kinds)
    entities.one_word = "one word" in setup.style.kinds
    turns = turns or rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8))
    talk = Talk(rng, entities, setup)
    if turns > 1 and rng.random() < 0.07:
        ghost = draw_fact(rng, entities)
        talk.known[ghost.key] = (ghost, 0)
        talk.add(Turn(ghost.ask(rng), ghost.answer(), ghost.short(), "prose", "ghost"), learn=False)
        turns -= 1
    if turns > 1 and rng.random() < 0.17:
        earlier = rng.randrange(1, turns)
        turns -= earlier
        _play_under_others(talk, earlier, memory_share)
    talk.known |= {told.key: (told, -1) for told in setup.facts if told.key not in talk.known}
    talk.play(turns, memory_share)
    system = [Message("system", setup.text)] if setup.text else []
    return system + talk.messages


def _play_under_others(talk: Talk, turns: int, memory_share: float) -> None:
    """Turns answered under system prompts that have been replaced since."""
    current, talk.learn = talk.setup, False
    while turns > 0:
        part = turns if talk.rng.random() < 0.6 else talk.rng.randrange(1, turns + 1)
        talk.setup = draw_setup(talk.rng, talk.entities) if talk.rng.random() < 0.6 else Setup()
        talk.play(part, memory_share)
        turns -= part
    talk.setup, talk.learn = current, True


def render(messages: list[Message]) -> str:
    """The ChatML text."""
    return "".join(f"<|im_start|>{m.role}\n{m.text}<|im_end|>\n" for m in messages)
