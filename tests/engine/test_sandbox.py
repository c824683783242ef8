"""Templates that want out, or want everything: none gets it, and none takes long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import jinja2
import pytest

from app.engine import sandbox
from app.engine.sandbox import TemplateEnvironment, TemplateRefused

DOUBLING = "{%% set ns = namespace(x=%s) %%}{%% for i in range(60) %%}{%% set ns.x = %s %%}{%% endfor %%}{{ ns.x%s }}"

BOMBS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "nested loops that write": "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "percent width": "{{ '%1000000000d' % 1 }}",
    "percent star": "{{ '%*d' % (1000000000, 1) }}",
    "times": "{{ 'a' * 1000000000 }}",
    "list times": "{{ [0] * 1000000000 }}",
    "power": "{{ 10 ** (10 ** 8) }}",
    "squares": DOUBLING % ("3", "ns.x * ns.x", ""),
    "doubling by plus": DOUBLING % ("'aaaaaaaa'", "ns.x + ns.x", ""),
    "doubling by tilde": DOUBLING % ("'aaaaaaaa'", "ns.x ~ ns.x", ""),
    "doubling by join": DOUBLING % ("'aaaaaaaa'", "[ns.x, ns.x] | join", ""),
    "doubling by str.join": DOUBLING % ("'aaaaaaaa'", "''.join([ns.x, ns.x])", ""),
    "doubling lists": DOUBLING % ("[1]", "ns.x + ns.x", ""),
    "lists in lists, written": DOUBLING % ("[1]", "[ns.x, ns.x]", ""),
    "lists in lists, as JSON": DOUBLING % ("[1]", "[ns.x, ns.x]", " | tojson"),
    "lists in lists, as string": DOUBLING % ("[1]", "[ns.x, ns.x]", " | string | length"),
    "doubling by percent": DOUBLING % ("'a%%s'", "ns.x % ns.x", ""),
    "format width": "{{ '{:1000000000d}'.format(1) }}",
    "format_map width": "{{ '{a:1000000000d}'.format_map({'a': 1}) }}",
    "attr format": "{{ ('{:1000000000d}' | attr('format'))(1) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ '1'.zfill(1000000000) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "indent": "{{ 'a' | indent(1000000000) }}",
    "round": "{{ 1.5 | round(1000000000) }}",
    "replace": "{{ ('a' * 9000) | replace('a', 'b' * 9000) | replace('b', 'c' * 9000) }}",
    "str.replace": "{{ ('a' * 9000).replace('a', 'b' * 9000) }}",
    "replace nothing": "{{ ('a' * 90000).replace('', 'b' * 90000) }}",
    "recursion": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "fanning recursion": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "recursive loop": "{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}",
    "huge literal in a block": "{% set x %}{% for a in range(9999) %}"
    + "y" * 50_000
    + "{% endfor %}{% endset %}{{ x }}",
    "hoarding slices": "{% set x = 'ab' * 9000 %}{% set ns = namespace(l=[]) %}"
    "{% for i in range(99999) %}{% set ns.l = ns.l + [x[1:]] %}{% endfor %}",
    "sorting for ever": "{% for i in range(9999) %}{% if range(99999) | sort | list %}{% endif %}{% endfor %}",
    "date width": "{{ strftime_now('%1000000000d') }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "endless range": "{% for i in range(10 ** 9) %}{% endfor %}",
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long sum": "{{ 1 " + "+ 1" * 20_000 + " }}",
    "deep conditions": "{% if 1 %}" * 500 + "{% endif %}" * 500,
}

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ [].__class__.__base__ }}",
    "{{ {}.__class__.__init__.__globals__ }}",
    "{{ messages.__class__ }}",
    "{{ messages[0].__class__.__mro__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ range.__init__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace.__class__.__mro__ }}",
    "{{ raise_exception.__globals__ }}",
    "{{ raise_exception.__globals__['__builtins__']['open']('canary', 'w') }}",
    "{{ raise_exception.__code__ }}",
    "{{ strftime_now.__globals__['datetime'] }}",
    "{{ strftime_now.__closure__ }}",
    "{{ dict.__subclasses__() }}",
    "{{ dict.__class__.__call__ }}",
    "{{ cycler.__init__.__globals__.os.system('touch canary') }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('touch canary').read() }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ config.items() }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__class__.__mro__}'.format('') }}",
    "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "{{ ('{0.__class__}' | attr('format'))('') }}",
    "{{ '' | attr('__class__') }}",
    "{{ '' | attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ ''['__class__'] }}",
    "{{ messages | map(attribute='__class__') | list }}",
    "{{ [''] | map(attribute='__class__.__mro__') | list }}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ ['__class__'] | map('attr', 'join') | list }}{{ messages.append({}) }}",
    "{{ messages.pop() }}",
    "{% do messages.clear() %}",
    "{% import 'os' as os %}{{ os.system('touch canary') }}",
    "{% include '/etc/passwd' %}",
    "{% extends '/etc/passwd' %}",
    "{% from 'os' import system %}{{ system('touch canary') }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{{ m.__init__.__globals__ }}",
    "{% set x = (1).__class__ %}{{ x.__base__ }}",
    "{{ (messages | list).__iter__.__self__.__class__ }}",
    "{% for x in (messages | map('string')) %}{{ loop.__class__.__init__.__globals__ }}{% endfor %}",
    "{{ (messages | map('string')).gi_frame.f_globals }}",
    "{{ open('canary', 'w') }}",
    "{{ __import__('os').system('touch canary') }}",
    "{{ eval('1') }}{{ exec('1') }}",
    "{{ undefined_thing.__class__.__mro__ }}",
]

ERRORS = (TemplateRefused, jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)


def render(source, **values):
    environment = TemplateEnvironment()
    return environment.rendered(
        environment.from_string(source), {"messages": [{"role": "user", "content": "hi"}], **values}
    )


@pytest.mark.parametrize("source", BOMBS.values(), ids=BOMBS)
@pytest.mark.timeout(300)
def test_a_bomb_ends_in_an_error_or_in_a_small_text(source, monkeypatch):
    # the deadline itself is for all of them together, below
    monkeypatch.setattr(sandbox, "_DEADLINE_S", 0.2)
    with contextlib.suppress(*ERRORS):
        assert len(render(source)) < 100_000


LIMITED = """
import resource, sys, time
from app.engine.sandbox import TemplateEnvironment
resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))
for source in sys.stdin.read().split("\\x1e"):
    started = time.process_time()
    try:
        environment = TemplateEnvironment()
        environment.rendered(environment.from_string(source), {"messages": []})
    except MemoryError:
        print("memory", source[:70])
    except Exception:
        pass
    if time.process_time() - started > 3:
        print("time", source[:70])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are set in another way there")
