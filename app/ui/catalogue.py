"""What the pages say of a model before anybody asked the Hub: its usual quants, and the letters of its picture."""

from __future__ import annotations

from app.core.library import Quant, RemoteFile

# Bits a weight: https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md
_USUAL = (("Q8_0", 8.5), ("Q6_K", 6.56), ("Q5_K_M", 5.7), ("Q4_K_M", 4.89), ("Q3_K_M", 4.0), ("Q2_K", 3.16))


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
