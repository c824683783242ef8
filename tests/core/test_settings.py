"""Settings: declared once, checked, laid over each other, and honest about where a value came from."""

from __future__ import annotations

import json
import math

import pytest

from app.core.errors import SettingError
from app.core.looks import Look
from app.core.options import Loading, Sampling
from app.core.settings import Kind, Source, declared, resolve

ALL = [setting for group in (Sampling, Loading, Look) for setting in declared(group).values()]


def test_defaults_hold_when_nothing_was_changed():
    resolved = resolve(Sampling, [])
    assert resolved.values == Sampling()
    assert set(resolved.sources.values()) == {Source.DEFAULT}


def test_a_later_layer_wins_and_each_value_tells_its_source():
    layers = [
        (Source.MODEL, {"temperature": 0.7, "top_k": 20}),
        (Source.MODEL_CHANGED, {"top_k": 30}),
        (Source.CHAT, {"temperature": 1.2}),
    ]
    resolved = resolve(Sampling, layers)
    assert (resolved.values.temperature, resolved.values.top_k, resolved.values.top_p) == (1.2, 30, 0.95)
    assert resolved.sources["temperature"] is Source.CHAT
    assert resolved.sources["top_k"] is Source.MODEL_CHANGED
    assert resolved.sources["top_p"] is Source.DEFAULT


def test_off_is_a_choice_of_its_own_and_not_zero():
    resolved = resolve(Sampling, [(Source.MODEL, {"min_p": 0.1}), (Source.CHAT, {"min_p": None})])
    assert resolved.values.min_p is None
    assert resolved.sources["min_p"] is Source.CHAT
    assert resolve(Sampling, [(Source.CHAT, {"min_p": 0})]).values.min_p == 0.0


def test_a_kept_value_that_no_longer_fits_falls_back_and_is_told():
    resolved = resolve(Sampling, [(Source.MODEL, {"top_k": 50}), (Source.CHAT, {"top_k": "many", "gone": 1})])
    assert resolved.values.top_k == 50
    assert resolved.sources["top_k"] is Source.MODEL
    assert "Top-k" in resolved.refused[0].title


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.key)
def test_every_declaration_is_complete_and_allows_its_own_default(setting):
    assert setting.checked(setting.default) == setting.default
    assert setting.label
    assert setting.help.endswith(".")
    assert setting.part
    if setting.kind in (Kind.INT, Kind.FLOAT):
        assert setting.low is not None
        assert setting.high is not None
        assert setting.step
    if setting.kind is Kind.CHOICE:
        assert len(setting.choices) >= 2


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.key)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "x", [1], {}, object(), 1e300, -1e300, b"1"])
def test_no_setting_takes_nonsense(setting, bad):
    if setting.kind is Kind.LINES and isinstance(bad, list):
        bad = [1, 2]
    with pytest.raises(SettingError) as caught:
        setting.checked(bad)
    assert setting.label in caught.value.title
    assert caught.value.detail


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.key)
def test_a_value_survives_being_kept_as_json(setting):
    kept = json.loads(json.dumps(setting.default))
    assert setting.checked(kept) == setting.default


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("temperature", "0.2", 0.2),
        ("top_k", "off", None),
        ("top_k", "12", 12),
        ("seed", "random", None),
        ("stop", "END", ("END",)),
        ("stop", r"\n", ("\n",)),
        ("stop", r"a\tb\\n\d" + "\nEND", ("a\tb\\n\\d", "END")),
        ("mirostat", "2", "2"),
        ("max_tokens", "No limit", None),
    ],
)
def test_text_from_the_command_line_is_understood(key, text, value):
    assert declared(Sampling)[key].parsed(text) == value


@pytest.mark.parametrize("lines", [("\n",), ("###", "\r\n\tUser:"), ("C:\\new\\", "\\n"), ("\\", " ")])
def test_lines_with_what_no_line_can_hold_are_read_back_as_they_were(lines):
    setting = declared(Sampling)["stop"]
    assert setting.parsed(setting.typed(lines)) == lines
    assert setting.typed(lines).count("\n") == len(lines) - 1
    assert r"\n" in setting.help


def test_the_backslashes_of_an_adapters_path_stand_for_themselves():
    setting = declared(Loading)["adapters"]
    lines = (r"0.8 C:\new\tools.gguf",)
    assert setting.parsed(lines[0]) == lines
    assert setting.typed(lines) == lines[0]


@pytest.mark.parametrize(
    ("key", "text"), [("temperature", "warm"), ("top_k", "1.5"), ("temperature", "off"), ("mirostat", "3")]
)
def test_text_that_is_no_value_is_refused_with_what_is_allowed(key, text):
    with pytest.raises(SettingError) as caught:
        declared(Sampling)[key].parsed(text)
    assert "It takes" in caught.value.detail


@pytest.mark.parametrize(("text", "value"), [("on", True), ("off", False), ("TRUE", True), ("0", False)])
def test_switches_are_understood(text, value):
    assert declared(Loading)["mmap"].parsed(text) is value


def test_what_is_refused_is_shown_as_it_was_typed_and_limits_are_whole_numbers():
    with pytest.raises(SettingError) as caught:
        declared(Sampling)["top_k"].parsed(" 0 ")
    assert caught.value.title == "Top-k cannot be '0'"
    assert declared(Sampling)["seed"].allowed() == "a whole number from 0 to 4,294,967,294, or random"
    assert declared(Sampling)["xtc_threshold"].allowed() == "a number from 0 to 0.5"
