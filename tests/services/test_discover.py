"""Looking for models on the Hub: the newest wish wins, errors are words, and the token stays in the keychain."""

from __future__ import annotations

import pytest

from app.core.errors import AppError, HubBusyError, HubError, HubNotFoundError, HubTokenError, NotRunnableError
from app.core.library import Order, RepoPage
from app.engine.scripted import Script
from app.services.hub_access import HubAccess
from tests.services.conftest import Keychain
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import Account

TOKEN = "hf_" + "Canary" * 5


@pytest.fixture
def services(build, standin):
    services = build(Script())
    services.preferences.set_fetching("endpoint", standin.url)
    for number in range(45):
        standin.add(f"them/Model-{number:02}-GGUF", {f"m{number}.Q4_0.gguf": b"GGUF"}, downloads=1000 - number)
    return services


def test_a_search_is_answered_and_goes_on_with_more_rows(services, qtbot):
    discover = services.discover
    with qtbot.waitSignal(discover.found) as heard:
        discover.search("Model")
    page, goes_on = heard.args
    assert isinstance(page, RepoPage)
    assert (len(page.rows), goes_on) == (30, False)
    assert discover.has_more
    with qtbot.waitSignal(discover.found) as heard:
        discover.more()
    assert (len(heard.args[0].rows), heard.args[1]) == (15, True)
    assert not discover.has_more
    discover.more()
    assert not discover.is_searching


def test_the_newest_search_wins_however_long_the_older_one_takes(services, standin, qtbot):
    standin.faults.append(Fault(Kind.SILENT, on="api", times=1))
    pages: list[RepoPage] = []
    services.discover.found.connect(lambda page, _: pages.append(page))
    services.discover.search("Model-01")
    services.wait(lambda: len(standin.asked) == 1)
    services.discover.search("Model-02", Order.LIKES)
    services.wait(lambda: bool(pages))
    assert [row.repo_id for row in pages[0].rows] == ["them/Model-02-GGUF"]
    services.wait(lambda: services.discover._lists.is_idle)
    assert len(pages) == 1


def test_a_cancelled_search_answers_nothing(services, standin):
    standin.faults.append(Fault(Kind.SILENT, on="api", times=1))
    heard: list[object] = []
    services.discover.found.connect(lambda *found: heard.append(found))
    services.discover.failed.connect(heard.append)
    services.discover.search("Model")
    services.wait(lambda: len(standin.asked) == 1)
    services.discover.cancel()
    services.wait(lambda: services.discover._lists.is_idle)
    assert heard == []
    assert not services.discover.is_searching


def test_a_hub_that_cannot_answer_is_told_in_words_and_the_next_search_works(services, standin, qtbot):
    standin.faults.append(Fault(Kind.STATUS, on="api", times=1, status=429, headers={"Retry-After": "7"}))
    with qtbot.waitSignal(services.discover.failed) as heard:
        services.discover.search("Model")
    assert isinstance(heard.args[0], HubBusyError)
    with qtbot.waitSignal(services.discover.found):
        services.discover.search("Model")


def test_an_address_that_is_none_is_told_in_words(services, qtbot):
    services.preferences.set_fetching("endpoint", "ftp://nowhere")
    with qtbot.waitSignal(services.discover.failed) as heard:
        services.discover.search("Model")
    assert isinstance(heard.args[0], AppError)


def test_a_repository_opens_by_anything_that_can_be_pasted(services, standin, qtbot):
    for text in ("them/Model-03-GGUF", "them/Model-03-GGUF:Q4_0", f"{standin.url}/them/Model-03-GGUF/tree/main"):
        with qtbot.waitSignal(services.discover.repo_found) as heard:
            services.discover.open(text)
        assert heard.args[0].repo_id == "them/Model-03-GGUF"
    services.discover.open("them/Model-03-GGUF:Q4_0")
    assert services.discover.asked.quant == "Q4_0"
    services.discover.cancel()


def test_only_the_repository_asked_for_last_is_shown(services, standin):
    found: list[str] = []
    services.discover.repo_found.connect(lambda repo: found.append(repo.repo_id))
    services.discover.open("them/Model-01-GGUF")
    services.discover.open("them/Model-02-GGUF")
    services.wait(lambda: bool(found) and services.discover._repos.is_idle)
    assert found == ["them/Model-02-GGUF"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("them/Nothing-GGUF", HubNotFoundError), ("two words", HubError), ("them/Full", NotRunnableError)],
)
def test_a_repository_that_cannot_be_shown_is_told_as_it_was_asked_for(services, standin, qtbot, text, kind):
    standin.add("them/Full", {"model.safetensors": b"x"}, tags=["safetensors"], gguf={})
    with qtbot.waitSignal(services.discover.repo_failed) as heard:
        services.discover.open(text)
    assert heard.args[0] == text
    assert isinstance(heard.args[1], kind)


def test_a_token_is_kept_in_the_keychain_alone(services, standin, qtbot, tmp_path):
    discover = services.discover
    assert not discover.has_token()
    with qtbot.waitSignal(discover.token_changed):
        pass
    with qtbot.waitSignal(discover.token_changed) as heard:
        discover.set_token(f" {TOKEN}\n")
    assert heard.args == [True]
    assert discover.has_token()
    assert TOKEN in services.keychain.secrets.values()
    services.ask(lambda stores: None)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()
    with qtbot.waitSignal(discover.token_changed) as heard:
        discover.set_token("")
    assert heard.args == [False]
    assert services.keychain.secrets == {}


def test_what_is_no_token_is_refused_in_words(services, qtbot):
    with qtbot.waitSignal(services.discover.tested) as heard:
        services.discover.set_token("two words")
    assert isinstance(heard.args[1], HubTokenError)


def test_the_token_goes_to_another_address_only_where_the_person_says_so(services, standin, qtbot):
    standin.tokens[TOKEN] = Account("ada")
    services.discover.set_token(TOKEN)
    with qtbot.waitSignal(services.discover.tested) as heard:
        services.discover.test_connection()
    assert heard.args[1] is None
    assert not any(asked.token for asked in standin.asked)
    services.preferences.set_fetching("token_elsewhere", True)
    with qtbot.waitSignal(services.discover.tested) as heard:
        services.discover.test_connection()
    assert "ada" in heard.args[0]
    assert any(asked.token == TOKEN for asked in standin.asked)


def test_a_connection_that_fails_is_told(services, standin, qtbot):
    standin.faults.append(Fault(Kind.PORTAL, on="api", times=None))
    with qtbot.waitSignal(services.discover.tested) as heard:
        services.discover.test_connection()
    assert isinstance(heard.args[1], AppError)
    assert heard.args[0] == heard.args[1].title


def test_the_address_is_the_chosen_one_else_that_of_the_environment(services):
    access = HubAccess(
        services.preferences.fetching, Keychain(), {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "t"}
    )
    assert access.endpoint == services.preferences.fetching().endpoint
    services.preferences.set_fetching("endpoint", None)
    assert access.endpoint == "http://127.0.0.1:9"
    assert access.token() == "t", "where there is no keychain, as on a server"
    assert HubAccess(services.preferences.fetching, Keychain(), {}).endpoint == "https://huggingface.co"


def test_without_a_keychain_a_token_is_used_until_the_end_and_that_is_told(services, qtbot, monkeypatch):
    def locked(*_: object) -> None:
        raise RuntimeError("no keychain")

    monkeypatch.setattr(services.keychain, "set_password", locked)
    with qtbot.waitSignals([services.discover.token_changed, services.discover.tested]):
        services.discover.set_token(TOKEN)
    assert services.discover.has_token()
    assert services.access.token() == TOKEN
