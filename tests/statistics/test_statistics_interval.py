from __future__ import annotations

import math
import statistics
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.statistics import Interval, Undecidable
from gatekeeper.statistics.interval import error_each_side, inverse_logit, normal_quantile


@pytest.mark.parametrize(("lower", "upper"), [(0.6, 0.5), (math.nan, 0.5), (0.5, math.nan)])
def test_limits_out_of_order_or_undefined_are_refused(lower: float, upper: float) -> None:
    with pytest.raises(ValueError, match="out of order or undefined"):
        Interval(lower, upper, 0.95, "any")


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95.0, math.nan])
def test_a_confidence_outside_of_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Interval(0.1, 0.2, confidence, "any")


def test_an_interval_cannot_be_changed() -> None:
    interval = Interval(0.1, 0.2, 0.95, "any")
    with pytest.raises(AttributeError):
        interval.lower = 0.0  # type: ignore[misc]


def test_what_is_undecidable_is_also_a_value_error() -> None:
    assert issubclass(Undecidable, ValueError)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_normal_quantile_equals_that_of_the_standard_library(confidence: float) -> None:
    expected = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    assert normal_quantile(confidence) == pytest.approx(expected, rel=1e-12)
    assert error_each_side(confidence) == pytest.approx((1 - confidence) / 2)


@settings(max_examples=50, deadline=None)
@given(st.floats(-700, 700))
def test_inverse_logit_takes_a_logit_back(value: float) -> None:
    share = inverse_logit(value)
    assert 0.0 <= share <= 1.0
    assert share + inverse_logit(-value) == pytest.approx(1.0, abs=1e-15)
    if abs(value) < 15:
        assert math.log(share / (1 - share)) == pytest.approx(value, abs=1e-8)


def test_importing_the_room_imports_no_part_of_scipy_and_using_it_never_scipy_stats() -> None:
    code = (
        "import sys, gatekeeper.statistics as s\n"
        "assert not any(name.startswith('scipy') for name in sys.modules), 'imported at the top'\n"
        "s.wilson(9, 10); s.clopper_pearson(9, 10); s.within_subject_sd_interval(1.0, 9)\n"
        "assert 'scipy.stats' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
