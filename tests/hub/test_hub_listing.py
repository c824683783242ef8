"""Searching the Hub and looking into a repository, with the real client against the stand-in."""

from __future__ import annotations

import pytest

from app.core.errors import (
    HubBusyError,
    HubError,
    HubGatedError,
    HubNotFoundError,
    HubTokenError,
    HubUnreachableError,
    NotRunnableError,
)
from app.core.library import Gate, Order, RepoPage
from app.core.stopping import StopFlag
from app.hub import listing
from app.hub.session import Hub
from tests.hub.orca import ORCA, QUANTS, host_orca
from tests.standin_hub.answers import as_json
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import Account, HostedFile

TOKEN = "hf_" + "Canary" * 5


@pytest.fixture
def hub(standin):
    return Hub(standin.url)


@pytest.fixture
def orca(standin):
    return host_orca(standin)


def names(page):
    return [row.repo_id for row in page.rows]


def test_a_search_asks_for_what_a_row_shows_in_one_request(hub, standin, orca):
    standin.add("other/Model-GGUF", {}, downloads=9, gated="manual")
    page = listing.search(hub, "  mistral   ORCA ")
    (row,) = page.rows
    assert (row.repo_id, row.downloads, row.likes, row.licence) == (ORCA, 5000, 200, "apache-2.0")
    assert (row.architecture, row.n_params, row.n_ctx_train) == ("llama", 7_242_000_000, 32_768)
    assert row.updated_ms == 1_704_164_645_000
    assert row.gate is Gate.OPEN
    assert page.more == ""
    (asked,) = standin.asked
    assert asked.one("search") == "mistral ORCA"
    assert asked.query["filter"] == ["gguf"]


def test_an_empty_search_lists_everything(hub, standin, orca):
    assert names(listing.search(hub)) == [ORCA]
    assert "search" not in standin.asked[0].query


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.DOWNLOADS, "a/Loaded"),
        (Order.LIKES, "b/Liked"),
        (Order.TRENDING, "c/Trending"),
        (Order.UPDATED, "d/New"),
    ],
)
def test_results_come_in_the_order_that_was_asked_for(hub, standin, order, first):
    standin.add("a/Loaded", {}, downloads=1000)
    standin.add("b/Liked", {}, likes=1000)
    standin.add("c/Trending", {}, trending=1000)
    standin.add("d/New", {}, last_modified="2026-01-01T00:00:00.000Z")
    assert names(listing.search(hub, order=order))[0] == first


def test_results_can_be_limited_by_size(hub, standin):
    for billions in (0.5, 1.7, 7.2, 14.7):
        standin.add(f"a/M{billions}B", {}, gguf={"total": int(billions * 1e9)})
    assert set(names(listing.search(hub, min_params=3_000_000_000, max_params=9_000_000_000))) == {"a/M7.2B"}
    assert set(names(listing.search(hub, max_params=500_000_000))) == {"a/M0.5B"}
    assert set(names(listing.search(hub, min_params=1_500_000_000))) == {"a/M1.7B", "a/M7.2B", "a/M14.7B"}
    assert [asked.one("num_parameters") for asked in standin.asked] == ["min:3B,max:9B", "max:500M", "min:1500M"]


def test_results_can_be_limited_to_a_licence(hub, standin):
    for licence in ("apache-2.0", "mit"):
        standin.add(f"a/{licence}", {}, tags=["gguf", f"license:{licence}"], card_data={"license": licence})
    standin.add("a/No-model", {}, tags=["license:mit"])
    (row,) = listing.search(hub, licence="mit").rows
    assert (row.repo_id, row.licence) == ("a/mit", "mit")


def test_gguf_files_that_cannot_chat_are_passed_over(hub, standin):
    for number, architecture in enumerate(["flux", "wan", "bert", "nomic-bert", "clip"] * 8):
        standin.add(f"a/No{number}", {}, gguf={"architecture": architecture}, downloads=10_000)
    standin.add("a/Chats", {}, gguf={"architecture": "llama"}, downloads=1)
    standin.add("a/Unknown", {}, gguf={}, downloads=0)
    assert names(listing.search(hub)) == ["a/Chats", "a/Unknown"]
    assert len(standin.asked) == 2


def test_nothing_but_others_is_given_up_after_a_few_pages_and_can_be_gone_on_with(hub, standin):
    for number in range(200):
        standin.add(f"a/No{number}", {}, gguf={"architecture": "flux"})
    page = listing.search(hub)
    assert page.rows == ()
    assert page.more
    assert len(standin.asked) == 3


