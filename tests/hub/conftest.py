"""A stand-in Hub for the tests of app/hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin_hub.server import StandInHub


@pytest.fixture
def standin() -> Iterator[StandInHub]:
    """An empty Hub on loopback that serves until the test ends."""
    with StandInHub() as hub:
        yield hub
