"""A Jinja environment for templates that nobody vouches for: no way out of it, and no way to use it up.

Time and size are watched from the inside, without a second thread: the parsed template is rewritten so that each turn
of a loop, each macro, call, filter and operator passes through a `Meter`, which ends the rendering when it is too much.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic, thread_time
from typing import Any, cast

import jinja2
from jinja2 import ext, nodes, sandbox, visitor

MAX_SOURCE_CHARS = 256_000
MAX_OUTPUT_CHARS = 4_000_000
_MAX_WORK_CHARS = 32_000_000
"""Characters that all intermediate strings of one rendering may have together."""
_MAX_NUMBER = 10_000
"""The largest width, count or precision that may be handed to anything."""
_MAX_BITS = 512
_DEADLINE_S = 1.0
"""Of work: a computer that has something else to do meanwhile is not the template's fault."""

_FILTERS = (
    *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "indent"),
    *("int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse"),
    *("round", "safe", "select", "selectattr", "sort", "string", "title", "trim", "unique", "upper"),
)
_WIDTHS = re.compile(r"\d{4,}|\*")


class TemplateRefused(Exception):  # noqa: N818
    """The template asked for something it may not have, took too long, or said itself that it cannot go on."""


class TemplateSpent(TemplateRefused):
    """The template took too long or wrote too much; trying once more will not help."""


class Meter:
    """What one rendering has used so far."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin a new rendering."""
        self._until = monotonic() + _DEADLINE_S
        self._work_until = thread_time() + _DEADLINE_S
        self._work = 0

    def spend(self, chars: int = 0) -> None:
        """Count some work, and end the rendering if it is too much.

        Raises:
            TemplateSpent: the time or the space is used up.
        """
        self._work += chars
        if self._work > _MAX_WORK_CHARS:
            raise TemplateSpent("it writes far too much")
        if monotonic() > self._until and thread_time() > self._work_until:  # the second one costs ten times as much
            raise TemplateSpent("it takes too long")


