"""A chat is a tree: versions stand side by side, and one path is on screen."""

from __future__ import annotations

import pytest

from app.core.chat import Message, MessageTree
from app.core.role import Role


def message(number: int, parent: int | None) -> Message:
    return Message(number, 1, parent, Role.USER if number % 2 else Role.ASSISTANT, f"m{number}")


@pytest.fixture
def tree() -> MessageTree:
    # 1 - 2 - 3 - 4, a second answer 6 to 1, and an edited first question 7 - 8
    pairs = [(1, None), (2, 1), (3, 2), (4, 3), (6, 1), (7, None), (8, 7)]
    return MessageTree(message(number, parent) for number, parent in pairs)


def test_a_path_runs_from_the_first_turn_to_the_leaf(tree):
    assert [m.id for m in tree.path(4)] == [1, 2, 3, 4]
    assert [m.id for m in tree.path(6)] == [1, 6]
    assert tree.path(None) == []
    assert tree.path(99) == []


def test_versions_are_siblings_oldest_first(tree):
    assert tuple(tree.siblings(2)) == (2, 6)
    assert tuple(tree.siblings(7)) == (1, 7)
    assert tuple(tree.siblings(4)) == (4,)


def test_the_newest_leaf_follows_the_newest_versions(tree):
    assert tree.newest_leaf(1) == 6
    assert tree.newest_leaf(2) == 4
    assert tree.newest_leaf(None) == 8


def test_putting_a_message_twice_replaces_it_and_makes_no_second_version(tree):
    tree.put(Message(2, 1, 1, Role.ASSISTANT, "longer"))
    assert tuple(tree.siblings(2)) == (2, 6)
    assert tree[2].text == "longer"


def test_a_refused_question_is_taken_back_with_its_reply(tree):
    assert tree.take_back(8) == ([8, 7], "m7", 6)
    assert tuple(tree.siblings(1)) == (1,)
    assert 7 not in tree


def test_a_refused_second_answer_is_taken_back_alone(tree):
    assert tree.take_back(6) == ([6], "", 4)
    assert tuple(tree.siblings(2)) == (2,)
    assert 1 in tree
