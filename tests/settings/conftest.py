"""Configurations as text, loaded from a real file."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from infway.kernel.errors import SettingsError
from infway.settings import Override, load


@pytest.fixture
def configure(tmp_path: Path):
    """Write a configuration and load it."""

    def write(text: str, environment: Mapping[str, str] | None = None, *overrides: Override):
        path = tmp_path / "infway.yaml"
        path.write_text(text)
        return load(path, environment or {}, overrides)

    return write


@pytest.fixture
def problems(configure):
    """Write a wrong configuration and return its problems, without the folder."""

    def write(text: str, environment: Mapping[str, str] | None = None, *overrides: Override):
        with pytest.raises(SettingsError) as raised:
            configure(text, environment, *overrides)
        return [line.rpartition("infway.yaml:")[2] for line in raised.value.problems]

    return write
