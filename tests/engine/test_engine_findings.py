"""Detection through the whole gate. Oracle: the squares that were drawn."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from gated import checked, rows_of
from made_up_bench import SPACING_MM, Bench, write_dicom
from made_up_formats import write_package, write_yaml

from gatekeeper.evidence import Outcome

POLICY = """\
defaults: [base/detection]
id: made_up_squares
version: "1.0.0"
title: Squares, made up for tests
context:
  modality: CT
  body_part: CHEST
  task: detection
  unit: image
  positive: square
  intended_use: Tests of the gate. Not for clinical use.
requirements:
  found:
    metric: lesion_detection_rate
    lower_limit: {at_least: 30 %}
    basis: {source: made up, status: project_choice}
  in_vain:
    metric: false_positives_per_case
    upper_limit: {at_most: 3}
    basis: {source: made up, status: project_choice}
  sensitivity:
    metric: sensitivity
    lower_limit: {at_least: 30 %}
    basis: {source: made up, status: project_choice}
order: [found, in_vain, sensitivity, rerun]
"""
INPUT = "input: {size: [64, 64]}\n"
OUTPUT = "output: {kind: boxes}\noperating_point: 0.5\n"
SQUARES = ((10, 20, 8), (40, 30, 12))  # first row, first column, side


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Bench:
    """Images of no, one or two squares, each of a patient of its own."""
    from gatekeeper.locking import lock_testset

    bench = Bench(tmp_path_factory.mktemp("squares"), home)
    rows = []
    for number in range(24):
        pixels = np.zeros((64, 64), dtype=np.uint8)
        there = SQUARES[: number % 3]
        for row, column, side in there:
            pixels[row : row + side, column : column + side] = 200
        write_dicom(bench.folder / "images" / f"{number:02}.dcm", pixels)
        boxes = [{"low": [column, row], "high": [column + side, row + side]} for row, column, side in there]
        if number % 2:  # the same place in millimetres
            boxes = [
                {key: [value * SPACING_MM for value in box[key]] for key in ("low", "high")} | {"unit": "mm"}
                for box in boxes
            ]
        rows.append((f"case-{number:02}", f"PATIENT-{number:02}", f"images/{number:02}.dcm", json.dumps(boxes)))
    with bench.table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("case_id", "patient_id", "image", "boxes"), *rows])
    lock_testset(bench.table, bench.lock, home, task="detection")
    return bench


_PLUGIN = """
    import numpy as np
    from scipy import ndimage


    def load(folder, device):
        return found


    def found(case):
        labels, _ = ndimage.label(case.image[0] > 100)
        corners = [[[part.start for part in at], [part.stop for part in at]] for at in ndimage.find_objects(labels)]
        boxes = np.array([*corners, [[0, 0], [3, 3]]], dtype=float)
        return {"boxes": boxes, "scores": np.array([0.9] * len(corners) + [0.2])}
"""
_PROGRAM = """
    import json
    import sys
    from pathlib import Path

    import numpy as np

    sys.path.insert(0, str(Path(__file__).parent))
    from made_up_finder import found


    class Case:
        pass


    for path in Path(sys.argv[1]).glob("*.npy"):
        case = Case()
        case.image = np.load(path)
        answer = found(case)
        boxes = [
            {"low": low, "high": high, "score": score}
            for (low, high), score in zip(answer["boxes"].tolist(), answer["scores"].tolist())
        ]
        (Path(sys.argv[2]) / f"{path.stem}.json").write_text(json.dumps({"boxes": boxes}))
"""


def as_plugin(folder: Path) -> Path:
    write_package(folder / "package", "made_up_finder", _PLUGIN)
    return write_yaml(folder, "python", "plugin: made_up_finder\nartefact: package\nproducer: trusted\n", INPUT, OUTPUT)


def as_command(folder: Path) -> Path:
    (folder / "made_up_finder.py").write_text(dedent(_PLUGIN))
    (folder / "find.py").write_text(dedent(_PROGRAM))
    lines = (
        "artefact: find.py\nfiles: [made_up_finder.py]\n"
        f'command: [{sys.executable}, find.py, "{{input}}", "{{output}}"]\n'
    )
    return write_yaml(folder, "command", lines, INPUT, OUTPUT)


@pytest.mark.parametrize("write", [as_plugin, as_command])
def test_findings_hit_the_boxes_that_hold_their_centres(
    squares: Bench, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    result = checked(squares, POLICY, write(tmp_path))
    for case, row in rows_of(result.folder).items():
        drawn = int(case[-2:]) % 3
        assert (row["outcome"], row["lesions"]) == ("ok", drawn)
        assert row["finding_score"] == [0.9] * drawn + [0.2], row
        assert sorted(row["finding_lesion"]) == [-1, *range(drawn)]
    found = {finding.id: finding for finding in result.verdict.findings}
    assert (found["found"].estimate, found["found"].n) == (1.0, 24)
    assert found["in_vain"].estimate == 0.0
    assert {found[name].outcome for name in ("found", "in_vain", "sensitivity", "rerun")} == {Outcome.MET}
