"""The reusable workflow, job by job and step by step, each job on a machine of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from action.conftest import INPUTS, Organisation, secrets_of
from action.runner import REPOSITORY, Job, Runner, with_gatekeeper

from gatekeeper.countersigning import countersign
from gatekeeper.trust import own_trust
from gatekeeper.verification import verify

WORKFLOW = "release-check.yml"
JOBS = yaml.safe_load((REPOSITORY / ".github" / "workflows" / WORKFLOW).read_text())["jobs"]
CONTEXT = {"policy": INPUTS["policy"], "testset": INPUTS["testset"], "approval": INPUTS["approval"]}
INPUT = {"trust": "root.pem", "inconclusive": "block", "python-version": "3.12", "overrides": "", "countersigned": ""}


@dataclass(frozen=True)
class Made:
    """What became of a job, and the machine that it ran on."""

    job: Job
    runner: Runner


@dataclass(frozen=True)
class Flow:
    """A run of the workflow: where its jobs ran, and the artifacts that they handed on."""

    folder: Path
    organisation: Organisation

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def job(self, name: str, candidate: str = "candidate/cnn.yaml", **about: object) -> Made:
        """Run a job with the secrets that its own steps name, and no others."""
        place = self.folder / f"{name}-{len(list(self.folder.glob(f'{name}-*')))}"
        secrets = {key: value for key, value in secrets_of(self.organisation).items() if key in json.dumps(JOBS[name])}
        self.artifacts.mkdir(exist_ok=True)
        about = {"inputs": INPUT, "repository": self.organisation.repository, "secrets": secrets} | about
        runner = Runner(
            place / "workspace",
            place / "temp",
            artifacts=self.artifacts,
            matrix={"candidate": candidate, "context": CONTEXT},
            **about,  # type: ignore[arg-type]
        )
        return Made(with_gatekeeper(runner).job(WORKFLOW, name), runner)


@pytest.fixture(scope="module")
def signed(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> tuple[Flow, Made, Made]:
    """A flow that was validated and signed; no test may change it."""
    flow = Flow(tmp_path_factory.mktemp("flow"), organisation)
    validated = flow.job("validate")
    assert validated.job.result == "success", validated.job.log
    made = flow.job("sign")
    assert made.job.result == "success", made.job.log
    return flow, validated, made


@pytest.fixture
def flow(signed: tuple[Flow, Made, Made], tmp_path: Path) -> Flow:
    """The same flow, to be gone on with."""
    shutil.copytree(signed[0].artifacts, tmp_path / "artifacts")
    return Flow(tmp_path, signed[0].organisation)


def test_a_sound_candidate_is_validated_signed_approved_and_released(flow: Flow) -> None:
    approved = flow.job("approve")
    assert approved.job.result == "success", approved.job.log
    released = flow.job("release")
    assert released.job.result == "success", released.job.log
    held = verify(flow.artifacts / "gatekeeper-released-0", own_trust(flow.organisation.home))
    assert (held.signed, held.bars, held.verdict.verdict.value) == (("tool", "engineer", "qa"), (), "PASS")
    (asked,) = released.runner.attested
    assert asked["predicate-type"] == "https://gatekeeper.dev/model-validation/v1"
    predicate = json.loads(Path(asked["predicate-path"]).read_text())
    assert (predicate["verdict"], predicate["releasable"]) == ("PASS", True)
    subjects = dict(line.split("  ")[::-1] for line in Path(asked["subject-checksums"]).read_text().splitlines())
    dossier = (flow.artifacts / "gatekeeper-released-0" / "dossier.pdf").read_bytes()
    assert subjects["dossier.pdf"] == hashlib.sha256(dossier).hexdigest()
    weights = (flow.organisation.repository / "candidate" / "nodule_cnn.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() in subjects.values()


def test_validation_loads_the_model_and_has_no_secret(signed: tuple[Flow, Made, Made]) -> None:
    _, validated, _ = signed
    assert "secrets" not in json.dumps(JOBS["validate"])
    assert JOBS["validate"]["permissions"] == {"contents": "read"}
    names = {name for step in validated.job.every_step() for name in step.environment}
    assert not [name for name in names if "KEY" in name or "PASSPHRASE" in name or "TOKEN" in name]
    home = validated.runner.temp / "temp" / "gatekeeper-home" / "keys"
    assert not (home / "root.key.pem").exists()
    assert "DEVELOPMENT" in validated.job.log


def test_signing_has_no_model_no_image_and_never_imports_torch(signed: tuple[Flow, Made, Made]) -> None:
    _, _, made = signed
    beside = {
        str(path.relative_to(made.runner.workspace)) for path in made.runner.workspace.rglob("*") if path.is_file()
    }
    assert {name for name in beside if not name.startswith(".gatekeeper/")} == {"root.pem"}
    everywhere = [path.name for path in made.runner.temp.rglob("*") if path.is_file()]
    assert not [name for name in everywhere if name.endswith((".safetensors", ".dcm", ".onnx", ".pt"))]
    assert not list((made.runner.temp / "temp").glob("signing.*")), "a key was left behind"


def test_signing_runs_where_torch_cannot_be_imported(flow: Flow, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (trap / "torch").mkdir(parents=True)
    (trap / "torch" / "__init__.py").write_text("raise SystemExit('torch was imported')\n")
    shutil.rmtree(flow.artifacts / "gatekeeper-signed-0")
    place = flow.folder / "untorched"
    secrets = secrets_of(flow.organisation)
    runner = with_gatekeeper(
        Runner(
            place / "workspace",
            place / "temp",
            artifacts=flow.artifacts,
            repository=flow.organisation.repository,
            matrix={"candidate": "candidate/cnn.yaml", "context": CONTEXT},
            inputs=INPUT,
            secrets=secrets,
        )
    )
    for program in runner.temp.glob("tools/gatekeeper/*/bin/*"):
        program.write_text(program.read_text().replace('PYTHONPATH="', f'PYTHONPATH="{trap}:'))
    job = runner.job(WORKFLOW, "sign")
    assert job.result == "success", job.log
    told = runner.script("then", "python -c 'import torch'", {})
    assert "torch was imported" in told.log, "the trap does not work"


def test_a_defective_candidate_ends_with_validation(organisation: Organisation, tmp_path: Path) -> None:
    flow = Flow(tmp_path, organisation)
    made = flow.job("validate", candidate="candidate/moved.yaml")
    assert (made.job.result, made.job.code) == ("failure", 1), made.job.log
    assert (flow.artifacts / "gatekeeper-validated-0" / "dossier.pdf").exists()
    # Even if somebody started the next jobs by hand, nothing would be released.
    assert flow.job("sign").job.code == 1


@pytest.mark.parametrize("name", ["verdict.json", "evidence/cases.parquet", "candidate.json"])
def test_a_run_that_was_changed_between_two_jobs_is_not_signed(flow: Flow, name: str) -> None:
    file = flow.artifacts / "gatekeeper-validated-0" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    made = flow.job("sign")
    assert made.job.code == 3, made.job.log
    assert not list(made.runner.temp.glob("temp/signed/*"))


def test_nothing_is_signed_without_secrets(flow: Flow) -> None:
    made = flow.job("sign", secrets={})
    assert made.job.code == 2
    assert "forks get no secrets" in made.job.log


def test_a_caller_that_gives_no_identity_is_told_which_permissions_to_give(flow: Flow) -> None:
    shutil.copytree(flow.artifacts / "gatekeeper-signed-0", flow.artifacts / "gatekeeper-approved-0")
    made = flow.job("release", variables={"ACTIONS_ID_TOKEN_REQUEST_URL": ""})
    assert made.job.code == 2
    assert "id-token: write" in made.job.log


def test_a_reviewer_s_click_without_qa_s_signature_releases_nothing(flow: Flow) -> None:
    made = flow.job("approve", secrets={})
    assert made.job.code == 2
    assert "QA cannot sign" in made.job.log
    # Somebody hands the signed run on as if it had been approved.
    shutil.copytree(flow.artifacts / "gatekeeper-signed-0", flow.artifacts / "gatekeeper-approved-0")
    released = flow.job("release")
    assert released.job.code == 3
    assert "not signed by the qa" in released.job.log
    assert not released.runner.attested


def test_qa_signs_on_a_machine_of_their_own(flow: Flow, tmp_path: Path) -> None:
    run = flow.artifacts / "gatekeeper-signed-0"
    repository = Path(shutil.copytree(flow.organisation.repository, tmp_path / "with-countersignature"))
    id_ = json.loads((run / "verdict.json").read_text())["run"]["id"]
    theirs = Path(shutil.copytree(run, repository / "countersigned" / id_))
    inputs = {**INPUT, "countersigned": "countersigned"}
    early = flow.job("approve", repository=repository, inputs=inputs, secrets={})
    assert early.job.code == 3  # it lies there, and QA has not signed it
    countersign(theirs, "qa", flow.organisation.home)
    shutil.rmtree(flow.artifacts / "gatekeeper-approved-0", ignore_errors=True)
    made = flow.job("approve", repository=repository, inputs=inputs, secrets={})
    assert made.job.result == "success", made.job.log
    assert flow.job("release").job.result == "success"


def test_a_countersignature_of_another_run_is_not_taken(flow: Flow, tmp_path: Path) -> None:
    run = flow.artifacts / "gatekeeper-signed-0"
    repository = Path(shutil.copytree(flow.organisation.repository, tmp_path / "with-countersignature"))
    id_ = json.loads((run / "verdict.json").read_text())["run"]["id"]
    theirs = repository / "countersigned" / id_
    theirs.mkdir(parents=True)
    shutil.copy(REPOSITORY / "reports" / "example" / "dossier.pdf", theirs)
    made = flow.job("approve", repository=repository, inputs={**INPUT, "countersigned": "countersigned"}, secrets={})
    assert made.job.code == 3
    assert "not the dossier of this run" in made.job.log


def test_each_job_has_the_permissions_it_needs_and_no_more() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / WORKFLOW).read_text())
    assert workflow["permissions"] == {}
    granted = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    release = granted.pop("release")
    assert release == {"contents": "read", "id-token": "write", "attestations": "write"}
    assert set(map(str, granted.values())) == {"{'contents': 'read'}"}
    with_secrets = {name for name, job in workflow["jobs"].items() if "secrets." in json.dumps(job)}
    assert with_secrets == {"sign", "approve"}
    assert "GATEKEEPER_QA_KEY" not in json.dumps(workflow["jobs"]["sign"])
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    assert "pull_request" in workflow["jobs"]["sign"]["if"]
