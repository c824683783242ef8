"""For a repository that llama.cpp does not run: which format it is in, and where the same model is as GGUF."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.core.errors import AppError, NotRunnableError
from app.core.library import Repo, RepoRow
from app.hub import facts
from app.hub.session import Hub, Params

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

_MOST = 3
_ENDING = re.compile(
    r"[-_.](?:gguf|ggml|gptq|awq|exl[23]|hqq|aqlm|quip|hf|fp16|bf16|f16|fp8|nf4|int[48]|[2348]-?bits?|bnb|mlx|onnx"
    r"|safetensors|marlin|imat(?:rix)?|i1|quantized(?:\.w\d+a\d+)?|w\d+a\d+|g\d+|\d(?:\.\d+)?bpw(?:-h\d+)?"
    r"|i?q\d(?:_[0-9a-z]+)*)$",
    re.IGNORECASE,
)
_FORMATS = (
    ("GPTQ", ("gptq",), ()),
    ("AWQ", ("awq",), ()),
    ("EXL2", ("exl2", "exl3"), ()),
    ("MLX", ("mlx",), ()),
    ("ONNX", ("onnx",), (".onnx",)),
    ("bitsandbytes", ("bnb", "bitsandbytes"), ()),
    ("GGML", ("ggml",), ()),
    ("adapter (LoRA)", ("lora", "peft", "adapter"), ("adapter_model.safetensors", "adapter_model.bin")),
    ("diffusers", ("diffusers",), ()),
    ("Safetensors", ("safetensors",), (".safetensors",)),
    ("PyTorch", ("pytorch",), (".bin", ".pt", ".pth")),
)
"""What a format is called, the words in names and tags that tell it, and the endings of files that do."""


def format_of(repo_id: str, tags: Sequence[str], paths: Sequence[str]) -> str:
    """The format a repository is in, as people call it; "" where nothing tells."""
    words = set(re.split(r"[-_./\s]+", repo_id.lower().rpartition("/")[2])) | set(tags)
    for name, marks, endings in _FORMATS:
        if words & set(marks) or any(path.lower().endswith(endings) for path in paths if endings):
            return name
    return ""


def stem(repo_id: str) -> str:
    """The model's own name: without its owner, its format and its quant, in one spelling."""
    return re.sub(r"[-_.]+", "-", _bare(repo_id).lower())


def _bare(repo_id: str) -> str:
    name = repo_id.rpartition("/")[2]
    while (shorter := _ENDING.sub("", name)) != name:
        name = shorter
    return name


async def not_runnable(
    hub: Hub, client: httpx.AsyncClient, found: Repo, info: Mapping[str, Any], items: Sequence[object]
) -> NotRunnableError:
    """The error to raise for a repository without a model that can be chosen. Asks the Hub for the same as GGUF."""
    paths = [path for item in items if (path := facts.text(facts.table(item).get("path"), 400))]
    broken = any(path.lower().endswith(".gguf") for path in paths)
    instead = await _same_as_gguf(hub, client, found)
    if broken:
        title = "There is no whole model in this repository"
        detail = "It has GGUF files, but parts of a model are missing, or the files only go with another model."
    else:
        name = format_of(found.repo_id, facts.tags(info), paths)
        title = f"llama.cpp does not run models in the {name} format" if name else "There is no model to run here"
        detail = f"{found.repo_id} has no GGUF file, the format that Orcinus runs."
    hint = f"The same model as GGUF: {instead[0]}." if instead else "Search for its name to find it as GGUF."
    return NotRunnableError(title, detail, hint, instead)


async def _same_as_gguf(hub: Hub, client: httpx.AsyncClient, found: Repo) -> tuple[str, ...]:
    """Repositories that say they are a GGUF of this model, or are called the same; the most downloaded first."""
    own = stem(found.repo_id)
    # What a quant was made from is called like it; what a trained model was made from is another model
    source = next((base for base in found.base_models if stem(base) == own), found.repo_id)
    common = [("filter", "gguf"), ("sort", "downloads"), ("limit", "20"), ("expand", "downloads")]
    called, derived = await asyncio.gather(
        _rows(hub, client, [*common, ("search", _bare(source))]),
        _rows(hub, client, [*common, ("filter", f"base_model:quantized:{source}")]),
    )
    same = {row.repo_id: row for row in called if stem(row.repo_id) == own}
    same |= {row.repo_id: row for row in derived if own in stem(row.repo_id)}
    same.pop(found.repo_id, None)
    owner = found.repo_id.partition("/")[0]
    ranked = sorted(same.values(), key=lambda row: (row.repo_id.partition("/")[0] != owner, -row.downloads))
    return tuple(row.repo_id for row in ranked[:_MOST])


async def _rows(hub: Hub, client: httpx.AsyncClient, params: Params) -> list[RepoRow]:
    """Search results; none where the Hub does not answer, for the person still learns why the model does not run."""
    from huggingface_hub.utils import httpx  # slow to import

    try:
        listed = (await hub.fetch(client, hub.api_url(), params)).json()
    except (AppError, httpx.HTTPError, OSError):
        return []
    items = listed if isinstance(listed, list) else []
    return [row for item in items if (row := facts.row(item)) is not None]
