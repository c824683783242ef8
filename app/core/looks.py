"""The settings of how the app looks."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import Kind, Scope, setting


@dataclass(frozen=True, slots=True)
class Look:
    """How the app looks."""

    theme: str = setting(
        "system",
        kind=Kind.CHOICE,
        scope=Scope.APP,
        part="Look",
        label="Theme",
        choices=(("system", "As the system"), ("light", "Light"), ("dark", "Dark")),
        help="Light or dark colours; can be changed at any time.",
    )
    text_size: int = setting(
        11,
        kind=Kind.INT,
        scope=Scope.APP,
        part="Look",
        label="Text size",
        unit="pt",
        low=8,
        high=24,
        soft_high=24,
        step=1,
        help="Size of the text in the window.",
    )
