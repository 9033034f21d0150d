"""Plug-ins found through a real entry point: a small distribution on the import path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_candidates import CALLED, answers, batch, contract

from gatekeeper.candidate.adapters import fault_of, load, plugin_distribution
from gatekeeper.candidate.contract import Contract
from gatekeeper.errors import Code, UsageError

MODULE = '''
"""A made-up plug-in."""
import numpy as np

class Means:
    parameters = 7
    def __init__(self, folder, device):
        self.folder, self.device = folder, device
    def __call__(self, case):
        case.image[...] *= 1  # a plug-in may work in place
        if case.image.max() > 50:
            raise ValueError("of a patient")
        return {"mean": case.image.mean(), "unfit": case.spacing_mm is None, "other": case.image}

def load(folder, device):
    return Means(folder, device)

def single(folder, device):
    return lambda case: (case.image[0] > 0.5).astype(np.uint8)

def boxes(folder, device):
    def call(case):
        m = int(case.image[0, 0, 0] * 4)
        return {"boxes": np.zeros((m, 2, 2)), "scores": np.ones(m)}
    return call

def uneven(folder, device):
    return lambda case: np.zeros(int(case.image[0, 0, 0] * 100) + 1)

def broken(folder, device):
    raise OSError("of a patient")

def empty(folder, device):
    return None
'''
NAMES = ("load", "single", "boxes", "uneven", "broken", "empty")


def installed(folder: Path, name: str, points: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    made = folder / f"{name}-1.2.3.dist-info"
    made.mkdir()
    (made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    lines = [f"{key} = {value}" for key, value in points.items()]
    (made / "entry_points.txt").write_text("\n".join(["[gatekeeper.candidates]", *lines, ""]))


@pytest.fixture(autouse=True)
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a made-up distribution by putting its folder on the import path."""
    folder = tmp_path / "site"
    points = {f"made_up_{name}": f"made_up_plugin:{name}" for name in NAMES}
    installed(folder, "made-up-plugin", points | {"made_up_gone": "made_up_plugin:gone"})
    (folder / "made_up_plugin.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("made_up_plugin", None)


def plugin(name: str, **keys: Any) -> Contract:
    return contract("python", plugin=name, **keys)


def refused(declared: Contract, folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(declared, folder, "cpu", 1)
    return caught.value


def test_a_plugin_is_called_case_by_case_on_images_of_its_own(tmp_path: Path) -> None:
    output = {**CALLED, "name": "mean", "refuses": {"flag": "unfit"}}
    model, of = load(plugin("made_up_load", output=output), tmp_path, "cpu", 1), batch(3)
    outputs = answers(model, of)
    assert list(outputs) == ["mean", "unfit"]
    assert np.allclose(outputs["mean"], of.images.mean(axis=(1, 2, 3)))
    assert outputs["unfit"].tolist() == [False] * 3
    assert model.parameters == 7


def test_a_plugin_gets_the_folder_where_it_has_files(tmp_path: Path) -> None:
    for keys, expected in (({}, None), ({"files": ["a.bin"]}, tmp_path), ({"artefact": "a"}, tmp_path)):
        model: Any = load(plugin("made_up_load", **keys), tmp_path, "cpu", 1)
        assert model._call.folder == expected
        assert model._call.device == "cpu"


def test_a_package_in_the_candidates_own_folder_is_found(
    tmp_path: Path, distribution: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(distribution)])
    assert refused(plugin("made_up_single"), tmp_path).problems[0].code is Code.UNKNOWN_NAME
    declared = plugin("made_up_single", artefact="site", output={"kind": "mask", "structures": {"brain": 1}})
    assert plugin_distribution("made_up_single", distribution) == ("made-up-plugin", "1.2.3")
    assert answers(load(declared, tmp_path, "cpu", 1), batch(2))["output"].shape == (2, 64, 64)


def test_a_single_array_is_called_output(tmp_path: Path) -> None:
    mask = {"kind": "mask", "structures": {"brain": 1}}
    of = batch(2)
    outputs = answers(load(plugin("made_up_single", output=mask), tmp_path, "cpu", 1), of)
    assert np.array_equal(outputs["output"], (of.images[:, 0] > 0.5))


def test_boxes_of_cases_are_put_together(tmp_path: Path) -> None:
    outputs = answers(load(plugin("made_up_boxes", output={"kind": "boxes"}), tmp_path, "cpu", 1), batch(6))
    found = np.isfinite(outputs["scores"]).sum(axis=1)
    assert np.array_equal(found, (batch(6).images[:, 0, 0, 0] * 4).astype(int))
    assert outputs["boxes"].shape == (6, found.max(), 2, 2)


def test_answers_of_other_shapes_are_no_batch_but_stand_alone(tmp_path: Path) -> None:
    model = load(plugin("made_up_uneven"), tmp_path, "cpu", 1)
    with pytest.raises(ValueError, match="shape"):
        answers(model, batch(3))
    assert answers(model, batch(1))["output"].shape[0] == 1


def test_an_exception_is_the_plugins_way_to_refuse(tmp_path: Path) -> None:
    output = {**CALLED, "refuses": {"exceptions": ["ValueError"]}}
    declared = plugin("made_up_load", output=output, input={"size": [64, 64], "dtype": "float32"})
    model = load(declared, tmp_path, "cpu", 1)
    with pytest.raises(ValueError, match="patient") as caught:
        model.forward(model.stage(batch(1, dtype="int16")), _setting())
    assert fault_of(caught.value, declared.output.refuses) == "refused"


def _setting() -> Any:
    from gatekeeper.candidate.adapters import Setting

    return Setting()


def test_its_distribution_is_known_without_importing_it(distribution: Path) -> None:
    assert plugin_distribution("made_up_load", None) == ("made-up-plugin", "1.2.3")
    assert "made_up_plugin" not in sys.modules


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("made_up_laod", Code.UNKNOWN_NAME, 'did you mean "made_up_load"'),
        ("os:system", Code.UNKNOWN_NAME, "gatekeeper.candidates"),
        ("made_up_gone", Code.MISMATCH, "AttributeError"),
        ("made_up_broken", Code.MISMATCH, "OSError"),
        ("made_up_empty", Code.MISMATCH, "TypeError"),
    ],
)
def test_a_plugin_that_cannot_be_had_is_said(tmp_path: Path, name: str, code: Code, words: str) -> None:
    error = refused(plugin(name), tmp_path)
    assert error.problems[0].code is code
    assert words in str(error)
    assert "patient" not in str(error)


def test_two_packages_with_one_name_are_refused(tmp_path: Path, distribution: Path) -> None:
    installed(distribution, "another", {"made_up_load": "os:getcwd"})
    assert refused(plugin("made_up_load"), tmp_path).problems[0].code is Code.DUPLICATE
    with pytest.raises(UsageError, match="2 packages"):
        plugin_distribution("made_up_load", None)


def test_other_numeric_formats_are_not_its_own(tmp_path: Path) -> None:
    from gatekeeper.candidate.adapters import Setting

    model = load(plugin("made_up_load", numeric_formats=["fp32", "bf16"]), tmp_path, "cpu", 1)
    with pytest.raises(UsageError, match="bf16"):
        answers(model, batch(1), Setting("bf16"))
