from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.quantities import parse_quantity


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("20 ms", "s", 0.02),
        ("7ms", "s", 0.007),
        ("4.5 min", "s", 270.0),
        ("2.5 mm", "mm", 2.5),
        ("15 degree", "degree", 15.0),
        ("2 %", "1", 0.02),
        ("87.2 %", "1", 0.872),
        (0.8, "1", 0.8),
        (3, "severity", 3.0),
    ],
)
def test_a_quantity_is_read_in_its_unit(written: str | float, unit: str, value: float) -> None:
    assert parse_quantity(written, unit) == value


@pytest.mark.parametrize(
    ("written", "unit", "complaint"),
    [
        (20, "s", "20 ms"),
        ("20", "s", "20 ms"),
        ("20 mm", "s", "unit"),
        ("20 parsec", "s", "cannot read"),
        ("nan %", "1", "cannot read"),
        (True, "1", "true or false"),
        ("", "mm", "cannot read"),
    ],
)
def test_a_quantity_without_its_unit_is_refused(written: str | float, unit: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_quantity(written, unit)


@given(st.integers(0, 10**6))
def test_units_of_time_agree(milliseconds: int) -> None:
    assert parse_quantity(f"{milliseconds} ms", "s") == pytest.approx(milliseconds / 1000, rel=1e-12)
