"""The settings of models: how a reply is sampled, how a model is loaded.

Sampler names, their order and defaults follow llama.cpp's own command line (tools/main/README.md of llama.cpp).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.adapters import adapter_of
from app.core.settings import Kind, Scope, setting


def _or(none_label: str, usual: object) -> dict[str, object]:
    """No value is a choice too, under this word; and where the field starts when a value is first wanted."""
    return {"none_label": none_label, "usual": usual}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. Changing any of these never reloads the model."""

    temperature: float = setting(
        0.7,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Sampling",
        label="Temperature",
        low=0,
        high=5,
        soft_high=2,
        step=0.05,
        help="Higher is more varied. 0 always takes the likeliest token.",
    )
    top_k: int | None = setting(
        40,
        kind=Kind.INT,
        scope=Scope.CHAT,
        part="Sampling",
        label="Top-k",
        low=1,
        high=100_000,
        soft_high=200,
        step=1,
        **_or("Off", 40),
        help="Only the k likeliest tokens can be chosen.",
    )
    top_p: float | None = setting(
        0.95,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Sampling",
        label="Top-p",
        low=0,
        high=1,
        step=0.01,
        **_or("Off", 0.95),
        help="Only the likeliest tokens that together reach this probability can be chosen.",
    )
    min_p: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Sampling",
        label="Min-p",
        low=0,
        high=1,
        step=0.01,
        **_or("Off", 0.05),
        help="Tokens less likely than this share of the likeliest one are left out.",
    )
    max_tokens: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.CHAT,
        part="Reply",
        label="Longest reply",
        unit="tokens",
        low=1,
        high=1_000_000,
        soft_high=4096,
        step=1,
        **_or("No limit", 512),
        help="The reply is cut off after this many tokens.",
    )
    seed: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.CHAT,
        part="Reply",
        label="Seed",
        low=0,
        high=4_294_967_294,
        step=1,
        **_or("Random", 1),
        help="On the CPU the same seed and settings give the same reply. The seed used is kept with each reply.",
    )
    stop: tuple[str, ...] = setting(
        (),
        kind=Kind.LINES,
        scope=Scope.CHAT,
        part="Reply",
        label="Stop strings",
        help=r"The reply ends before any of these texts, one a line. \n is a line break, \t a tab, \\ a backslash.",
    )
    repeat_penalty: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Repetition",
        label="Repeat penalty",
        low=0.1,
        high=5,
        soft_high=2,
        step=0.01,
        **_or("Off", 1.1),
        help="Above 1, tokens used lately become less likely.",
    )
    presence_penalty: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Repetition",
        label="Presence penalty",
        low=-2,
        high=2,
        step=0.05,
        **_or("Off", 0.5),
        help="Taken off every token that appeared lately, however often.",
    )
    frequency_penalty: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Repetition",
        label="Frequency penalty",
        low=-2,
        high=2,
        step=0.05,
        **_or("Off", 0.5),
        help="Taken off each token for every time it appeared lately.",
    )
    penalty_last_n: int = setting(
        64,
        kind=Kind.INT,
        scope=Scope.CHAT,
        part="Repetition",
        label="Penalties look back",
        unit="tokens",
        low=1,
        high=1_000_000,
        soft_high=2048,
        step=1,
        advanced=True,
        help="How far back the three penalties above look.",
    )
    dry_multiplier: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="DRY",
        label="DRY strength",
        low=0,
        high=10,
        soft_high=2,
        step=0.05,
        advanced=True,
        **_or("Off", 0.8),
        help="Makes it unlikely that a sequence of tokens is repeated. 0.8 is usual.",
    )
    dry_base: float = setting(
        1.75,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="DRY",
        label="DRY base",
        low=1,
        high=10,
        step=0.05,
        advanced=True,
        help="How fast the penalty grows with the length of the repetition.",
    )
    dry_allowed_length: int = setting(
        2,
        kind=Kind.INT,
        scope=Scope.CHAT,
        part="DRY",
        label="DRY allowed length",
        unit="tokens",
        low=1,
        high=1000,
        soft_high=20,
        step=1,
        advanced=True,
        help="Repetitions up to this long cost nothing.",
    )
    xtc_probability: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="XTC",
        label="XTC probability",
        low=0,
        high=1,
        step=0.01,
        advanced=True,
        **_or("Off", 0.5),
        help="How often the likeliest tokens are left out. 0.5 is usual.",
    )
    xtc_threshold: float = setting(
        0.1,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="XTC",
        label="XTC threshold",
        low=0,
        high=0.5,
        step=0.01,
        advanced=True,
        help="Tokens above this probability can be left out.",
    )
    typical_p: float | None = setting(
        None,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Other samplers",
        label="Typical-p",
        low=0,
        high=1,
        step=0.01,
        advanced=True,
        **_or("Off", 0.95),
        help="Keeps tokens about as surprising as text usually is.",
    )
    mirostat: str | None = setting(
        None,
        kind=Kind.CHOICE,
        scope=Scope.CHAT,
        part="Other samplers",
        label="Mirostat",
        choices=(("1", "Version 1"), ("2", "Version 2")),
        advanced=True,
        **_or("Off", "2"),
        help="Holds the text at one level of surprise. Replaces top-k, top-p, min-p, typical-p and XTC.",
    )
    mirostat_tau: float = setting(
        5.0,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Other samplers",
        label="Mirostat tau",
        low=0,
        high=20,
        soft_high=10,
        step=0.1,
        advanced=True,
        help="The level of surprise aimed at.",
    )
    mirostat_eta: float = setting(
        0.1,
        kind=Kind.FLOAT,
        scope=Scope.CHAT,
        part="Other samplers",
        label="Mirostat eta",
        low=0,
        high=1,
        step=0.01,
        advanced=True,
        help="How fast it is corrected.",
    )


