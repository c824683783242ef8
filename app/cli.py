"""The same core without a window: ask, prompt, doctor, bench, models and lab on the command line."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import app
from app import cli_lab_words, cli_models
from app.core.adapters import paths_of
from app.core.context import Kept
from app.core.errors import AppError, EngineDiedError, PutAsideError, SettingError, UsageError
from app.core.options import Loading, Sampling
from app.core.overflow import Overflow
from app.core.prompt_variables import built_in, resolve
from app.core.role import Role
from app.core.settings import declared
from app.core.stopping import StopFlag
from app.core.text import clean
from app.display import display_name
from app.engine.base import Delta, Done, Engine, Turn
from app.engine.turn import Fitted, play
from app.setup import Choice, choose, engine_loader, headless

if TYPE_CHECKING:
    from app.engine.loader import Loader

_EXAMPLE = ("My name is Ada.", "What is the capital of France?", "What is my name?")
_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; returns the exit code: 0 done, 1 could not be done, 2 not understood."""
    parsed = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # a terminal that cannot show a character shows a mark instead of ending the program
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    # what an engine's process says at its end is for who asks for it: see `_tell`
    logging.getLogger("app.engine.engine_process").addHandler(logging.NullHandler())
    try:
        return int(parsed.do(parsed))
    except AppError as error:
        _tell(error)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        # nobody reads any more; the interpreter would complain about it once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT) or error.filename is not None:
            return _unforeseen(error)
        print(f"The output cannot be written: {error.strerror}. Nothing of yours was changed.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  (the border: a person gets a sentence, a developer asks for more)
        return _unforeseen(error)


def _tell(error: AppError) -> None:
    print("\n".join(error.parts()), file=sys.stderr)
    if isinstance(error, EngineDiedError | PutAsideError) and error.report:
        offer = "Run it again with ORCINUS_DEBUG=1 for a report that can be passed on."
        print(f"\n{error.report}" if "ORCINUS_DEBUG" in os.environ else offer, file=sys.stderr)


def _unforeseen(error: Exception) -> int:
    if "ORCINUS_DEBUG" in os.environ:
        raise error
    print(f"Something went wrong inside Orcinus. {type(error).__name__}: {error}", file=sys.stderr)
    print("Nothing was changed. Run it again with ORCINUS_DEBUG=1 for the details.", file=sys.stderr)
    return 1


def without_display(arguments: Sequence[str]) -> int:
    """The main job where no window can open: a short conversation, and how to have one's own.

    `arguments` may name the GGUF file that the window would open.
    """
    if arguments and (len(arguments) > 1 or not os.path.exists(arguments[0])):
        _parser().error(f"there is no display here, and this is neither a word nor a file: {arguments[0]}")
    name = display_name(os.environ)
    why = f"The display {name} cannot be reached" if name else "There is no display here"
    print(f"{why}, so no window can open. Chat in the terminal instead:")
    print('  python -m app ask "My name is Ada." "What is my name?"')
    print("This is how it looks:\n", flush=True)
    return run(["ask", "--model", *(arguments or ["starter"]), "--show-turns", *_EXAMPLE])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orcinus", description="Chat with open models on this computer. Without a word, the window opens."
    )
    parser.add_argument("--version", action="version", version=f"Orcinus {app.__version__}")
    words = parser.add_subparsers(required=True, metavar="ask | prompt | doctor | bench | models | lab")
    ask = words.add_parser("ask", help="play turns as one conversation and print each reply as it comes")
    _add_conversation(ask)
    ask.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as temperature=0.2")
    ask.add_argument("--seed", type=int, help="the same seed and settings give the same reply")
    ask.add_argument("--show-turns", action="store_true", help="print what was asked, too")
    ask.set_defaults(do=_ask)
    prompt = words.add_parser("prompt", help="show the exact prompt for turns of question and answer; generate nothing")
    _add_conversation(prompt)
    prompt.set_defaults(do=_prompt, set=[], seed=None)
    doctor = words.add_parser("doctor", help="what Orcinus finds on this computer")
    doctor.add_argument("--model", default="", help="load this GGUF file or known model, and say where its parts lie")
    doctor.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a loading setting")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(do=_doctor)
    bench = words.add_parser("bench", help="measure a model's speed, as llama-bench counts")
    bench.add_argument("model", help='a GGUF file, or the name of a known model, such as "starter"')
    bench.add_argument("-p", type=int, default=512, metavar="N", help="tokens of prompt to read (512)")
    bench.add_argument("-n", type=int, default=128, metavar="N", help="tokens to generate (128)")
    bench.add_argument("-d", type=int, default=0, metavar="N", help="tokens already in the context (0)")
    bench.add_argument("-r", type=int, default=5, metavar="N", help="repetitions; medians are printed (5)")
    bench.add_argument("--in-thread", action="store_true", help="without the engine's own process")
    bench.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a loading setting")
    bench.add_argument("--json", action="store_true", help="for programs")
    bench.set_defaults(do=_bench)
    cli_models.add_words(words)
    cli_lab_words.add_words(words)
    return parser


