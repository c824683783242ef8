"""The page of one model: its facts, quants and card, its trouble, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QTextBrowser, QWidget

from tests.standin_hub.faults import Fault, Kind
from tests.standin_hub.repos import HostedFile
from tests.ui.models.stage import ORCA, button, open_orca, rows


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


def test_back_leads_from_a_model_to_the_lists_to_the_chat(qtbot, stage, page):
    open_orca(qtbot, page)
    qtbot.keyClick(page.header.back, Qt.Key.Key_Escape)
    assert page.home.isVisible()
    qtbot.keyClick(page.home.search.field, Qt.Key.Key_Escape)
    assert stage.space.pages.shows_chat
    assert QApplication.focusWidget() is stage.space.page.composer.field
    assert stage.space.inspector.isVisible()
