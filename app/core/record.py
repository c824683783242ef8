"""Frozen dataclasses that are quickly made: with the standard library's, the program's 190 took half of its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[Made]) -> type[Made]:
    """As `dataclass(frozen=True, slots=True)`, whose `fields`, `replace` and `asdict` work here, too.

    That writes and compiles six methods per class. Here only `__init__` is, the others look the fields up.
    """
    # a class with slots is another class: methods that name it are put on afterwards
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    known = fields(made)  # type: ignore[arg-type]  # mypy does not know that it is one
    values = _values(tuple(one.name for one in known if one.compare))
    methods: dict[str, Any] = {
        "__init__": _initialiser(cls.__qualname__, known),
        "__repr__": _representation(tuple(one.name for one in known if one.repr)),
        "__eq__": _equality(values),
        "__hash__": lambda self: hash(values(self)),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _initialiser(owner: str, known: tuple[Field[Any], ...]) -> Callable[..., None]:
    """`object.__setattr__` for each field, as the class's own refuses."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    parameters, lines = ["self"], []
    for number, one in enumerate(known):
        value = one.name
        if one.default_factory is not MISSING:
            names[f"_made{number}"] = one.default_factory
            parameters.append(f"{one.name}=_missing")
            value = f"_made{number}() if {one.name} is _missing else {one.name}"
        elif one.default is not MISSING:
            names[f"_default{number}"] = one.default
            parameters.append(f"{one.name}=_default{number}")
        else:
            parameters.append(one.name)
        lines.append(f" _set(self, {one.name!r}, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or " pass"), names)
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{owner}.__init__"
    return made


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads what these fields of a record hold."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _representation(names: tuple[str, ...]) -> Callable[[Any], str]:
    @recursive_repr()
    def written(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return written


def _equality(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, object], Any]:
    def equal(self: Any, other: object) -> Any:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    return equal


def _refuse_to_set(self: Any, name: str, value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
