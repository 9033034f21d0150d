"""The walk of `gatekeeper demo brain` from heads to a dossier, with made-up heads and a made-up plug-in for speed."""

from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pyarrow.compute as pc
import pytest
from brain_packages import pictured_in

from gatekeeper import gate
from gatekeeper.demo import brain_walk
from gatekeeper.demo.brain import Head
from gatekeeper.demo.brain_walk import POLICY, BrainSet, build_brain_set, check_brain, ran, what_it_means
from gatekeeper.evidence import Outcome, VerdictWord, read_evidence
from gatekeeper.gate import CheckRequest, CheckResult, check
from gatekeeper.trust import load_keys
from gatekeeper.verification import verify

SIZE = 24


def nothing(stage: str, done: int, total: int) -> None:
    """Show no progress."""


def made_up_heads(folder: Path) -> tuple[Head, ...]:
    """Two balls in a shell; what is left of them when the shell is taken off."""
    away = np.sqrt(((np.indices((SIZE,) * 3) - (SIZE - 1) / 2) ** 2).sum(axis=0))
    heads = []
    for number, radius in enumerate((7.0, 8.0), start=1):
        brain = np.where(away <= radius, 200, 0).astype(np.uint8)
        head = np.where((away > 9.5) & (away < 11.0), 90, brain).astype(np.uint8)
        paths = []
        for name, voxels in ((f"head-{number}.nii", head), (f"brain-{number}.nii", brain)):
            nibabel.Nifti1Image(voxels, np.diag([6.0, 6.0, 6.0, 1.0])).to_filename(folder / name)
            paths.append(folder / name)
        heads.append(Head(f"made-up-{number}", f"00{number}", *paths, "on", "made up"))
    return tuple(heads)


