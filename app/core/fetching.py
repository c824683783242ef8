"""Settings of the model library: where models are kept, and how they are found and fetched."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import Kind, Scope, setting


@dataclass(frozen=True, slots=True)
class Fetching:
    """How models get onto this computer."""

    models_folder: str | None = setting(
        None,
        kind=Kind.TEXT,
        scope=Scope.APP,
        part="Models",
        label="Models folder",
        none_label="The usual folder",
        help="Downloads go there, and every model in it is offered by itself.",
    )
    endpoint: str | None = setting(
        None,
        kind=Kind.TEXT,
        scope=Scope.APP,
        part="Hub",
        label="Hub address",
        none_label="huggingface.co",
        help="Another address, for a mirror of the Hub. HF_ENDPOINT is used where this is empty.",
    )
    token_elsewhere: bool = setting(
        False,
        kind=Kind.BOOL,
        scope=Scope.APP,
        part="Hub",
        label="Send my access token to this address too",
        help="Without it, the token goes to huggingface.co alone.",
    )
    connections: int = setting(
        4,
        kind=Kind.INT,
        scope=Scope.APP,
        part="Downloads",
        label="Connections per download",
        low=1,
        high=16,
        soft_high=8,
        step=1,
        help="More can be faster on a long way to the Hub. 1 is gentlest.",
    )
    at_once: int = setting(
        2,
        kind=Kind.INT,
        scope=Scope.APP,
        part="Downloads",
        label="Downloads at a time",
        low=1,
        high=4,
        soft_high=4,
        step=1,
        help="The others wait for their turn.",
    )
