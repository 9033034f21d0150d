from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatekeeper.statistics import Undecidable, mean_interval


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(min_value=-1e3, max_value=1e3), min_size=2, max_size=40),
    st.floats(min_value=0.6, max_value=0.99),
)
def test_the_interval_is_scipys(values: list[float], confidence: float) -> None:
    array = np.array(values)
    mean, interval = mean_interval(array, confidence)
    assert mean == pytest.approx(array.mean())
    if np.ptp(array) > 1e-6:
        expected = stats.t.interval(confidence, len(array) - 1, loc=array.mean(), scale=stats.sem(array))
        assert (interval.lower, interval.upper) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_one_value_has_no_spread() -> None:
    with pytest.raises(Undecidable, match="two values"):
        mean_interval(np.array([1.0]))


@pytest.mark.parametrize("values", [[1.0, np.nan], [np.inf, 1.0]])
def test_values_are_finite(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(np.array(values))
