"""What a person gets wrong at first: one clear message, exit code 2, and nothing that looks like a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gated import refused, request_for
from made_up_bench import POLICY, Bench, disc, write_dicom
from made_up_formats import (
    PROBABILITY,
    as_command,
    as_monai_bundle,
    as_onnx,
    as_python,
    as_safetensors,
    as_torchscript,
    write_yaml,
)
from made_up_volumes import POLICY as OF_BALLS
from made_up_volumes import SHAPES, affine, ball, make_volumes, write_nifti
from test_engine_faults import BASELINE_ALONE

from gatekeeper.errors import Code, ExitCode, GatekeeperError, UsageError
from gatekeeper.gate import check
from gatekeeper.locking import lock_testset

Write = Callable[[Path], Path]
SIZE = "size: [64, 64], spacing_mm: [0.75, 0.75]"
KIND = "kind: logit, classes: [small, large], positive: large"
WINDOW = ", intensity: {zero_at: 0, one_at: 255}"


def edited(write: Write, old: str, new: str) -> Write:
    """Return a writer whose YAML says ``new`` where it said ``old``."""

    def made(folder: Path) -> Path:
        path = write(folder)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return made


def spoilt(write: Write, name: str, content: bytes | None = None) -> Write:
    """Return a writer one file (or folder) of which is gone, or holds something else."""

    def made(folder: Path) -> Path:
        path = write(folder)
        if content is not None:
            (folder / name).write_bytes(content)
        elif (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink()
        return path

    return made


# What is wrong with the candidate: how it is written, what is told of it, of which code.
CANDIDATES: dict[str, tuple[Write, str, Code]] = {
    "no file": (lambda folder: folder / "none.yaml", "no such file", Code.FILE_NOT_FOUND),
    "a folder": (lambda folder: folder, "cannot be read", Code.FILE_NOT_FOUND),
    "key misspelt": (edited(as_safetensors, "artefact", "artifact"), 'unknown key "artifact"', Code.UNKNOWN_KEY),
    "format unknown": (edited(as_onnx, "format: onnx", "format: onx"), "format:", Code.BAD_VALUE),
    "artefact missing": (spoilt(as_onnx, "network.onnx"), "is not there", Code.FILE_NOT_FOUND),
    "further file missing": (spoilt(as_command, "answer.py"), "is not there", Code.FILE_NOT_FOUND),
    "artefact outside": (edited(as_onnx, "network.onnx", "../network.onnx"), "outside", Code.FORBIDDEN),
    "artefact a folder": (
        edited(as_python, "format: python\nplugin: made_up_plugin", "format: onnx"),
        "the artefact is a folder",
        Code.MISMATCH,
    ),
    "bundle a file": (
        edited(as_onnx, "format: onnx", "format: monai_bundle\nproducer: trusted"),
        "the artefact is a file",
        Code.MISMATCH,
    ),
    "no trust": (edited(as_torchscript, "producer: trusted\n", ""), "it needs producer: trusted", Code.BAD_VALUE),
    "architecture misspelt": (edited(as_safetensors, "nodule_cnn", "nodul_cnn"), "nodul_cnn", Code.UNKNOWN_NAME),
    "argument misspelt": (
        edited(as_safetensors, "nodule_cnn}", "nodule_cnn, arguments: {widht: 8}}"),
        'no argument "widht"',
        Code.UNKNOWN_KEY,
    ),
    "other weights": (
        edited(as_safetensors, "nodule_cnn}", "nodule_cnn, arguments: {width: 4}}"),
        "does not fit the architecture",
        Code.MISMATCH,
    ),
    "no weights": (spoilt(as_safetensors, "weights.safetensors", b"junk" * 99), "does not fit", Code.MISMATCH),
    "no graph": (spoilt(as_onnx, "network.onnx", b"junk" * 99), "cannot be loaded as onnx", Code.MISMATCH),
    "no bundle": (spoilt(as_monai_bundle, "bundle/models"), "no network with weights", Code.MISMATCH),
    "plug-in misspelt": (
        edited(as_python, "plugin: made_up_p", "plugin: made_p"),
        "unknown plug-in",
        Code.UNKNOWN_NAME,
    ),
    "plug-in needs a package": (
        spoilt(as_python, "package/made_up_plugin.py", b"import no_such_package\n"),
        "cannot be imported",
        Code.MISMATCH,
    ),
    "plug-in fails at once": (
        spoilt(as_python, "package/made_up_plugin.py", b"def load(folder, device):\n    raise ValueError('Jane')\n"),
        "cannot be loaded as python",
        Code.MISMATCH,
    ),
    "command not told": (edited(as_command, ', "{output}"', ""), "is not told where {output} is", Code.MISMATCH),
    "command not there": (edited(as_command, "command: [run.sh", "command: [run"), "cannot be run here", Code.MISMATCH),
    "positive unknown": (edited(as_onnx, "positive: large", "positive: huge"), "names none of", Code.BAD_VALUE),
    "no operating point": (edited(as_onnx, "operating_point: 0.5\n", ""), "needs an operating_point", Code.BAD_VALUE),
    "operating point 50": (
        edited(as_onnx, "operating_point: 0.5", "operating_point: 50"),
        "less than 1",
        Code.BAD_VALUE,
    ),
    "other kind": (
        edited(as_onnx, KIND, "kind: mask_logit, structures: {ball: 0}"),
        "the policy is of classification",
        Code.MISMATCH,
    ),
    "other size": (edited(as_safetensors, "[64, 64]", "[32, 32]"), "the image has 64 x 64 pixels", Code.MISMATCH),
    "graph of another size": (edited(as_onnx, "[64, 64]", "[32, 32]"), "the graph takes (n, 1, 64, 64)", Code.MISMATCH),
    "other spacing": (edited(as_onnx, "[0.75, 0.75]", "[0.7, 0.75]"), "another spacing", Code.MISMATCH),
    "volumes": (edited(as_safetensors, SIZE, "dimensions: 3"), "images of 3 axes", Code.MISMATCH),
    "three channels": (
        edited(as_onnx, SIZE, f"{SIZE}, channels: 3"),
        "contract gives 3 where it takes 1",
        Code.MISMATCH,
    ),
    "whole numbers": (edited(as_onnx, WINDOW, ", dtype: uint8"), "the contract gives uint8", Code.MISMATCH),
    "window of whole numbers": (
        edited(as_safetensors, WINDOW, ", dtype: uint8, intensity: {zero_at: 0, one_at: 100}"),
        "no whole numbers",
        Code.MISMATCH,
    ),
    "output unknown": (edited(as_onnx, KIND, f"{KIND}, name: no such"), "no output of the name", Code.MISMATCH),
}


def told(error: GatekeeperError, words: str, code: Code) -> None:
    problem = error.problems[0]
    assert (error.exit_code, problem.code) == (ExitCode.USAGE, code)
    assert words in problem.what
    assert "Jane" not in str(error)


@pytest.mark.parametrize("mistake", CANDIDATES)
def test_a_mistake_in_the_candidate(pristine_bench: Bench, tmp_path: Path, mistake: str) -> None:
    write, words, code = CANDIDATES[mistake]
    (tmp_path / "candidate").mkdir()
    candidate = write(tmp_path / "candidate")
    if mistake == "a folder":
        candidate = candidate / "within"
        candidate.mkdir()
    told(refused(pristine_bench, BASELINE_ALONE, candidate, needs_mend=code is not Code.BAD_VALUE), words, code)


def test_a_perturbation_of_images_is_none_of_volumes(pristine_bench: Bench, tmp_path: Path) -> None:
    candidate = edited(as_onnx, SIZE, "size: [1, 64, 64]")(tmp_path)
    told(refused(pristine_bench, POLICY, candidate), "a perturbation of images of 2 axes", Code.MISMATCH)


def test_a_benign_change_of_volumes_is_none_of_images(pristine_bench: Bench, tmp_path: Path) -> None:
    benign = BASELINE_ALONE.replace(
        "requirements:",
        """requirements:
  changed:
    metric: max_deviation
    level: R3
    estimate: {at_most: 0.1}
    blocking: false
    basis: {source: made up, status: project_choice}""",
    )
    error = refused(pristine_bench, benign + "repeatability: {benign: {anisotropy: 1.1}}\n", as_onnx(tmp_path))
    told(error, "anisotropy is a perturbation of images of 3 axes, and the candidate takes 2", Code.MISMATCH)
    assert error.problems[0].mend == 'choose a policy without "anisotropy" under repeatability.benign'


def test_a_candidate_that_names_the_lock_or_an_image_is_refused(bench: Bench, tmp_path: Path) -> None:
    for number, path in enumerate([bench.lock, *(bench.folder / "images").glob("disc-003-0.dcm")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        candidate = edited(as_onnx, "artefact:", "files: [given.bin]\nartefact:")
        shutil.copy(path, folder / "given.bin")
        told(refused(bench, BASELINE_ALONE, candidate(folder)), "is one of the test set", Code.FORBIDDEN)


# Predictions

IDS = [f"disc-{number:03}-{repeat}" for number in range(60) for repeat in range(2 if number < 30 else 1)]
GOOD = [f"{case},0.9" for case in IDS]
SEVERAL = PROBABILITY.replace("probability", "softmax")
TABLES: dict[str, tuple[str, list[str], str, str, int | None]] = {
    "unknown case": ("case_id,output", [*GOOD, "nobody,0.5"], PROBABILITY, "not in the test set", 92),
    "a case twice": ("case_id,output", [*GOOD, GOOD[0]], PROBABILITY, '"disc-000-0" stands twice', 92),
    "no number": ("case_id,output", ["disc-000-0,high", *GOOD[1:]], PROBABILITY, "no number", 2),
    "no column": ("case_id,score", GOOD, PROBABILITY, "no column output", 1),
    "no column of a class": ("case_id,output", GOOD, SEVERAL, "no column output.small and no output.large", 1),
    "a column twice": ("case_id,output,output", [f"{row},1" for row in GOOD], PROBABILITY, "the same name", 1),
    "a short row": ("case_id,output", [*GOOD[:-1], IDS[-1]], PROBABILITY, "1 cells where the header has 2", 91),
    "refused: yes": ("case_id,output,refused", [f"{row},yes" for row in GOOD], PROBABILITY, "neither 1 nor 0", 2),
    "no row": ("case_id,output", [], PROBABILITY, "the table has no rows", None),
}


@pytest.mark.parametrize("mistake", TABLES)
def test_a_mistake_in_a_table_of_predictions(pristine_bench: Bench, tmp_path: Path, mistake: str) -> None:
    header, rows, output, words, line = TABLES[mistake]
    (tmp_path / "scores.csv").write_text("\n".join([header, *rows]) + "\n")
    candidate = write_yaml(tmp_path, "predictions", "artefact: scores.csv\n", output=output)
    error = refused(pristine_bench, BASELINE_ALONE, candidate)
    told(error, words, Code.BAD_TABLE if line else Code.NOTHING_TO_JUDGE)
    where = error.problems[0].where
    assert where is not None
    assert (where.path, where.line) == (str(tmp_path / "scores.csv"), line)


def test_findings_that_were_made_elsewhere_are_not_read(pristine_bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("case_id,output\n")
    output = "output: {kind: boxes}\noperating_point: 0.5\n"
    candidate = write_yaml(tmp_path, "predictions", "artefact: found.csv\n", output=output)
    error = refused(pristine_bench, BASELINE_ALONE, candidate, needs_mend=False)
    told(error, "not of boxes", Code.BAD_VALUE)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    return make_volumes(tmp_path_factory.mktemp("volumes"), home, 4)


def as_masks(folder: Path) -> Path:
    for number in range(4):
        write_nifti(folder / "masks" / f"ball-{number:02}.nii.gz", ball(number, SHAPES[number % 2]).astype(np.uint8))
    output = "output: {kind: mask, structures: {ball: 1}}\n"
    return write_yaml(folder, "predictions", "artefact: masks\n", "input: {dimensions: 3}\n", output)


def with_mask(name: str, number: int, **place: float) -> Write:
    def made(folder: Path) -> Path:
        path = as_masks(folder)
        mask = ball(number, SHAPES[number % 2]).astype(np.uint8)
        write_nifti(folder / "masks" / name, mask, affine(**place))
        return path

    return made


def emptied(folder: Path) -> Path:
    path = as_masks(folder)
    for mask in (folder / "masks").iterdir():
        mask.unlink()
    return path


MASKS: dict[str, tuple[Write, str, Code]] = {
    "another grid": (with_mask("ball-00.nii.gz", 0, origin=9.0), "lies on another grid", Code.BAD_IMAGE),
    "another size": (with_mask("ball-00.nii.gz", 1), "another size than the image", Code.BAD_IMAGE),
    "of nobody": (with_mask("nobody.nii.gz", 0), "of no case of the test set", Code.BAD_TABLE),
    "a case twice": (with_mask("ball-00.nii", 0), 'two files are of the case "ball-00"', Code.BAD_TABLE),
    "no image": (spoilt(as_masks, "masks/ball-02.nii.gz", b"junk"), "no reader recognises", Code.BAD_IMAGE),
    "none": (emptied, "holds no mask", Code.NOTHING_TO_JUDGE),
    "a file": (edited(as_masks, "artefact: masks", "artefact: masks/ball-00.nii.gz"), "is a file", Code.MISMATCH),
    "other structure": (edited(as_masks, "ball: 1", "brain: 1"), "does not outline: ball", Code.MISMATCH),
    "of slices": (edited(as_masks, "dimensions: 3", "dimensions: 2"), "images of 2 axes", Code.MISMATCH),
}


@pytest.mark.parametrize("mistake", MASKS)
def test_a_mistake_in_masks_that_were_made_elsewhere(volumes: Bench, tmp_path: Path, mistake: str) -> None:
    write, words, code = MASKS[mistake]
    told(refused(volumes, OF_BALLS, write(tmp_path)), words, code)


def test_images_of_another_modality_are_seen_though_scores_need_none(bench: Bench, tmp_path: Path) -> None:
    write_dicom(bench.folder / "images" / "disc-004-0.dcm", disc(9.0), Modality="MR")
    lock_testset(bench.table, bench.lock, bench.home)
    (tmp_path / "scores.csv").write_text("\n".join(["case_id,output", *GOOD]) + "\n")
    candidate = write_yaml(tmp_path, "predictions", "artefact: scores.csv\n", output=PROBABILITY)
    told(refused(bench, BASELINE_ALONE, candidate), "another modality than CT", Code.MISMATCH)


def test_a_structure_that_no_reference_has_is_pointed_at(volumes: Bench, tmp_path: Path) -> None:
    sentences: list[str] = []
    candidate = edited(as_masks, "ball: 1", "ball: 2")(tmp_path)
    check(request_for(volumes, OF_BALLS, candidate), tell=sentences.append)
    assert sentences[-1] == (
        'No reference mask holds "ball": by output.structures of the candidate, its label there is 2.'
    )


def test_images_that_lie_elsewhere_are_one_error(pristine_bench: Bench, tmp_path: Path) -> None:
    request = replace(request_for(pristine_bench, BASELINE_ALONE, as_onnx(tmp_path)), root=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="the folder of the images is not there"):
        check(request)


def test_a_policy_of_another_task_is_refused(pristine_bench: Bench, volumes: Bench, tmp_path: Path) -> None:
    candidate = as_masks(tmp_path)
    told(refused(volumes, BASELINE_ALONE, candidate), "the policy is of classification", Code.MISMATCH)
    told(refused(pristine_bench, OF_BALLS, candidate), "the policy is of segmentation", Code.MISMATCH)


@pytest.mark.parametrize(
    ("override", "words", "code"),
    [
        ("engine.batchsize=1", 'no key "batchsize"', Code.UNKNOWN_KEY),
        ("engine.batch_size=0", "batch_size", Code.BAD_VALUE),
        ("engine.case_timeout=2 bananas", "cannot read '2 bananas'", Code.BAD_VALUE),
        ("batch_size=1", "cannot place the override", Code.UNKNOWN_KEY),
    ],
)
def test_a_mistake_on_the_command_line(
    pristine_bench: Bench, tmp_path: Path, override: str, words: str, code: Code
) -> None:
    error = refused(pristine_bench, BASELINE_ALONE, as_onnx(tmp_path), override, needs_mend=code is not Code.BAD_VALUE)
    told(error, words, code)


# What is no error, and fails all the same: why is told

UNANSWERED: dict[str, tuple[Write, str]] = {
    "kind": (
        edited(as_onnx, "kind: logit", "kind: probability"),
        "86 invalid output (outside 0 to 1); if it returns log-odds, output.kind has to say so.",
    ),
    "shape": (
        edited(as_onnx, "kind: logit", "kind: softmax"),
        "90 invalid output (another shape); hold output in the candidate's YAML against what it returns.",
    ),
    "name": (edited(as_torchscript, KIND, f"{KIND}, name: no such"), "90 invalid output (no such output); hold output"),
    "status": (
        spoilt(as_command, "run.sh", b"#!/bin/sh\necho made-up words\nexit 3\n"),
        "90 crashed (CommandFailed); ",
    ),
    "no answer": (spoilt(as_command, "run.sh", b"#!/bin/sh\n"), "90 invalid output (no number, or one out of bounds)"),
}


@pytest.mark.parametrize("mistake", UNANSWERED)
def test_a_candidate_without_answers_fails_and_why_is_told(pristine_bench: Bench, tmp_path: Path, mistake: str) -> None:
    write, words = UNANSWERED[mistake]
    sentences: list[str] = []
    result = check(request_for(pristine_bench, BASELINE_ALONE, write(tmp_path)), tell=sentences.append)
    assert result.verdict.verdict == "FAIL"
    assert words in sentences[-1]
    if mistake == "status":
        log = Path(sentences[-1].rpartition(" in ")[2].removesuffix("."))
        assert b"made-up words" in log.read_bytes()
        assert not [
            path for path in result.folder.rglob("*") if path.is_file() and b"made-up words" in path.read_bytes()
        ]


def test_the_same_in_the_command_line(pristine_bench: Bench, tmp_path: Path) -> None:
    """One line says what, one where, one mends; no traceback, exit code 2."""
    import subprocess
    import sys

    candidate = edited(as_onnx, "[0.75, 0.75]", "[0.7, 0.75]")(tmp_path)
    request = request_for(pristine_bench, BASELINE_ALONE, candidate)
    line = [sys.executable, "-m", "gatekeeper", "check", "--policy", request.policy, "--candidate", str(candidate)]
    line += ["--testset", str(request.testset), "--out", str(request.out), "engine.device=cpu"]
    environment = {**os.environ, "GATEKEEPER_HOME": str(request.home)}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    message = done.stderr[done.stderr.index("error[") :]
    assert message.splitlines() == [
        "error[GK112]: the image has another spacing than the candidate takes",
        "  --> images/disc-000-0.dcm (case disc-000-0)",
        "help: set resample: true in the candidate's input, or mend spacing_mm",
    ]
