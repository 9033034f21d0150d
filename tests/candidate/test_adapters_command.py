"""Commands: real scripts that read real files. What they write is hostile."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_candidates import CALLED, answers, batch, contract
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from gatekeeper.candidate.adapters import Batch, CaseFacts, declined, fault_of, load
from gatekeeper.candidate.adapters.command_answers import read_answers
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import UsageError

LOGITS = {"kind": "softmax", "classes": ["benign", "malignant"], "positive": "malignant"}
MASK = {"kind": "mask", "structures": {"brain": 1, "lesion": 2}}
BOXES = {"kind": "boxes"}
PROBABILITY = {**CALLED, "kind": "probability", "refuses": {"status": 3}}
VOLUME = {"dimensions": 3, "orientation": "RAS"}


def script(folder: Path, body: str) -> None:
    """Write ``run.py``: it knows ``inputs``, ``outputs`` and ``names`` (case-0001..)."""
    (folder / "run.py").write_text(
        "import json, os, pathlib, sys\n"
        "inputs, outputs = map(pathlib.Path, sys.argv[1:3])\n"
        "names = sorted(path.stem for path in inputs.glob('*.json'))\n"
        "def say(name, **answer): (outputs / f'{name}.json').write_text(json.dumps(answer))\n" + body
    )


def command(**keys: Any) -> Contract:
    words = [sys.executable, "run.py", "{input}", "{output}"]
    return contract("command", command=words, artefact="run.py", **{"output": PROBABILITY, **keys})


def ran(folder: Path, body: str, of: Batch, **keys: Any) -> dict[str, NDArray[np.generic]]:
    script(folder, body)
    return answers(load(command(**keys), folder, "cpu", 1), of)


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary folders be made where the worker may write, and hold that nothing is left there."""
    folder = tmp_path / "write"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


# What a command is given


def test_an_array_and_its_facts(tmp_path: Path, private: Path) -> None:
    body = (
        "import numpy\n"
        "for name in names:\n"
        "    image = numpy.load(inputs / f'{name}.npy')\n"
        "    facts = json.loads((inputs / f'{name}.json').read_text())\n"
        "    assert facts['spacing_mm'] == [2.0, 2.0] and facts['modality'] == 'MR', facts\n"
        "    assert image.shape == (1, 64, 64), image.shape\n"
        "    say(name, probability=float(image.mean()))\n"
    )
    of = batch(3)
    outputs = ran(tmp_path, body, of)
    assert np.allclose(outputs["probability"], of.images.mean(axis=(1, 2, 3)))
    assert not declined(outputs, command().output.refuses, 3).any()
    assert not list(private.iterdir())


def test_a_shell_script_is_a_command(tmp_path: Path) -> None:
    (tmp_path / "model.sh").write_text(
        '#!/bin/sh\nfor case in "$2"/*.npy; do name=$(basename "$case" .npy)\n'
        'echo \'{"probability": 0.25}\' > "$3/$name.json"; done\n'
    )
    (tmp_path / "model.sh").chmod(0o555)
    words = ["./model.sh", "-x", "{input}", "{output}"]
    model = load(contract("command", command=words, files=["model.sh"], output=PROBABILITY), tmp_path, "cpu", 1)
    assert answers(model, batch(2))["probability"].tolist() == [0.25, 0.25]


