"""A model's own chat template, turned into the same segments as ChatML, with no text able to forge a control token.

Where a message holds the text of a control token, or a part of one at its ends, a noncharacter is put into it before
the template sees it and taken out again after the result was split at its control tokens.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import jinja2

from app.core.role import Role
from app.engine.base import Prompt, Segment, Turn
from app.engine.prompt import ChatMLRenderer, beginning, wrote
from app.engine.sandbox import MAX_SOURCE_CHARS, TemplateEnvironment, TemplateRefused, TemplateSpent
from app.engine.vocabulary import Vocabulary

log = logging.getLogger(__name__)

_SENTINELS = [chr(code) for code in range(0xFDD0, 0xFDF0)]
"""Noncharacters, which no text may hold: https://www.unicode.org/faq/private_use.html#noncharacters"""
_WRONG = (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)


class TemplateFailedError(Exception):
    """The template cannot render this conversation; the text says why, for people."""


class TemplateRenderer:
    """Writes prompts by a model's own Jinja template."""

    def __init__(self, vocabulary: Vocabulary, source: str, stand_in: ChatMLRenderer) -> None:
        self._vocabulary = vocabulary
        self._stand_in = stand_in
        self._environment = TemplateEnvironment()
        self._folds_system = False
        self._controls = vocabulary.markers
        texts = sorted(self._controls, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, texts)) or r"(?!)")
        self._partial_start = {text[at:] for text in texts for at in range(1, len(text))}
        self._partial_end = {text[:at] for text in texts for at in range(1, len(text))}
        self._longest = max(map(len, texts), default=1)
        self.notices: tuple[str, ...] = ()
        if len(source) > MAX_SOURCE_CHARS:
            raise TemplateFailedError("it is too large")
        try:
            self._template = self._environment.from_string(source)
        except (*_WRONG, SyntaxError, MemoryError) as error:
            raise TemplateFailedError(_reason(error)) from error

    @property
    def control_ids(self) -> dict[str, int]:
        """Control tokens by their text."""
        return self._controls

    def try_on(self, probe: Sequence[Turn]) -> Prompt:
        """Render a first conversation, finding out what the template wants.

        Raises:
            TemplateFailedError: it cannot be used.
        """
        try:
            return self._by_template(probe, reply=True)
        except _SystemRefusedError:
            self._folds_system = True
            self.notices = (
                "The model's chat template has no place for a system prompt: it is put before the first question.",
            )
            return self._by_template(probe, reply=True)

    def render(self, turns: Sequence[Turn], *, reply: bool = True) -> Prompt:
        """The exact prompt for these turns; ChatML where the template fails on them."""
        failed = ""
        for attempt in (list(turns), _alternating(turns)):
            try:
                return self._by_template(attempt, reply=reply)
            except TemplateFailedError as error:
                log.info("The chat template failed: %s", error)
                failed = failed or str(error)
                if isinstance(error, _SpentError):
                    break
        return replace(
            self._stand_in.render(turns, reply=reply),
            notice=f"The model's own chat template cannot write this chat: {failed}. ChatML stands in.",
        )

    def _by_template(self, turns: Sequence[Turn], *, reply: bool) -> Prompt:
        if self._folds_system:
            turns = _folded(turns)
        sentinel = next((s for s in _SENTINELS if not any(s in turn.text for turn in turns)), None)
        if sentinel is None:
            raise TemplateFailedError("the messages hold every noncharacter there is")
        marked = [self._marked(turn.text, sentinel) for turn in turns]
        goes_on = reply and bool(turns) and turns[-1].role is Role.ASSISTANT
        text = self._output(turns, marked, reply and not goes_on)
        spans = _find(text, marked)
        if goes_on:
            last = spans[-1]
            if last is None:
                raise TemplateFailedError("it leaves out the answer that goes on")
            text = text[: last[1]]
        asked = [i for i, turn in enumerate(turns) if turn.role is Role.USER][-1:]
        if any(spans[i] is None for i in asked):
            raise TemplateFailedError("it leaves out the question")
        if any(spans[i] is None for i, turn in enumerate(turns) if turn.role is Role.SYSTEM):
            raise TemplateFailedError("it leaves out the system prompt")
        return Prompt(tuple(self._segments(text, turns, spans, sentinel)))

    def _output(self, turns: Sequence[Turn], marked: Sequence[str], reply: bool) -> str:
        values = {
            "messages": [{"role": str(t.role), "content": text} for t, text in zip(turns, marked, strict=True)],
            "add_generation_prompt": reply,
            "bos_token": self._name(self._vocabulary.bos),
            "eos_token": self._name(self._vocabulary.eos),
            "tools": None,
            "documents": None,
        }
        try:
            return self._environment.rendered(self._template, values)
        except (TemplateSpent, MemoryError) as error:
            raise _SpentError(_reason(error)) from error
        except (*_WRONG, TemplateRefused) as error:
            if any(turn.role is Role.SYSTEM for turn in turns) and not self._folds_system:
                raise _SystemRefusedError(_reason(error)) from error
            raise TemplateFailedError(_reason(error)) from error

    def _segments(
        self, text: str, turns: Sequence[Turn], spans: Sequence[tuple[int, int] | None], sentinel: str
    ) -> Iterator[Segment]:
        if not text.startswith(self._name(self._vocabulary.bos)):
            yield from beginning(self._vocabulary)
        end = 0
        for found in self._control.finditer(text):
            yield from self._text(text, end, found.start(), turns, spans, sentinel)
            yield Segment("control", "", found[0], (self._controls[found[0]],))
            end = found.end()
        yield from self._text(text, end, len(text), turns, spans, sentinel)

    def _text(
        self,
        text: str,
        start: int,
        end: int,
        turns: Sequence[Turn],
        spans: Sequence[tuple[int, int] | None],
        sentinel: str,
    ) -> Iterator[Segment]:
        """The segment of what stands between two control tokens."""
        literal = text[start:end].replace(sentinel, "")
        if not literal:
            return
        inside = [i for i, span in enumerate(spans) if span and span[0] < end and start < span[1]]
        index = inside[-1] if inside else -1
        tokens: tuple[int, ...] = ()
        for i in inside:
            span = spans[i] or (start, end)
            if start <= span[0] and span[1] <= end and wrote(self._vocabulary, turns[i].token_ids, turns[i].text):
                head = text[start : span[0]].replace(sentinel, "")
                tokens += self._between(head, turns[i], first=not tokens)
                start = span[1]
        tokens += self._between(text[start:end].replace(sentinel, ""), None, first=not tokens)
        yield Segment("text", str(turns[index].role) if inside else "", literal, tokens, index)

    def _between(self, text: str, answer: Turn | None, *, first: bool) -> tuple[int, ...]:
        """The ids of the template's own text and of what the model itself wrote behind it, as it wrote it."""
        ids = answer.token_ids if answer else ()
        if text.endswith(" ") and (self._vocabulary.says(ids) or "").startswith(" "):
            text = text[:-1]
        if not text:
            return ids
        return (self._vocabulary.text_tokens(text) if first else self._vocabulary.following_tokens(text)) + ids

    def _marked(self, text: str, sentinel: str) -> str:
        """The text with the sentinel inside each control string, and where its ends could become part of one."""
        marked = self._control.sub(lambda found: found[0][0] + sentinel + found[0][1:], text)
        inner = text.strip()
        if any(inner[:size] in self._partial_start for size in range(1, self._longest)):
            lead = len(marked) - len(marked.lstrip())
            marked = marked[:lead] + sentinel + marked[lead:]
        if any(inner[-size:] in self._partial_end for size in range(1, self._longest)):
            body = marked.rstrip()
            marked = body + sentinel + marked[len(body) :]
        return marked

    def _name(self, token: int) -> str:
        return self._vocabulary.shown(token) if token >= 0 else ""


