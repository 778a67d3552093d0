"""Fixtures: a registered model that is quick to load."""

from pathlib import Path

import pytest

from tests.support.connect.publisher import register


@pytest.fixture(scope="session")
def light(light_folder: Path, wine_registry: str) -> str:
    """The URI of the model that is quick to load."""
    return register(light_folder, "light", wine_registry)
