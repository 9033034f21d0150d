from __future__ import annotations

from pathlib import Path

import pytest
from attested import Run, read_run


@pytest.fixture(scope="session")
def run(finished_run: Path, home: Path) -> Run:
    return read_run(finished_run, home)