def test_more_goes_on_where_the_page_ended_until_nothing_is_left(hub, standin):
    for number in range(70):
        standin.add(f"owner/model-{number:02}", {}, downloads=1000 - number)
    page = listing.search(hub, "model")
    found = names(page)
    pages = 1
    while page.more:
        page = listing.more(hub, page)
        found += names(page)
        pages += 1
    assert found == [f"owner/model-{number:02}" for number in range(70)]
    assert pages == 3
    assert listing.more(hub, page) == RepoPage()


def test_a_next_page_elsewhere_is_not_followed_and_gets_no_token(standin, monkeypatch):
    standin.tokens[TOKEN] = Account("ada")
    hub = Hub(standin.url, TOKEN, token_elsewhere=True)
    evil = f"{standin.cdn_url}/api/models?cursor=2"
    answer = as_json([{"id": "a/b"}], Link=f'<{evil}>; rel="next"')
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: answer)
    page = listing.search(hub)
    assert names(page) == ["a/b"]
    assert page.more == ""
    assert listing.more(hub, RepoPage(more=evil)) == RepoPage()
    assert standin.asked_of("cdn") == []


def test_a_mirror_that_hands_on_the_public_hubs_addresses_can_be_paged(hub, standin, monkeypatch):
    answer = as_json([{"id": "a/b"}], Link='<https://huggingface.co/api/models?cursor=2>; rel="next"')
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: answer)
    assert listing.search(hub).more == f"{standin.url}/api/models?cursor=2"


@pytest.mark.parametrize(
    "item",
    [
        None,
        "text",
        {},
        {"id": 5},
        {"id": "../up"},
        {"id": "con/model"},
        {"id": "a/b\n"},
        {"id": "a/b", "downloads": "many", "likes": -1, "tags": "license:x", "lastModified": 7, "gated": []},
        {"id": "a/b", "gguf": [], "tags": [5, None], "cardData": "mit", "lastModified": "yesterday"},
        {"id": "a/b", "gguf": {"total": 10**30, "architecture": "x" * 9999, "context_length": True}},
    ],
)
def test_a_row_that_a_stranger_spoilt_is_dropped_or_read_as_far_as_it_goes(hub, standin, monkeypatch, item):
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: as_json([item, {"id": "good/model"}]))
    rows = listing.search(hub).rows
    assert rows[-1].repo_id == "good/model"
    for row in rows[:-1]:
        assert row.repo_id == "a/b"
        assert (row.downloads, row.likes, row.n_params, row.n_ctx_train) == (0, 0, None, None)
        assert len(row.architecture) <= 60


def test_an_answer_of_another_shape_is_not_the_hubs(hub, standin, monkeypatch):
    monkeypatch.setattr(standin.listing, "answer", lambda _asked: as_json({"error": "no"}))
    with pytest.raises(HubUnreachableError):
        listing.search(hub)


def test_a_repository_is_listed_at_a_commit_with_all_that_can_be_chosen(hub, standin, orca):
    found = listing.repo(hub, ORCA)
    assert (found.repo_id, found.revision, found.commit) == (ORCA, "main", orca.commit)
    assert [quant.label for quant in found.quants] == list(QUANTS)
    assert found.quants[2].size_bytes == 5_000_000_000
    assert found.quants[2].files[0].sha256 == orca.files["mistral-7b-openorca.Q4_K_M.gguf"].sha256
    assert (found.licence, found.gate, found.downloads, found.likes) == ("apache-2.0", Gate.OPEN, 5000, 200)
    assert (found.architecture, found.n_params, found.n_ctx_train) == ("llama", 7_242_000_000, 32_768)
    assert found.base_models == ("Open-Orca/Mistral-7B-OpenOrca",)
    assert (found.branches, found.tags) == (("main", "fixed"), ("v1",))
    assert found.card == "# MistralOrca\n\nText."


def test_a_branch_a_tag_and_a_commit_can_be_chosen(hub, orca):
    fixed = listing.repo(hub, ORCA, "fixed")
    assert fixed.commit == orca.commit_of("fixed") != orca.commit
    assert [quant.label for quant in fixed.quants] == ["Q4_K_M"]
    assert listing.repo(hub, ORCA, "v1").quants == fixed.quants
    assert listing.repo(hub, ORCA, fixed.commit).commit == fixed.commit
    assert listing.repo(hub, ORCA, "  ").revision == "main"