class _SpentError(TemplateFailedError):
    """The template used up its time or space; it is not tried again."""


class _SystemRefusedError(TemplateFailedError):
    """The template failed on a conversation with a system prompt."""


def _find(text: str, contents: Sequence[str]) -> list[tuple[int, int] | None]:
    """Where each message's text stands in the output, in their order; None where it does not.

    Templates may trim a message, so its blank ends are looked for only around what is found.
    """
    spans: list[tuple[int, int] | None] = []
    start = 0
    for content in contents:
        body = content.strip()
        at = text.find(body, start)
        if at < 0:
            spans.append(None)
            continue
        end = at + len(body)
        lead, trail = content[: content.find(body)], content[content.find(body) + len(body) :]
        if at - len(lead) >= start and text.startswith(lead, at - len(lead)):
            at -= len(lead)
        if text.startswith(trail, end):
            end += len(trail)
        spans.append((at, end))
        start = end
    return spans


def _folded(turns: Sequence[Turn]) -> list[Turn]:
    """The conversation with its system prompts put before the first question."""
    system = "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM)
    rest = [turn for turn in turns if turn.role is not Role.SYSTEM]
    for index, turn in enumerate(rest):
        if system and turn.role is Role.USER:
            rest[index] = replace(turn, text=f"{system}\n\n{turn.text}")
            break
    return rest


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """The conversation with neighbours of one role made one, for templates that insist on taking turns."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role is turn.role:
            merged[-1] = Turn(turn.role, f"{merged[-1].text}\n\n{turn.text}")
        else:
            merged.append(turn)
    return merged


def _reason(error: BaseException) -> str:
    if isinstance(error, TemplateRefused):
        return str(error).rstrip(".") or "it refuses"
    if isinstance(error, RecursionError | MemoryError):
        return "it goes round in circles"
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"it has a mistake in line {error.lineno}"
    return "it has a mistake"
