"""Two heads from installed packages as a test set, and deepbet over them as the plug-in that the gate will call."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
from brain_packages import needs_deepbet, needs_heads
from numpy.typing import NDArray

from gatekeeper.candidate.adapters import Batch, CaseFacts, Setting, load
from gatekeeper.candidate.contract import Contract
from gatekeeper.demo import brain, deepbet_plugin
from gatekeeper.demo.brain import COLUMNS, find_heads, find_macaque, write_heads
from gatekeeper.demo.brain_walk import POLICY, SHIPPED, build_brain_set, write_candidate
from gatekeeper.engine.measuring import Asked, Reference, reference_label
from gatekeeper.engine.outputs import hold
from gatekeeper.engine.preparation import prepare
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import CaseOutcome
from gatekeeper.policy import load_policy
from gatekeeper.strict_yaml import read_yaml
from gatekeeper.testset.readers import read_image
from gatekeeper.testset.readers.mask import read_mask
from gatekeeper.testset.table import read_table
from gatekeeper.validation import validate

# The network of deepbet that finds the head. It is given z-scores where deepbet clips and standardises.
FIRST_NETWORK = {
    "description": "the first of deepbet's two networks",
    "format": "torchscript",
    "artefact": "bbox_model.pt",
    "input": {
        "size": [128, 128, 128],
        "orientation": "RAS",
        "fit": "resize",
        "intensity": {"normalisation": "z_score", "mean": [-0.449 / 0.226], "std": [1 / 0.226]},
    },
    "output": {"kind": "mask_probability", "structures": {"brain": 1}},
    "operating_point": 0.5,
    "producer": "trusted",
}


@dataclass(frozen=True)
class Volume:
    """A case as a plug-in gets it."""

    image: NDArray[np.float32]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heads(tmp_path_factory.mktemp("heads"), find_heads(), find_macaque())


@needs_heads
def test_the_table_is_one_of_segmentation_with_two_patients(table: Path) -> None:
    cases = read_table(table, "segmentation")
    assert [case.case_id for case in cases] == ["colin27", "mni152", "macaque"]
    assert len({case.patient_id for case in cases}) == 3
    assert all(case.mask and case.subject == case.case_id and case.label == 1 for case in cases[:2])
    assert [case.must_refuse for case in cases] == [None, None, "another_species"]
    assert table.read_text().splitlines()[0] == ",".join(COLUMNS)


@needs_heads
def test_images_and_masks_read_back_on_one_grid_with_a_brain_in_it(table: Path) -> None:
    for case in read_table(table, "segmentation")[:2]:
        image = read_image({case.image: (table.parent / case.image).read_bytes()}, case.case_id)
        mask = read_mask({case.mask or "": (table.parent / (case.mask or "")).read_bytes()}, image, case.case_id)
        assert set(np.unique(mask)) == {0, 1}
        assert image.spacing_mm == (1.0, 1.0, 1.0)
        assert 1_500 < mask.sum() / 1_000 < 2_100  # mL


@needs_heads
def test_one_head_has_its_skull_on_and_the_other_one_is_told_to_be_easy(table: Path) -> None:
    shares = {}
    for case in read_table(table, "segmentation")[:2]:
        voxels = np.asarray(nibabel.Nifti1Image.from_filename(table.parent / case.image).dataobj)
        mask = np.asarray(nibabel.Nifti1Image.from_filename(table.parent / (case.mask or "")).dataobj) > 0
        shares[case.attributes["skull"]] = float((voxels[~mask] > 0).mean())
    assert shares["on"] > 0.3
    assert shares["taken off before"] == 0.0


@needs_heads
def test_the_same_bytes_each_time_and_no_path_of_a_maker_in_them(table: Path, tmp_path: Path) -> None:
    again = write_heads(tmp_path, find_heads(), find_macaque())
    for case in read_table(table, "segmentation")[:2]:
        for name in (case.image, case.mask or ""):
            first, second = ((place.parent / name).read_bytes() for place in (table, again))
            assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
            assert b"/home/" not in gzip.decompress(first)[:540]


@needs_heads
@needs_deepbet
def test_the_set_is_locked_for_segmentation_and_screened(tmp_path: Path) -> None:
    built = build_brain_set(tmp_path / "out", tmp_path / "home", lambda stage, done, total: None)
    assert (built.manifest.task, built.manifest.patients, built.manifest.files) == ("segmentation", 2, 5)
    assert built.manifest.allowed == ()
    assert "2 heads" in built.words


def test_missing_heads_are_told_in_one_go_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brain, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as raised:
        find_heads(tmp_path)
    assert [problem.code for problem in raised.value.problems] == [Code.MISSING_PACKAGE] * 2
    told = str(raised.value)
    assert "apt-get install mricron-data" in told
    assert "pip install --no-deps nilearn" in told


def test_a_missing_network_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepbet_plugin, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="not installed: deepbet, pandas, tqdm") as raised:
        deepbet_plugin.load(None, "cpu")
    assert "pip install --no-deps deepbet" in str(raised.value)


@needs_deepbet
def test_a_package_without_its_weights_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepbet_plugin, "WEIGHTS", ("none.pt",))
    with pytest.raises(UsageError, match="without its weights"):
        deepbet_plugin.weights_folder()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_heads(taken, ())


def test_the_shipped_contract_holds_and_outlines_what_the_policy_asks_for() -> None:
    contract = validate(Contract, read_yaml(SHIPPED))
    assert (contract.format, contract.plugin, contract.producer) == ("python", "deepbet", "trusted")
    assert set(load_policy(POLICY).policy.context.structures) == set(contract.output.structures)


@needs_deepbet
def test_the_candidate_is_written_with_the_very_weights_that_are_installed(tmp_path: Path) -> None:
    written = write_candidate(tmp_path)
    contract = validate(Contract, read_yaml(written))
    for name in deepbet_plugin.WEIGHTS:
        copied = written.parent / (contract.artefact or "") / name
        assert copied.read_bytes() == (deepbet_plugin.weights_folder() / name).read_bytes()


@pytest.fixture(scope="module")
def extract() -> deepbet_plugin.Callable[[Volume], NDArray[np.uint8]]:
    return deepbet_plugin.load(None, "cpu")


@needs_heads
@needs_deepbet
def test_the_plug_in_outlines_a_brain_as_it_is_known_to(
    table: Path, extract: deepbet_plugin.Callable[[Volume], NDArray[np.uint8]]
) -> None:
    case = read_table(table, "segmentation")[0]
    image = read_image({case.image: (table.parent / case.image).read_bytes()}, case.case_id).oriented("RAS")
    reference = np.asarray(nibabel.Nifti1Image.from_filename(table.parent / (case.mask or "")).dataobj) > 0
    before = image.pixels.copy()
    mask = extract(Volume(image.pixels[np.newaxis]))
    assert mask.dtype == np.uint8
    assert mask.shape == image.pixels.shape == reference.shape
    assert set(np.unique(mask)) == {0, 1}
    assert np.array_equal(image.pixels, before)
    # 0.936 against BET's outline, by deepbet's own command line as well
    assert 2 * (reference & (mask > 0)).sum() / (reference.sum() + mask.sum()) == pytest.approx(0.936, abs=0.005)


@needs_heads
@needs_deepbet
def test_the_first_network_alone_as_torchscript_outlines_nearly_the_same_brain(table: Path) -> None:
    contract = Contract.model_validate_json(json.dumps(FIRST_NETWORK))
    case = read_table(table, "segmentation")[0]
    image = read_image({case.image: (table.parent / case.image).read_bytes()}, case.case_id)
    reference = read_mask({case.mask or "": (table.parent / (case.mask or "")).read_bytes()}, image, case.case_id)
    prepared = prepare(image, contract.input)
    model = load(contract, deepbet_plugin.weights_folder(), "cpu", 1)
    staged = model.stage(Batch(prepared.array[np.newaxis], (CaseFacts(prepared.spacing_mm, prepared.affine, "MR"),)))
    outputs = model.fetch(model.forward(staged, Setting()))
    right = Reference(1, (reference * reference_label(contract.output, "brain")).astype(np.uint16))
    (answer,) = hold(outputs, contract, [prepared.grid], [right], Asked({"brain": ()}), "brain")
    assert answer.outcome is CaseOutcome.OK
    assert answer.answers["measured.brain.dice"] == pytest.approx(0.936, abs=0.01)
    # Oracle: the definition, on masks that were brought back to the image's own grid.
    mask = answer.mask
    assert mask is not None
    assert mask.shape == reference.shape
    both = 2 * (mask & (reference == 1)).sum() / (mask.sum() + (reference == 1).sum())
    assert answer.answers["measured.brain.dice"] == pytest.approx(float(both))


@needs_deepbet
def test_a_blank_volume_is_declined(extract: deepbet_plugin.Callable[[Volume], NDArray[np.uint8]]) -> None:
    with pytest.raises(ValueError, match="no brain"):
        extract(Volume(np.zeros((1, 64, 64, 64), dtype=np.float32)))
