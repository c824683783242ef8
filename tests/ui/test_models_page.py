"""The model pages over real services and a Hub on loopback: finding, choosing, downloading, keeping, and trouble."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton, QTextBrowser, QWidget

from app.core.library import DownloadState
from app.engine.scripted import Script
from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import HostedFile

ORCA = "TheBloke/Mistral-7B-OpenOrca-GGUF"
CARD = b"---\nlicense: apache-2.0\n---\n<div><img src='https://evil.example/x.png'></div>\n\n# Card\n\n[site](https://example.org)"


def quant_files(name: str, content: bytes) -> dict[str, bytes | HostedFile]:
    return {
        f"{name}.Q2_K.gguf": HostedFile(b"GGUF", listed_size=3_083_000_000),
        f"{name}.Q4_K_M.gguf": content,
        f"{name}.Q8_0.gguf": HostedFile(b"GGUF", listed_size=7_700_000_000),
        "README.md": CARD,
    }


@pytest.fixture
def stage(qtbot, standin, build, open_window):
    """The window, with a Hub that has the catalogue's first model and some others."""
    standin.add(ORCA, quant_files("mistral-7b-openorca", b"GGUF" + bytes(60_000)))
    for number in range(3):
        standin.add(f"them/Some-Model-{number}-GGUF", {f"some-{number}.Q4_K_M.gguf": b"GGUF" + bytes([number])})
    services = build(Script())
    services.preferences.set_fetching("endpoint", standin.url)
    services.downloads.start()
    made = open_window(services=services, size=(1440, 900))
    qtbot.waitUntil(lambda: made.hub.fitting.machine is not None)
    return made


@pytest.fixture
def page(qtbot, stage):
    """The model pages, on screen."""
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert stage.space.pages.shows_models
    return stage.space.pages.models


def button(place: QWidget, words: str) -> QPushButton:
    return next(b for b in place.findChildren(QPushButton) if b.text() == words and b.isVisible())


def known(page, entry_id: str):
    return next(row for row in page.home.catalogue.rows.rows() if row.key == entry_id)


def rows(view) -> list[str]:
    return [row.title for row in view.rows.rows()]


# --- what is here and what there is ---------------------------------------------------------------------------------


def test_without_the_network_the_starter_and_the_catalogue_are_shown_and_nobody_is_asked(page, standin):
    assert rows(page.home.local) == ["Orcinus Starter"]
    orca = known(page, "mistral-7b-openorca")
    assert (orca.tag, orca.button) == ("Q4_K_M", "Download")
    assert [cell.text for cell in orca.cells] == [
        "Apache 2.0",
        "7.2 B",
        "about 4.4 GB",
        "Fits in memory",
        "Not downloaded",
    ]
    assert standin.asked == []


def test_a_model_of_the_catalogue_is_a_press_away(qtbot, stage, page, standin):
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(stage.services.model_library.models()) == 1, timeout=15_000)
    (model,) = stage.services.model_library.models()
    assert (model.repo_id, model.quant) == (ORCA, "Q4_K_M")
    qtbot.waitUntil(lambda: known(page, "mistral-7b-openorca").button == "Chat")
    (notice,) = page.notices.notices()
    assert notice.title == "Mistral 7B OpenOrca Q4_K_M is ready"
    notice.actions[0][1]()
    assert stage.session.chat.model_id == model.path
    assert stage.space.pages.shows_chat


def test_two_presses_one_after_the_other_are_both_heard(qtbot, stage, page, standin):
    standin.add("Qwen/Qwen2.5-0.5B-Instruct-GGUF", {"qwen2.5-0.5b-instruct-q8_0.gguf": b"GGUF" + bytes(99)})
    for entry_id in ("mistral-7b-openorca", "qwen2.5-0.5b-instruct"):
        page.home.catalogue.choose(entry_id)
        qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(stage.services.downloads.rows()) == 2, timeout=15_000)
    qtbot.waitUntil(lambda: len(stage.services.model_library.models()) == 2, timeout=15_000)


