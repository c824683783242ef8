"""What is typed becomes a query, and what is found a line."""

from __future__ import annotations

from app.core.search import cut_out, index_query, marked


def test_a_query_quotes_every_word():
    assert index_query('say "hi" OR') == '"say" """hi""" "OR"*'
    assert index_query("->") == ""
    assert index_query("京都") == ""


def test_marks_become_places_in_one_line():
    assert marked("a \x01big\x02\n whale \x01x") == ("a big whale x", ((2, 5),))
    assert cut_out("say\n  Hello there", ["hello"]) == ("say Hello there", ((4, 9),))
    assert cut_out("x" * 200 + "needle" + "y" * 200, ["needle"])[0].startswith("…x")