_KV = (
    ("auto", "Auto"), ("f16", "f16: exact"), ("q8_0", "q8_0: half the memory"), ("q4_0", "q4_0: a quarter, less exact"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded. A change takes effect when the model is next needed, by loading it once more."""

    context_tokens: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.MODEL,
        part="Loading",
        label="Context",
        unit="tokens",
        low=256,
        high=10_485_760,
        soft_high=32_768,
        step=256,
        **_or("Auto", 4096),
        help="How much of the chat the model can see. Auto: up to 8,192 tokens, or 32,768 if all fits on the GPU.",
    )
    gpu_layers: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.MODEL,
        part="Loading",
        label="GPU layers",
        low=0,
        high=512,
        soft_high=100,
        step=1,
        **_or("Auto", 16),
        help="How many layers go to the GPU. Auto takes as many as fit, 0 keeps the model off it.",
    )
    threads: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.MODEL,
        part="Loading",
        label="Threads",
        low=1,
        high=512,
        soft_high=64,
        step=1,
        **_or("Auto", 4),
        help="CPU threads at work. Auto takes the physical cores, and fewer where they would only wait for each other.",
    )
    batch_tokens: int | None = setting(
        None,
        kind=Kind.INT,
        scope=Scope.MODEL,
        part="Loading",
        label="Batch",
        unit="tokens",
        low=32,
        high=4096,
        soft_high=2048,
        step=32,
        advanced=True,
        **_or("Auto", 256),
        help="How many tokens of the prompt are read in one step. Stop acts between steps on a GPU.",
    )
    kv_type: str = setting(
        "auto",
        kind=Kind.CHOICE,
        scope=Scope.MODEL,
        part="Loading",
        label="KV cache type",
        choices=_KV,
        advanced=True,
        help="How exactly the model's memory of the chat is kept. Auto takes f16 while there is room, else q8_0.",
    )
    flash_attention: str = setting(
        "auto",
        kind=Kind.CHOICE,
        scope=Scope.MODEL,
        part="Loading",
        label="Flash attention",
        choices=(("auto", "Auto"), ("on", "On"), ("off", "Off")),
        advanced=True,
        help="Needs less memory; a quantised KV cache needs it. Auto takes it on a GPU, and where memory is short.",
    )
    mmap: bool | None = setting(
        None,
        kind=Kind.BOOL,
        scope=Scope.MODEL,
        part="Loading",
        label="Map the file (mmap)",
        advanced=True,
        **_or("Auto", True),
        help="Reads the file as it is needed. Off copies all of it into memory first. Auto is on, unless every layer "
        "goes to a GPU with memory of its own.",
    )
    template: str = setting(
        "auto",
        kind=Kind.CHOICE,
        scope=Scope.MODEL,
        part="Loading",
        label="Chat template",
        advanced=True,
        choices=(("auto", "The model's own, else ChatML"), ("chatml", "ChatML")),
        help="How turns are written for the model.",
    )
    lookup: bool = setting(
        False,
        kind=Kind.BOOL,
        scope=Scope.MODEL,
        part="Loading",
        label="Guess from the prompt",
        advanced=True,
        help="Faster where a reply repeats its prompt, as in mending a text. What it says stays as likely as without.",
    )
    adapters: tuple[str, ...] = setting(
        (),
        kind=Kind.LINES,
        scope=Scope.MODEL,
        part="LoRA adapters",
        label="LoRA adapters",
        advanced=True,
        line=adapter_of,
        help="Small GGUF files that change the model, each with a weight from 0 to 2 before its path: "
        "0.8 /path/to/adapter.gguf.",
    )
