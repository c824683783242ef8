"""The whole window over real services: chats, drafts, panels, themes, keys, and that all of it can be reached."""

from __future__ import annotations

import re
from operator import attrgetter

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from app.engine.scripted import Script
from app.ui.main_window import MainWindow
from app.ui.shortcuts import SHORTCUTS
from app.ui.welcome import SuggestionCard
from app.ui.workspace import SMALLEST
from tests.ui.talking import read, say, start_saying

SLOW = Script(replies=(" ".join(f"word{n}" for n in range(300)),), tokens_per_s=30)


def usable(window: QWidget) -> list[QWidget]:
    return [
        w
        for w in window.findChildren(QWidget)
        if w.isVisibleTo(window) and w.isEnabled() and w.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]


# --- chats ----------------------------------------------------------------------------------------------------------


def test_the_first_start_greets_and_a_card_gets_an_answer(qtbot, open_window):
    stage = open_window(script=None)
    assert stage.space.page.welcome.isVisible()
    assert [chat.id for chat in stage.services.library.chats()] == []
    card = next(c for c in stage.window.findChildren(SuggestionCard) if c.text_to_send == "Tell me a story.")
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(stage.session.path()) == 2 and not stage.session.busy, timeout=20_000)
    qtbot.waitUntil(lambda: "Once upon a time" in read(stage))
    assert not stage.space.page.welcome.isVisible()
    assert QApplication.focusWidget() is stage.space.page.composer.field or not stage.window.isActiveWindow()


def test_a_message_is_answered_titled_listed_and_counted_exactly(qtbot, open_window):
    stage = open_window(script=None)
    say(qtbot, stage, "My name is Ada.")
    say(qtbot, stage, "What is my name?")
    qtbot.waitUntil(lambda: "Your name is Ada." in read(stage))
    assert stage.space.page.header.title.text() == "My name is Ada."
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [stage.session.chat.id])
    how = stage.session.path()[-1].provenance
    qtbot.waitUntil(lambda: stage.session.usage.exact)
    words = stage.space.page.header.gauge.words()
    used, context = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", words))
    assert context == how.context_tokens
    assert used >= how.prompt_tokens + how.completion_tokens
    assert "about" not in words


def test_each_chat_keeps_its_own_draft(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    first = stage.session.chat.id
    qtbot.keyClicks(stage.space.page.composer.field, "a draft in the first")
    stage.space.new_chat()
    assert stage.space.page.composer.text() == ""
    say(qtbot, stage, "second")
    qtbot.keyClicks(stage.space.page.composer.field, "and one in the second")
    second = stage.session.chat.id
    stage.space.open_chat(first)
    assert stage.space.page.composer.text() == "a draft in the first"
    stage.space.open_chat(second)
    assert stage.space.page.composer.text() == "and one in the second"


def test_going_to_another_chat_and_back_while_a_reply_grows_loses_none_of_it(qtbot, open_window):
    stage = open_window(script=SLOW)
    start_saying(qtbot, stage, "go")
    first = stage.session
    qtbot.waitUntil(lambda: first.path()[-1].id > 0)
    stage.space.new_chat()
    assert not stage.space.page.welcome.isHidden()
    before = first.path()[-1].text
    qtbot.waitUntil(lambda: first.path()[-1].text != before)
    stage.space.open_chat(first.chat.id)
    qtbot.waitUntil(lambda: "word0 word1 word2" in read(stage))
    assert first.busy
    stage.services.pace(None)
    qtbot.waitUntil(lambda: not first.busy, timeout=20_000)
    reply = first.path()[-1].text
    qtbot.waitUntil(lambda: reply.strip() in read(stage))


def test_escape_and_the_button_stop_a_reply_and_keep_what_came(qtbot, open_window):
    stage = open_window(script=SLOW)
    start_saying(qtbot, stage, "go")
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not stage.session.busy)
    reply = stage.session.path()[-1]
    assert reply.state.value == "stopped"
    assert reply.text.startswith("word0")


def test_up_in_an_empty_message_edits_the_last_one_in_its_place(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first version")
    qtbot.keyClick(stage.space.page.composer.field, Qt.Key.Key_Up)
    question = stage.session.path()[0]
    item = stage.space.page.transcript.item(question.id)
    qtbot.waitUntil(lambda: item.is_in_use)


def test_the_keyboard_is_back_in_the_message_after_an_edit_and_after_a_title(qtbot, open_window):
    stage = open_window()
    field = stage.space.page.composer.field
    say(qtbot, stage, "Hello")
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not stage.session.busy)
    assert QApplication.focusWidget() is field
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        stage.space.rename_chat()
        assert QApplication.focusWidget() is stage.space.page.header.title
        qtbot.keyClick(QApplication.focusWidget(), key)
        assert QApplication.focusWidget() is field


def test_control_and_up_goes_from_the_message_being_written_to_those_above(qtbot, open_window):
    stage = open_window()
    field = stage.space.page.composer.field
    say(qtbot, stage, "Hello")
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert stage.space.page.transcript.isAncestorOf(QApplication.focusWidget())


