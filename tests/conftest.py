"""Fixtures around the made-up bench."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_bench import Bench, make_bench
from made_up_mlflow import started_mlflow


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with keys and a ledger of its own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def pristine_bench(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    """A bench that no test may change; see ``bench``."""
    return make_bench(tmp_path_factory.mktemp("bench") / "discs", home)


@pytest.fixture
def bench(pristine_bench: Bench, tmp_path: Path) -> Bench:
    """A copy of the bench that a test may change."""
    shutil.copytree(pristine_bench.folder, tmp_path / "discs", ignore=shutil.ignore_patterns("reports"))
    return Bench(tmp_path / "discs", pristine_bench.home)


@pytest.fixture(scope="session")
def finished_run(pristine_bench: Bench) -> Path:
    """The folder of a finished run over the pristine bench; read only."""
    from gatekeeper.gate import CheckRequest, check

    request = CheckRequest(
        policy=str(pristine_bench.policy),
        candidate=pristine_bench.candidate,
        testset=pristine_bench.lock,
        out=pristine_bench.out,
        home=pristine_bench.home,
    )
    return check(request).folder


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run that a test may change."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the MLflow server keeps ``server.db``; a test that changes it there makes the server a hostile one."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="session")
def mlflow_server(mlflow_folder: Path) -> Iterator[str]:
    """The address of a real MLflow server, started once; tests use names of their own in it."""
    with started_mlflow(mlflow_folder) as address:
        yield address
