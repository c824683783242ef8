"""The chats at the left: found, renamed, gone through by keys, deleted, brought back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton

from app.engine.scripted import Script
from app.services.notice import Notice
from app.ui.deleted_chats import DeletedChats
from tests.ui.talking import read, say


def test_deleting_takes_no_dialog_and_undo_brings_the_chat_back(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "keep me")
    gone = stage.session.chat.id
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [gone])
    stage.space.page.header.delete_asked.emit()
    qtbot.waitUntil(lambda: stage.session.chat.id != gone)
    assert QApplication.activeModalWidget() is None
    assert stage.notices() == ["“keep me” was deleted"]
    undo = next(b for b in stage.window.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [gone])


def test_renaming_in_the_header_and_in_the_list_is_the_same(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    stage.space.rename_chat()
    title = stage.space.page.header.title
    qtbot.keyClicks(title, "From the header")
    qtbot.keyClick(title, Qt.Key.Key_Return)
    rows = stage.space.sidebar.list.rows
    qtbot.waitUntil(lambda: "From the header" in [rows.index(i).data() for i in range(rows.rowCount())])
    stage.space.sidebar.list.rows.renamed.emit(stage.session.chat.id, "From the list")
    qtbot.waitUntil(lambda: title.text() == "From the list")
    assert stage.window.windowTitle() == "From the list – Orcinus"


def test_a_title_being_typed_belongs_to_the_chat_it_was_typed_for(qtbot, open_window):
    stage = open_window()
    for text in ("first", "second"):
        stage.space.new_chat()
        say(qtbot, stage, text)
    second = stage.session
    qtbot.waitUntil(lambda: len(stage.space.sidebar.list.rows.chat_ids()) == 2)
    title = stage.space.page.header.title
    stage.space.rename_chat()
    qtbot.keyClicks(title, "Whales")
    stage.space.next_chat()
    first = stage.session
    assert (first.chat.title, title.text(), second.chat.title) == ("first", "first", "Whales")
    stage.space.write_message()
    assert first.chat.title == "first"
    stage.space.rename_chat()
    qtbot.keyClicks(title, "Dolphins")
    stage.space.new_chat()
    assert (first.chat.title, stage.session.chat.id) == ("Dolphins", 0)


def test_a_title_being_typed_is_kept_when_the_window_closes(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    stage.space.rename_chat()
    qtbot.keyClicks(stage.space.page.header.title, "Whales")
    stage.space.leave()
    assert stage.session.chat.title == "Whales"


def test_a_hit_whose_chat_was_deleted_meanwhile_says_that_it_is_gone(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "whales")
    gone = stage.session.chat.id
    stage.space.new_chat()
    stage.services.library.delete(gone)
    fresh = stage.session
    stage.space.sidebar.chat_chosen.emit(gone, 1)
    assert stage.session is fresh
    assert "This chat is gone" in stage.notices()


def test_keys_for_the_chat_do_nothing_to_it_behind_another_page(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    reply = stage.session.path()[-1].id
    QApplication.clipboard().setText("untouched")
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()

    def press() -> None:
        qtbot.keyClick(stage.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        qtbot.keyClick(stage.window, Qt.Key.Key_C, both)
        qtbot.keyClick(stage.window, Qt.Key.Key_F2)

    pages = stage.space.pages
    for show in (pages.show_models, pages.show_lab, pages.show_hardware, pages.toggle_settings):
        show()
        press()
        assert not stage.session.busy
        assert QApplication.clipboard().text() == "untouched"
        assert not stage.space.page.header.title.hasFocus()
    pages.enter_chat()
    press()
    qtbot.waitUntil(lambda: not stage.session.busy and stage.session.path()[-1].id != reply)
    assert "hello" in QApplication.clipboard().text()


def test_a_suggestion_leaves_what_was_being_written(qtbot, open_window):
    stage = open_window()
    composer = stage.space.page.composer
    qtbot.keyClicks(composer.field, "half a thou")
    stage.space.page.welcome.suggested.emit("Tell me a story.")
    qtbot.waitUntil(lambda: len(stage.session.path()) == 2 and not stage.session.busy)
    assert stage.session.path()[0].text == "Tell me a story."
    assert (composer.text(), stage.session.draft) == ("half a thou", "half a thou")
    chat_id = stage.session.chat.id
    stage.space.new_chat()
    stage.space.open_chat(chat_id)
    assert composer.text() == "half a thou"


def test_a_message_that_cannot_be_sent_stays_in_its_field_and_is_kept(qtbot, open_window):
    stage = open_window()
    stage.session.set_system_prompt("Teach {{learner}}.")
    composer = stage.space.page.composer
    qtbot.keyClicks(composer.field, "hello")
    qtbot.keyClick(composer.field, Qt.Key.Key_Return)
    assert stage.notices() == ["{{learner}} has no value"]
    assert (composer.text(), stage.session.draft) == ("hello", "hello")


def test_searching_finds_words_in_messages_and_enter_opens_the_chat(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "orcas are dolphins")
    found = stage.session.chat.id
    stage.space.new_chat()
    say(qtbot, stage, "something else")
    search = stage.space.sidebar.search
    qtbot.keyClicks(search, "dolphins")
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [found])
    qtbot.keyClick(search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stage.session.chat.id == found)
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(stage.space.sidebar.list.rows.chat_ids()) == 2)


def test_a_search_without_hits_says_so(qtbot, open_window):
    stage = open_window()
    qtbot.keyClicks(stage.space.sidebar.search, "nothing")
    qtbot.waitUntil(lambda: "No chat contains “nothing”." in [w.text() for w in stage.window.findChildren(QLabel)])


def test_f2_renames_where_the_keyboard_is(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "hello")
    space = stage.space
    qtbot.waitUntil(lambda: space.sidebar.list.rows.chat_ids() == [stage.session.chat.id])
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(space.page.composer.field, Qt.Key.Key_F2)
    assert QApplication.focusWidget() is space.page.header.title
    space.sidebar.list.setFocus()
    qtbot.keyClick(space.sidebar.list, Qt.Key.Key_F2)
    assert space.sidebar.list.is_renaming()


def test_a_new_chat_and_its_neighbours_are_a_key_away(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "first")
    first = stage.session.chat.id
    stage.space.new_chat()
    assert stage.session.chat.id == 0
    say(qtbot, stage, "second")
    second = stage.session.chat.id
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [second, first])
    stage.space.next_chat()
    assert stage.session.chat.id == first
    stage.space.next_chat()
    assert stage.session.chat.id == first, "there is none below"
    stage.space.previous_chat()
    assert stage.session.chat.id == second


def trash_of(qtbot, stage) -> DeletedChats:
    """The deleted chats, on the settings page."""
    stage.space.pages.toggle_settings()
    trash = stage.space.pages.settings.findChild(DeletedChats)
    qtbot.waitUntil(lambda: trash.list.isVisible())
    return trash


def test_a_deleted_chat_waits_in_the_settings_and_comes_back_from_there(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "bring me back")
    gone = stage.session.chat.id
    stage.space.page.header.delete_asked.emit()
    qtbot.waitUntil(lambda: stage.session.chat.id != gone)
    trash = trash_of(qtbot, stage)
    (row,) = trash.list.rows.rows()
    assert (row.title, row.cells[1].text) == ("bring me back", "30 more days")
    trash.list.choose(str(gone))
    qtbot.keyClick(trash.list, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: stage.space.sidebar.list.rows.chat_ids() == [gone])
    qtbot.waitUntil(lambda: not trash.list.isVisible())
    assert trash.words.text().startswith("There are none.")


def test_a_chat_is_deleted_for_good_only_after_a_question(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "throw me away")
    gone = stage.session.chat.id
    stage.space.page.header.delete_asked.emit()
    qtbot.waitUntil(lambda: stage.session.chat.id != gone)
    trash = trash_of(qtbot, stage)
    trash.list.choose(str(gone))
    qtbot.keyClick(trash.list, Qt.Key.Key_Delete)
    (box,) = trash.findChildren(QMessageBox)
    assert "throw me away" in box.text()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not trash.findChildren(QMessageBox))
    assert len(stage.services.ask(lambda stores: stores.chats.rows(trashed=True))) == 1
    qtbot.keyClick(trash.list, Qt.Key.Key_Delete)
    (box,) = trash.findChildren(QMessageBox)
    next(button for button in box.buttons() if button.text() == "Delete for good").click()
    qtbot.waitUntil(lambda: not trash.list.isVisible())
    assert stage.services.ask(lambda stores: stores.chats.rows(trashed=True)) == []


def test_a_search_goes_to_the_message_it_found_on_whatever_path_that_stands(qtbot, open_window):
    long = "\n\n".join(f"Paragraph {n} of a long answer." for n in range(30))
    stage = open_window(script=Script(replies=("Orcas hunt seals.", long, long, "Narwhals have a tusk.", long)))
    say(qtbot, stage, "first")
    for text in ("second", "third"):
        say(qtbot, stage, text)
    chat_id, first = stage.session.chat.id, stage.session.path()[1]
    stage.session.regenerate(first.id)
    qtbot.waitUntil(lambda: not stage.session.busy and len(stage.session.path()) == 2)
    stage.space.new_chat()
    say(qtbot, stage, "another chat")
    search = stage.space.sidebar.search
    qtbot.keyClicks(search, "orcas")
    # Enter right behind the last letter, before anything was found
    qtbot.keyClick(search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: stage.session.chat.id == chat_id)
    qtbot.waitUntil(lambda: "Orcas hunt seals." in read(stage))
    assert len(stage.session.path()) == 6
    transcript = stage.space.page.transcript
    shown = transcript.item(first.id)
    assert shown is not None
    qtbot.waitUntil(lambda: shown.visibleRegion().boundingRect().height() > 0)
    assert not transcript.at_end


def test_what_need_be_told_only_once_is_not_told_with_each_reply(qtbot, open_window):
    stage = open_window()
    template = Notice("The model's own template failed", level="warning", once=True)
    stage.session.notice.emit(template)
    assert stage.notices() == ["The model's own template failed"]
    assert stage.space.page.notices.close_newest()
    stage.session.notice.emit(template)
    assert stage.notices() == []


def test_one_place_of_the_sidebar_is_marked_the_page_or_the_chat(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    sidebar = stage.space.sidebar
    chat_id = stage.session.chat.id
    assert sidebar.list._delegate.open_id == chat_id
    stage.space.pages.show_models()
    assert sidebar.models.isChecked()
    assert sidebar.list._delegate.open_id == 0
    stage.space.pages.enter_chat()
    assert not sidebar.models.isChecked()
    assert sidebar.list._delegate.open_id == chat_id
