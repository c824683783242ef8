"""What made an answer, in the window: shown, copied, and made once more."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.core.chat import MessageState
from app.core.judging import SAME_WORDS
from app.core.lab import Contestant, Judge, Place, Plan, Question
from app.engine.scripted import Script
from app.paths import find_paths
from app.services.experiments import RunState
from app.storage.replies import provenance_from
from app.ui.experiments_view import ExperimentsView
from app.ui.origin_dialog import OriginDialog
from tests.ui.conversations import press
from tests.ui.talking import say

STARTER = find_paths().resources_dir / "starter" / "starter.gguf"
DIGEST = hashlib.sha256(STARTER.read_bytes()).hexdigest()


@pytest.fixture
def look(qtbot, open_window):
    """Ask a question and what made its answer: `look(script)`, the stage and the dialog."""

    def make(script: Script | None = Script()):  # noqa: B008
        stage = open_window(script)
        say(qtbot, stage, "Hello")
        return stage, ask(qtbot, stage)

    return make


def ask(qtbot, stage) -> OriginDialog:
    reply = stage.session.path()[-1].id
    press(qtbot, stage.space.page.transcript, reply, "origin")
    return found(qtbot, stage)


def found(qtbot, stage) -> OriginDialog:
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, OriginDialog)
    return dialog


def said(dialog: OriginDialog) -> str:
    return dialog.facts.toPlainText()


def words(qtbot, dialog: OriginDialog, part: str) -> str:
    """What the line says once it has this in it."""
    qtbot.waitUntil(lambda: part in dialog.reproduce.words, timeout=20_000)
    return dialog.reproduce.words


def test_a_replys_menu_tells_what_made_it_and_makes_it_once_more(qtbot, look):
    stage, dialog = look(None)
    how = stage.session.path()[-1].provenance
    assert dialog.facts.verticalScrollBar().value() == 0, "it begins at its beginning"
    for part in (how.model_path, str(how.seed), "Temperature", "Top-k", "llama-cpp-python", "Chat template", "Threads"):
        assert part in said(dialog)
    qtbot.waitUntil(lambda: DIGEST in said(dialog))
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Reproduced word for word on ")
    assert dialog.reproduce.button.text() == "Reproduce"
    assert dialog.differences.isHidden()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    words(qtbot, ask(qtbot, stage), "Reproduced word for word on ")


def test_where_the_text_is_another_one_it_says_from_where_on_why_and_shows_both(qtbot, look):
    _stage, dialog = look(Script(replies=("One two three.", "One two four.")))
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    told = words(qtbot, dialog, "Not the same on ")
    assert "from character 9 on" in told
    assert "“One two three.” then, “One two four.” now." in told
    assert "last bits" in told
    assert dialog.differences.isVisible()
    assert "three" in dialog.differences.toPlainText()
    assert "four" in dialog.differences.toPlainText()


def test_an_attempt_can_be_stopped_and_ends_with_the_dialog(qtbot, look):
    stage, dialog = look(Script(replies=(" ".join("abcdefgh" * 20),)))
    stage.services.pace(10)
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Writing…")
    assert dialog.reproduce.button.text() == "Stop"
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Stopped")
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Writing…")
    origins, origin = stage.services.library.origins, dialog.origin
    assert origins.at_work(origin) is not None
    dialog.reject()
    qtbot.waitUntil(lambda: origins.at_work(origin) is None)


def test_all_of_it_is_copied_for_people_and_for_programs(qtbot, look):
    stage, dialog = look(None)
    qtbot.waitUntil(lambda: DIGEST in said(dialog))
    how = stage.services.library.origins.whole(stage.session.path()[-1].provenance)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("# What made this answer\n\nHello\n")
    assert f"- SHA-256: `{how.model_sha256[0]}`" in text
    assert f"> {how.system_prompt.splitlines()[0]}" in text
    qtbot.mouseClick(dialog.copy_json, Qt.MouseButton.LeftButton)
    assert provenance_from(json.loads(QGuiApplication.clipboard().text())) == how


def test_it_is_reached_and_left_by_keys_alone(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    press(qtbot, stage.space.page.transcript, stage.session.path()[-1].id, "origin")
    dialog = found(qtbot, stage)

    def sits_there() -> bool:
        dialog.activateWindow()
        dialog.facts.setFocus()
        return dialog.facts.hasFocus()

    qtbot.waitUntil(sits_there)
    seen = [dialog.facts]
    for _ in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert seen == [dialog.facts, dialog.reproduce.button, dialog.copy, dialog.copy_json, dialog.close_button]
    qtbot.keyClick(dialog.copy, Qt.Key.Key_Space)
    assert "What made this answer" in QGuiApplication.clipboard().text()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def test_a_reply_of_which_nothing_is_kept_says_so(qtbot, open_window):
    stage = open_window()
    say(qtbot, stage, "Hello")
    services, chat_id = stage.services, stage.session.chat.id

    def cut_off(stores):
        _, reply = stores.chats.add_turn(chat_id, None, "And then?")
        stores.chats.append_chunk(reply.id, "It was")
        stores.chats.recover()
        return stores.chats.messages(chat_id)[-1]

    reply = services.ask(cut_off)
    assert reply.state is MessageState.INTERRUPTED
    stage.session.tree.put(services.ask(lambda stores: stores.chats.messages(chat_id))[-2])
    stage.session.tree.put(reply)
    stage.session.show_message(reply.id)
    dialog = ask(qtbot, stage)
    assert "not kept" in said(dialog)
    assert not dialog.copy.isEnabled()
    assert dialog.reproduce.isHidden()


def test_a_columns_answer_tells_it_too(qtbot, open_window):
    stage = open_window(None)
    with qtbot.waitActive(stage.window):
        stage.window.activateWindow()
    qtbot.keyClick(stage.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    page = stage.space.pages.lab.compare
    qtbot.waitUntil(lambda: len(page.columns) == 2)
    page.columns[1].prompt.setPlainText("Answer like a pirate.")
    qtbot.keyClicks(page.composer.field, "Who are you?")
    qtbot.keyClick(page.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.comparison.busy, timeout=20_000)
    press(qtbot, page.columns[1].transcript, 2, "origin")
    dialog = found(qtbot, stage)
    assert "Answer like a pirate." in said(dialog)
    assert "up to 2 answers at once" in said(dialog)
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Reproduced word for word on ")
    dialog.reject()


@pytest.fixture
def experiment(qtbot, build, hub_of, light):
    """A run of two prompts on the starter model that is done: `experiment(judge)`, its view."""
    views: list[ExperimentsView] = []

    def make(judge: Judge | None = None) -> ExperimentsView:
        services = build()
        views.append(view := ExperimentsView(services.library, hub_of(services), light))
        view.services = services
        view.resize(1200, 800)
        view.show()
        contestants = (Contestant("loud", "Answer in capital letters."), Contestant("pirate", "Answer like a pirate."))
        asked = (Question("1", "Who are you?"),)
        plan = Plan("p", "starter", contestants, asked, overrides={"max_tokens": 12}, judge=judge)
        run_id = services.ask(lambda stores: stores.runs.create(plan)).id
        services.ask(lambda stores: stores.runs.set_state(run_id, RunState.PAUSED))
        services.experiments.refresh()
        qtbot.waitUntil(lambda: services.experiments.row(run_id) is not None)
        view.open_run(run_id)
        qtbot.waitUntil(lambda: view.page is not None and view.page.run_id == run_id)
        run = view.page.opened.run
        run.start()
        qtbot.waitUntil(lambda: not run.busy, timeout=20_000)
        return view

    yield make
    for view in views:
        view.close()
        view.deleteLater()


def test_an_answer_of_an_experiment_is_made_once_more_beside_the_grid(qtbot, experiment):
    view = experiment()
    panel = view.page.run_view.panel
    view.page.run_view._open_cell(Place(0, 0, 0))
    qtbot.waitUntil(lambda: "sha256 " in panel._origin.text(), timeout=20_000)
    assert "seed 1 · " in panel._origin.text()
    qtbot.mouseClick(panel.reproduce.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Reproduced word for word" in panel.reproduce.words, timeout=20_000)
    view.page.run_view._open_cell(Place(1, 0, 0))
    assert "Reproduced" not in panel.reproduce.words, "that was another answer"
    view.page.run_view._open_cell(Place(0, 0, 0))
    qtbot.waitUntil(lambda: "Reproduced word for word" in panel.reproduce.words)


def test_a_judges_verdict_tells_what_made_it_and_is_made_once_more(qtbot, experiment):
    view = experiment(Judge("", "Say which answer is better: A, B or tie.", {"max_tokens": 6}))
    run = view.page.opened.run
    assert len(run.judgements()) == 2
    for duel, said_of in list(run._judgements.items()):  # as after a restart: what made it is on the disk alone
        run._judgements[duel] = replace(said_of, provenance=None)
    view.page.run_view._open_cell(Place(0, 0, 0))
    (first, second) = view.page.run_view.panel.duels.words.rows
    assert first.words.text().startswith("Against pirate, shown first")
    assert second.origin.accessibleName() == "What made this verdict: against pirate, shown second"
    qtbot.mouseClick(first.origin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert dialog.origin.title == "The judge on loud and pirate: Who are you?"
    assert "Say which answer is better: A, B or tie." in said(dialog)
    qtbot.waitUntil(lambda: DIGEST in said(dialog), timeout=20_000)
    qtbot.mouseClick(dialog.reproduce.button, Qt.MouseButton.LeftButton)
    words(qtbot, dialog, "Reproduced word for word on ")
    dialog.reject()


def test_a_verdict_of_before_says_that_nothing_was_kept_and_equal_answers_had_no_judge(qtbot, experiment):
    view = experiment(Judge("", "Say which answer is better: A, B or tie.", {"max_tokens": 6}))
    run, services = view.page.opened.run, view.services
    (old, *_) = said_before = [replace(one, provenance=None) for one in run.judgements()]
    said_before[1] = replace(said_before[1], words=SAME_WORDS)
    services.ask(lambda stores: stores.runs.save(run.run_id, [], said_before))
    for one in said_before:
        run._judgements[one.duel] = one
    view.page.run_view._open_cell(Place(old.duel.first, 0, 0))
    shown = view.page.run_view.panel.duels.words.rows
    assert [row.origin.isVisible() for row in shown] == [True, False]
    qtbot.mouseClick(shown[0].origin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert said(dialog) == "What made this answer was not kept."
    dialog.reject()