class TemplateEnvironment(sandbox.ImmutableSandboxedEnvironment):
    """Compiles and renders chat templates as Hugging Face's tokenizers do, within limits."""

    intercepted_binops = frozenset(["*", "**", "%", "+", "//", "/", "-"])

    def __init__(self) -> None:
        self.meter = Meter()
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[ext.loopcontrols, _Generation],
            finalize=self._finalized,
            cache_size=0,
        )
        self.globals = {
            "range": self.globals["range"],
            "dict": dict,
            "namespace": jinja2.utils.Namespace,
            "raise_exception": _refuse,
            "strftime_now": _now,
        }
        self.filters = {name: self._metered(cast("Callable[..., Any]", self.filters[name])) for name in _FILTERS}
        self.filters["tojson"] = self._metered(_to_json)
        self.filters["join"] = jinja2.pass_environment(_join)
        self.filters["replace"] = _pass_first(self, _replace)
        self.tests = {name: self._metered(cast("Callable[..., Any]", test)) for name, test in self.tests.items()}

    def rendered(self, template: jinja2.Template, values: dict[str, Any]) -> str:
        """The template's output for these values.

        Raises:
            TemplateRefused: it went beyond a limit, or raised an exception of its own.
            jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError: it is wrong.
        """
        self.meter.restart()
        pieces: list[str] = []
        size = 0
        for piece in template.root_render_func(template.new_context(values)):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_OUTPUT_CHARS:
                raise TemplateSpent("it writes far too much")
            self.meter.spend()
        return "".join(pieces)

    def tick(self, chars: int) -> str:
        """One turn of a loop or macro that writes this many characters of its own."""
        self.meter.spend(chars)
        return ""

    def glue(self, *values: Any) -> str:
        """The `~` operator."""
        text: str = self.counted("".join(self.text(value) for value in values))
        return text

    def cut(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """The slice `value[start:stop:step]`."""
        return self.counted(value[start:stop:step])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """An operator on values that have been looked at first."""
        self.meter.spend()
        _check_operands(operator, left, right)
        return self.counted(super().call_binop(context, operator, left, right))

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A call; methods of strings get no large numbers."""
        self.meter.spend()
        # the sandbox wraps str.format; what it wraps tells whose method it is
        owner = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
        if isinstance(owner, str):
            _check_numbers((*args, *kwargs.values()))
            name = getattr(obj, "__name__", "")
            if name == "replace":
                _check_replace(owner, *(str(arg) for arg in args[:2]))
            elif name == "join":
                return _join(self, args[0] if args else (), owner)
            elif name in ("format", "format_map") and _WIDTHS.search(owner):
                raise TemplateRefused("it asks for a huge width")
        return self.counted(super().call(context, obj, *args, **kwargs))

    def counted(self, value: Any) -> Any:
        """The value, its size added to the work done."""
        if isinstance(value, str | list | tuple):
            if len(value) > MAX_OUTPUT_CHARS:
                raise TemplateSpent("it writes far too much")
            self.meter.spend(len(value) * (1 if isinstance(value, str) else 8))
        return value

    def text(self, value: Any) -> str:
        """A value as text, once it is known to be of a sane size."""
        if isinstance(value, str):
            return value
        _check_nesting(value)
        return str(value)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        instrumented = _Instrument().visit(tree)
        instrumented.set_environment(self)
        assert isinstance(instrumented, nodes.Template)
        return instrumented

    def _finalized(self, value: Any) -> Any:
        if isinstance(value, jinja2.Undefined):
            return value
        return self.counted(self.text(value))

    def _metered(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter or test that counts its work and refuses large numbers; Jinja's own marks are kept."""
        marks = getattr(function, "__dict__", {})
        first = 1 if "jinja_pass_arg" in marks else 0

        def metered(*args: Any, **kwargs: Any) -> Any:
            self.meter.spend()
            _check_numbers((*args[first + 1 :], *kwargs.values()))
            if isinstance(args[first], list | tuple | dict):
                _check_nesting(args[first])
            return self.counted(function(*args, **kwargs))

        metered.__dict__.update(marks)
        return metered


class _Instrument(visitor.NodeTransformer):
    """Puts the meter into a parsed template."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        return self._ticking(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        return self._ticking(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        return self._ticking(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _call("glue", list(node.nodes), node.lineno)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        limits = [part or nodes.Const(None) for part in (node.arg.start, node.arg.stop, node.arg.step)]
        return _call("cut", [node.node, *limits], node.lineno)

    def _ticking(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        chars = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        chars += sum(len(const.value) for const in node.find_all(nodes.Const) if isinstance(const.value, str))
        tick = nodes.ExprStmt(_call("tick", [nodes.Const(chars)], node.lineno), lineno=node.lineno)
        node.body.insert(0, tick)
        return node  # type: ignore[no-any-return]


class _Generation(ext.Extension):
    """The `{% generation %}` tag: marks what the model wrote, for training; here its content is all that counts."""

    tags = {"generation"}

    def parse(self, parser: Any) -> Any:
        """The tag's content."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _call(name: str, args: list[nodes.Expr], line: int) -> nodes.Call:
    target = nodes.EnvironmentAttribute(name, lineno=line)
    return nodes.Call(target, args, [], None, None, lineno=line)


def _check_operands(operator: str, left: Any, right: Any) -> None:
    """Refuse an operation whose result would be huge.

    Raises:
        TemplateRefused: it would.
    """
    for value in (left, right):
        if isinstance(value, int) and value.bit_length() > _MAX_BITS:
            raise TemplateRefused("it counts with huge numbers")
    if operator == "**" and not (isinstance(right, int | float) and abs(right) <= 64):
        raise TemplateRefused("it counts with huge numbers")
    if operator == "*":
        for value, times in ((left, right), (right, left)):
            if isinstance(value, str | bytes | list | tuple) and isinstance(times, int):
                _check_numbers([len(value) * max(0, times) // 100])
    if operator == "%" and isinstance(left, str | bytes):
        if isinstance(left, bytes) or _WIDTHS.search(left):
            raise TemplateRefused("it asks for a huge width")
        _check_nesting(right)
    if operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        _check_numbers([(len(left) + len(right)) // 400])


def _check_numbers(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int | float) and not -_MAX_NUMBER <= value <= _MAX_NUMBER:
            raise TemplateRefused("it asks for a huge width")


def _check_replace(text: str, old: str = "", new: str = "") -> None:
    times = text.count(old) if old else len(text) + 1
    if len(text) + times * len(new) > MAX_OUTPUT_CHARS:
        raise TemplateSpent("it writes far too much")


def _check_nesting(value: Any) -> None:
    """Refuse a value whose written form would be huge, such as lists that hold lists that hold one list twice."""
    left = MAX_OUTPUT_CHARS // 40
    pending = [value]
    while pending:
        one = pending.pop()
        left -= 1 + (len(one) // 40 if isinstance(one, str) else 0)
        if left < 0:
            raise TemplateSpent("it writes far too much")
        if isinstance(one, dict):
            pending += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            pending += one


def _pass_first(environment: TemplateEnvironment, function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(environment, *args, **kwargs)

    return called


def _join(environment: Any, values: Iterable[Any], between: str = "", attribute: Any = None) -> str:
    """The `join` filter and str.join, adding up before joining."""
    texts: list[str] = []
    size = 0
    for value in values:
        environment.meter.spend()
        item = value if attribute is None else environment.getitem(value, attribute)
        texts.append(environment.text(item))
        size += len(texts[-1]) + len(str(between))
        if size > MAX_OUTPUT_CHARS:
            raise TemplateSpent("it writes far too much")
    return str(environment.counted(str(between).join(texts)))


def _replace(environment: TemplateEnvironment, text: Any, old: str, new: str, count: int = -1) -> str:
    """The `replace` filter, looking before it writes."""
    whole = environment.text(text)
    _check_replace(whole, str(old), str(new))
    return str(environment.counted(whole.replace(str(old), str(new), -1 if count is None else count)))


def _to_json(value: Any, indent: int | None = None) -> str:
    """JSON as Hugging Face's templates expect it: letters stay letters."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: object = "") -> None:
    raise TemplateRefused(str(message)[:200])


def _now(pattern: str) -> str:
    if len(pattern) > 64 or re.search(r"%[^A-Za-z%]*\d", pattern):
        raise TemplateRefused("it asks for a strange date")
    return datetime.now().astimezone().strftime(pattern)
