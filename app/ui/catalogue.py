"""The models that Orcinus knows by name, as the pages show them before anybody asked the Hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.known import Entry, Score
from app.core.library import Quant, RemoteFile

# Bits a weight: https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md
_USUAL = (("Q8_0", 8.5), ("Q6_K", 6.56), ("Q5_K_M", 5.7), ("Q4_K_M", 4.89), ("Q3_K_M", 4.0), ("Q2_K", 3.16))


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the catalogue. `file` is its path where it comes with the app, else `repo_id` says where it is."""

    id: str
    name: str
    note: str = ""
    blurb: str = ""
    repo_id: str = ""
    file: str = ""
    licence: str = ""
    licence_note: str = ""
    n_params: int | None = None
    architecture: str = ""
    n_ctx_train: int | None = None
    prompt_format: str = ""
    languages: str = ""
    authors: tuple[str, ...] = ()
    base: str = ""
    original: str = ""
    citation: str = ""
    scores: tuple[Score, ...] = ()
    scores_source: str = ""
    scores_url: str = ""


def known_models(entries: Iterable[Entry]) -> tuple[Known, ...]:
    """The catalogue's entries for the pages, in its order."""
    return tuple(
        Known(
            id=entry.id,
            name=entry.name,
            note=entry.note,
            blurb=entry.blurb,
            repo_id=entry.repo,
            file=str(entry.file) if entry.file is not None else "",
            licence=entry.licence,
            licence_note=entry.licence_note,
            n_params=entry.parameters or None,
            architecture=entry.architecture,
            n_ctx_train=entry.context_tokens or None,
            prompt_format=entry.prompt_format,
            languages=entry.languages,
            authors=entry.authors,
            base=entry.base,
            original=entry.original,
            citation=entry.citation,
            scores=tuple(entry.scores),
            scores_source=entry.scores_source,
            scores_url=entry.scores_url,
        )
        for entry in entries
    )


def usual_quants(n_params: int | None) -> tuple[Quant, ...]:
    """The quants that most repositories have, with sizes worked out from bits and weights: for "about so many GB"."""
    if not n_params:
        return ()
    return tuple(Quant(label, (RemoteFile(label, round(n_params * bits / 8), ""),), bits) for label, bits in _USUAL)


def tile(name: str) -> str:
    """The letters of a model's picture: "MO" for Mistral 7B OpenOrca."""
    plain = name.replace("-", " ").replace("_", " ").replace("/", " ")
    words = [word for word in plain.split() if word[0].isalpha() and word.lower() not in ("gguf", "instruct", "chat")]
    if not words:
        return name[:2].upper()
    return (words[0][0] + words[-1][0]).upper() if len(words) > 1 else words[0][:2].capitalize()
