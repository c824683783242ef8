"""What is said of models that write otherwise beside other answers than alone."""

from __future__ import annotations

from app.core.exactness import EXPERTS, RECURRENT, caution, reason

TAIL = "what it writes beside other answers may differ from what it writes alone, with the same seed too."


def test_each_such_model_is_named_once_and_others_are_not():
    assert caution([("Plain", ""), ("Odd", "of a later version")]) == ""
    found = caution([("Mix", EXPERTS), ("Plain", ""), ("Mamba", RECURRENT), ("Mix", EXPERTS)])
    assert found == f"Mix is made of experts: {TAIL} Mamba is recurrent: {TAIL}"


def test_it_is_a_reason_why_an_answer_comes_out_otherwise():
    assert reason("") == ""
    assert "experts" in reason(EXPERTS)
    assert "recurrent" in reason(RECURRENT)
