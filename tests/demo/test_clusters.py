"""Which readings are one nodule, on clouds small enough to decide by eye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from gatekeeper.demo.clusters import MOST_READINGS, cluster_readings


def at(*positions: float) -> list[NDArray[np.float64]]:
    """Return one cloud of two points for each position along a line, in mm."""
    return [np.array([[position, 0.0, 0.0], [position, 0.2, 0.0]]) for position in positions]


def test_readings_nearer_than_the_tolerance_are_one_nodule() -> None:
    assert cluster_readings(at(0, 10, 0.9), tolerance=1.0) == [[0, 2], [1]]


def test_a_distance_equal_to_the_tolerance_does_not_link() -> None:
    assert cluster_readings(at(0, 1), tolerance=1.0) == [[0], [1]]


def test_readings_are_linked_through_others() -> None:
    assert cluster_readings(at(0, 1.6, 0.8), tolerance=1.0) == [[0, 1, 2]]


def test_slices_are_apart_by_their_height() -> None:
    low = np.array([[0.0, 0.0, 0.0]])
    high = np.array([[0.0, 0.0, 2.5]])
    assert cluster_readings([low, high], tolerance=2.0) == [[0], [1]]


def test_two_nodules_that_touch_are_told_apart_by_their_shorter_links() -> None:
    left, right = (0.0, 0.1, 0.2, 0.3), (1.0, 1.1, 1.2, 1.3)
    assert cluster_readings(at(*left, *right), tolerance=2.0) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_single_reading_is_one_nodule() -> None:
    assert cluster_readings(at(5.0), tolerance=1.0) == [[0]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=2, max_size=12, unique=True))
def test_every_reading_is_in_one_group_and_small_groups_are_those_of_single_linkage(tenths: list[int]) -> None:
    positions = np.array(tenths) / 10
    groups = cluster_readings(at(*positions), tolerance=0.95)
    assert sorted(index for group in groups for index in group) == list(range(len(tenths)))
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
    assert max(map(len, groups)) <= MOST_READINGS
    number = fcluster(linkage(positions[:, np.newaxis], "single"), t=0.95, criterion="distance")
    for wanted in np.unique(number):
        members = np.flatnonzero(number == wanted).tolist()
        if len(members) <= MOST_READINGS:
            assert members in groups


@pytest.mark.parametrize("count", [5, 9])
def test_more_than_four_readings_are_never_one_nodule(count: int) -> None:
    groups = cluster_readings(at(*np.linspace(0, 1, count)), tolerance=1.0)
    assert max(map(len, groups)) <= MOST_READINGS
