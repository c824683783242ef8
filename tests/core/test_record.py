"""Records behave like the standard library's frozen dataclasses with slots, of which they are a quicker making."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

import pytest

from app.core.record import record


@record
class Empty:
    """Nothing."""


@record
class One:
    """One thing."""

    value: Any


@record
class Several:
    """Several things."""

    name: str
    parts: list[int] = field(default_factory=list)
    note: str = "none"
    aside: int = field(default=0, compare=False)
    hidden: int = field(default=0, repr=False)

    @property
    def first(self) -> int:
        """What stands at the beginning."""
        return self.parts[0]

    def after(self) -> Several:
        """Calls what `super` finds, as classes with slots are made twice."""
        return replace(self, name=self.name + "!")


@record
class Worded:
    """Says itself what it is."""

    value: int

    def __repr__(self) -> str:
        return f"<{self.value}>"


@dataclass(frozen=True, slots=True)
class Standard:
    """As Several, from the standard library."""

    name: str
    parts: list[int] = field(default_factory=list)
    note: str = "none"
    aside: int = field(default=0, compare=False)
    hidden: int = field(default=0, repr=False)


CALLS = [
    (("a",), {}),
    (("a", [1]), {}),
    (("a",), {"note": "b", "aside": 3}),
    (("a", [1], "b", 2, 3), {}),
    ((), {}),
    ((), {"name": "a", "other": 1}),
    (("a", [1], "b", 2, 3, 4), {}),
    (("a",), {"name": "b"}),
]


def outcome(kind: type, args: tuple, named: dict) -> Any:
    try:
        made = kind(*args, **named)
    except TypeError as error:
        return str(error).replace("Standard", "Several")
    return asdict(made), repr(made).replace("Standard", "Several")


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_it_is_made_and_refused_as_the_standard_librarys(args, named):
    assert outcome(Several, args, named) == outcome(Standard, args, named)


def test_what_it_tells_of_itself_is_what_the_standard_librarys_tells():
    assert Several.__match_args__ == Standard.__match_args__
    assert Several.__slots__ == Standard.__slots__
    assert [(f.name, f.type) for f in fields(Several)] == [(f.name, f.type) for f in fields(Standard)]
    parameters = inspect.signature(Several).parameters
    assert list(parameters) == list(inspect.signature(Standard).parameters)
    assert parameters["note"].default == "none"
    assert dataclasses.is_dataclass(Several)
    assert Several.__doc__ == "Several things."


def test_records_are_equal_where_their_kinds_and_compared_fields_are():
    assert Several("a", [1]) == Several("a", [1], aside=5)
    assert Several("a", [1]) != Several("a", [2])
    assert Several("a", [1]) != Standard("a", [1])
    assert One(1) == One(1)
    assert One(1) != 1
    assert Empty() == Empty()
    assert Empty() != One(1)


def test_equal_records_have_one_hash_and_lists_have_none():
    assert len({One("a"), One("a"), One("b"), Empty(), Empty()}) == 3
    assert hash(Several("a", (1,))) == hash(Several("a", (1,), aside=5))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unhashable"):
        hash(Several("a", [1]))


def test_nothing_can_be_set_or_deleted():
    made = Several("a")
    for name in ("name", "aside", "unheard_of"):
        with pytest.raises(FrozenInstanceError):
            setattr(made, name, 1)
    with pytest.raises(FrozenInstanceError):
        del made.name  # type: ignore[misc]
    assert made == Several("a")
    assert not hasattr(made, "__dict__")


def test_each_gets_a_default_of_its_own():
    Several("a").parts.append(1)
    assert Several("a").parts == []


def test_copies_are_equal_and_deep_ones_share_nothing():
    made = Several("a", [1], aside=4)
    assert copy.copy(made).parts is made.parts
    deep = copy.deepcopy(made)
    assert (deep, deep.aside) == (made, 4)
    assert deep.parts is not made.parts


def test_methods_properties_and_own_special_methods_stay():
    made = Several("a", [7])
    assert made.first == 7
    assert made.after() == Several("a!", [7])
    assert repr(Worded(3)) == "<3>"
    assert repr(One(One(2))) == "One(value=One(value=2))"
    assert repr(Empty()) == "Empty()"


def test_a_record_that_holds_itself_can_be_written():
    held: list[Any] = []
    made = One(held)
    held.append(made)
    assert repr(made) == "One(value=[...])"