def test_regenerating_keeps_the_first_version_beside_the_second(qtbot, open_window):
    stage = open_window(script=Script(replies=("the first answer", "the second answer")))
    say(qtbot, stage, "hello")
    first = stage.session.path()[-1]
    stage.space.page.regenerate_last()
    qtbot.waitUntil(lambda: stage.session.path()[-1].id != first.id and not stage.session.busy)
    qtbot.waitUntil(lambda: "the second answer" in read(stage))
    assert "the first answer" not in read(stage)
    stage.space.page.transcript.version_requested.emit(stage.session.path()[-1].id, -1)
    qtbot.waitUntil(lambda: "the first answer" in read(stage))


def test_a_text_too_long_to_paste_is_told_with_the_models_own_limit(qtbot, open_window):
    stage = open_window()
    data = QMimeData()
    data.setText("x" * 10_000_000)
    qtbot.waitUntil(lambda: stage.session.usage.context_tokens > 0)
    stage.space.page.composer.field.insertFromMimeData(data)
    notice = stage.space.page.notices.notices()[0]
    assert notice.title == "That text is too long to paste: 10,000,000 characters"
    assert "4,096 tokens" in notice.detail
    assert stage.space.page.composer.text() == ""


# --- system prompt and settings -------------------------------------------------------------------------------------


def test_a_system_prompt_still_being_typed_is_used_by_the_very_next_reply(qtbot, open_window):
    stage = open_window(script=None)
    field = stage.space.inspector.chat.prompt.field
    field.selectAll()
    qtbot.keyClicks(field, "Answer in capital letters.")
    say(qtbot, stage, "What is the capital of France?")
    assert stage.session.path()[-1].text == "THE CAPITAL OF FRANCE IS PARIS."
    qtbot.waitUntil(lambda: "5 tokens" in [w.text() for w in stage.space.inspector.findChildren(QLabel)])


