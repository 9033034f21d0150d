"""Which readings outline the same nodule: single linkage on the distance between contours, four readings at most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_READINGS = 4


def cluster_readings(clouds: Sequence[NDArray[np.float64]], tolerance: float) -> list[list[int]]:
    """Group the readings of one scan into nodules.

    Two readings are linked when a contour point of one is nearer than ``tolerance`` to a contour point of the other;
    what is linked, directly or through others, is one nodule. Links are taken from the shortest to the longest, and one
    that would join more than four readings is left out: four radiologists read each scan, so it joins two nodules that
    lie close together.

    Parameters
    ----------
    clouds : contour points of each reading, each of shape (points, 3) in mm
    tolerance : in mm, above 0

    Returns
    -------
    Groups of indices into ``clouds``, each ascending, ordered by their lowest index; every index is in one group.
    """
    group = {index: [index] for index in range(len(clouds))}
    for _, first, second in sorted(_links(clouds, tolerance)):
        if group[first] is not group[second] and len(group[first]) + len(group[second]) <= MOST_READINGS:
            joined = sorted(group[first] + group[second])
            group.update(dict.fromkeys(joined, joined))
    return [members for index, members in group.items() if members[0] == index]


def _links(clouds: Sequence[NDArray[np.float64]], tolerance: float) -> list[tuple[float, int, int]]:
    """Return (distance in mm, first, second) of all pairs nearer than ``tolerance``."""
    from scipy.spatial import KDTree

    lowest = np.array([cloud.min(axis=0) for cloud in clouds]) - tolerance
    highest = np.array([cloud.max(axis=0) for cloud in clouds])
    reaches = (lowest[:, np.newaxis] <= highest[np.newaxis]).all(axis=2)
    links = []
    trees: dict[int, KDTree] = {}
    for first, second in np.argwhere(np.triu(reaches & reaches.T, k=1)).tolist():
        if first not in trees:
            trees[first] = KDTree(clouds[first])
        distance = float(trees[first].query(clouds[second], distance_upper_bound=tolerance)[0].min())
        if distance < tolerance:
            links.append((distance, first, second))
    return links
