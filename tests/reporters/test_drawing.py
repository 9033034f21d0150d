from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_findings import finding

from gatekeeper.evidence import Outcome, Threshold
from gatekeeper.reporters.drawing import plot, track

NUMBERS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("estimate", "interval", "at_least", "drawn"),
    [
        (0.5, (0.4, 0.6), 0.8, "··├───●──┤·······┃···"),
        (0.9, (0.8, 0.95), 0.5, "··┃·········├──●┤··"),
    ],
)
def test_the_threshold_stands_on_its_side_of_the_interval(
    estimate: float, interval: tuple[float, float], at_least: float, drawn: str
) -> None:
    made = finding(estimate=estimate, interval=interval, threshold=Threshold(of="lower_limit", at_least=at_least))
    text = plot(made)
    assert (text.index("┃") > text.index("┤")) == (drawn.index("┃") > drawn.index("┤"))
    assert text.index("├") < text.index("●") < text.index("┤")


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_any_interval_is_drawn_in_21_letters(one: float, two: float, three: float, threshold: float) -> None:
    lower, estimate, upper = sorted((one, two, three))
    demand = Threshold(of="lower_limit", at_least=threshold)
    made = finding(estimate=estimate, interval=(lower, upper), threshold=demand)
    text = plot(made)
    assert len(text) == 21
    assert "●" in text or "╋" in text
    if demand.outcome(estimate, (lower, upper)) is Outcome.NOT_MET and "┤" in text and "┃" in text:
        assert text.index("┃") > text.index("┤")
    assert len(track(made)) == 10


def test_nothing_is_drawn_without_an_interval() -> None:
    assert plot(finding(interval=None)) == track(finding(interval=None)) == ""