def test_all_bombs_together_stay_below_500_mb_and_each_below_3_seconds_of_work():
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        input="\x1e".join(BOMBS.values()),
        text=True,
        capture_output=True,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (0, "")
    # Python 3.13 tells of a generator that it could not close at the end of its recursion: no fault of ours
    told = [line for line in done.stderr.splitlines() if not line.startswith((" ", "Traceback", "RecursionError"))]
    assert all(line.startswith("Exception ignored in: <generator") for line in told), done.stderr


@pytest.mark.parametrize("source", ESCAPES)
def test_no_way_leads_out(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        text = render(source)
    except (*ERRORS, AttributeError):
        text = ""
    assert not any(
        word in text for word in ("<class", "<module", "globals", "built-in", "__main__", "root:", "object at")
    )
    assert list(tmp_path.iterdir()) == []


def test_what_templates_need_is_there():
    messages = [{"role": "user", "content": " a "}, {"role": "assistant", "content": "b"}]
    source = """
{%- set ns = namespace(n=0) -%}
{%- for m in messages -%}
    {%- if m.role == 'skip' %}{% continue %}{% endif -%}
    {%- set ns.n = ns.n + 1 -%}
    {{ '<' ~ m['role'] ~ '>' + m['content'] | trim }}{{ loop.last and '!' or ',' }}
    {%- if loop.index0 == 5 %}{% break %}{% endif -%}
{%- endfor -%}
{{ messages[1:] | length }}{{ messages | map(attribute='role') | join('+') }}{{ ns.n }}{{ {'ä': [1]} | tojson }}
{%- macro twice(x) %}{{ x * 2 }}{% endmacro -%}{{ twice('ab') }}{{ 'a,b'.split(',')[1] }}{{ '%s-%d' % ('x', 3) }}
{%- if messages | selectattr('role', 'equalto', 'user') | list and tools is none and odd is undefined %}ok{% endif -%}
{% generation %}{{ "{:>4}".format(7) }}{% endgeneration %}"""
    text = render(source, messages=messages, tools=None)
    assert text == '<user>a,<assistant>b!1user+assistant2{"ä": [1]}ababbx-3ok   7'


def test_a_template_can_refuse_and_its_words_are_kept():
    with pytest.raises(TemplateRefused, match="Only user and assistant"):
        render("{{ raise_exception('Only user and assistant') }}")


def test_the_date_of_today_can_be_written():
    before, written, after = time.strftime("%F"), render("{{ strftime_now('%F') }}"), time.strftime("%F")
    assert written in (before, after)


def test_a_template_is_not_refused_because_the_computer_was_busy_with_something_else(monkeypatch):
    hour = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(sandbox, "monotonic", lambda: next(hour))
    assert render("{% for m in messages %}{{ m.content | trim }}{% endfor %}") == "hi"


def test_a_long_conversation_stays_within_the_limits():
    messages = [{"role": "user", "content": "word " * 200}] * 1000
    source = "{% for m in messages %}{{ '<|x|>' + m['role'] + '\\n' + m['content'] | trim + '<|y|>' }}{% endfor %}"
    assert len(render(source, messages=messages)) > 900_000