def made_up_candidate(folder: Path) -> Path:
    """A plug-in that calls everything brighter than 150 brain, with its metadata in its own folder."""
    own = folder / "package"
    info = own / "made_up_threshold-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-threshold\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gatekeeper.candidates]\nmade_up_threshold = made_up_threshold:load\n")
    (own / "made_up_threshold.py").write_text(
        textwrap.dedent(
            """
            def load(folder, device):
                return lambda case: (case.image[0] > 150).astype("uint8")
            """
        )
    )
    contract = """
    description: Made up, a threshold
    format: python
    plugin: made_up_threshold
    artefact: package
    input: {dimensions: 3, orientation: RAS}
    output: {kind: mask, structures: {brain: 1}}
    producer: trusted
    """
    (folder / "threshold.yaml").write_text(textwrap.dedent(contract))
    return folder / "threshold.yaml"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[BrainSet, CheckResult]:
    folder = tmp_path_factory.mktemp("brain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brain_walk, "find_heads", lambda: made_up_heads(folder))
        patch.setattr(brain_walk, "find_macaque", lambda: None)
        patch.setattr(brain_walk, "require_deepbet", lambda: None)
        built = build_brain_set(folder / "out", folder / "home", nothing)
    candidate = made_up_candidate(folder / "candidate")
    return built, check_brain(candidate, built, folder / "out", folder / "home", nothing)


def request_for(walked: tuple[BrainSet, CheckResult], **changes: object) -> CheckRequest:
    """Ask for the same check once more, with changes."""
    folder = walked[0].table.parents[2]
    candidate = folder / "candidate" / "threshold.yaml"
    request = CheckRequest(POLICY, candidate, walked[0].lock, folder / "again", folder / "home")
    return replace(request, **changes)  # type: ignore[arg-type]


def test_two_heads_that_are_outlined_without_fault_are_not_decided(walked: tuple[BrainSet, CheckResult]) -> None:
    verdict = walked[1].verdict
    found = {finding.id: finding for finding in verdict.findings}
    assert verdict.verdict is VerdictWord.INCONCLUSIVE
    assert found["dice"].estimate == 1.0
    assert found["dice"].outcome is Outcome.NOT_DECIDED
    assert found["rerun"].outcome is Outcome.MET
    assert (found["dice"].n, found["dice"].patients) == (2, 2)
    assert ran(walked[1])


def test_the_dossier_is_written_and_says_what_the_references_are(walked: tuple[BrainSet, CheckResult]) -> None:
    told = pictured_in(walked[1].folder)[1]
    assert "Neither head is a patient" in told
    assert "agreement with other programs, not accuracy" in told


def test_both_heads_are_pictured_in_three_planes_and_nothing_else_of_them_is_left(
    walked: tuple[BrainSet, CheckResult],
) -> None:
    run = walked[1].folder
    different, told = pictured_in(run)
    assert different == 2  # a ball is the same from all sides
    for plane in ("axial", "coronal", "sagittal"):
        assert told.count(f"{plane}; Dice coefficient 1.000") == 2
    assert not list(run.rglob("*.npz"))
    assert {path.name for path in run.iterdir()} >= {"dossier.pdf", "evidence"}
    assert "journal" not in {path.name for path in run.iterdir()}
    checked = verify(run, load_keys(walked[0].table.parents[2] / "home").trust).checked
    assert any(re.search(r"(\d+) of \1 numbers recomputed", sentence) for sentence in checked)


def test_evidence_is_the_same_without_pictures_but_for_times(walked: tuple[BrainSet, CheckResult]) -> None:
    plain = check(request_for(walked, overrides=("policy.dossier.pictures=false",))).folder
    assert pictured_in(plain)[0] == 0
    name = Path("evidence") / "cases.parquet"
    bare, pictured = (read_evidence(folder / name) for folder in (plain, walked[1].folder))
    assert bare.conditions == pictured.conditions
    for condition in ("baseline", "rerun"):
        first, second = (
            table.table.filter(pc.equal(table.table["condition"], condition)) for table in (bare, pictured)
        )
        assert first.equals(second)


def test_a_run_that_is_resumed_has_its_pictures_and_asks_the_candidate_nothing_again(
    walked: tuple[BrainSet, CheckResult], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "judge", interrupted)
        with pytest.raises(KeyboardInterrupt):
            check(request_for(walked, out=tmp_path))
        assert len(list(tmp_path.rglob("mask-*.npz"))) == 2
        patch.undo()
        patch.setattr("gatekeeper.engine.run.Session", interrupted)
        result = check(request_for(walked, out=tmp_path, resume=True))
    assert result.verdict.reproducible == walked[1].verdict.reproducible
    assert pictured_in(result.folder)[0] == 2


def test_masks_that_were_made_elsewhere_are_pictured_as_well(
    walked: tuple[BrainSet, CheckResult], tmp_path: Path
) -> None:
    (tmp_path / "masks").mkdir()
    for case in walked[0].manifest.cases:
        shutil.copy(walked[0].table.parent / "masks" / f"{case.case_id}.nii.gz", tmp_path / "masks")
    contract = """
    description: Made up, the references themselves
    format: predictions
    artefact: masks
    input: {dimensions: 3}
    output: {kind: mask, structures: {brain: 1}}
    """
    (tmp_path / "elsewhere.yaml").write_text(textwrap.dedent(contract))
    run = check(request_for(walked, candidate=tmp_path / "elsewhere.yaml")).folder
    assert pictured_in(run)[0] == 2
    assert not list(run.rglob("*.npz"))


def interrupted(*arguments: object, **named: object) -> None:
    raise KeyboardInterrupt


def test_what_it_means_names_the_numbers_that_are_needed(walked: tuple[BrainSet, CheckResult]) -> None:
    built, result = walked
    told = what_it_means(result, built)
    assert "Two heads decide little. The verdict is INCONCLUSIVE" in told
    assert "Dice coefficient, brain 21 patients" in told
    assert "subjects with repeats" in told
