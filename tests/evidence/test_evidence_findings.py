from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_findings import DIGESTS, finding

from gatekeeper.evidence import (
    Digests,
    Finding,
    Outcome,
    Reason,
    Threshold,
    VerdictWord,
    Waived,
    reproducible_digest,
)
from gatekeeper.evidence.notation import (
    write_declared_share,
    write_demand,
    write_length,
    write_number,
    write_seconds,
    write_share,
    write_threshold,
)

M, N, U = Outcome.MET, Outcome.NOT_MET, Outcome.NOT_DECIDED
LEAST = Threshold(of="lower_limit", at_least=0.8)
MOST = Threshold(of="upper_limit", at_most=0.1)


@pytest.mark.parametrize(
    ("threshold", "estimate", "limits", "outcome"),
    [
        (LEAST, 0.9, (0.81, 0.95), M),
        (LEAST, 0.9, (0.8, 0.95), M),
        (LEAST, 0.9, (math.nextafter(0.8, 0.0), 0.95), U),
        (LEAST, 0.7, (0.6, 0.8), U),
        (LEAST, 0.7, (0.6, math.nextafter(0.8, 0.0)), N),
        (LEAST, 0.9, None, U),
        (LEAST, None, None, U),
        (MOST, 0.05, (0.01, 0.1), M),
        (MOST, 0.05, (0.01, math.nextafter(0.1, 1.0)), U),
        (MOST, 0.2, (0.1, 0.3), U),
        (MOST, 0.2, (math.nextafter(0.1, 1.0), 0.3), N),
        (MOST, 0.2, None, U),
        (Threshold(of="estimate", at_least=0.8), 0.8, None, M),
        (Threshold(of="estimate", at_least=0.8), 0.79, (0.0, 1.0), N),
        (Threshold(of="estimate", at_most=0.0), 0.0, None, M),
        (Threshold(of="estimate", at_most=0.0), 1e-300, None, N),
        (Threshold(of="estimate", at_most=0.0), None, (0.0, 0.0), U),
    ],
)
def test_a_threshold_is_decided_on_the_limit_that_it_names(
    threshold: Threshold, estimate: float | None, limits: tuple[float, float] | None, outcome: Outcome
) -> None:
    assert threshold.outcome(estimate, limits) is outcome


@settings(max_examples=200, deadline=None)
@given(ends=st.tuples(st.floats(0, 1), st.floats(0, 1)), wanted=st.floats(0, 1))
def test_the_two_sides_mirror_each_other(ends: tuple[float, float], wanted: float) -> None:
    lower, upper = sorted(ends)
    least, most = Threshold(of="lower_limit", at_least=wanted), Threshold(of="upper_limit", at_most=-wanted)
    assert least.outcome(None, (lower, upper)) is most.outcome(None, (-upper, -lower))


def test_a_threshold_without_a_value_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without a value"):
        Threshold(of="estimate").outcome(0.5, None)


CHANGES: dict[str, object] = {
    "id": "other",
    "suite": "other",
    "metric": "npv",
    "title": "Other",
    "subgroup": {"site": "north"},
    "outcome": Outcome.NOT_MET,
    "reason": Reason.TOO_FEW_CASES,
    "estimate": 0.123,
    "interval": (0.1, 0.2),
    "confidence": 0.9,
    "method": "other",
    "n": 7,
    "n_of": "others",
    "patients": 3,
    "unit": "s",
    "threshold": Threshold(of="estimate", at_least=0.2),
    "blocking": False,
    "claimed": False,
    "waived": Waived(reason="other", by="A. Person", expires="2026-12-31"),
    "is_time": True,
    "more_cases": 5,
    "words": "Other.",
}
DURATIONS = {"estimate", "interval", "words", "more_cases"}


def digest_of(*findings: Finding, word: VerdictWord = VerdictWord.PASS, digests: Digests = DIGESTS) -> str:
    return reproducible_digest(word, digests, findings)


def test_the_list_of_changes_names_every_field() -> None:
    assert set(CHANGES) == set(Finding.model_fields)


