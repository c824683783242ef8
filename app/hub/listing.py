"""What the Hub has: search results page by page, and one repository with everything that can be chosen from it.

Every function blocks, takes a StopFlag that ends it at once, and raises AppErrors only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.errors import AppError
from app.core.library import Order, Repo, RepoPage, RepoRow
from app.core.stopping import StopFlag
from app.hub import facts
from app.hub.card import CARD_BYTES, card_text
from app.hub.instead import not_runnable
from app.hub.names import safe_repo_id
from app.hub.quants import quants, remote_file
from app.hub.session import Answer, Hub, Params
from app.hub.trouble import not_the_hub

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

T = TypeVar("T")

PAGE_ROWS = 30
_EXPAND = ("downloads", "likes", "gated", "gguf", "lastModified", "tags")
_SORT = {
    Order.DOWNLOADS: "downloads",
    Order.TRENDING: "trendingScore",
    Order.LIKES: "likes",
    Order.UPDATED: "lastModified",
}
_MOST_EMPTY_PAGES = 3
_MOST_FILES = 5000
_MOST_REFS = 200
_TEMPLATE_CHARS = 200_000
# What GGUF files also hold: pictures and films, what only reads text, and what hears or speaks
_NO_CHAT = frozenset(
    "flux sd1 sdxl sd3 aura hidream cosmos ltxv hyvid wan lumina2 qwen_image bert modern-bert neo-bert nomic-bert "
    "nomic-bert-moe jina-bert-v2 jina-bert-v3 gemma-embedding t5encoder clip whisper wavtokenizer-dec".split()
)


def search(
    hub: Hub,
    text: str = "",
    order: Order = Order.DOWNLOADS,
    min_params: int | None = None,
    max_params: int | None = None,
    licence: str = "",
    *,
    stop: StopFlag | None = None,
) -> RepoPage:
    """The first page of GGUF repositories with these words in their names; all of them for an empty text.

    min_params, max_params: how many weights a model has, both included. licence: as the Hub spells it; "" for any.
    """
    params = [("filter", "gguf"), ("sort", _SORT[order]), ("limit", str(PAGE_ROWS))]
    params += [("expand", name) for name in _EXPAND]
    if words := " ".join(text.split())[:200]:
        params.append(("search", words))
    if licence:
        params.append(("filter", f"license:{licence}"))
    if min_params is not None or max_params is not None:
        low = [f"min:{_rounded(min_params)}"] if min_params is not None else []
        high = [f"max:{_rounded(max_params)}"] if max_params is not None else []
        params.append(("num_parameters", ",".join(low + high)))
    return _page(hub, hub.api_url(), params, stop)


def more(hub: Hub, page: RepoPage, *, stop: StopFlag | None = None) -> RepoPage:
    """The page after this one; an empty one at the end. Asked of this Hub only, whatever the page says."""
    if not hub.owns(page.more):
        return RepoPage()
    return _page(hub, page.more, (), stop)


def repo(hub: Hub, repo_id: str, revision: str = "main", *, stop: StopFlag | None = None) -> Repo:
    """A repository at a branch, tag or commit, pinned to the commit that this is now.

    Raises NotRunnableError, with `instead` where the Hub has the same model as GGUF, for one without a usable model.
    """
    return hub.run(_repo(hub, safe_repo_id(repo_id.strip()), revision.strip() or "main"), stop)


def _rounded(n_params: int) -> str:
    """As the Hub wants it: 3B, 500M."""
    millions = round(n_params / 1e6)
    return f"{millions}M" if millions % 1000 else f"{millions // 1000}B"


def _page(hub: Hub, url: str, params: Params, stop: StopFlag | None) -> RepoPage:
    """A page with at least one row, if one of the next few has any."""
    rows: tuple[RepoRow, ...] = ()
    for _ in range(_MOST_EMPTY_PAGES):
        answer = hub.get(url, params, stop=stop)
        found = answer.json()
        if not isinstance(found, list):
            raise not_the_hub()
        every = (facts.row(item) for item in found[: PAGE_ROWS * 10])
        rows = tuple(row for row in every if row is not None and row.architecture.lower() not in _NO_CHAT)
        url, params = answer.more if found else "", ()
        if rows or not url:
            break
    return RepoPage(rows, url)


async def _repo(hub: Hub, repo_id: str, revision: str) -> Repo:
    async with hub.client() as client:
        info = (await hub.fetch(client, hub.api_url(repo_id, "revision", revision))).json()
        commit = facts.commit(info) if isinstance(info, dict) else ""
        if not commit:
            raise not_the_hub()
        repo_id = facts.repo_id_of(info) or repo_id  # a renamed one answers by its new name
        items, refs, card = await asyncio.gather(
            _tree(hub, client, repo_id, commit),
            _or(Answer(b"{}"), hub.fetch(client, hub.api_url(repo_id, "refs"))),
            _or(Answer(b""), _card(hub, client, repo_id, commit)),
        )
        found = _made(repo_id, revision, commit, info, items, card.body)
        if not found.quants:
            raise await not_runnable(hub, client, found, info, items)
    named = facts.table(refs.json())
    return _with_refs(found, named)


def _made(repo_id: str, revision: str, commit: str, info: Mapping[str, Any], items: list[object], card: bytes) -> Repo:
    row = facts.row({**info, "id": repo_id})
    assert row is not None
    template = facts.table(info.get("gguf")).get("chat_template")
    files = (file for item in items if (file := remote_file(item)) is not None)
    return Repo(
        repo_id,
        revision,
        commit,
        licence=row.licence,
        gate=row.gate,
        downloads=row.downloads,
        likes=row.likes,
        updated_ms=row.updated_ms,
        architecture=row.architecture,
        n_params=row.n_params,
        n_ctx_train=row.n_ctx_train,
        template=template[:_TEMPLATE_CHARS] if isinstance(template, str) else "",
        base_models=facts.base_models(info),
        quants=quants(files, row.n_params),
        card=card_text(card),
    )


def _with_refs(found: Repo, refs: Mapping[str, Any]) -> Repo:
    return replace(found, branches=_names(refs.get("branches")), tags=_names(refs.get("tags")))


def _names(items: object) -> tuple[str, ...]:
    listed = items[:_MOST_REFS] if isinstance(items, list) else []
    return tuple(name for item in listed if (name := facts.text(facts.table(item).get("name"), 200)))


async def _tree(hub: Hub, client: httpx.AsyncClient, repo_id: str, commit: str) -> list[object]:
    """The whole listing at a commit, or as much of it as any real repository has."""
    items: list[object] = []
    answer = await hub.fetch(client, hub.api_url(repo_id, "tree", commit), [("recursive", "true")])
    while True:
        found = answer.json()
        if not isinstance(found, list):
            raise not_the_hub()
        items += found
        if not found or not answer.more or len(items) >= _MOST_FILES:
            return items[:_MOST_FILES]
        answer = await hub.fetch(client, answer.more)


async def _card(hub: Hub, client: httpx.AsyncClient, repo_id: str, commit: str) -> Answer:
    return await hub.fetch(client, hub.resolve_url(repo_id, commit, "README.md"), abroad=True, at_most=CARD_BYTES)


async def _or(nothing: T, work: Coroutine[Any, Any, T]) -> T:
    """What can be done without: a card that is missing or kept behind a gate must not hide the model."""
    from huggingface_hub.utils import httpx  # slow to import

    try:
        return await work
    except (AppError, httpx.HTTPError, OSError):
        return nothing