def test_a_page_goes_before_rows_that_wait_and_they_are_not_forgotten(qtbot, stage, page, standin):
    standin.latency_s = 0.2
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    page.open_repo("them/Some-Model-0-GGUF")
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
    assert page.header.title() == "them/Some-Model-0-GGUF"
    qtbot.waitUntil(lambda: [row.wanted.repo_id for row in stage.services.downloads.rows()] == [ORCA], timeout=15_000)
    assert page.header.title() == "them/Some-Model-0-GGUF"


def test_a_hub_that_is_down_is_one_line_with_a_retry_that_works(qtbot, stage, page, standin):
    standin.faults.append(Fault(Kind.STATUS, on="api", times=None))
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(page.home.trouble.words()), timeout=15_000)
    assert known(page, "mistral-7b-openorca").button_enabled
    standin.faults.clear()
    qtbot.mouseClick(button(page.home.trouble, "Retry"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(stage.services.downloads.rows()), timeout=15_000)
    assert not page.home.trouble.words()


# --- search ---------------------------------------------------------------------------------------------------------


def test_a_search_lists_repositories_and_one_of_them_opens(qtbot, page):
    field = page.home.search.field
    qtbot.keyClicks(field, "some model")
    qtbot.waitUntil(lambda: len(page.home.results.rows.rows()) == 3, timeout=15_000)
    assert page.home.state_words() == "3 repositories with GGUF files"
    assert not page.home.catalogue.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert QApplication.focusWidget() is page.home.results
    qtbot.keyClick(page.home.results, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
    assert page.header.title().startswith("them/Some-Model-")
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert page.home.results.isVisible()
    page.home.results.setFocus()
    qtbot.keyClick(page.home.results, Qt.Key.Key_Escape)
    assert page.home.catalogue.isVisible()
    assert field.text() == ""
    assert QApplication.focusWidget() is field


def test_more_results_are_added_below(qtbot, page, standin):
    for number in range(70):
        standin.add(f"many/Thing-{number:02}-GGUF", {"a.Q4_0.gguf": b"GGUF"}, downloads=1000 - number)
    qtbot.keyClicks(page.home.search.field, "thing")
    qtbot.waitUntil(lambda: page.home.more.isVisible(), timeout=15_000)
    first = rows(page.home.results)
    qtbot.mouseClick(page.home.more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.home.results.rows.rows()) > len(first), timeout=15_000)
    assert rows(page.home.results)[: len(first)] == first
    assert len(set(rows(page.home.results))) == len(rows(page.home.results))


def test_a_search_that_finds_nothing_says_so(qtbot, page):
    qtbot.keyClicks(page.home.search.field, "xyzzy")
    qtbot.waitUntil(lambda: page.home.state_words().startswith("Nothing"), timeout=15_000)


def test_size_and_order_alone_are_a_search(qtbot, page, standin):
    page.home.search.order_box.setCurrentIndex(2)
    page.home.search.order_box.activated.emit(2)
    qtbot.waitUntil(lambda: bool(page.home.results.rows.rows()), timeout=15_000)
    assert standin.asked[-1].query["sort"] == ["likes"]


def test_models_that_fit_this_computer_can_be_asked_for(qtbot, page, standin):
    page.home.search.size_box.setCurrentText("Fits this computer")
    page.home.search.size_box.activated.emit(1)
    qtbot.waitUntil(lambda: bool(page.home.results.rows.rows()), timeout=15_000)
    (words,) = standin.asked[-1].query["num_parameters"]
    assert words == "max:22B"


def test_models_of_one_licence_can_be_asked_for(qtbot, page, standin):
    standin.add("them/Free-GGUF", {}, tags=["gguf", "license:mit"], card_data={"license": "mit"})
    search = page.home.search
    search.licence_box.setCurrentIndex(search.licence_box.findText("MIT"))
    search.licence_box.activated.emit(search.licence_box.currentIndex())
    qtbot.waitUntil(lambda: rows(page.home.results) == ["Free-GGUF"], timeout=15_000)
    assert not page.home.local.isVisible()
    qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    assert page.home.local.isVisible()
    assert search.licence_box.currentText() == "Any licence"


def test_a_failed_search_keeps_what_is_here_usable(qtbot, stage, page, standin):
    standin.faults.append(Fault(Kind.STATUS, on="api", times=None, status=429, headers={"Retry-After": "1"}))
    qtbot.keyClicks(page.home.search.field, "some")
    qtbot.waitUntil(lambda: bool(page.home.trouble.words()), timeout=15_000)
    assert page.home.local.isVisible()
    qtbot.keyClick(page.home.search.field, Qt.Key.Key_Down)
    assert page.home.local.hasFocus()
    qtbot.keyClick(page.home.local, Qt.Key.Key_Space)
    assert stage.session.chat.model_id == "starter"
    assert stage.space.pages.shows_chat


def test_an_answer_that_comes_late_does_not_cover_the_shelves(qtbot, page, standin, stage):
    standin.latency_s = 0.3
    qtbot.keyClicks(page.home.search.field, "some")
    with qtbot.waitSignal(stage.services.discover.found, timeout=15_000):
        qtbot.keyClick(page.home.search.field, Qt.Key.Key_Return)
        qtbot.keyClick(page.home.search.field, Qt.Key.Key_Escape)
    assert page.home.catalogue.isVisible()
    assert not page.home.results.isVisible()


@pytest.mark.parametrize("form", ["{0}", "{0}:Q2_K", "hf://{0}", "{1}/{0}/blob/main/mistral-7b-openorca.Q2_K.gguf"])
def test_whatever_is_pasted_opens_its_page(qtbot, page, standin, form):
    QApplication.clipboard().setText(form.format(ORCA, standin.url))
    page.home.search.field.paste()
    assert button(page.home, page.home.open_reference.text()).isVisible()
    qtbot.keyClick(page.home.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
    assert page.header.title() == "Mistral 7B OpenOrca"
    asked_for = [row.title for row in page.detail.picker.quants.rows.rows() if row.tag]
    assert asked_for == (["Q2_K"] if "Q2" in form else [])


# --- one model ------------------------------------------------------------------------------------------------------


def open_orca(qtbot, page) -> None:
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)


def test_a_models_page_has_its_facts_scores_citation_and_quants(qtbot, page):
    open_orca(qtbot, page)
    facts = page.detail.head.facts()
    assert facts["Licence"] == "Apache 2.0"
    assert facts["Prompt format"] == "ChatML"
    assert facts["Trained context"] == "32,768 tokens"
    bars = [b.accessibleName() for b in page.detail.scores.findChildren(QWidget) if b.accessibleName()]
    assert "MMLU · 5-shot: 62.24 of 100" in bars
    qtbot.mouseClick(page.detail.citation.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().startswith("@software{lian2023mistralorca1")
    picked = page.detail.picker.quants.rows.rows()
    assert [row.title for row in picked if row.mark == "Recommended"] == ["Q4_K_M"]
    assert [row.title for row in picked if row.filled] == ["Q4_K_M"]
    sizes = {row.title: row.cells[0].text for row in picked}
    assert (sizes["Q2_K"], sizes["Q8_0"]) == ("3.08 GB", "7.70 GB")


def test_a_longer_context_needs_more_memory(qtbot, page):
    open_orca(qtbot, page)
    picker = page.detail.picker

    def memory() -> float:
        row = next(row for row in picker.quants.rows.rows() if row.title == "Q8_0")
        return float(row.cells[1].text.removesuffix(" GiB"))

    before = memory()
    qtbot.keyClick(picker.context.slider, Qt.Key.Key_End)
    assert memory() > before + 2.5


def test_the_card_has_no_pictures_and_no_html_and_asks_before_a_link(qtbot, page, standin, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("app.ui.link_offer.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
    open_orca(qtbot, page)
    (body,) = [b for b in page.detail.findChildren(QTextBrowser) if b.isVisible()]
    assert body.toPlainText().split() == ["Card", "site"]
    page.detail.card.body.link_activated.emit("https://example.org")
    assert opened == []
    qtbot.mouseClick(button(page, "Open in the browser"), Qt.MouseButton.LeftButton)
    assert opened == ["https://example.org"]
    assert not [asked for asked in standin.asked if "x.png" in asked.path]


def test_another_format_is_told_with_the_way_to_the_right_one(qtbot, page, standin):
    standin.add("TheBloke/Mistral-7B-OpenOrca-GPTQ", {"model.safetensors": b"x"}, tags=["gptq"], gguf={})
    page.open_repo("TheBloke/Mistral-7B-OpenOrca-GPTQ")
    qtbot.waitUntil(lambda: bool(page.detail.trouble.words()), timeout=15_000)
    assert "GPTQ" in page.detail.trouble.words()
    qtbot.mouseClick(button(page.detail.trouble, f"Open {ORCA}"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
    assert page.header.title() == "Mistral 7B OpenOrca"


def test_a_missing_repository_offers_a_token_and_leads_to_its_field(qtbot, stage, page):
    page.open_repo("nobody/nothing")
    qtbot.waitUntil(lambda: bool(page.detail.trouble.words()), timeout=15_000)
    qtbot.mouseClick(button(page.detail.trouble, "Add token…"), Qt.MouseButton.LeftButton)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.echoMode() is QLineEdit.EchoMode.Password
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert stage.space.pages.shows_models


def test_a_gated_model_says_what_is_to_be_done_first(qtbot, page, standin, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("app.ui.model_actions.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
    standin.repos[1].gated = "auto"
    page.open_repo("them/Some-Model-0-GGUF")
    qtbot.waitUntil(lambda: page.detail.picker.isVisible(), timeout=15_000)
    assert page.detail.head.facts()["Access"] == "Licence to accept"
    qtbot.mouseClick(page.detail.picker.accept, Qt.MouseButton.LeftButton)
    assert opened == [f"{standin.url}/them/Some-Model-0-GGUF"]
    page.go_back()
    open_orca(qtbot, page)
    assert not page.detail.picker.accept.isVisible()


def test_another_branch_is_opened_at_its_commit(qtbot, page, standin):
    orca = standin.repos[0]
    orca.branches["other"] = {"mistral-7b-openorca.Q6_K.gguf": HostedFile(b"GGUF6")}
    open_orca(qtbot, page)
    version = page.detail.picker.version
    version.setCurrentIndex(version.findData("other"))
    version.activated.emit(version.currentIndex())
    qtbot.waitUntil(lambda: rows(page.detail.picker.quants) == ["Q6_K"], timeout=15_000)


# --- keeping --------------------------------------------------------------------------------------------------------


@pytest.fixture
def downloaded(qtbot, stage, page):
    """The catalogue's first model, on this computer."""
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(rows(page.home.local)) == 2, timeout=15_000)
    return stage.services.model_library.models()[0]


def test_removing_asks_and_says_what_it_frees(qtbot, stage, page, downloaded):
    page.home.local.choose(downloaded.path)
    qtbot.keyClick(page.home.local, Qt.Key.Key_Delete)
    (box,) = page.findChildren(QMessageBox)
    assert "frees 60 kB" in box.informativeText()
    assert box.escapeButton().text() == "Keep it"
    box.escapeButton().click()
    assert Path(downloaded.path).exists()
    qtbot.waitUntil(lambda: not page.findChildren(QMessageBox))
    qtbot.keyClick(page.home.local, Qt.Key.Key_Delete)
    next(b for b in page.findChildren(QMessageBox)[0].buttons() if b.text() == "Remove").click()
    qtbot.waitUntil(lambda: not Path(downloaded.path).exists())
    qtbot.waitUntil(lambda: rows(page.home.local) == ["Orcinus Starter"])
    assert "60 kB are free again." in [notice.detail for notice in page.notices.notices()]


def test_the_menu_of_a_model_verifies_it_again(qtbot, stage, page, downloaded):
    menu = page.menu_for(downloaded.path)
    words = [action.text() for action in menu.actions() if action.text()]
    assert words == ["Chat", "Details", "Verify again", "Open folder", "Remove…"]
    with qtbot.waitSignal(stage.services.model_library.verified, timeout=15_000) as told:
        menu.actions()[2].trigger()
    assert told.args == [downloaded.path, True]


def test_the_page_of_a_model_on_this_computer_shows_what_is_here(qtbot, page, downloaded, standin):
    standin.faults.append(Fault(Kind.STATUS, on="api", times=None))
    page.home.local.choose(downloaded.path)
    qtbot.keyClick(page.home.local, Qt.Key.Key_Return)
    assert page.detail.local.isVisible()
    assert button(page.detail.local, "Chat").isEnabled()
    qtbot.waitUntil(lambda: bool(page.detail.trouble.words()), timeout=15_000)
    assert page.detail.local.isVisible()


def test_a_file_dropped_on_the_models_is_added_and_the_chat_keeps_its_model(qtbot, stage, page, tmp_path):
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF" + bytes(50))
    stage.space.pages.drop_file(str(file))
    qtbot.waitUntil(lambda: rows(page.home.local) == ["mine", "Orcinus Starter"], timeout=15_000)
    assert stage.session.chat.model_id == "starter"
    page.home.local.choose(str(file))
    qtbot.keyClick(page.home.local, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: rows(page.home.local) == ["Orcinus Starter"])
    assert file.exists()


# --- the whole page -------------------------------------------------------------------------------------------------


def test_everything_on_the_pages_has_a_name_and_tab_reaches_the_lists(qtbot, page):
    def reachable() -> list[QWidget]:
        found = [page.header.back]
        for _ in range(80):
            qtbot.keyClick(found[-1], Qt.Key.Key_Tab)
            now = QApplication.focusWidget()
            if now is found[0] or now is None:
                break
            found.append(now)
        return found

    page.header.back.setFocus()
    shelves = reachable()
    assert {page.home.search.field, page.home.local, page.home.catalogue} <= set(shelves)
    open_orca(qtbot, page)
    page.header.back.setFocus()
    detail = reachable()
    assert QApplication.activeWindow() is page.window(), "a part was shown before it had its place"
    picker = page.detail.picker
    assert {picker.quants, picker.context.slider, picker.context.field, page.detail.card.body} <= set(detail)
    for widget in (*shelves, *detail):
        named = widget.accessibleName() or (isinstance(widget, QPushButton) and widget.text())
        assert named, widget


def test_back_leads_from_a_model_to_the_lists_to_the_chat(qtbot, stage, page):
    open_orca(qtbot, page)
    qtbot.keyClick(page.header.back, Qt.Key.Key_Escape)
    assert page.home.isVisible()
    qtbot.keyClick(page.home.search.field, Qt.Key.Key_Escape)
    assert stage.space.pages.shows_chat
    assert QApplication.focusWidget() is stage.space.page.composer.field
    assert stage.space.inspector.isVisible()


@pytest.mark.parametrize(
    ("size", "points"), [((720, 480), 11), ((720, 480), 20), ((1100, 700), 16), ((3840, 2160), 11)]
)
def test_nothing_hangs_over_the_edge(qtbot, stage, page, size, points):
    stage.services.preferences.set_look("text_size", points)
    stage.window.resize(*size)
    open_orca(qtbot, page)
    for area in (page.home, page.detail):
        assert area.horizontalScrollBar().maximum() == 0
        assert area.widget().width() <= area.viewport().width()
    assert page.detail.picker.quants.mapTo(page.detail.widget(), page.detail.picker.quants.rect().topRight()).x() <= (
        page.detail.widget().width()
    )


def test_a_download_is_told_in_the_sidebar(qtbot, stage, page, standin):
    standin.speed = 20_000
    page.home.catalogue.choose("mistral-7b-openorca")
    qtbot.keyClick(page.home.catalogue, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: stage.space.sidebar.models.text().strip() == "Models · 1 download", timeout=15_000)
    (row,) = stage.services.downloads.rows()
    # progress comes faster than rows are written, and must not keep them from it
    qtbot.waitUntil(
        lambda: known(page, "mistral-7b-openorca").cells[-1].text not in ("Downloading 0 %", "In the queue")
    )
    assert known(page, "mistral-7b-openorca").cells[-1].text.startswith("Downloading")
    stage.services.downloads.pause(row.id)
    assert stage.services.downloads.rows()[0].state is DownloadState.PAUSED
    assert known(page, "mistral-7b-openorca").button == "Resume"