def _add_conversation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("turns", nargs="+", metavar="TURN", help="what to say, one turn each")
    parser.add_argument("--model", default="", help="a GGUF file or a known model; else the last one used")
    parser.add_argument("--system", help="the system prompt; else the model's own")
    parser.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="what stands for {{NAME}} in the system prompt"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object a line")


def _ask(asked: argparse.Namespace) -> int:
    with _stop_on_interrupt() as stop, _engine(asked, stop) as (engine, choice):
        turns = _system(asked, choice)
        told = ""
        kept: Kept | None = None
        for text in asked.turns:
            turns.append(Turn(Role.USER, _typed(text)))
            if asked.show_turns:
                print(f"> {text}", flush=True)
            parts: list[str] = []
            done: Done | None = None
            try:
                for event in play(engine, turns, choice.sampling, stop, 0, choice.overflow, kept):
                    if isinstance(event, Delta):
                        parts.append(event.text)
                        if not asked.json:
                            print(_printable(event.text), end="", flush=True)
                    elif isinstance(event, Done):
                        done = event
                    elif isinstance(event, Fitted):
                        told = _tell_fitted(event, told)
                        kept = Kept(event.cut, engine.facts.n_ctx)
            except EngineDiedError:
                if parts and not asked.json:
                    print(flush=True)  # what is told of it gets a line of its own
                raise
            reply = "".join(parts)
            if asked.json and done is not None:
                print(_json(_told(reply, done, engine)), flush=True)
            elif not asked.json:
                print("\n" if asked.show_turns else "", flush=True)
            if stop.is_set():
                return _INTERRUPTED
            turns.append(Turn(Role.ASSISTANT, reply, done.token_ids if done else ()))
    return 0


def _tell_fitted(fitted: Fitted, told: str) -> str:
    """Say on stderr what is unusual about a prompt, but not what was `told` before; returns what is told now."""
    if fitted.newly_dropped:
        which = "turns behind the first exchange" if fitted.cut.head else "of the oldest turns"
        print(f"The context is full: {fitted.cut.dropped} {which} were left out.", file=sys.stderr)
    if fitted.prompt.notice and fitted.prompt.notice != told:
        print(fitted.prompt.notice, file=sys.stderr)
    return fitted.prompt.notice or told


def _told(reply: str, done: Done, engine: Engine) -> dict[str, Any]:
    return {
        "reply": reply,
        "prompt_tokens": done.prompt_tokens,
        "cached_tokens": done.cached_tokens,
        "moved_tokens": done.moved_tokens,
        "completion_tokens": done.completion_tokens,
        "ttft_ms": round(done.ttft_ms, 3),
        "tokens_per_s": round(done.tokens_per_s, 3),
        "stop_reason": str(done.reason),
        "model": engine.facts.name,
        "seed": done.seed,
    }


def _prompt(asked: argparse.Namespace) -> int:
    with _stop_on_interrupt() as stop, _engine(asked, stop, generates=False) as (engine, choice):
        turns = _system(asked, choice)
        roles = (Role.USER, Role.ASSISTANT)
        turns += [Turn(roles[index % 2], _typed(text)) for index, text in enumerate(asked.turns)]
        prompt = engine.render(turns, reply=len(asked.turns) % 2 == 1)
        if prompt.notice:
            print(prompt.notice, file=sys.stderr)
        if asked.json:
            segments = [
                {"kind": part.kind, "role": part.role, "text": part.text, "tokens": list(part.tokens)}
                for part in prompt.segments
            ]
            print(_json({"text": prompt.text, "segments": segments}))
        else:
            print(_printable(prompt.text))
            print(f"\n{len(prompt.tokens):,} tokens", file=sys.stderr)
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    from app.doctor import as_json, examine, loaded, readable

    report = examine()
    if asked.model:
        asked.seed = None
        with _stop_on_interrupt() as stop, _engine(asked, stop) as (engine, _):
            report["loaded"] = loaded(engine.facts)
    print(_json(as_json(report), indent=2) if asked.json else readable(report))
    return 0


