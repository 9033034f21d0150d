"""A repository as a team has it: policy with its approval, candidate, locked test set, the root of its organisation."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from action.runner import Runner, with_gatekeeper
from made_up_bench import CANDIDATE, Bench
from made_up_keys import make_release_keys

INPUTS = {
    "policy": "policy.yaml",
    "candidate": "candidate/cnn.yaml",
    "testset": "discs.lock",
    "approval": "policy.approval.json",
    "trust": "root.pem",
}


@dataclass(frozen=True)
class Organisation:
    """A home with keys for release, and a repository whose lock and approval they signed."""

    home: Path
    repository: Path


def secrets_of(organisation: Organisation) -> dict[str, str]:
    """Return the keys as secrets hold them."""
    from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificate

    found = {}
    for name, role in (("TOOL", "tool"), ("ENGINEER", "engineer"), ("QA", "qa")):
        key = load_pem_private_key((organisation.home / "keys" / f"{role}.key.pem").read_bytes(), None)
        certificate = load_pem_x509_certificate((organisation.home / "keys" / f"{role}.pem").read_bytes())
        data = pkcs12.serialize_key_and_certificates(role.encode(), key, certificate, None, NoEncryption())  # type: ignore[arg-type]
        found[f"GATEKEEPER_{name}_KEY"] = base64.b64encode(data).decode()
    return found


@pytest.fixture(scope="session")
def organisation(pristine_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Read only."""
    from gatekeeper.locking import lock_testset
    from gatekeeper.policy import load_policy
    from gatekeeper.policy.approval import approve

    folder = tmp_path_factory.mktemp("organisation")
    home, repository = folder / "home", folder / "repository"
    ignored = shutil.ignore_patterns("reports", "*.lock", "*.secret")
    bench = Bench(Path(shutil.copytree(pristine_bench.folder, repository, ignore=ignored)), home)
    make_release_keys(home, {"engineer": "engineer", "qa": "qa"})
    lock_testset(bench.table, repository / INPUTS["testset"], home=home)
    policy = load_policy(str(bench.policy)).policy
    approve(policy, "Dr Ada Example", "qa", "approved", home, datetime.now(UTC), repository / INPUTS["approval"])
    shutil.copy(home / "keys" / "root.pem", repository / INPUTS["trust"])
    bench.candidate.with_name("moved.yaml").write_text(CANDIDATE.format(operating_point=1e-9))
    return Organisation(home, repository)


@pytest.fixture
def machine(organisation: Organisation, tmp_path: Path) -> Callable[..., Runner]:
    """Make a machine for one job, with the repository checked out unless told otherwise."""
    (tmp_path / "artifacts").mkdir()
    count = iter(range(100))

    def make(*, checked_out: bool = True, **about: object) -> Runner:
        folder = tmp_path / f"machine-{next(count)}"
        runner = Runner(
            folder / "workspace",
            folder / "temp",
            repository=organisation.repository,
            artifacts=tmp_path / "artifacts",
            **about,  # type: ignore[arg-type]
        )
        if checked_out:
            shutil.copytree(organisation.repository, runner.workspace, dirs_exist_ok=True)
        return with_gatekeeper(runner)

    return make
