"""What the name of a quant says: how many bits a weight has and how good the answers are, in plain words."""

from __future__ import annotations

import re

_LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:UD[-_])?I?Q[1-8](?:_(?:K|NL|XXS|XS|S|M|L|XL|[01248]))*"
    r"|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|B?F16|F32|FP16|FP32|BF32"
    r")(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SAME = {"FP16": "F16", "FP32": "F32", "Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}

# Bits a weight of a whole 8B model: https://github.com/ggml-org/llama.cpp/blob/master/tools/quantize/README.md
_BITS = {
    "IQ1_S": 2.0,
    "IQ1_M": 2.15,
    "IQ2_XXS": 2.38,
    "IQ2_XS": 2.59,
    "IQ2_S": 2.74,
    "IQ2_M": 2.93,
    "Q2_K_S": 2.97,
    "Q2_K": 3.16,
    "IQ3_XXS": 3.25,
    "IQ3_XS": 3.5,
    "Q3_K_S": 3.64,
    "IQ3_S": 3.66,
    "IQ3_M": 3.76,
    "Q3_K_M": 4.0,
    "Q3_K_L": 4.3,
    "IQ4_XS": 4.46,
    "Q4_0": 4.66,
    "Q4_K_S": 4.67,
    "IQ4_NL": 4.68,
    "Q4_K_M": 4.89,
    "Q4_1": 5.11,
    "Q5_0": 5.57,
    "Q5_K_S": 5.57,
    "Q5_K_M": 5.7,
    "Q5_1": 6.01,
    "Q6_K": 6.56,
    "Q8_0": 8.5,
    "F16": 16.0,
    "BF16": 16.0,
    "F32": 32.0,
}

_QUALITY = (
    (2.6, "Often loses the thread"),
    (3.3, "Clearly worse answers"),
    (4.2, "Some slips, smaller file"),
    (4.8, "Good, a little smaller"),
    (5.2, "Good balance"),
    (6.2, "Very close to the original"),
    (8.0, "Hard to tell from the original"),
    (12.0, "As the original, nearly twice as large"),
    (20.0, "The original, unpacked; large"),
    (99.0, "Larger than the original"),
)
"""Up to so many bits, in words."""


def label_of(name: str) -> str:
    """The quant's label in a file's or folder's name, in capitals; "" where there is none. The last one counts."""
    found = [match.group(0) for match in _LABEL.finditer(name)]
    if not found:
        return ""
    label = found[-1].upper().replace("UD_", "UD-")
    return _SAME.get(label, label)


def is_label(text: str) -> bool:
    """Whether the whole text is a quant's label, in any spelling."""
    return _LABEL.fullmatch(text) is not None


def bits_of(label: str, size_bytes: int = 0, n_params: int | None = None) -> float:
    """About so many bits a weight, by the label or else by size; 0 where neither tells."""
    known = _BITS.get(label)
    if known is not None:
        return known
    if n_params and 0.5 <= (bits := size_bytes * 8 / n_params) <= 40:
        return round(bits, 2)
    plain = label.removeprefix("UD-")
    while plain:  # Q4_K_XL counts as Q4_K_L counts as Q4_K: longer names are variants of shorter ones
        known = _BITS.get(plain, _BITS.get(_SAME.get(plain, "")))
        if known is not None:
            return known
        plain = plain.rpartition("_")[0]
    return {"MXFP4": 4.25, "MXFP4_MOE": 4.25, "NVFP4": 4.5, "TQ1_0": 1.69, "TQ2_0": 2.06}.get(label, 0.0)


def quality_of(bits: float) -> str:
    """In words for a person who does not know quants; "" where the bits are not known."""
    return next((words for most, words in _QUALITY if bits <= most), "") if bits else ""
