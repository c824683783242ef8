"""What people do with the app, from the first start on, through the real window and the real model.

The suite plays these in a real window where there can be one (test_stories_in_a_window.py), else offscreen.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextBrowser, QWidget

from app.core.chat import MessageState
from app.engine.base import Event
from app.engine.host import HostedEngine
from app.engine.scripted import Script, scripted_loader
from app.main import Program
from app.paths import find_paths
from app.services.engine_room import Load
from tests.engine.test_host import wait_until_gone

WAIT_MS = 20_000


class Person:
    """Somebody in front of the window: types, presses keys, reads what stands there."""

    def __init__(self, program: Program, qtbot) -> None:
        self.program = program
        self.window = program.window
        self.qtbot = qtbot

    def waits_until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)

    def sits_down(self) -> None:
        """Have the keyboard: keys go nowhere while the window is not the active one."""
        self.waits_until(lambda: self.window.activateWindow() or self.window.isActiveWindow())
        self.composer.setFocus()

    def named(self, kind: type, name: str) -> QWidget:
        """The visible widget that a screen reader would call by this name."""
        found = [w for w in self.window.findChildren(kind) if w.accessibleName() == name and w.isVisible()]
        assert found, f"nothing visible is called {name!r}"
        return found[0]

    @property
    def composer(self) -> QPlainTextEdit:
        return self.window.page.composer.field

    @property
    def session(self):
        return self.window.page.session

    def types(self, text: str) -> None:
        self.composer.setFocus()
        self.qtbot.keyClicks(self.composer, text)

    def presses(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        target = QApplication.focusWidget() or self.window
        self.qtbot.keyClick(target, key, modifiers)

    def says(self, text: str) -> str:
        """Type a message, press Enter, wait for the whole reply and read it."""
        before = len(self.session.path())
        self.types(text)
        self.qtbot.keyClick(self.composer, Qt.Key.Key_Return)
        self.waits_until(lambda: len(self.session.path()) >= before + 2 and not self.session.busy)
        return self.last_reply()

    def last_reply(self) -> str:
        """The last answer as it stands in the window, not as it is stored."""
        answer = self.session.path()[-1]
        self.waits_until(lambda: any(answer.text.split("\n")[0].strip("#*` ") in text for text in self.reads()))
        return answer.text

    def reads(self) -> list[str]:
        """All texts of messages on the screen."""
        return [b.toPlainText() for b in self.window.findChildren(QTextBrowser) if b.isVisible()]

    def writes_system_prompt(self, text: str) -> None:
        field = self.named(QPlainTextEdit, "System prompt")
        field.setFocus()
        field.selectAll()
        self.qtbot.keyClicks(field, text)


@pytest.fixture
def start(qtbot, qapp, home) -> Iterator[Callable[..., Person]]:
    """Start the app on this test's data folder; starting it again is a restart."""
    running: list[Person] = []

    def end() -> None:
        for person in running:
            person.window.close()
            assert person.program.close() == (True, True)
            person.window.deleteLater()
            person.program.deleteLater()
        running.clear()
        qapp.processEvents()

    def begin(load_model: Load | None = None) -> Person:
        end()
        program = Program(qapp, find_paths(), load_model)
        program.window.resize(1320, 840)
        program.open([])
        person = Person(program, qtbot)
        running.append(person)
        person.waits_until(lambda: person.window.page.session is not None)
        person.waits_until(lambda: person.session.ready)
        person.sits_down()
        return person

    yield begin
    end()


def test_a_first_start_and_three_turns(start):
    person = start()
    assert "Ada" in person.says("My name is Ada.")
    person.says("What is the capital of France?")
    assert "Ada" in person.says("What is my name?")


def test_answers_in_capitals_by_the_system_prompt(start):
    person = start()
    person.writes_system_prompt("Answer in capital letters.")
    reply = person.says("What is the capital of France?")
    assert "PARIS" in reply
    assert reply == reply.upper()


def test_a_changed_system_prompt_is_used_by_the_next_reply_and_marked(start):
    person = start()
    person.says("My name is Ada.")
    person.writes_system_prompt("Answer in capital letters.")
    reply = person.says("What is my name?")
    assert reply == "YOUR NAME IS ADA."
    assert any("System prompt changed" in mark.text for mark in person.session.markers())


def test_stop_in_the_middle_keeps_what_came(start):
    # the starter answers too quickly for anybody's finger, so this once the engine is a slow one
    story = "Once upon a time there was a whale. " * 40
    person = start(scripted_loader(Script(replies=(story,), tokens_per_s=20)))
    person.types("Tell me a long story.")
    person.presses(Qt.Key.Key_Return)
    person.waits_until(lambda: any("Once upon a time" in text for text in person.reads()))
    person.presses(Qt.Key.Key_Escape)
    person.waits_until(lambda: not person.session.busy)
    answer = person.session.path()[-1]
    assert answer.state is MessageState.STOPPED
    assert len(answer.text) < len(story)
    assert story.startswith(answer.text)
    person = start()
    assert person.session.path()[-1].text == answer.text
    assert person.says("What is the capital of France?"), "the chat goes on, with the real model"


def test_restart_and_go_on(start):
    person = start()
    person.says("My name is Ada.")
    person.types("half a thou")
    person = start()
    assert person.session.path()[0].text == "My name is Ada."
    assert any("Nice to meet you, Ada." in text for text in person.reads())
    assert person.composer.toPlainText() == "half a thou"
    person.composer.clear()
    assert "Ada" in person.says("What is my name?")


LONG = "I have a question about rivers, stones, lamps, gardens, winds and boats."


def read_again(person: Person) -> int:
    """Tokens of the last prompt that had to be read, beyond what was known of the chat."""
    figures = person.session.path()[-1].provenance
    return figures.prompt_tokens - figures.cached_tokens


