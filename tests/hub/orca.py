"""Mistral 7B OpenOrca as TheBloke hosts it, for the stand-in Hub: listed with its real sizes, almost without bytes."""

from __future__ import annotations

from tests.standin_hub.repos import HostedFile, HostedRepo
from tests.standin_hub.server import StandInHub

ORCA = "TheBloke/Mistral-7B-OpenOrca-GGUF"
QUANTS = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q8_0")
CARD = b"---\nlicense: apache-2.0\n---\n# MistralOrca\n\nText."


def host_orca(standin: StandInHub) -> HostedRepo:
    """Host it; the sizes are whole GB, Q2_K has three."""
    sizes = {label: 3_000_000_000 + number * 1_000_000_000 for number, label in enumerate(QUANTS)}
    files = {f"mistral-7b-openorca.{label}.gguf": HostedFile(b"GGUF", listed_size=sizes[label]) for label in QUANTS}
    return standin.add(
        ORCA,
        {**files, "README.md": CARD, "config.json": b"{}", "mmproj-model-f16.gguf": b"GGUF"},
        downloads=5000,
        likes=200,
        card_data={"license": "apache-2.0", "base_model": "Open-Orca/Mistral-7B-OpenOrca"},
        tags=["gguf", "license:apache-2.0", "base_model:quantized:Open-Orca/Mistral-7B-OpenOrca"],
        branches={"fixed": {"mistral-7b-openorca.Q4_K_M.gguf": HostedFile(b"GGUF2")}},
        git_tags={"v1": "fixed"},
    )
