from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli.command_line import GATEKEEPER, environment
from made_up_bench import Bench
from made_up_keys import make_release_keys

from gatekeeper.countersigning import countersign
from gatekeeper.errors import Code, IntegrityError, UsageError
from gatekeeper.gate import CheckRequest, check
from gatekeeper.locking import lock_testset
from gatekeeper.policy import load_policy
from gatekeeper.policy.approval import approve
from gatekeeper.reissuing import reissue
from gatekeeper.trust import Ledger, Trust, load_keys, load_trust_root, own_trust
from gatekeeper.verdict import Bar
from gatekeeper.verification import verify


@pytest.fixture(scope="module")
def released(pristine_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Trust]:
    """A run signed by a development key that takes the organisation's locks and approvals, and that organisation."""
    folder = tmp_path_factory.mktemp("reissue")
    bench = Bench(Path(shutil.copytree(pristine_bench.folder, folder / "discs")), folder / "runner")
    organisation = folder / "organisation"
    make_release_keys(organisation, {"engineer": "engineer", "qa": "qa"})
    lock_testset(bench.table, bench.lock, home=organisation)
    approval = bench.policy.with_suffix(".approval.json")
    approve(
        load_policy(str(bench.policy)).policy,
        "Dr Ada Example",
        "qa",
        "approved",
        organisation,
        datetime.now(UTC),
        approval,
    )
    keys = load_keys(bench.home).folder
    (keys / "root.pem").rename(keys / "development-root.pem")
    (keys / "root.key.pem").unlink()
    shutil.copy(organisation / "keys" / "root.pem", keys)
    (keys / "signing.yaml").write_text("roles: {tool: {root: development-root.pem}}\n")
    result = check(
        CheckRequest(
            policy=str(bench.policy),
            candidate=bench.candidate,
            testset=bench.lock,
            out=bench.out,
            home=bench.home,
            approval=approval,
        )
    )
    assert [bar.reason for bar in result.bars] == [Bar.DEVELOPMENT_KEY]
    trust = Trust(own_trust(organisation).root, {"tool": load_trust_root(keys / "development-root.pem")})
    return result.folder, organisation, trust


def test_the_keys_for_release_make_a_dossier_that_may_be_released_and_change_no_record(
    released: tuple[Path, Path, Trust], tmp_path: Path
) -> None:
    run, organisation, trust = released
    issued = reissue(run, tmp_path, organisation, trust)
    assert (issued.folder.name, issued.bars, issued.development) == (run.name, (), False)
    for name in ("verdict.json", "policy.json", "plan.json", "candidate.json", "testset.json", "self_test.json"):
        assert (issued.folder / name).read_bytes() == (run / name).read_bytes()
    held = verify(issued.folder, own_trust(organisation))
    assert (held.bars, held.signed) == ((), ("tool",))
    countersign(issued.folder, "engineer", organisation)
    countersign(issued.folder, "qa", organisation)
    verify(issued.folder, own_trust(organisation)).require_roles(("qa",), "")
    with Ledger(organisation / "ledger.sqlite") as ledger:
        (line,) = ledger.entries("dossier.reissued")
    assert line.body["signer"] == issued.before == verify(run, trust).signatures[0].fingerprint


def test_a_run_of_a_key_that_nobody_named_is_not_issued(released: tuple[Path, Path, Trust], tmp_path: Path) -> None:
    run, organisation, _ = released
    with pytest.raises(IntegrityError) as caught:
        reissue(run, tmp_path / "out", organisation, own_trust(organisation))
    assert caught.value.problems[0].code is Code.UNTRUSTED_KEY
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["verdict.json", "evidence/cases.parquet", "dossier.pdf", "approval.dsse.json"])
def test_a_run_that_was_changed_on_its_way_is_not_issued(
    released: tuple[Path, Path, Trust], tmp_path: Path, name: str
) -> None:
    run, organisation, trust = released
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(IntegrityError):
        reissue(copy, tmp_path / "out", organisation, trust)
    assert not (tmp_path / "out").exists()


def test_what_people_have_signed_is_not_issued_anew(released: tuple[Path, Path, Trust], tmp_path: Path) -> None:
    run, organisation, trust = released
    issued = reissue(run, tmp_path, organisation, trust).folder
    countersign(issued, "engineer", organisation)
    with pytest.raises(UsageError, match="whose signatures would be lost"):
        reissue(issued, tmp_path, organisation, own_trust(organisation))


def test_the_command_loads_no_torch_and_ends_with_the_verdict(
    released: tuple[Path, Path, Trust], tmp_path: Path
) -> None:
    import subprocess

    run, organisation, _ = released
    root = f"tool={run.parents[1].parent / 'runner' / 'keys' / 'development-root.pem'}"
    done = subprocess.run(
        [
            GATEKEEPER[0],
            "-X",
            "importtime",
            *GATEKEEPER[1:],
            "reissue",
            run,
            "--out",
            tmp_path,
            "--trust",
            root,
            "--json",
        ],
        env=environment(organisation),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (told := json.loads(done.stdout))["releasable"] is True
    assert Path(told["run"]).parent == tmp_path
    assert not [line for line in done.stderr.splitlines() if line.rsplit("|", 1)[-1].strip() in ("torch", "monai")]
