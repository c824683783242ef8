"""What a judge wrote, beside the grid."""

import pytest
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.core.judging import Duel, Judgement
from app.core.lab import Contestant, Place, Plan, Question
from app.ui.judge_words import JudgeWords
from app.ui.theme import LIGHT

PLAN = Plan("p", "starter", (Contestant("Capitals", "a"), Contestant("Pirate", "b")), (Question("1", "?"),))


@pytest.mark.parametrize("said", ["End" + "d" * 500, "word " * 100, "文" * 300])
def test_whatever_a_judge_wrote_is_read_whole_in_a_narrow_panel(qtbot, said):
    words, inside, area = JudgeWords(LIGHT), QWidget(), QScrollArea()
    qtbot.addWidget(area)
    column = QVBoxLayout(inside)
    column.addWidget(words)
    column.addStretch(1)
    inside.setMinimumWidth(1)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.resize(340, 500)
    area.show()
    qtbot.waitExposed(area)
    words.show_judgements(PLAN, Place(1, 0, 0), [Judgement(Duel(0, 0, 1, 0), None, said.strip())])
    (row,) = words.rows
    qtbot.waitUntil(lambda: row.words.height() > 3 * row.words.fontMetrics().lineSpacing())
    assert row.minimumSizeHint().width() < 340
    assert row.words.height() >= row.words.heightForWidth(row.words.width())
    assert words.words.endswith(said.strip())