def test_everything_after_the_first_answer_is_asked_at_that_commit(hub, standin, orca):
    listing.repo(hub, ORCA)
    later = [asked.path for asked in standin.asked[1:] if not asked.path.endswith("/refs")]
    assert later
    assert all(orca.commit in path for path in later)


def test_a_listing_of_another_shape_is_not_the_hubs(hub, standin, orca, monkeypatch):
    whole = standin.listing.answer
    monkeypatch.setattr(
        standin.listing, "answer", lambda asked: as_json({}) if "/tree/" in asked.path else whole(asked)
    )
    with pytest.raises(HubUnreachableError):
        listing.repo(hub, ORCA)


def test_a_large_repository_is_listed_over_several_pages(hub, standin):
    standin.listing.page_size = 3
    files = {f"m-Q8_0-{number:05}-of-00010.gguf": HostedFile(b"GGUF%d" % number) for number in range(1, 11)}
    standin.add("a/Big-GGUF", files)
    (quant,) = listing.repo(hub, "a/Big-GGUF").quants
    assert len(quant.files) == 10


def test_a_listing_without_end_is_cut(hub, standin, monkeypatch):
    standin.add("a/M-GGUF", {"m.Q4_0.gguf": b"GGUF"})
    whole = standin.listing.answer
    pages = []

    def endless(asked):
        if "/tree/" not in asked.path:
            return whole(asked)
        pages.append(1)
        item = {"type": "directory", "path": "d", "oid": "0" * 40, "size": 0}
        more = f'<{standin.url}{asked.path}?cursor={len(pages)}>; rel="next"'
        return as_json([item] * 1000, Link=more)

    monkeypatch.setattr(standin.listing, "answer", endless)
    with pytest.raises(NotRunnableError):
        listing.repo(hub, "a/M-GGUF")
    assert len(pages) == 5


def test_a_renamed_repository_is_known_by_its_new_name(hub, standin):
    standin.add("new/Name-GGUF", {"m.Q4_0.gguf": b"GGUF", "README.md": b"Hi"}, old_ids=("old/Name-GGUF",))
    found = listing.repo(hub, "old/Name-GGUF")
    assert found.repo_id == "new/Name-GGUF"
    assert found.card == "Hi"


def test_a_repository_without_a_card_or_with_a_broken_one_is_still_shown(hub, standin, orca):
    del orca.files["README.md"]
    assert listing.repo(hub, ORCA).card == ""
    orca.files["README.md"] = HostedFile(b"x" * (3 * 2**20), lfs=False)
    assert listing.repo(hub, ORCA).card == ""


@pytest.mark.parametrize("kind", [Kind.PORTAL, Kind.STATUS, Kind.DROP])
def test_a_card_or_refs_that_do_not_come_do_not_hide_the_model(hub, standin, orca, kind):
    standin.faults.append(Fault(kind, "resolve", times=None))
    standin.faults.append(Fault(kind, "api", times=None, path="/refs"))
    found = listing.repo(hub, ORCA)
    assert len(found.quants) == len(QUANTS)
    assert (found.card, found.branches) == ("", ())


def test_a_gated_repository_is_shown_with_its_gate_but_without_its_card(hub, orca):
    orca.gated = "manual"
    found = listing.repo(hub, ORCA)
    assert found.gate is Gate.MANUAL
    assert len(found.quants) == len(QUANTS)
    assert found.card == ""


def test_a_gated_card_is_read_by_whoever_may(standin, orca):
    orca.gated = "auto"
    standin.tokens[TOKEN] = Account("ada", {ORCA})
    assert listing.repo(Hub(standin.url, TOKEN, token_elsewhere=True), ORCA).card.startswith("# MistralOrca")


def test_a_card_that_lies_elsewhere_is_fetched_without_the_token(standin, orca):
    standin.tokens[TOKEN] = Account("ada")
    orca.files["README.md"] = HostedFile(b"# Large", lfs=True)
    assert listing.repo(Hub(standin.url, TOKEN, token_elsewhere=True), ORCA).card == "# Large"
    assert [asked.token for asked in standin.asked_of("cdn")] == [""]
    assert {asked.token for asked in standin.asked_of("hub")} == {TOKEN}


@pytest.mark.parametrize(
    "location", ["https://" + "é" * 300, "https://a..b/x", "https://xn--/", "https://[x]/", "/\\x"]
)
def test_a_card_that_leads_nowhere_does_not_hide_the_model(hub, standin, orca, location):
    named = location.encode("utf-8").decode("latin-1")
    standin.faults.append(Fault(Kind.STATUS, "resolve", times=None, status=302, headers={"Location": named}))
    found = listing.repo(hub, ORCA)
    assert found.quants
    assert found.card == ""