def _bench(asked: argparse.Namespace) -> int:
    from app.engine.bench import bench

    with headless() as parts:
        choice = choose(parts, asked.model, _assignments(asked.set))
    for name, value, least in (("-p", asked.p, 0), ("-n", asked.n, 0), ("-d", asked.d, 0), ("-r", asked.r, 1)):
        if value < least:
            raise UsageError(f"{name} must be at least {least}", f"It was {value}.")
    with _stop_on_interrupt() as stop:
        figures = bench(
            choice.path, asked.p, asked.n, asked.d, asked.r, choice.loading, stop, in_thread=asked.in_thread
        )
    if stop.is_set():
        return _INTERRUPTED
    if asked.json:
        print(json.dumps(figures))
    else:
        print(f"reading    {figures['prompt_tokens_per_s']:10,.1f} tokens/s")
        print(f"generating {figures['generate_tokens_per_s']:10,.1f} tokens/s")
    return 0


def _system(asked: argparse.Namespace, choice: Choice) -> list[Turn]:
    text = choice.system_prompt if asked.system is None else _typed(asked.system)
    given = {name.strip(): _typed(value) for name, _, value in (pair.partition("=") for pair in asked.var)}
    known = built_in(datetime.now(tz=UTC).astimezone(), choice.name)
    filled = resolve(text, {**given, **known})
    if filled.unresolved:
        names = ", ".join(f"{{{{{name}}}}}" for name in filled.unresolved)
        hint = f"Give it one: --var {filled.unresolved[0]}=VALUE. A backslash before it makes it plain text."
        raise UsageError(f"{names} in the system prompt has no value", "Nothing was sent.", hint)
    return [Turn(Role.SYSTEM, filled.text)] if filled.text.strip() else []


def _assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE pairs as checked values by setting key."""
    known = {**declared(Sampling), **declared(Loading), **declared(Overflow)}
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or key not in known:
            raise UsageError(
                f"--set does not understand {pair!r}",
                "It takes NAME=VALUE.",
                "Names: " + ", ".join(sorted(known)) + ".",
            )
        values[key] = _allowed(known[key].parsed, text)
    return values


def _allowed(check: Callable[[Any], Any], value: Any) -> Any:
    """The checked value of a setting.

    Raises:
        UsageError: it is not allowed; the text says what is.
    """
    try:
        return check(value)
    except SettingError as error:
        raise UsageError(error.title, error.detail) from error


@contextmanager
def _engine(asked: argparse.Namespace, stop: StopFlag, *, generates: bool = True) -> Iterator[tuple[Engine, Choice]]:
    """The engine, as the window has it; where nothing is generated a new file is loaded without the long trial."""
    values = _assignments(asked.set)
    if asked.seed is not None:
        values["seed"] = _allowed(declared(Sampling)["seed"].checked, asked.seed)
    with headless() as parts:
        choice = choose(parts, asked.model, values)
        load = engine_loader(parts, () if generates else (choice.path,))
    engine = _loaded(load, choice, stop, once_more=asked.do is _doctor)
    if engine is None:
        raise SystemExit(_INTERRUPTED)
    for notice in filter(None, (choice.notice, *engine.facts.notices)):
        print(notice, file=sys.stderr)
    try:
        yield engine, choice
    finally:
        engine.close()


def _loaded(load: Loader, choice: Choice, stop: StopFlag, *, once_more: bool) -> Engine | None:
    """Load the model; one that was put aside is tried `once_more`, or how to do that is told."""
    try:
        return load(choice.path, choice.loading, stop)
    except PutAsideError as error:
        if once_more and error.__cause__ is None:  # it was put aside before, not just now
            for path in (choice.path, *paths_of(choice.loading.adapters)):
                load.forgive(path)
            return load(choice.path, choice.loading, stop)
        again = f'orcinus doctor --model "{choice.path}"'
        error.hint = error.hint.replace("try it once more.", f"have it tried once more: {again}")
        raise


@contextmanager
def _stop_on_interrupt() -> Iterator[StopFlag]:
    """Ctrl+C ends the reply where it is, and the program in good order."""
    stop = StopFlag()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _typed(text: str) -> str:
    """An argument as it was typed: in UTF-8, also where the system's locale cannot decode that."""
    if any("\udc80" <= c <= "\udcff" for c in text):
        with suppress(UnicodeEncodeError):
            text = text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")
    return clean(text)


def _json(value: object, indent: int | None = None) -> str:
    """JSON that loses no letter: those that stdout cannot write are escaped."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(value, ensure_ascii=not unicode, indent=indent)


def _printable(text: str) -> str:
    """A reply must not be able to steer the terminal: control characters but line break and tab are left out."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))
