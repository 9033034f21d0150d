"""One run that may be released, signed by the tool, the engineer and QA with keys for release."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_up_bench import Bench
from made_up_keys import make_release_keys
from releases import Released


@pytest.fixture(scope="session")
def released(pristine_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Released:
    from gatekeeper.countersigning import countersign
    from gatekeeper.gate import CheckRequest, check
    from gatekeeper.locking import lock_testset
    from gatekeeper.policy.approval import approve
    from gatekeeper.policy.load import load_policy

    base = tmp_path_factory.mktemp("released")
    home, folder = base / "home", base / "bench"
    make_release_keys(home, {"engineer": "engineer", "qa": "qa", "intern": "intern"})
    shutil.copytree(pristine_bench.folder, folder, ignore=shutil.ignore_patterns("reports"))
    bench = Bench(folder, home)
    lock_testset(bench.table, bench.lock, home)
    approve(load_policy(str(bench.policy)).policy, "Dr Ada Example", "qa", "approved", home, datetime.now(UTC))
    request = CheckRequest(
        policy=str(bench.policy), candidate=bench.candidate, testset=bench.lock, out=base / "tool", home=home
    )
    folders = {"tool": check(request).folder}
    for role, before in (("engineer", "tool"), ("qa", "engineer")):
        folders[role] = Path(shutil.copytree(folders[before], base / role / "run"))
        countersign(folders[role], role, home)
    return Released(home, folders, bench.candidate)