def test_a_private_repository_is_not_found_without_and_listed_with_the_right_token(standin, orca):
    orca.private = True
    standin.tokens[TOKEN] = Account("ada", {ORCA})
    standin.tokens["hf_other"] = Account("grace")
    for token, hint in ((None, "needs an access token"), ("hf_other", "token may read")):
        with pytest.raises(HubNotFoundError) as caught:
            listing.repo(Hub(standin.url, token, token_elsewhere=True), ORCA)
        assert hint in caught.value.hint
        assert ORCA in caught.value.detail
    assert listing.repo(Hub(standin.url, TOKEN, token_elsewhere=True), ORCA).quants


def test_a_missing_version_is_told_from_a_missing_repository(hub, orca):
    with pytest.raises(HubNotFoundError) as caught:
        listing.repo(hub, ORCA, "no-such-branch")
    assert caught.value.title == "There is no such version"
    with pytest.raises(HubNotFoundError) as caught:
        listing.repo(hub, "no/such")
    assert caught.value.title == "The Hub has no such model"


def test_a_refused_token_is_told(standin, orca):
    with pytest.raises(HubTokenError):
        listing.repo(Hub(standin.url, "hf_revoked", token_elsewhere=True), ORCA)


def test_a_hostile_name_is_refused_before_anything_is_asked(hub, standin):
    for repo_id in ("../../etc", "a/b/c", "a/b?x=1", "con/model"):
        with pytest.raises(HubError):
            listing.repo(hub, repo_id)
    assert standin.asked == []


@pytest.mark.parametrize(
    "names",
    [("../up.Q4_0.gguf", "CON.Q4_0.gguf", "m.Q4_0.gguf:ads.gguf", ".hidden.Q4_0.gguf", "m\u202e.Q4_0.gguf")],
)
def test_hostile_files_are_not_offered(hub, standin, names):
    standin.add("a/M-GGUF", {**dict.fromkeys(names, b"GGUF"), "good.Q4_0.gguf": b"GGUF"})
    (quant,) = listing.repo(hub, "a/M-GGUF").quants
    assert quant.files[0].path == "good.Q4_0.gguf"


@pytest.mark.parametrize("sha", ["", "main", "a" * 39, "../" + "a" * 37, "A" * 40, 5])
def test_a_repository_without_a_real_commit_is_not_trusted(hub, standin, orca, monkeypatch, sha):
    whole = standin.listing.answer

    def lying(asked):
        return as_json({"id": ORCA, "sha": sha}) if "/revision/" in asked.path else whole(asked)

    monkeypatch.setattr(standin.listing, "answer", lying)
    with pytest.raises(HubUnreachableError):
        listing.repo(hub, ORCA)


def test_a_busy_hub_is_told_with_the_time_to_wait(hub, standin, orca):
    standin.faults.append(Fault(Kind.STATUS, "api", status=429, headers={"Retry-After": "12"}))
    with pytest.raises(HubBusyError) as caught:
        listing.search(hub)
    assert caught.value.retry_after_s == 12
    assert "12 seconds" in caught.value.hint
    assert names(listing.search(hub)) == [ORCA]


def test_a_withdrawn_look_ends(hub, standin, orca):
    stop = StopFlag()
    stop.set()
    for ask in (lambda: listing.search(hub, stop=stop), lambda: listing.repo(hub, ORCA, stop=stop)):
        with pytest.raises(HubUnreachableError):
            ask()


def test_asking_for_a_gated_file_shows_four_different_sentences(standin, orca):
    orca.gated = "manual"
    standin.tokens["hf_stranger"] = Account("eve")
    url = Hub(standin.url).resolve_url(ORCA, orca.commit, "README.md")

    def refusal(hub):
        with pytest.raises(HubError) as caught:
            hub.get(url)
        return caught.value

    anonymous = refusal(Hub(standin.url))
    stranger = refusal(Hub(standin.url, "hf_stranger", token_elsewhere=True))
    missing = refusal_of_missing(standin)
    assert isinstance(anonymous, HubGatedError)
    assert isinstance(stranger, HubGatedError)
    assert (anonymous.signed_in, stranger.signed_in) == (False, True)
    assert len({anonymous.title, stranger.title, missing.title}) == 3


def refusal_of_missing(standin):
    with pytest.raises(HubNotFoundError) as caught:
        listing.repo(Hub(standin.url), "no/such")
    return caught.value