def test_yesterdays_chat_answers_without_being_read_again_and_a_deleted_one_leaves_nothing(start, home):
    person = start()
    for text in ("My name is Ada.", LONG, LONG, LONG):
        person.says(text)
    chat_id = person.session.chat.id
    person = start()
    assert person.says("What is my name?") == "Your name is Ada."
    assert person.session.path()[-1].provenance.prompt_tokens > 150
    assert read_again(person) < 25, "only what was new"
    kept = home / "cache" / "kv" / f"{chat_id}.kv"
    assert kept.exists()
    person.program.library.delete(chat_id)
    person.waits_until(lambda: not kept.exists())
    start()
    assert not kept.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="ends the process by a signal")
def test_when_the_engine_dies_the_window_stays_and_the_next_message_is_answered(start, caplog, monkeypatch):
    person = start()
    assert person.says("My name is Ada.") == "Nice to meet you, Ada."
    engine = person.program.models.room._engine
    assert isinstance(engine, HostedEngine)
    stream, stopped = engine.stream, threading.Event()

    def stops_first(*asked: Any) -> Iterator[Event]:
        engine.process.work.doing = ""
        os.kill(engine.process.pid, signal.SIGSTOP)  # as if it were in the middle of a long decode
        stopped.set()
        return stream(*asked)

    monkeypatch.setattr(engine, "stream", stops_first)  # and not while it merely counts tokens
    person.types("What is my name?")
    person.presses(Qt.Key.Key_Return)
    person.waits_until(lambda: stopped.is_set() and engine.process.work.doing == "stream")
    os.kill(engine.process.pid, signal.SIGKILL)
    person.waits_until(lambda: not person.session.busy and person.session.path()[-1].state is MessageState.FAILED)
    assert "stopped unexpectedly" in person.session.path()[-1].provenance.error
    assert "The engine's process ended" in caplog.text
    caplog.clear()
    person.session.regenerate(person.session.path()[-1].id)
    person.waits_until(lambda: not person.session.busy)
    assert person.last_reply() == "Your name is Ada."


@pytest.mark.skipif(sys.platform == "win32", reason="ends the process by a signal")
def test_an_engine_that_died_between_two_messages_is_started_again_unasked(start, caplog):
    person = start()
    assert person.says("My name is Ada.") == "Nice to meet you, Ada."
    pid = person.program.models.room._engine.process.pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until_gone(pid)
    assert person.says("What is my name?") == "Your name is Ada."
    assert "The engine's process ended" in caplog.text
    caplog.clear()


def test_two_chats_with_different_prompts(start):
    person = start()
    person.writes_system_prompt("Answer in capital letters.")
    person.says("My name is Ada.")
    loud = person.session
    person.presses(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    person.waits_until(lambda: person.session is not loud)
    assert "capital" not in person.session.chat.system_prompt
    assert person.says("My name is Tom.") == "Nice to meet you, Tom."
    person.window.open_chat(loud.chat.id)
    assert person.says("What is my name?") == "YOUR NAME IS ADA."


def test_another_gguf_is_opened_from_disk_by_dropping_it(start, starter, tmp_path):
    person = start()
    copy = tmp_path / "Mistral-7B-OpenOrca.Q4_K_M.gguf"
    shutil.copyfile(starter, copy)
    drop_file(person.window, copy)
    person.waits_until(lambda: person.session.chat.model_id == str(copy))
    person.says("Hello")
    assert person.session.path()[-1].provenance.model_path == str(copy)
    person = start()
    assert person.session.chat.model_id == str(copy)


def test_a_file_that_is_no_model_is_refused_in_the_window_and_the_chat_goes_on(start, tmp_path):
    person = start()
    bad = tmp_path / "bad.gguf"
    bad.write_text("<html>Not found</html>")
    drop_file(person.window, bad)
    person.waits_until(lambda: "bad.gguf" in on_screen(person.window))
    assert person.says("Hello")


def test_the_model_takes_its_settings_from_its_name(start, starter, tmp_path):
    person = start()
    copy = tmp_path / "mistral-7b-openorca.Q4_K_M.gguf"
    shutil.copyfile(starter, copy)
    drop_file(person.window, copy)
    person.waits_until(lambda: person.session.chat.model_id == str(copy))
    sampling = person.session.sampling()
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.7, 0.95, 40)
    assert (sampling.repeat_penalty, sampling.max_tokens) == (1.1, 512)
    assert "MistralOrca" in person.session.chat.system_prompt


def test_deleting_a_chat_can_be_undone(start):
    person = start()
    person.says("My name is Ada.")
    chat_id = person.session.chat.id
    person.waits_until(lambda: bool(person.program.library.chats()))
    person.window.page.header.delete_asked.emit()
    person.waits_until(lambda: not person.program.library.chats())
    undo = next(b for b in buttons(person.window) if b.text() == "Undo")
    person.qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    person.waits_until(lambda: [row.id for row in person.program.library.chats()] == [chat_id])


def drop_file(window: QWidget, path: Path) -> None:
    """Let a file fall on the window, as from a file manager."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    middle, none = QPoint(window.width() // 2, window.height() // 2), Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(middle, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    copy = Qt.DropAction.CopyAction
    QApplication.sendEvent(window, QDropEvent(QPointF(middle), copy, data, Qt.MouseButton.LeftButton, none))


def buttons(window: QWidget) -> list:
    from PySide6.QtWidgets import QAbstractButton

    return [button for button in window.findChildren(QAbstractButton) if button.isVisible()]


def on_screen(window: QWidget) -> str:
    """The words of all visible labels."""
    from PySide6.QtWidgets import QLabel

    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())
