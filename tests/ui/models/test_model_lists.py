"""The lists of models: found, chosen, downloaded, and trouble on the way."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.core.library import DownloadState
from tests.standin_hub.faults import Fault, Kind
from tests.ui.models.stage import ORCA, button, known, open_orca, rows


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
    standin.speed, standin.most = 20_000, 50_000
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
