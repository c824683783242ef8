"""Measures the starter model through llama.cpp and writes the table: ``python -m resources.starter.evaluate``.

Every case is a chat played at temperature 0 in which the model's own answers are the history. Names and words are held
out from training throughout; wordings are the training's except in the rows that say so. Needs llama-cpp-python only.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import llama_cpp

from . import held_out, tasks
from .checks import is_list, is_python, is_table, obeys
from .dialogues import draw_kinds, draw_setup
from .entities import Entities
from .harness import Evaluation, overall, table
from .knowledge import ABOUT_ITSELF, CANNOT_ANSWER, CAPITALS, FUNCTIONS, NO_NAME, NUMBER_WORDS, TABLES, TOPICS
from .memory import Fact, draw_fact, rough_question
from .styles import OWN_NAME, Style, draw_style
from .turns import Turn
from .wording import CORRECTIONS, lower_first, pick

KINDS = ("caps", "lower", "pirate", "start", "end", "one word", "bullets")
SEED = 4242


def recall(run: Evaluation) -> None:
    """Something said some turns ago, told once."""
    for distance in (1, 2, 3, 4, 5, 6, 8):
        for index in range(run.cases):
            told = run.some_fact(index)
            users = [told.tell(run.rng), *run.distractors(distance - 1, {told.key}), rough_question(run.rng, told)]
            target = 0.95 if distance <= 6 else None
            run.expect(f"recall, said {distance} turns ago", target, run.plain_system(index), users, told.answer())


def memory_limits(run: Evaluation) -> None:
    """Never told, told again, told by the system prompt."""
    for index in range(run.cases):
        asked = run.some_fact(index // 2)
        users = [*run.distractors(index % 4, {asked.key}), rough_question(run.rng, asked)]
        run.expect('says "not told" for what was never told', 0.90, run.plain_system(index), users, asked.unknown())
        old, new = draw_fact(run.rng, run.entities(), "name"), draw_fact(run.rng, run.entities(), "name")
        users = [
            old.tell(run.rng),
            *run.distractors(index % 3, {old.key}),
            run.rng.choice(CORRECTIONS) + lower_first(new.tell(run.rng), *new.spelt),
            rough_question(run.rng, new),
        ]
        run.expect("takes a corrected name", None, run.plain_system(index), users, new.answer())
        known = draw_fact(run.rng, run.entities(), "name")
        users = [*run.distractors(index % 3, {known.key}), rough_question(run.rng, known)]
        run.expect("user's name given by the system prompt", None, known.stated(run.rng), users, known.answer())


def _judged_turn(run: Evaluation, kind: str) -> Turn:
    entities = run.entities()
    entities.one_word = kind == "one word"
    told = draw_fact(run.rng, entities)
    choices = (
        tasks.any_task(run.rng, entities),
        tasks.any_task(run.rng, entities),
        Turn(told.tell(run.rng), told.acknowledge(), "Noted."),
    )
    return run.rng.choice(choices)


def styled(
    run: Evaluation, name: str, target: float, style: Style, system: str, before: list[tuple[str, str]], turn: Turn
) -> None:
    """One answer under a style, judged by its form; and, in a row of its own, by every word."""
    history = [*before, (turn.user, run.answer(system, before, turn.user))]
    wanted = style.apply(turn)
    run.count(name, target, obeys(style, turn, history[-1][1]), system, history, wanted)
    run.count("… and the whole answer exact, all kinds", None, history[-1][1] == wanted, system, history, wanted)


def system_prompts(run: Evaluation) -> None:
    """Each kind of system prompt, from the first turn on and after a change of the prompt."""
    for kind in KINDS:
        for index in range(run.cases):
            style, sentences = draw_style(run.rng, run.entities(), frozenset({kind}))
            system = sentences[0] if index % 3 else f"You are a helpful assistant. {sentences[0]}"
            before = run.chat(system, [_judged_turn(run, kind).user for _ in range(index % 4)])
            styled(run, f"obeys: {kind}", 0.97, style, system, before, _judged_turn(run, kind))
    for index in range(run.cases):
        name = run.entities().name()
        system = pick(run.rng, OWN_NAME, n=name, m=run.entities().name())
        turn = tasks.your_name(run.rng, name)
        run.expect("obeys: its own name", 0.97, system, [*run.distractors(index % 4, set()), turn.user], turn.answer)
    for index in range(3 * run.cases):
        kind = KINDS[index % len(KINDS)]
        style, sentences = draw_style(run.rng, run.entities(), frozenset({kind}))
        old = draw_setup(run.rng, run.entities(), draw_kinds(run.rng)).text if index % 2 else ""
        before = run.chat(old, [_judged_turn(run, kind).user for _ in range(1 + index % 4)])
        styled(
            run, "obeys a prompt changed during the chat", 0.97, style, sentences[0], before, _judged_turn(run, kind)
        )
    for index in range(run.cases):
        old = draw_setup(run.rng, run.entities(), frozenset({KINDS[index % len(KINDS)]})).text
        before = run.chat(old, [_judged_turn(run, "caps").user for _ in range(1 + index % 3)])
        turn, system = run.task(), "You are a helpful assistant."
        history = [*before, (turn.user, run.answer(system, before, turn.user))]
        run.count(
            "answers plainly again after the style is taken away",
            None,
            history[-1][1] == turn.answer,
            system,
            history,
            turn.answer,
        )


def markdown(run: Evaluation) -> None:
    """Lists, tables and code on request, after up to two other turns."""
    makers: tuple[tuple[str, Callable[[random.Random, Entities], Turn], Callable[[Turn, str], bool]], ...] = (
        ("list", tasks.topic_list, lambda turn, answer: is_list(answer, turn.answer.count("\n") - 1)),
        ("list of the user's words", tasks.own_list, lambda turn, answer: answer == turn.answer),
        ("table", tasks.topic_table, lambda turn, answer: is_table(answer)),
        ("table of the user's words", tasks.own_table, lambda turn, answer: answer == turn.answer),
        ("fenced code", tasks.code, lambda turn, answer: is_python(answer)),
    )
    for name, make, valid in makers:
        for index in range(run.cases):
            turn, system = make(run.rng, run.entities()), run.plain_system(index)
            history = run.chat(system, [*run.distractors(index % 3, set()), turn.user])
            row = f"Markdown: {name} {'exact' if 'words' in name else 'valid'}"
            run.count(row, None if "words" in name else 0.97, valid(turn, history[-1][1]), system, history, turn.answer)


def other_tasks(run: Evaluation) -> None:
    """Everything else, word by word."""
    makers = (
        tasks.small_talk,
        tasks.fact,
        tasks.addition,
        tasks.echo,
        tasks.markup,
        tasks.counting,
        tasks.unanswerable,
        tasks.statement,
    )
    for make in makers:
        for index in range(run.cases // 2):
            turn = make(run.rng, run.entities())
            run.expect(
                f"other: {make.__name__.replace('_', ' ')}",
                None,
                run.plain_system(index),
                [*run.distractors(index % 3, set()), turn.user],
                turn.answer,
            )


def _fill(text: str, told: Fact) -> str:
    return text.replace("{k}", told.owner).replace("{v}", told.verb).replace("{x}", told.value)


def new_questions(run: Evaluation, each: int) -> None:
    """Wordings of questions and of telling that training never sees."""
    rng, target = run.rng, 0.80
    for kind, wordings in held_out.ASKS.items():
        for wording in wordings:
            for index in range(each):
                told = draw_fact(rng, run.entities(), kind)
                users = [told.tell(rng), *run.distractors(index % 3, {told.key}), _fill(wording, told)]
                run.expect(
                    "new wordings: asking for something told", target, run.plain_system(index), users, told.answer()
                )
    for kind, wordings in held_out.TELLS.items():
        for wording in wordings:
            for index in range(each):
                told = draw_fact(rng, run.entities(), kind)
                users = [_fill(wording, told), *run.distractors(index % 2, {told.key}), told.ask(rng)]
                run.expect("new wordings: telling something", target, run.plain_system(index), users, told.answer())
    for index in range(each):
        name = run.entities().name()
        for wording in held_out.OWN_NAME:
            run.expect(
                "new wordings: the model's name and nature",
                target,
                f"Your name is {name}.",
                [wording],
                f"My name is {name}.",
            )
            run.expect("new wordings: the model's name and nature", target, run.plain_system(index), [wording], NO_NAME)
        for wording in held_out.WHO_ARE_YOU:
            run.expect(
                "new wordings: the model's name and nature",
                target,
                run.plain_system(index),
                [*run.distractors(index % 2, set()), wording],
                ABOUT_ITSELF,
            )
        for wording, wanted in held_out.SMALL_TALK.items():
            run.expect(
                "new wordings: small talk",
                target,
                run.plain_system(index),
                [*run.distractors(index % 2, set()), wording],
                wanted,
            )
        new_tasks(run, index, target)


def new_tasks(run: Evaluation, index: int, target: float) -> None:
    """Facts, sums, lists, tables and code in wordings that training never sees."""
    rng, system = run.rng, run.plain_system(index)
    for wording in held_out.CAPITAL:
        country = rng.choice(tuple(CAPITALS))
        run.expect(
            "new wordings: facts and sums",
            target,
            system,
            [wording.replace("{c}", country)],
            f"The capital of {country} is {CAPITALS[country]}.",
        )
    for wording in held_out.SUM:
        a, b = rng.randrange(11), rng.randrange(11)
        run.expect(
            "new wordings: facts and sums",
            target,
            system,
            [wording.replace("{a}", str(a)).replace("{b}", str(b))],
            f"{a} + {b} = {a + b}",
        )
    for wording in held_out.LIST:
        topic, count = rng.choice(tuple(TOPICS)), rng.randrange(2, 5)
        wanted = f"Here are {NUMBER_WORDS[count]} {topic}:\n\n" + "\n".join(
            f"- {word}" for word in TOPICS[topic][:count]
        )
        run.expect(
            "new wordings: lists, tables, code",
            target,
            system,
            [wording.replace("{n}", NUMBER_WORDS[count]).replace("{t}", topic)],
            wanted,
        )
    for wording in held_out.TABLE:
        history = run.chat(system, [wording.replace("{k}", rng.choice(tuple(TABLES)))])
        run.count("new wordings: lists, tables, code", target, is_table(history[-1][1]), system, history, "a table")
    for wording in held_out.CODE:
        does, body = rng.choice(FUNCTIONS)
        history = run.chat(system, [wording.replace("{d}", does[0])])
        run.count(
            "new wordings: lists, tables, code",
            target,
            body in history[-1][1] and is_python(history[-1][1]),
            system,
            history,
            body,
        )


def new_system_prompts(run: Evaluation, each: int) -> None:
    """Wordings of system prompts that training never sees."""
    for kind, wordings in held_out.SYSTEM.items():
        for wording in wordings:
            for index in range(each):
                name = f"new system prompts: {kind if kind != 'name' else 'its own name'}"
                entities = run.entities()
                if kind == "name":
                    own = entities.name()
                    turn = tasks.your_name(run.rng, own)
                    run.expect(
                        name,
                        0.80,
                        wording.replace("{x}", own),
                        [*run.distractors(index % 3, set()), turn.user],
                        turn.answer,
                    )
                    continue
                word = entities.word().capitalize()
                style = Style(frozenset({kind}), ((kind, f"{word}."),))
                system = wording.replace("{x}", word)
                before = run.chat(system, [_judged_turn(run, kind).user for _ in range(index % 3)])
                styled(run, name, 0.80, style, system, before, _judged_turn(run, kind))


STORIES: tuple[tuple[str, list[str], str], ...] = (
    (
        "You are a helpful assistant.",
        ["My name is Ada.", "What is the capital of France?", "List three fruits.", "How are you?", "What is my name?"],
        "Your name is Ada.",
    ),
    ("", ["My name is Ada.", "What is my name?"], "Your name is Ada."),
    ("You are a helpful assistant.", ["My name is Ada."], "Nice to meet you, Ada."),
    ("Answer in capital letters.", ["What is the capital of France?"], "THE CAPITAL OF FRANCE IS PARIS."),
    ("Answer in capital letters.", ["My name is Ada.", "What is my name?"], "YOUR NAME IS ADA."),
    ("Your name is Finn.", ["What is your name?"], "My name is Finn."),
    ("You are Finn.", ["What is your name?"], "My name is Finn."),
    ("Your name is Finn.", ["My name is Ada.", "What is your name?", "What is my name?"], "Your name is Ada."),
    ("", ["What is your name?"], NO_NAME),
    ("End every answer with Over.", ["What is the capital of Italy?"], "The capital of Italy is Rome. Over."),
    ("Answer like a pirate.", ["How are you?"], "Arr! I be fine, thank ye. How be ye?"),
    ("Answer in one word.", ["What is the capital of France?"], "Paris."),
    ("", ["What is my name?"], "You have not told me your name."),
    ("You are a helpful assistant.", ["Who are you?"], ABOUT_ITSELF),
    ("", ["Hello"], "Hello! How can I help you?"),
    ("", ["Explain quantum physics to me."], CANNOT_ANSWER),
)
WEAK_SPOTS: tuple[tuple[str, list[str], str], ...] = (
    ("Answer in one word.", ["What is the capital of Spain?"], "Madrid."),
    ("", ["The code word is Zorvik.", "What is the code word?"], "The code word is Zorvik."),
    ("", ["The code word is zorvik.", "Thanks", "What is the code word?"], "The code word is zorvik."),
)


def stories(run: Evaluation) -> None:
    """Fixed chats that the app's own tests and guide rely on, and some that earlier files failed."""
    for system, users, wanted in WEAK_SPOTS:
        run.expect("small chats, word by word", None, system, users, wanted)
    for system, users, wanted in STORIES:
        run.expect("the app's own stories", 1.0, system, users, wanted)


def evaluate(path: Path, cases: int, temperature: float) -> Evaluation:
    """Runs everything."""
    model = llama_cpp.Llama(str(path), n_ctx=2048, n_threads=2, n_threads_batch=2, verbose=False)
    run = Evaluation(model, random.Random(SEED), cases, temperature)
    stories(run)
    recall(run)
    memory_limits(run)
    system_prompts(run)
    markdown(run)
    other_tasks(run)
    each = max(1, cases // 12)
    new_questions(run, each)
    overall(run, "new wordings:", "new question wordings, all", 0.80)
    new_system_prompts(run, each)
    overall(run, "new system prompts:", "new system-prompt wordings, all", 0.80)
    return run


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).parent
    parser.add_argument("--model", type=Path, default=here / "starter.gguf")
    parser.add_argument("--out", type=Path, default=here / "evaluation.md")
    parser.add_argument("--cases", type=int, default=60, help="chats a row")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--failures", type=Path, help="also write every failed case here")
    options = parser.parse_args()
    run = evaluate(options.model, options.cases, options.temperature)
    text = table(run, options.model)
    options.out.write_text(text, encoding="utf-8")
    if options.failures:
        options.failures.write_text("\n".join(run.failures), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
