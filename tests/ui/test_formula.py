"""Formulas as pictures, and as text until then."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QTextCursor, QTextDocument

from app.ui.formula import FormulaKey, Formulas, draw
from app.ui.markdown import MarkdownDocument
from app.ui.markdown_selection import selected_text
from app.ui.markdown_style import MarkdownStyle
from app.ui.theme import LIGHT


def key(source: str, *, display: bool = False) -> FormulaKey:
    return FormulaKey(source, display, 15.0, "#000000", "Inter")


def shown(qtbot, text: str) -> tuple[MarkdownDocument, Formulas]:
    document, formulas = QTextDocument(), Formulas()
    made = MarkdownDocument(document, MarkdownStyle(LIGHT), formulas, lambda steps: [None for _ in steps])
    formulas.rendered.connect(made.place_formula)
    made.finish(text)
    return made, formulas


@pytest.mark.parametrize("source", [r"\frac{a}{b}", r"\sqrt{x^2+y^2}", r"\int_0^\infty e^{-x^2} dx", r"\sum_{i=1}^n i"])
def test_a_formula_becomes_a_picture_with_ink_in_it(qtbot, source):
    drawn = draw(key(source), "formula:1")
    assert drawn is not None
    alpha = bytes(drawn.image.convertToFormat(drawn.image.Format.Format_Alpha8).constBits())
    assert any(alpha)
    assert 10 < drawn.width < 300


@pytest.mark.parametrize("source", [r"\frac{a", r"\left(", "\\" * 50, "{" * 500, "x" * 5000, "\x00"])
def test_a_formula_that_cannot_be_read_never_raises(qtbot, source):
    draw(key(source), "formula:1")


@pytest.mark.parametrize("opening", [r"\sqrt{", "x^{", r"\frac{1}{", r"\left(", r"\begin{cases}", "{"])
def test_a_formula_nested_so_deeply_that_drawing_it_would_take_minutes_is_not_drawn(qtbot, opening):
    closing = {r"\left(": r"\right)", r"\begin{cases}": r"\end{cases}"}.get(opening, "}")
    assert not Formulas().want(key(opening * 20 + "x" + closing * 20))


def test_a_formula_that_takes_long_waits_until_the_reply_is_complete(qtbot):
    formulas, heavy = Formulas(), key(r"\frac{a}{b}+" * 40 + "1")
    formulas.set_busy(True)
    formulas.want(heavy)
    formulas.want(key("x"))
    with qtbot.waitSignal(formulas.rendered):
        pass
    qtbot.wait(20)
    assert formulas.find(heavy) is None
    with qtbot.waitSignal(formulas.rendered):
        formulas.set_busy(False)
    assert formulas.find(heavy) is not None


def test_the_source_is_shown_until_the_picture_is_there(qtbot):
    made, formulas = shown(qtbot, "before $x^2$ after")
    assert made.document.toPlainText() == "before $x^2$ after"
    with qtbot.waitSignal(formulas.rendered):
        pass
    assert made.document.toPlainText() == "before \ufffc after"


def test_a_formula_seen_before_is_a_picture_at_once(qtbot):
    _, formulas = shown(qtbot, "$x^2$")
    with qtbot.waitSignal(formulas.rendered):
        pass
    again = MarkdownDocument(QTextDocument(), MarkdownStyle(LIGHT), formulas, list)
    again.append("$x^2$ a")
    assert again.document.toPlainText() == "\ufffc a"


def test_a_formula_drawn_while_the_reply_goes_on_lands_in_its_place(qtbot):
    document, formulas = QTextDocument(), Formulas()
    made = MarkdownDocument(document, MarkdownStyle(LIGHT), formulas, lambda steps: [None for _ in steps])
    formulas.rendered.connect(made.place_formula)
    made.append("one $a_1$ two\n\nthree $b_2$ four\n\nfive")
    with qtbot.waitSignals([formulas.rendered, formulas.rendered]):
        pass
    made.append(" six $a_1$\n\n- seven\n- eight")
    made.finish()
    assert document.toPlainText() == "one \ufffc two\nthree \ufffc four\nfive six \ufffc\nseven\neight"


def test_a_formula_that_cannot_be_drawn_stays_as_it_was_written(qtbot):
    made, formulas = shown(qtbot, r"a $\frac{a$ b and $x$")
    with qtbot.waitSignal(formulas.rendered):
        pass
    assert made.document.toPlainText() == "a $\\frac{a$ b and \ufffc"


def test_copied_text_has_the_formula_as_latex(qtbot):
    made, formulas = shown(qtbot, "a $x$$x$ b\n\n$$y$$")
    with qtbot.waitSignals([formulas.rendered, formulas.rendered]):
        pass
    cursor = QTextCursor(made.document)
    cursor.select(QTextCursor.SelectionType.Document)
    assert selected_text(cursor) == "a $x$$x$ b\n$$y$$"
