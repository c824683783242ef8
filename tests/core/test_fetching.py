"""The settings of the model library."""

from __future__ import annotations

import pytest

from app.core.errors import SettingError
from app.core.fetching import Fetching
from app.core.settings import declared


def test_an_empty_folder_or_address_means_the_usual_one():
    for key in ("models_folder", "endpoint"):
        known = declared(Fetching)[key]
        assert known.checked("  ") is None
        assert known.checked(None) is None
        assert known.checked(" /somewhere ") == "/somewhere"


@pytest.mark.parametrize("value", [7, "two\nlines", "x" * 5000, "a\0b"])
def test_a_text_is_one_line(value):
    with pytest.raises(SettingError) as told:
        declared(Fetching)["endpoint"].checked(value)
    assert "one line of text" in told.value.detail


def test_a_text_can_be_typed():
    assert declared(Fetching)["endpoint"].parsed("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert declared(Fetching)["endpoint"].parsed("off") is None


@pytest.mark.parametrize(("key", "value"), [("connections", 0), ("connections", 17), ("at_once", 5)])
def test_counts_have_limits(key, value):
    with pytest.raises(SettingError):
        declared(Fetching)[key].checked(value)
