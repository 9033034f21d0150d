"""Outputs of a candidate against its contract. Oracles: scipy.special; numpy's argmax; masks and boxes are made up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from gatekeeper.candidate import Contract
from gatekeeper.candidate.contract import InputContract
from gatekeeper.engine.grid import Grid, restored
from gatekeeper.engine.measuring import Asked, Box, Reference
from gatekeeper.engine.output_faults import OutputFault
from gatekeeper.engine.outputs import CaseAnswer, check_answerable, hold
from gatekeeper.engine.preparation import prepare
from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import CaseOutcome
from gatekeeper.testset.readers.image import Image

THREE = ("none", "mild", "severe")
SHAPE = (5, 6, 7)
STRUCTURES = {"organ": 1, "lesion": 2}
ASKED = Asked({"organ": (), "lesion": ()})


def contract(kind: str, operating_point: float = 0.5, shape: tuple[int, ...] = SHAPE, **output: object) -> Contract:
    if kind in ("probability", "logit"):
        output = {"classes": ("small", "large"), "positive": "large"} | output
    if kind.startswith("mask"):
        output = {"structures": STRUCTURES} | output
    return Contract.model_validate(
        {
            "description": "made up",
            "format": "onnx",
            "artefact": "made_up.onnx",
            "input": {"size": shape},
            "output": {"kind": kind, **output},
            "operating_point": operating_point,
        }
    )


def grid(shape: tuple[int, ...] = SHAPE) -> Grid:
    return prepare(Image(np.zeros(shape, np.float32), (2.0,) * len(shape)), contract("logit", shape=shape).input).grid


def held(
    outputs: Mapping[str, NDArray[np.generic]] | NDArray[np.generic],
    of: Contract,
    cases: int | None = None,
    asked: Asked | None = None,
    reference: Reference | None = None,
) -> list[CaseAnswer]:
    named = outputs if isinstance(outputs, Mapping) else {"output": outputs}
    count = len(next(iter(named.values()))) if cases is None else cases
    if asked is None:
        asked = ASKED if of.output.kind.startswith("mask") else Asked()
    size = of.input.size or SHAPE
    return hold(named, of, [grid(size)] * count, [reference or Reference(0)] * count, asked)


def scores(answers: list[CaseAnswer]) -> list[float | None]:
    assert all(answer.outcome is CaseOutcome.OK and answer.fault is None for answer in answers)
    return [answer.score for answer in answers]


def faults(answers: list[CaseAnswer]) -> list[OutputFault | None]:
    for answer in answers:
        assert (answer.fault is None) == (answer.outcome is CaseOutcome.OK)
        assert answer.fault is None or answer.outcome is CaseOutcome.INVALID_OUTPUT
    return [answer.fault for answer in answers]


@settings(max_examples=100, deadline=None)
@given(logits=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_logit_becomes_the_probability_of_the_logistic_function(logits: list[float]) -> None:
    np.testing.assert_allclose(scores(held(np.array(logits), contract("logit"))), expit(logits), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_extreme_logits_neither_overflow_nor_warn(kind: type[np.floating]) -> None:
    found = scores(held(np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0], dtype=kind), contract("logit")))
    np.testing.assert_allclose(found, expit([-1000.0, -40.0, 0.0, 40.0, 1000.0]), rtol=1e-14)
    assert (found[0], found[2], found[-1]) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_probabilities_are_taken_as_they_are(shape: tuple[int, ...]) -> None:
    values = np.array([0.0, 0.3, 1.0], dtype=np.float32)
    assert scores(held(values.reshape(shape), contract("probability"))) == values.astype(np.float64).tolist()


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("kind", ["softmax", "logits"])
def test_of_a_pair_the_positive_class_is_scored(kind: str, at: int) -> None:
    logits = np.random.default_rng(0).normal(scale=20.0, size=(50, 2))
    logits[0], logits[1] = (900.0, -900.0), (1e308, -1e308)
    wanted = softmax(np.clip(logits, -1e5, 1e5), axis=1)
    found = held(wanted if kind == "softmax" else logits, contract(kind, classes=("a", "b"), positive="ab"[at]))
    np.testing.assert_allclose(scores(found), wanted[:, at], rtol=1e-12)
    assert all(not answer.answers for answer in found)


@pytest.mark.parametrize("positive", [None, "mild"])
@pytest.mark.parametrize("kind", ["softmax", "logits"])
def test_several_classes_have_a_column_each_in_the_order_of_the_policy(kind: str, positive: str | None) -> None:
    logits = np.random.default_rng(0).normal(scale=30.0, size=(50, 3))
    wanted = softmax(logits, axis=1)
    of = contract(kind, classes=THREE, positive=positive)
    for classes in ((), THREE, ("severe", "none", "mild")):
        found = held(wanted if kind == "softmax" else logits, of, asked=Asked(classes=classes))
        for row, answer in enumerate(found):
            assert list(answer.answers) == [f"probability.{name}" for name in classes or THREE]
            by_class = [answer.answers[f"probability.{name}"] for name in THREE]
            np.testing.assert_allclose(by_class, wanted[row], rtol=1e-12)
            assert answer.score == (None if positive is None else by_class[1])


@settings(max_examples=60, deadline=None)
@given(
    raw=st.lists(st.floats(-30.0, 30.0), min_size=3, max_size=3),
    slope=st.floats(0.01, 10.0),
    intercept=st.floats(-5.0, 5.0),
)
def test_calibration_is_on_the_log_odds(raw: list[float], slope: float, intercept: float) -> None:
    calibration = {"slope": slope, "intercept": intercept}
    logits = np.array(raw)
    wanted = expit(slope * logits + intercept)
    found = scores(held(logits, contract("logit", calibration=calibration)))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    given = expit(logits)
    found = scores(held(given, contract("probability", calibration=calibration)))
    np.testing.assert_allclose(found, expit(slope * logit(given) + intercept), rtol=1e-9)
    pairs = np.column_stack([np.zeros(3), logits])
    of = {"classes": ("a", "b"), "positive": "b", "calibration": calibration}
    np.testing.assert_allclose(scores(held(pairs, contract("logits", **of))), wanted, rtol=1e-12)
    several = held(logits[np.newaxis], contract("logits", classes=THREE, calibration=calibration))[0]
    np.testing.assert_allclose(list(several.answers.values()), softmax(slope * logits), rtol=1e-12)
    several = held(softmax(logits)[np.newaxis], contract("softmax", classes=THREE, calibration=calibration))[0]
    np.testing.assert_allclose(list(several.answers.values()), softmax(slope * logits), rtol=1e-9)


def test_certainty_stays_certain_under_calibration() -> None:
    calibration = {"slope": 0.3, "intercept": 2.0}
    assert scores(held(np.array([0.0, 1.0]), contract("probability", calibration=calibration))) == [0.0, 1.0]
    sure = np.array([[0.0, 1.0, 0.0]])
    found = held(sure, contract("softmax", classes=THREE, calibration=calibration))[0]
    assert list(found.answers.values()) == [0.0, 1.0, 0.0]


def test_a_calibration_that_makes_what_is_no_number_is_a_fault() -> None:
    of = contract("logits", classes=THREE, calibration={"slope": 1e308})
    assert faults(held(np.array([[5.0, 7.0, 9.0]]), of)) == [OutputFault.NOT_FINITE]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (np.nan, OutputFault.NOT_FINITE),
        (np.inf, OutputFault.NOT_FINITE),
        (-np.inf, OutputFault.NOT_FINITE),
        (-1e-9, OutputFault.NO_PROBABILITY),
        (1.0 + 1e-9, OutputFault.NO_PROBABILITY),
    ],
)
def test_what_is_no_probability_costs_its_case_alone(bad: float, fault: OutputFault) -> None:
    found = held(np.array([0.5, bad, 0.5]), contract("probability"))
    assert faults(found) == [None, fault, None]
    assert (found[1].score, dict(found[1].answers), found[1].findings) == (None, {}, None)


@pytest.mark.parametrize("total", [0.998, 1.002])
def test_probabilities_of_classes_sum_to_1(total: float) -> None:
    values = np.array([[0.2, 0.5, 0.3], [0.2, 0.5, total - 0.7], [0.2, 0.5, 0.3005]])
    assert faults(held(values, contract("softmax", classes=THREE))) == [None, OutputFault.NO_SUM, None]


@pytest.mark.parametrize(
    ("kind", "values", "fault"),
    [
        ("logit", np.zeros((3, 2)), OutputFault.SHAPE),
        ("logit", np.zeros((1, 3)), OutputFault.SHAPE),
        ("logit", np.zeros((3, 1, 1)), OutputFault.SHAPE),
        ("logit", np.zeros(2), OutputFault.SHAPE),
        ("logit", np.zeros(()), OutputFault.SHAPE),
        ("logit", np.zeros(3, dtype=np.int64), OutputFault.TYPE),
        ("probability", np.zeros(3, dtype=np.bool_), OutputFault.TYPE),
        ("logits", np.zeros((3, 4)), OutputFault.SHAPE),
        ("softmax", np.zeros((3, 3), dtype=np.int8), OutputFault.TYPE),
        ("mask", np.zeros((3, 5, 6, 8), dtype=np.uint8), OutputFault.SHAPE),
        ("mask", np.zeros((3, 2, 5, 6, 7), dtype=np.uint8), OutputFault.SHAPE),
        ("mask", np.zeros((2, 5, 6, 7), dtype=np.uint8), OutputFault.SHAPE),
        ("mask_probability", np.zeros((3, 2, 5, 6, 7)), OutputFault.SHAPE),
        ("mask_probability", np.zeros((3, 3, 5, 6, 7), dtype=np.int64), OutputFault.TYPE),
        ("mask_softmax", np.zeros((3, 5, 6, 7)), OutputFault.SHAPE),
        ("mask_logit", np.zeros((3, 3, 7, 6, 5)), OutputFault.SHAPE),
    ],
)
def test_another_shape_or_type_costs_the_whole_batch(
    kind: str, values: NDArray[np.generic], fault: OutputFault
) -> None:
    of = contract(kind, classes=THREE) if kind in ("softmax", "logits") else contract(kind)
    assert faults(held(values, of, cases=3)) == [fault] * 3


def test_the_output_is_chosen_by_name_or_is_the_first_that_is_no_flag() -> None:
    outputs = {"refused": np.zeros(2), "first": np.array([0.1, 0.2]), "second": np.array([0.3, 0.4])}
    refuses = {"flag": "refused"}
    assert scores(held(outputs, contract("probability", refuses=refuses))) == [0.1, 0.2]
    assert scores(held(outputs, contract("probability", name="second"))) == [0.3, 0.4]
    assert faults(held(outputs, contract("probability", name="third"))) == [OutputFault.MISSING] * 2
    assert faults(held({}, contract("probability"), cases=2)) == [OutputFault.MISSING] * 2


def made_up_labels(seed: int = 0, cases: int = 2) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, 3, size=(cases, *SHAPE))


@pytest.mark.parametrize("channel", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint16", "float32", "float16"])
def test_a_mask_of_any_type_is_compared_label_by_label(dtype: str, channel: bool) -> None:
    labels = made_up_labels()
    values = labels.astype(dtype)[:, np.newaxis] if channel else labels.astype(dtype)
    found = held(values, contract("mask"), reference=Reference(1, labels[0].astype(np.uint16)))
    assert [answer.answers["measured.lesion.dice"] == 1.0 for answer in found] == [True, False]
    assert found[1].answers["measured.organ.quantity"] == pytest.approx((labels[1] == 1).sum() * 8.0 / 1000.0)
    assert (found[0].score, found[0].findings) == (None, None)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (3.0, OutputFault.NO_LABEL),
        (1.5, OutputFault.NO_LABEL),
        (-1.0, OutputFault.NO_LABEL),
        (65537.0, OutputFault.NO_LABEL),
        (np.nan, OutputFault.NOT_FINITE),
        (np.inf, OutputFault.NOT_FINITE),
    ],
)
def test_a_voxel_without_a_declared_label_costs_its_case_alone(bad: float, fault: OutputFault) -> None:
    values = made_up_labels(cases=3).astype(np.float64)
    values[1, 2, 3, 4] = bad
    found = held(values, contract("mask"), reference=Reference(1, made_up_labels(5)[0].astype(np.uint16)))
    assert faults(found) == [None, fault, None]
    assert set(found[1].answers) == {
        f"measured.{name}.{what}" for name in STRUCTURES for what in ("diagonal", "reference")
    }
    assert all(found[1].answers[name] == found[0].answers[name] for name in found[1].answers)


def made_up_channels(seed: int = 0) -> NDArray[np.float32]:
    logits = np.random.default_rng(seed).normal(scale=3.0, size=(2, 4, *SHAPE))
    return softmax(logits, axis=1).astype(np.float32)


def test_the_highest_channel_is_called_the_first_where_some_are_equal() -> None:
    channels = made_up_channels()
    channels[:, :, 0] = 0.25
    labels = channels.argmax(axis=1).astype(np.uint16)
    labels[labels == 3] = 0  # a channel that is no structure
    found = held(channels, contract("mask_softmax"), reference=Reference(1, labels[0]))
    of_labels = held(labels, contract("mask"), reference=Reference(1, labels[0]))
    assert [answer.answers for answer in found] == [answer.answers for answer in of_labels]


@pytest.mark.parametrize("operating_point", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["mask_probability", "mask_logit"])
def test_channels_are_called_one_by_one_and_may_overlap(kind: str, operating_point: float) -> None:
    values = np.random.default_rng(0).normal(scale=3.0, size=(2, 3, *SHAPE))
    probabilities = expit(values)
    of = contract(kind, operating_point, structures={"organ": 0, "lesion": 2})
    right = np.random.default_rng(1).integers(0, 4, size=SHAPE).astype(np.uint16)
    found = held(probabilities if kind == "mask_probability" else values, of, reference=Reference(1, right))
    for case, answer in enumerate(found):
        for name, channel in (("organ", 0), ("lesion", 2)):
            called, wanted = probabilities[case, channel] >= operating_point, right == channel + 1
            dice = 2 * (called & wanted).sum() / (called.sum() + wanted.sum())
            assert answer.answers[f"measured.{name}.dice"] == pytest.approx(dice)


@pytest.mark.parametrize(
    ("kind", "bad", "fault"),
    [
        ("mask_softmax", np.nan, OutputFault.NOT_FINITE),
        ("mask_softmax", 1.0 + 1e-6, OutputFault.NO_PROBABILITY),
        ("mask_softmax", None, OutputFault.NO_SUM),
        ("mask_probability", -1e-6, OutputFault.NO_PROBABILITY),
        ("mask_probability", np.inf, OutputFault.NOT_FINITE),
        ("mask_logit", np.nan, OutputFault.NOT_FINITE),
    ],
)
def test_a_voxel_that_is_no_probability_costs_its_case_alone(kind: str, bad: float | None, fault: OutputFault) -> None:
    values = made_up_channels()
    values[1, 1, 2, 3, 4] = values[1, 1, 2, 3, 4] / 2 + 0.3 if bad is None else bad
    assert faults(held(values, contract(kind))) == [None, fault]


def boxes_contract(**output: object) -> Contract:
    return contract("boxes", shape=(40, 50), **output)


LESIONS = Reference(1, boxes=(Box((10.0, 5.0), (20.0, 15.0)),))  # columns 10 to 20, rows 5 to 15


def findings(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    boxes = np.array([[[5, 10], [15, 20]], [[30, 30], [35, 38]], [[6, 11], [14, 19]]], dtype=np.float32)
    return np.stack([boxes] * count), np.array([[0.9, 0.7, 0.3]] * count, dtype=np.float32)


def test_boxes_are_matched_and_a_row_of_nan_is_no_finding() -> None:
    boxes, ranks = findings(2)
    boxes[1, 1], ranks[1, 1] = np.nan, np.nan
    found = held({"boxes": boxes, "scores": ranks}, boxes_contract(), reference=LESIONS)
    assert found[0].findings == (pytest.approx([0.9, 0.7, 0.3]), [0, -1, -1])
    assert found[1].findings == (pytest.approx([0.9, 0.3]), [0, -1])
    assert scores(found) == pytest.approx([0.9, 0.9])
    nothing = held({"boxes": boxes[:, :0], "scores": ranks[:, :0]}, boxes_contract(), reference=LESIONS)
    assert [answer.findings for answer in nothing] == [([], [])] * 2
    assert scores(nothing) == [0.0, 0.0]


def test_boxes_of_a_single_case_and_by_other_names() -> None:
    boxes, ranks = findings(1)
    found = held({"a": boxes[0], "b": ranks[0]}, boxes_contract(), cases=1, reference=LESIONS)
    assert found[0].findings == (pytest.approx([0.9, 0.7, 0.3]), [0, -1, -1])
    named = held({"b": ranks, "a": boxes}, boxes_contract(name="a"), reference=LESIONS)
    assert named == found


@pytest.mark.parametrize(
    ("corner", "score", "fault"),
    [
        (np.nan, None, OutputFault.NOT_FINITE),
        (np.inf, None, OutputFault.NOT_FINITE),
        (1e30, None, OutputFault.NOT_FINITE),
        (15.0, None, OutputFault.NO_BOX),
        (16.0, None, OutputFault.NO_BOX),
        (None, np.nan, OutputFault.NOT_FINITE),
        (None, 1.5, OutputFault.NO_PROBABILITY),
    ],
)
def test_a_finding_that_is_none_costs_its_case_alone(
    corner: float | None, score: float | None, fault: OutputFault
) -> None:
    boxes, ranks = findings(2)
    if corner is not None:
        boxes[1, 0, 0, 0] = corner
    if score is not None:
        ranks[1, 0] = score
    assert faults(held({"boxes": boxes, "scores": ranks}, boxes_contract(), reference=LESIONS)) == [None, fault]


@pytest.mark.parametrize(
    ("boxes", "ranks", "fault"),
    [
        (np.zeros((2, 3, 2, 3)), np.zeros((2, 3)), OutputFault.SHAPE),
        (np.zeros((2, 3, 4)), np.zeros((2, 3)), OutputFault.SHAPE),
        (np.zeros((2, 3, 2, 2)), np.zeros((2, 4)), OutputFault.SHAPE),
        (np.zeros((3, 2, 2)), np.zeros(3), OutputFault.SHAPE),
        (np.zeros((2, 3, 2, 2)), np.zeros((2, 3), dtype=np.int64), OutputFault.TYPE),
        (np.zeros((2, 3, 2, 2), dtype=np.bool_), np.zeros((2, 3)), OutputFault.TYPE),
    ],
)
def test_boxes_of_another_shape_or_type_cost_the_whole_batch(
    boxes: NDArray[np.generic], ranks: NDArray[np.generic], fault: OutputFault
) -> None:
    outputs = {"boxes": boxes, "scores": ranks}
    assert faults(held(outputs, boxes_contract(), cases=2, reference=LESIONS)) == [fault] * 2
    assert faults(held({"boxes": boxes}, boxes_contract(), cases=2)) == [OutputFault.MISSING] * 2


ANYTHING = st.sampled_from([np.bool_, np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=3))
)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["probability", "logit", "softmax", "logits", "mask", "mask_probability", "mask_logit"]),
    outputs=st.dictionaries(st.sampled_from(["boxes", "scores", "0", "\x1b[31m"]), ANYTHING, max_size=3),
    boxes=st.booleans(),
)
def test_whatever_a_candidate_says_each_case_gets_an_answer(
    kind: str, outputs: dict[str, NDArray[np.generic]], boxes: bool
) -> None:
    of = {"classes": ("a", "b", "c")} if kind in ("softmax", "logits") else {}
    chosen = contract("boxes", shape=(2, 3)) if boxes else contract(kind, shape=(2, 3), **of)
    answers = held(outputs, chosen, cases=2)
    assert len(faults(answers)) == 2


@pytest.mark.parametrize(
    ("of", "asked", "said"),
    [
        (contract("logit"), Asked({"organ": ()}), "no mask"),
        (contract("mask"), Asked({"organ": (), "vessel": ()}), "does not outline: vessel"),
        (contract("logits", classes=THREE), Asked(classes=("none", "mild", "grave")), "none, mild, grave"),
        (contract("logit"), Asked(classes=THREE), "classes"),
    ],
)
def test_a_contract_that_cannot_answer_the_policy_is_refused(of: Contract, asked: Asked, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_answerable(of, asked)
    assert caught.value.problems[0].code is Code.MISMATCH
    with pytest.raises(UsageError):
        held(np.zeros(1), of, asked=asked)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    spacing=st.tuples(*[st.floats(0.5, 3.0)] * 3),
    size=st.none() | st.tuples(*[st.integers(3, 9)] * 3),
    fit=st.sampled_from(["resize", "crop_or_pad"]),
    ranges=st.floats(0.1, 4.0),
)
def test_of_a_resampled_image_probabilities_are_interpolated_before_a_channel_is_called(
    seed: int, spacing: tuple[float, ...], size: tuple[int, ...] | None, fit: str, ranges: float
) -> None:
    source = np.random.default_rng(seed)
    given = {"spacing_mm": spacing, "resample": True} | ({"dimensions": 3} if size is None else {"size": size})
    of = contract("mask_softmax").model_copy(
        update={"input": InputContract.model_validate(given | ({} if size is None else {"fit": fit}))}
    )
    place = prepare(Image(np.zeros(SHAPE, np.float32), (1.0, 1.3, 2.0)), of.input).grid
    logits = source.normal(scale=ranges, size=(3, *place.shape))
    logits[0] += source.uniform(-2.0, 4.0 * ranges)
    channels = softmax(logits, axis=0)
    labels = restored(channels, place).argmax(axis=0).astype(np.uint16)
    answer = hold({"0": channels[np.newaxis]}, of, [place], [Reference(1, labels)], ASKED)[0]
    for name in STRUCTURES:
        assert answer.answers[f"measured.{name}.dice"] == 1.0
    logit_of = of.model_copy(update={"output": contract("mask_logit", structures={"organ": 1, "lesion": 2}).output})
    right = restored(expit(logits[1]), place) >= 0.5
    answer = hold({"0": logits[np.newaxis]}, logit_of, [place], [Reference(1, right * np.uint16(2))], ASKED)[0]
    assert answer.answers["measured.organ.dice"] == 1.0


@pytest.mark.parametrize("kind", ["mask", "mask_softmax", "mask_logit"])
@pytest.mark.parametrize("resample", [False, True])
def test_what_is_called_in_the_padding_alone_is_nothing(kind: str, resample: bool) -> None:
    given = {"size": (20, 20, 20), "fit": "crop_or_pad"}
    if resample:
        given |= {"spacing_mm": (1.5, 0.8, 1.0), "resample": True}
    of = contract(kind).model_copy(update={"input": InputContract.model_validate(given)})
    place = prepare(Image(np.zeros(SHAPE, np.float32), (1.0, 1.3, 2.0)), of.input).grid
    for corner in (0, -1):
        labels = np.zeros((20, 20, 20), dtype=np.int64)
        labels[(corner,) * 3] = 1
        channels = np.moveaxis(np.eye(3)[labels], -1, 0)
        outputs = {"mask": labels, "mask_softmax": channels, "mask_logit": 40.0 * channels - 20.0}[kind]
        asked = Asked({"organ": ()}) if kind != "mask_logit" else Asked({"lesion": ()})
        if kind == "mask_logit":
            outputs = outputs[[0, 2, 1]]
        (answer,) = hold({"0": outputs[np.newaxis]}, of, [place], [Reference(0)], asked)
        assert answer.outcome is CaseOutcome.OK
        assert [value for name, value in answer.answers.items() if name.endswith(".quantity")] == [0.0]
