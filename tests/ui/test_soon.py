"""Work that is asked for often is done now and then, and only while somebody sees it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.ui.soon import Soon


@pytest.fixture
def place(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_askings_that_never_stop_do_not_put_it_off(qtbot, place):
    done: list[int] = []
    soon = Soon(lambda: done.append(1), 30, place)
    place.show()
    asking = QTimer(place, interval=5)
    asking.timeout.connect(soon.ask)
    asking.start()
    qtbot.waitUntil(lambda: len(done) > 3)


def test_many_askings_are_one(qtbot, place):
    done: list[int] = []
    place.show()
    soon = Soon(lambda: done.append(1), 10, place)
    for _ in range(50):
        soon.ask()
    qtbot.waitUntil(lambda: bool(done))
    assert done == [1]


def test_nothing_is_done_before_somebody_sees_it(qtbot, place):
    done: list[int] = []
    soon = Soon(lambda: done.append(1), 0, place)
    soon.now()
    soon.ask()
    qtbot.wait(20)
    assert done == []
    place.show()
    assert done == [1]
    place.hide()
    place.show()
    assert done == [1]
