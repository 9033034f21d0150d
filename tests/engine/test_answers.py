from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from gatekeeper.candidate import Contract
from gatekeeper.engine.answers import probabilities, read_answers
from gatekeeper.errors import Code, InvalidRunError, UsageError
from gatekeeper.evidence import BASELINE, Condition
from gatekeeper.testset import LockedTestSet, Manifest
from gatekeeper.testset.manifest import LockedCase, LockedFile

TIMED = Condition(id="latency", suite="latency", timed_calls=3)


def contract(kind: str) -> Contract:
    return Contract.model_validate(
        {
            "description": "made up",
            "format": "safetensors",
            "architecture": {"name": "nodule_cnn"},
            "artefact": "weights.safetensors",
            "input": {"size": (64, 64), "intensity": {"zero_at": 0.0, "one_at": 255.0}},
            "output": {"kind": kind, "classes": ("small", "large"), "positive": "large"},
            "operating_point": 0.5,
        }
    )


def locked(count: int) -> LockedTestSet:
    cases = tuple(
        LockedCase(
            case_id=f"case-{number}",
            patient="0" * 64,
            files=(LockedFile(role="image", path=f"{number}.dcm", sha256="sha256:" + "0" * 64, size=1),),
            label=number % 2,
            subject=f"case-{number}",
            attributes={},
        )
        for number in range(count)
    )
    return LockedTestSet(Manifest.of("made up", cases), Path("nowhere"), development=True)


def held(values: NDArray[np.generic], kind: str = "logit", cases: int | None = None) -> NDArray[np.float64]:
    return probabilities(values, contract(kind), locked(len(values) if cases is None else cases), "baseline")


@settings(max_examples=100, deadline=None)
@given(logits=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_logit_becomes_the_probability_of_the_logistic_function(logits: list[float]) -> None:
    np.testing.assert_allclose(held(np.array(logits)), expit(logits), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_extreme_logits_neither_overflow_nor_warn(kind: type[np.floating]) -> None:
    found = held(np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0], dtype=kind))
    np.testing.assert_allclose(found, expit([-1000.0, -40.0, 0.0, 40.0, 1000.0]), rtol=1e-14)
    assert (found[0], found[2], found[-1]) == (0.0, 0.5, 1.0)
    assert found.dtype == np.float64


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_probabilities_are_taken_as_they_are(shape: tuple[int, ...]) -> None:
    values = np.array([0.0, 0.3, 1.0], dtype=np.float32)
    np.testing.assert_array_equal(held(values.reshape(shape), "probability"), values.astype(np.float64))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1e-9, 1.0 + 1e-9])
def test_what_is_no_probability_is_refused_and_the_first_such_case_named(bad: float) -> None:
    with pytest.raises(UsageError) as caught:
        held(np.array([0.5, bad, 0.5, bad]), "probability")
    problem = caught.value.problems[0]
    assert problem.code is Code.MISMATCH
    assert "2 of 4 cases, first for case case-1" in problem.what
    assert "probability between 0 and 1" in problem.what
    assert str(problem.where) == "condition baseline"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(UsageError, match="not a number for 1 of 2 cases, first for case case-0"):
        held(np.array([bad, 5.0]))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((3, 2)), "shape 3 x 2"),
        (np.zeros((1, 3)), "shape 1 x 3"),
        (np.zeros((3, 1, 1)), "shape 3 x 1 x 1"),
        (np.zeros(2), "shape 2"),
        (np.zeros(()), "shape of a single number"),
        (np.zeros(3, dtype=np.int64), "shape 3 and type int64"),
        (np.zeros(3, dtype=np.bool_), "shape 3 and type bool"),
        (np.zeros(3, dtype=np.complex128), "shape 3 and type complex128"),
    ],
)
def test_another_shape_or_type_is_refused(values: NDArray[np.generic], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        held(values, cases=3)
    assert said in caught.value.problems[0].what
    assert "for each of 3 cases" in caught.value.problems[0].what


def test_answers_and_seconds_are_read_by_condition(tmp_path: Path) -> None:
    np.save(tmp_path / "outputs-0.npy", np.array([0.0, 1000.0]))
    np.save(tmp_path / "seconds-1.npy", np.array([0.1, 0.2, 0.3]))
    found = read_answers(tmp_path, [BASELINE, TIMED], contract("logit"), locked(2))
    assert found["baseline"].tolist() == [0.5, 1.0]
    assert found["latency"].tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    "seconds",
    [
        np.array([0.1, 0.2]),
        np.array([0.1, 0.2, 0.0]),
        np.array([0.1, 0.2, -1.0]),
        np.array([0.1, 0.2, np.nan]),
        np.array([0.1, 0.2, np.inf]),
        np.array([1, 2, 3]),
    ],
)
def test_times_that_no_clock_gives_make_the_run_invalid(tmp_path: Path, seconds: NDArray[np.generic]) -> None:
    np.save(tmp_path / "seconds-0.npy", seconds)
    with pytest.raises(InvalidRunError, match="latency"):
        read_answers(tmp_path, [TIMED], contract("logit"), locked(2))


@pytest.mark.parametrize("content", [None, b"", b"no array", b"\x80\x04N.", b"PK\x05\x06" + bytes(18)])
def test_an_answer_that_is_missing_or_unreadable_makes_the_run_invalid(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "outputs-0.npy").write_bytes(content)
    with pytest.raises(InvalidRunError) as caught:
        read_answers(tmp_path, [BASELINE], contract("logit"), locked(2))
    assert caught.value.problems[0].code is Code.WORKER_LOST