@pytest.mark.parametrize("field", sorted(CHANGES))
@pytest.mark.parametrize("is_time", [False, True])
def test_durations_leave_the_shared_digest_as_it_is_and_all_else_changes_it(field: str, is_time: bool) -> None:
    base = finding(is_time=is_time)
    value = not is_time if field == "is_time" else CHANGES[field]
    changed = digest_of(base.model_copy(update={field: value})) != digest_of(base)
    assert changed is not (is_time and field in DURATIONS)


def test_verdict_digests_and_order_are_part_of_the_shared_digest() -> None:
    one, two = finding(id="one"), finding(id="two")
    base = digest_of(one, two)
    assert digest_of(two, one) != base
    assert digest_of(one) != base
    assert digest_of(one, two, word=VerdictWord.FAIL) != base
    for name in Digests.model_fields:
        assert digest_of(one, two, digests=DIGESTS.model_copy(update={name: "sha256:" + "f" * 64})) != base


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.49, "49.0 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (-0.0, "0.0 %"), (-0.0004, "0.0 %"), (-0.021, "-2.1 %")],
)
def test_a_measured_share(share: float, written: str) -> None:
    assert write_share(share) == written


@pytest.mark.parametrize(("share", "written"), [(0.5, "50 %"), (0.872, "87.2 %"), (0.9995, "99.95 %"), (0.0, "0 %")])
def test_a_declared_share(share: float, written: str) -> None:
    assert write_declared_share(share) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0 ms"),
        (0.000194557, "0.195 ms"),
        (0.0032, "3.2 ms"),
        (0.2, "200 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.0, "1 s"),
        (12.34, "12.3 s"),
        (999.6, "1,000 s"),
        (1800.0, "1,800 s"),
        (86400.0, "86,400 s"),
    ],
)
def test_a_duration(seconds: float, written: str) -> None:
    assert write_seconds(seconds) == written


@pytest.mark.parametrize(
    ("length", "written"),
    [
        *[(6.03e-41, "0.00"), (0.0, "0.00"), (-1e-9, "0.00"), (0.996, "1.00"), (6.8201, "6.82"), (-2.5, "-2.50")],
        *[(9.996, "10.0"), (305.56, "305.6"), (1737.24, "1,737.2")],
    ],
)
def test_a_length_or_a_volume(length: float, written: str) -> None:
    assert write_length(length) == written


@settings(max_examples=200, deadline=None)
@given(seconds=st.floats(1e-6, 86400.0))
def test_a_duration_is_never_written_with_an_exponent_and_is_right_to_three_digits(seconds: float) -> None:
    number, unit = write_seconds(seconds).split(" ")
    assert "e" not in number
    read = float(number.replace(",", "")) * (1e-3 if unit == "ms" else 1.0)
    assert read == pytest.approx(seconds, rel=6e-3)


@pytest.mark.parametrize(
    ("changes", "number", "threshold"),
    [
        ({"metric": "sensitivity"}, "93.1 %", "≥ 80 %"),
        ({"metric": "auroc"}, "0.931", "≥ 0.8"),
        ({"metric": "breaking_point", "unit": "severity"}, "severity 0.931", "≥ severity 0.8"),
        ({"metric": "latency", "unit": "s"}, "931 ms", "≥ 800 ms"),
        ({"metric": "within_subject_sd"}, "0.931", "≥ 0.8"),
        ({"metric": "flip_rate", "threshold": Threshold(of="upper_limit", at_most=0.125)}, "93.1 %", "≤ 12.5 %"),
    ],
)
def test_numbers_are_written_in_the_unit_of_their_finding(
    changes: dict[str, object], number: str, threshold: str
) -> None:
    made = finding(**changes)
    assert write_number(made, 0.931) == number
    assert write_threshold(made) == threshold
    assert threshold.endswith(write_demand(made))


def test_a_title_names_its_subgroup() -> None:
    assert finding().full_title == "Sensitivity"
    grouped = finding(subgroup={"slice_thickness": "over 2.5 mm", "site": ""})
    assert grouped.full_title == "Sensitivity, over 2.5 mm, site not given"
