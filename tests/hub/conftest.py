"""A stand-in Hub for the tests of app/hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.hub.session import prepare_environment
from tests.standin_hub.server import StandInHub

prepare_environment()  # the tests beside this file may import huggingface_hub, which reads it once


@pytest.fixture
def standin() -> Iterator[StandInHub]:
    """An empty Hub on loopback that serves until the test ends."""
    with StandInHub() as hub:
        yield hub