def test_a_nifti_lies_where_the_image_lies(tmp_path: Path) -> None:
    body = (
        "import nibabel, numpy\n"
        "for name in names:\n"
        "    image = nibabel.load(inputs / f'{name}.nii.gz')\n"
        "    assert nibabel.aff2axcodes(image.affine) == ('R', 'A', 'S'), image.affine\n"
        "    mask = (image.get_fdata() > 0.5).astype(numpy.uint8)\n"
        "    nibabel.Nifti1Image(mask, image.affine).to_filename(outputs / f'{name}.nii.gz')\n"
    )
    of = batch(2, (1, 5, 6, 7))
    keys = {"output": MASK, "input": {**VOLUME, "gives": "nifti"}}
    assert np.array_equal(ran(tmp_path, body, of, **keys)["mask"], of.images[:, 0] > 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int64"])
def test_an_image_of_two_axes_and_three_channels_goes_and_comes(tmp_path: Path, dtype: str) -> None:
    body = (
        "import nibabel, numpy\n"
        "for name in names:\n"
        "    image = nibabel.load(inputs / f'{name}.nii.gz')\n"
        "    voxels = numpy.asanyarray(image.dataobj)\n"
        "    assert voxels.shape == (1, 5, 6, 3), voxels.shape\n"
        "    mask = (voxels[..., 1] > 0.5).astype(numpy.uint8)\n"
        "    nibabel.Nifti1Image(mask, image.affine).to_filename(outputs / f'{name}.nii.gz')\n"
    )
    of = batch(1, (3, 5, 6), dtype)
    keys = {"output": MASK, "input": {"dimensions": 2, "channels": 3, "gives": "nifti", "dtype": dtype}}
    assert np.array_equal(ran(tmp_path, body, of, **keys)["mask"], of.images[:, 1] > 0.5)


def test_original_files_have_no_names(tmp_path: Path) -> None:
    body = (
        "for name in names:\n"
        "    listed = sorted((inputs / name).iterdir())\n"
        "    assert [path.name for path in listed] == ['0001.dcm', '0002.nii.gz', '0003'], listed\n"
        "    say(name, probability=int(listed[2].read_bytes()) / 10)\n"
    )
    files = {"DOE^JANE/1.DCM": b"", "b.nii.gz": b"", "c.jane": b"4"}
    of = Batch(batch(1).images, (CaseFacts((1.0, 1.0), None, "CT", files),))
    keys = {"input": {"size": [64, 64], "gives": "original"}}
    assert ran(tmp_path, body, of, **keys)["probability"].tolist() == [0.4]


# What a command answers


def test_classes_come_in_the_order_of_the_contract(tmp_path: Path) -> None:
    body = "for name in names: say(name, probabilities={'malignant': 0.75, 'benign': 0.25})"
    assert ran(tmp_path, body, batch(2), output=LOGITS)["probabilities"].tolist() == [[0.25, 0.75]] * 2


def test_boxes_and_none_and_no_answer_are_three_things(tmp_path: Path) -> None:
    body = (
        "box = {'low': [1, 2], 'high': [3, 4], 'score': 0.5}\n"
        "say(names[0], boxes=[box, box]); say(names[1], boxes=[])\n"
        "say(names[2], boxes=[{**box, 'low': [1, 2, 3]}])\n"
    )
    outputs = ran(tmp_path, body, batch(4), output=BOXES)
    assert outputs["boxes"][0, 0].tolist() == [[1, 2], [3, 4]]
    assert np.isfinite(outputs["scores"]).sum(axis=1).tolist() == [2, 0, 0, 0]


def test_a_case_can_be_refused_alone_or_all_by_the_status(tmp_path: Path) -> None:
    body = "say(names[0], refused=True); say(names[1], probability=0.5)"
    outputs = ran(tmp_path, body, batch(2))
    assert declined(outputs, command().output.refuses, 2).tolist() == [True, False]
    for status, fault in ((3, "refused"), (1, "crashed"), (-9, "crashed")):
        end = f"sys.exit({status})" if status > 0 else f"os.kill(os.getpid(), {-status})"
        with pytest.raises(Exception) as caught:  # noqa: PT011
            ran(tmp_path, end, batch(2))
        assert fault_of(caught.value, command().output.refuses) == fault


def test_a_batch_that_ended_badly_leaves_nothing(tmp_path: Path, private: Path) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        ran(tmp_path, "sys.exit(9)", batch(2))
    assert type(caught.value).__name__ == "CommandFailed"
    assert not list(private.iterdir())


def test_a_mask_with_other_axes_is_turned_back(tmp_path: Path) -> None:
    folder, of = tmp_path / "out", batch(1, (1, 4, 5, 6))
    folder.mkdir()
    voxels = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(of.cases[0].affine)
    image = nibabel.Nifti1Image(voxels, affine)
    for codes in ("RAS", "LPI", "SAR", "PIR"):
        ways = ornt_transform(io_orientation(affine), axcodes2ornt(codes))
        image.as_reoriented(ways).to_filename(folder / "case-0001.nii.gz")
        found = read_answers(folder, of, command(output=MASK, input=VOLUME))["mask"]
        assert np.array_equal(found[0], voxels), codes


@pytest.mark.parametrize("moved", [np.diag([2.0, 2.0, 2.5, 1.0]), np.eye(4), np.diag([2.0, 2.0, -2.0, 1.0])])
def test_a_mask_of_another_grid_is_no_answer(tmp_path: Path, moved: NDArray[np.float64]) -> None:
    image = nibabel.Nifti1Image(np.ones((4, 5, 6), dtype=np.uint8), moved)
    image.to_filename(tmp_path / "case-0001.nii.gz")
    mask = read_answers(tmp_path, batch(1, (1, 4, 5, 6)), command(output=MASK, input=VOLUME))["mask"]
    assert np.isnan(mask).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"probability": NaN}',
        '{"probability": Infinity}',
        '{"probability": "0.5"}',
        '{"probability": true}',
        '{"probability": 0.5, "probability": 0.6}',
        '{"probability": 0.5, "more": 1}',
        '{"refused": 1}',
        "[" * 100_000,
        '{"probability": 0.5}' + " " * (5 << 20),
        '{"probability": 0.5} {}',
        "\x00\xff",
    ],
)
def test_json_that_is_not_strict_is_no_answer(tmp_path: Path, text: str) -> None:
    (tmp_path / "case-0001.json").write_text(text)
    outputs = read_answers(tmp_path, batch(1), command())
    assert np.isnan(outputs["probability"]).all()
    assert not declined(outputs, command().output.refuses, 1).any()