def test_a_prompt_becomes_the_models_default_and_back(qtbot, open_window):
    stage = open_window()
    prompt = stage.space.inspector.chat.prompt
    before = stage.services.preferences.model_prompt("starter")
    prompt.field.setPlainText("Be brief.")
    adopt = next(b for b in prompt.findChildren(QPushButton) if "default" in b.text() and b.text().startswith("Make"))
    qtbot.mouseClick(adopt, Qt.MouseButton.LeftButton)
    # it is kept in the library first
    qtbot.waitUntil(lambda: stage.services.preferences.model_prompt("starter") == "Be brief.", timeout=20_000)
    assert stage.session.chat.system_prompt == "Be brief."
    assert not adopt.isEnabled(), "it is the default now"
    undo = next(b for b in stage.window.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert stage.services.preferences.model_prompt("starter") == before


def test_the_two_tabs_change_two_scopes(qtbot, open_window):
    stage = open_window()
    inspector = stage.space.inspector
    inspector.chat.form.changed.emit("temperature", 1.5)
    assert stage.session.chat.overrides == {"temperature": 1.5}
    inspector.tabs.setCurrentIndex(1)
    inspector.model.sampling.changed.emit("top_k", 7)
    inspector.model.loading.changed.emit("context_tokens", 1024)
    assert stage.session.chat.overrides == {"temperature": 1.5}
    assert stage.session.sampling().top_k == 7
    inspector.tabs.setCurrentIndex(0)
    words = [w.text() for w in inspector.chat.form.findChildren(QLabel) if w.isVisible()]
    assert "This chat" in words
    assert "This model" in words


def test_the_model_tab_tells_what_is_known_of_the_model(qtbot, open_window):
    stage = open_window(script=None)
    qtbot.waitUntil(lambda: stage.services.models.state("starter").kind == "ready", timeout=20_000)
    stage.space.inspector.tabs.setCurrentIndex(1)
    facts = dict(stage.space.inspector.model.facts.facts())
    assert facts["State"] == "Loaded"
    assert facts["Architecture"] == "llama"
    assert facts["Trained context"] == "2,048 tokens"
    assert facts["File"].endswith("starter.gguf")


# --- the window -----------------------------------------------------------------------------------------------------


def test_everything_that_takes_the_keyboard_has_a_name(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    window = stage.space
    seen = 0
    for step in ("chat", "model", "settings"):
        if step == "model":
            window.inspector.tabs.setCurrentIndex(1)
        if step == "settings":
            window.pages.toggle_settings()
        for button in [b for b in window.findChildren(QPushButton) if b.property("kind") == "fold" and b.isVisible()]:
            button.setChecked(True)
        QApplication.processEvents()
        nameless = [
            w
            for w in usable(window)
            if not (w.accessibleName() or (isinstance(w, QPushButton) and w.text())) and not isinstance(w, MainWindow)
        ]
        seen += len(usable(window))
        assert not nameless
    assert seen > 60


def test_tab_goes_round_the_window_and_back_to_where_it_began(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    window = stage.space
    with qtbot.waitActive(window):
        window.activateWindow()
    start = window.page.composer.field
    start.setFocus()
    order: list[QWidget] = [start]
    for _ in range(200):
        focused = QApplication.focusWidget()
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
        if QApplication.focusWidget() is start:
            break
        order.append(QApplication.focusWidget())
    else:
        pytest.fail("Tab never came back")
    places = {"sidebar": window.sidebar, "inspector": window.inspector, "header": window.page.header}
    visited = {name for name, place in places.items() if any(place.isAncestorOf(w) for w in order)}
    assert visited == set(places)
    assert window.page.transcript in order
    assert window.sidebar.list in order


def test_every_key_in_the_table_is_bound_once_and_help_lists_them_all(qtbot, open_window):
    window = open_window().space
    keys = [shortcut.keys for shortcut in SHORTCUTS]
    assert len(keys) == len(set(keys))
    assert all(callable(attrgetter(s.command)(window)) for s in SHORTCUTS if s.command)
    window.pages.show_keys()
    shown = {label.text() for label in window.pages.settings.findChildren(QLabel)}
    assert {shortcut.keys for shortcut in SHORTCUTS} <= shown
    qtbot.keyClick(window.pages.settings.back, Qt.Key.Key_Escape)
    assert window.page.isVisible()


def test_keys_open_and_close_the_panels_and_pages(qtbot, open_window):
    stage = open_window()
    space, field = stage.space, stage.space.page.composer.field
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    control = Qt.KeyboardModifier.ControlModifier
    for key, panel in ((Qt.Key.Key_B, space.sidebar), (Qt.Key.Key_J, space.inspector)):
        assert panel.isVisible()
        qtbot.keyClick(field, key, control)
        assert not panel.isVisible()
        qtbot.keyClick(field, key, control)
        assert panel.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_F, control)
    assert QApplication.focusWidget() is space.sidebar.search
    qtbot.keyClick(space.sidebar.search, Qt.Key.Key_L, control)
    assert QApplication.focusWidget() is field
    qtbot.keyClick(field, Qt.Key.Key_Comma, control)
    assert space.pages.settings.isVisible()
    qtbot.keyClick(space.pages.settings.back, Qt.Key.Key_Escape)
    assert space.page.isVisible()
    assert QApplication.focusWidget() is field


def test_the_theme_and_text_size_change_while_it_runs(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    window = stage.space
    stage.services.preferences.set_look("theme", "dark")
    assert window.theme.dark
    assert window.theme.window in QApplication.instance().styleSheet()
    qtbot.waitUntil(lambda: window.sidebar.list.rows.rowCount() == 2)
    height = window.sidebar.list.sizeHintForRow(1)
    stage.services.preferences.set_look("text_size", 16)
    assert window.sidebar.list.sizeHintForRow(1) > height
    stage.services.preferences.set_look("theme", "light")
    stage.services.preferences.set_look("text_size", 11)
    assert not window.theme.dark


def test_the_smallest_window_shows_the_chat_and_one_side_at_a_time(qtbot, open_window):
    stage = open_window(size=(SMALLEST.width(), SMALLEST.height()))
    window = stage.space
    qtbot.waitUntil(lambda: window.width() == SMALLEST.width())
    assert window.sidebar.isVisible()
    assert not window.inspector.isVisible()
    window.toggle_inspector()
    assert window.inspector.isVisible()
    assert not window.sidebar.isVisible()
    assert window.page.composer.width() > 300
    qtbot.waitUntil(lambda: window.inspector.geometry().right() <= window.width())
    window.toggle_sidebar()
    assert window.sidebar.isVisible()
    stage.window.resize(1280, 820)
    qtbot.waitUntil(lambda: window.sidebar.isVisible() and window.inspector.isVisible())


def test_panels_and_size_are_remembered(qtbot, open_window):
    stage = open_window(size=(1111, 777))
    stage.space.toggle_inspector()
    stage.window.close()
    again = open_window(services=stage.services, size=(1111, 777)).space
    assert not again.inspector.isVisible()
    assert again.sidebar.isVisible()
    assert (again.width(), again.height()) == (1111, 777)


def test_the_model_menu_lists_every_model_and_the_way_to_more(qtbot, open_window):
    stage = open_window()
    menu = stage.space.page.header.picker.menu()
    menu.aboutToShow.emit()
    words = [action.text() for action in menu.actions() if action.text()]
    assert any(text.startswith("Orcinus Starter\t") for text in words)
    assert any(text.startswith("Open a GGUF file…") for text in words)


def test_a_link_is_only_opened_after_it_was_shown(qtbot, open_window, monkeypatch):
    stage = open_window()
    say(qtbot, stage, "hello")
    opened: list[str] = []
    monkeypatch.setattr("app.ui.link_offer.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
    stage.space.page.transcript.link_activated.emit("https://example.org/a")
    assert opened == []
    assert stage.space.page.notices.notices()[0].detail == "https://example.org/a"
    follow = next(b for b in stage.window.findChildren(QPushButton) if b.text() == "Open in the browser")
    qtbot.mouseClick(follow, Qt.MouseButton.LeftButton)
    assert opened == ["https://example.org/a"]
