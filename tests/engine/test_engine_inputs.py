"""What a candidate can ask to be given, and be computed in, through the whole gate. Oracle: the pictures drawn here."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch
from gated import checked, column, refused
from made_up_bench import Bench
from made_up_formats import FORMATS, as_onnx, as_safetensors, write_onnx, write_yaml
from numpy.typing import NDArray
from test_engine_faults import BASELINE_ALONE
from torch import nn

from gatekeeper.errors import Code, ExitCode
from gatekeeper.evidence import VerdictWord

OUTPUT = "output: {kind: logit, classes: [blue, red], positive: red}\noperating_point: 0.5\n"
MEAN, STD = (100.0, 50.0, 80.0), (10.0, 20.0, 40.0)
POLICY = BASELINE_ALONE.replace("positive: large", "positive: red").replace("unit: disc", "unit: picture")
POLICY = POLICY.replace("modality: CT", "modality: OP").replace("body_part: CHEST", "body_part: EYE")


def picture(number: int) -> NDArray[np.uint8]:
    """Draw a picture that is red where the number is odd, and blue where it is even; no two are alike."""
    pixels = np.full((16, 16, 3), 60, dtype=np.uint8)
    pixels[:, :, 0 if number % 2 else 2] = 120 + number
    pixels[0, number] = 0
    return pixels


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    """Coloured PNG files, each of a patient of its own."""
    from PIL import Image

    from gatekeeper.locking import lock_testset

    bench = Bench(tmp_path_factory.mktemp("pictures"), home)
    (bench.folder / "images").mkdir()
    for number in range(16):
        Image.fromarray(picture(number)).save(bench.folder / "images" / f"{number:02}.png")
    rows = [(f"p-{n:02}", f"PATIENT-{n:02}", f"images/{n:02}.png", n % 2) for n in range(16)]
    with bench.table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("case_id", "patient_id", "image", "label"), *rows])
    lock_testset(bench.table, bench.lock, home)
    return bench


class Redness(nn.Module):
    """How much redder than blue a picture is on average, of whatever type it is."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        means = images.float().mean(dim=(2, 3))
        return (means[:, 0] - means[:, 2])[:, None] / 10.0


def export(path: Path, dtype: torch.dtype) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"images": {0: "n"}, "answers": {0: "n"}}
        names = {"input_names": ["images"], "output_names": ["answers"], "dynamic_axes": axes}
        torch.onnx.export(Redness(), (torch.zeros((2, 3, 16, 16), dtype=dtype),), str(path), dynamo=False, **names)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int16", "float64"])
