"""Who writes a model's turns: its own template, or ChatML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.role import Role
from app.engine.base import Turn
from app.engine.prompt import ChatMLRenderer
from app.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from app.engine.template import TemplateRenderer

OWN = "the model's own"
CHATML = "ChatML"
FALLBACK = "ChatML (fallback)"

_PROBE = (
    Turn(Role.SYSTEM, "Probe of the rules."),
    Turn(Role.USER, "Probe of a question."),
    Turn(Role.ASSISTANT, "Probe of an answer."),
    Turn(Role.USER, "Probe of the last question."),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """How turns will be written for a model, and what the person should know of it."""

    renderer: ChatMLRenderer | TemplateRenderer
    name: str
    notices: tuple[str, ...] = ()


def choose_renderer(vocabulary: Vocabulary, source: str, wanted: str) -> Choice:
    """The renderer for a model with this template source ("" for none); `wanted` is the setting: "auto", "chatml".

    A template is tried on a short conversation first. One that writes ChatML is done by the ChatML renderer, one that
    is wrong is replaced by it.
    """
    chatml = ChatMLRenderer(vocabulary)
    if not source.strip() or wanted == "chatml":
        return Choice(chatml, CHATML)
    # late: Jinja takes 30 ms that a program need not spend before a model with a template is loaded
    from app.engine.template import TemplateFailedError, TemplateRenderer

    try:
        own = TemplateRenderer(vocabulary, source, chatml)
        prompt = own.try_on(_PROBE)
    except TemplateFailedError as error:
        return Choice(chatml, FALLBACK, (f"The model's own chat template is not used: {error}. ChatML stands in.",))
    if chatml.control_ids and prompt.tokens == chatml.render(_PROBE).tokens:
        return Choice(chatml, CHATML)
    return Choice(own, OWN, own.notices)