def mask_or_nan(folder: Path) -> bool:
    """Whether the only case of a batch came back as a mask; if not, it must be NaN throughout."""
    mask = read_answers(folder, batch(1, (1, 4, 5)), command(output=MASK, input={"dimensions": 2}))["mask"]
    assert mask.shape[0] == 1
    return not (mask.dtype.kind == "f" and np.isnan(mask).all())


def npy(folder: Path, array: NDArray[Any], **keys: Any) -> Path:
    np.save(folder / "case-0001.npy", array, **keys)
    return folder / "case-0001.npy"


def test_masks_of_many_dtypes_orders_and_channels_are_read(tmp_path: Path) -> None:
    for dtype in ("u1", ">i2", "<u2", "f2", "f4", "f8", "i8", "?"):
        npy(tmp_path, np.asfortranarray(np.ones((4, 5), dtype=dtype)))
        assert mask_or_nan(tmp_path), dtype
    npy(tmp_path, np.ones((3, 4, 5), dtype=np.float32))
    assert mask_or_nan(tmp_path)


def test_hostile_masks_are_no_answer(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {canary}",)

    folder = tmp_path / "out"
    folder.mkdir()
    for array in (np.array([Evil()] * 20).reshape(4, 5), np.ones((4, 6)), np.ones(20), np.ones((2, 2, 4, 5))):
        npy(folder, array, allow_pickle=True)
        assert not mask_or_nan(folder)
    npy(folder, np.array([["a" * 5] * 5] * 4))
    assert not mask_or_nan(folder)
    npy(folder, np.ones((4, 5), dtype=np.complex64))
    assert not mask_or_nan(folder)
    # A header that promises more than there is, and one that ends early.
    path = npy(folder, np.ones((4, 5)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(4, 5)", b"(4000000000, 5)"))
    assert not mask_or_nan(folder)
    path.write_bytes(data[:-8])
    assert not mask_or_nan(folder)
    assert not canary.exists()


def test_links_pipes_and_folders_are_no_answer(tmp_path: Path) -> None:
    secret = tmp_path / "secret.npy"
    np.save(secret, np.ones((4, 5)))
    folder = tmp_path / "out"
    folder.mkdir()
    answer = folder / "case-0001.npy"
    answer.symlink_to(secret)
    assert not mask_or_nan(folder)
    answer.unlink()
    os.mkfifo(answer)
    assert not mask_or_nan(folder)
    answer.unlink()
    answer.mkdir()
    assert not mask_or_nan(folder)
    (tmp_path / "linked").symlink_to(tmp_path)
    np.save(tmp_path / "case-0001.npy", np.ones((4, 5)))
    assert not mask_or_nan(tmp_path / "linked")
    assert mask_or_nan(tmp_path)


def test_a_compressed_bomb_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "case-0001.nii.gz").write_bytes(gzip.compress(bytes(50 << 20)))
    assert not mask_or_nan(tmp_path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 400), change=st.integers(1, 255), cut=st.integers(0, 100))
def test_flipped_and_cut_bytes_never_raise(tmp_path: Path, position: int, change: int, cut: int) -> None:
    image = nibabel.Nifti1Image(np.ones((1, 4, 5), dtype=np.uint8), np.diag([1.0, 2.0, 2.0, 1.0]))
    data = bytearray(image.to_bytes())
    data[position % len(data)] ^= change
    (tmp_path / "case-0001.nii.gz").write_bytes(gzip.compress(bytes(data[: len(data) - cut])))
    with np.errstate(all="ignore"):
        mask_or_nan(tmp_path)


def test_one_broken_mask_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    for name, shape in (("case-0001", (4, 5)), ("case-0003", (2, 4, 5)), ("case-0004", (4, 5))):
        np.save(tmp_path / f"{name}.npy", np.ones(shape, dtype=np.uint16))
    mask = read_answers(tmp_path, batch(4, (1, 4, 5)), command(output=MASK, input={"dimensions": 2}))["mask"]
    assert mask.shape == (4, 4, 5)
    assert [bool(np.isnan(one).all()) for one in mask] == [False, True, True, False]


# What a command is


def test_a_command_must_be_told_where_to_read_and_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="output"):
        load(contract("command", command=["x", "{input}"], output=PROBABILITY), tmp_path, "cpu", 1)


@pytest.mark.parametrize("word", ["no-such", "/usr/bin/no-such", "folder"])
def test_a_command_that_is_not_there_is_told_before_any_case(tmp_path: Path, word: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be run here"):
        load(contract("command", command=[word, "{input}", "{output}"], output=PROBABILITY), tmp_path, "cpu", 1)