def test_colour_comes_channels_first_and_standardised_or_as_it_is(pictures: Bench, tmp_path: Path, dtype: str) -> None:
    export(tmp_path / "network.onnx", getattr(torch, dtype))
    plain = dtype != "float32"
    intensity = "" if plain else f", intensity: {{mean: {list(MEAN)}, std: {list(STD)}}}"
    given = f"input: {{size: [16, 16], channels: 3, dtype: {dtype}{intensity}}}\n"
    result = checked(pictures, POLICY, write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", given, OUTPUT))
    mean, std = (np.zeros(3), np.ones(3)) if plain else (np.array(MEAN), np.array(STD))
    red, _, blue = (((np.stack([picture(n) for n in range(16)]) - mean) / std).mean(axis=(1, 2))).T
    expected = 1.0 / (1.0 + np.exp(-(red - blue) / 10.0))
    scores = column(result.folder, "score")
    assert [scores[f"p-{n:02}"] for n in range(16)] == pytest.approx(expected.tolist(), abs=1e-5)


_READER = {
    "array": "np.load(case.with_suffix('.npy'))",
    "nifti": "np.moveaxis(nibabel.load(case.with_suffix('.nii.gz')).get_fdata()[0], -1, 0)",
    "original": "np.moveaxis(np.asarray(Image.open(case / '0001.png')), -1, 0)",
}
_PROGRAM = """
    import json
    import sys
    from pathlib import Path

    import nibabel
    import numpy as np
    from PIL import Image

    for facts in sorted(Path(sys.argv[1]).glob("*.json")):
        case = facts.with_suffix("")
        red, _, blue = {read}.mean(axis=(1, 2))
        (Path(sys.argv[2]) / facts.name).write_text(json.dumps({{"probability": float(red > blue)}}))
"""


@pytest.mark.parametrize("gives", [*_READER])
def test_a_command_is_given_arrays_nifti_or_the_files_themselves(pictures: Bench, tmp_path: Path, gives: str) -> None:
    (tmp_path / "answer.py").write_text(dedent(_PROGRAM.format(read=_READER[gives])))
    lines = f'artefact: answer.py\ncommand: [{sys.executable}, answer.py, "{{input}}", "{{output}}"]\n'
    given = f"input: {{size: [16, 16], channels: 3, gives: {gives}}}\n"
    candidate = write_yaml(tmp_path, "command", lines, given, OUTPUT.replace("logit", "probability"))
    scores = column(checked(pictures, POLICY, candidate).folder, "score")
    assert scores == {f"p-{number:02}": float(number % 2) for number in range(16)}


class Three(nn.Module):
    """Probabilities that a picture is green, red, blue."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3))[:, [1, 0, 2]].mul(0.1).softmax(dim=1)


def test_of_several_classes_one_can_be_looked_for(pictures: Bench, tmp_path: Path) -> None:
    write_onnx(Three(), tmp_path / "network.onnx", channels=3, size=16)
    output = "output: {kind: softmax, classes: [green, red, blue], positive: red}\noperating_point: 0.5\n"
    given = "input: {size: [16, 16], channels: 3}\n"
    result = checked(pictures, POLICY, write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", given, output))
    assert result.verdict.verdict is VerdictWord.PASS
    assert {case: score > 0.5 for case, score in column(result.folder, "score").items()} == {
        f"p-{number:02}": bool(number % 2) for number in range(16)
    }


def test_several_classes_without_one_that_is_looked_for_are_refused(pictures: Bench, tmp_path: Path) -> None:
    output = "output: {kind: softmax, classes: [green, red, blue]}\noperating_point: 0.5\n"
    (tmp_path / "network.onnx").write_bytes(b"")
    candidate = write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", "input: {size: [16, 16]}\n", output)
    error = refused(pictures, POLICY, candidate)
    assert (error.exit_code, error.problems[0].code) == (ExitCode.USAGE, Code.MISMATCH)
    assert "several classes" in error.problems[0].what


MANY = POLICY.replace("task: classification", "task: multiclass_classification")
MANY = MANY.replace("  positive: red\n", "  classes: [green, red, blue]\n")
MANY = MANY.replace("sensitivity", "multiclass_accuracy")


def test_a_policy_of_several_classes_finds_no_test_set_that_is_locked_for_it(pictures: Bench, tmp_path: Path) -> None:
    """Labels of a lock are 0 or 1: said before anything is run."""
    output = "output: {kind: softmax, classes: [green, red, blue]}\noperating_point: 0.5\n"
    (tmp_path / "network.onnx").write_bytes(b"")
    candidate = write_yaml(tmp_path, "onnx", "artefact: network.onnx\n", "input: {size: [16, 16]}\n", output)
    (problem,) = refused(pictures, MANY, candidate).problems
    assert problem.code is Code.MISMATCH
    assert "multiclass_classification" in problem.what
    assert problem.why == "references of this kind cannot be locked by this version"


# Device and numeric format


def test_bf16_is_computed_where_it_is_declared(pristine_bench: Bench, tmp_path: Path) -> None:
    candidate = as_safetensors(tmp_path)
    candidate.write_text(candidate.read_text() + "numeric_formats: [fp32, bf16]\n")
    plain = column(checked(pristine_bench, BASELINE_ALONE, candidate).folder, "score")
    short = column(checked(pristine_bench, BASELINE_ALONE, candidate, "engine.numeric_format=bf16").folder, "score")
    assert short == pytest.approx(plain, abs=0.05)
    assert short != plain


@pytest.mark.parametrize(
    ("form", "declared", "override", "told"),
    [
        ("onnx", "fp32", "engine.device=cuda", "no CUDA device"),
        ("safetensors", "fp32", "engine.numeric_format=bf16", "does not declare the numeric format bf16"),
        ("safetensors", "fp32, fp16", "engine.numeric_format=fp16", "fp16 needs a CUDA device"),
        ("safetensors", "fp32, tf32", "engine.numeric_format=tf32", "tf32 needs a CUDA device"),
        ("onnx", "fp32, bf16", "engine.numeric_format=bf16", "its file decides"),
    ],
)
def test_what_cannot_be_computed_here_is_said_before_any_case(
    pristine_bench: Bench, tmp_path: Path, form: str, declared: str, override: str, told: str
) -> None:
    if "cuda" in override and torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    candidate = FORMATS[form](tmp_path)
    candidate.write_text(candidate.read_text() + f"numeric_formats: [{declared}]\n")
    error = refused(pristine_bench, BASELINE_ALONE, candidate, override)
    assert (error.exit_code, error.problems[0].code) == (ExitCode.USAGE, Code.MISMATCH)
    assert told in error.problems[0].what


def test_a_positive_class_of_another_name_is_pointed_at(pristine_bench: Bench, tmp_path: Path) -> None:
    from gated import request_for

    from gatekeeper.gate import check

    candidate = as_onnx(tmp_path)
    candidate.write_text(candidate.read_text().replace("positive: large", "positive: small"))
    told: list[str] = []
    check(request_for(pristine_bench, BASELINE_ALONE, candidate), tell=told.append)
    assert told == ['The candidate looks for "small", the policy is on "large": see that both are the same.']
