"""How far the boundaries of masks lie apart: values from the distances between surfaces, and the catalogue's entries.

A distance counts as within a tolerance when it exceeds it by less than one part in 10⁹: whether a voxel that lies
exactly at the tolerance is within does not hang on rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gatekeeper.metrics.specification import FEW_PATIENTS, MEAN_OVER_CASES, Metric, Suite
from gatekeeper.metrics.surface import Floats, Mask, SurfaceDistances, bounding_box, check_masks

_METRICS_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"
_NIKOLOV = "Nikolov et al., J Med Internet Res 2021;23:e26151"
_SEGMENTATION = frozenset({"segmentation"})
_ROUNDING = 1.0 + 1e-9
_VOXELS = "boundaries are voxels with a face neighbour outside the mask (MONAI, medpy)"
_COST = "both masks empty: 0; one empty: the diagonal of the volume"
_BOTH_EMPTY = "1 where both masks are empty, 0 where one is"


def hausdorff(distances: SurfaceDistances) -> float:
    """Return the largest distance from an element of either surface to the other, mm; NaN where one has none."""
    return hausdorff_percentile(distances, 100.0)


def hausdorff_percentile(distances: SurfaceDistances, percent: float = 95.0) -> float:
    """Return the larger of the percentiles of the two directed lists of distances, mm; NaN where a mask has no surface.

    For ``voxels`` percentiles are interpolated linearly, as by MONAI and Metrics Reloaded; for ``area`` it is the least
    distance within which lies that share of the surface, as by DeepMind. Raises ValueError unless 0 <= percent <= 100.
    """
    _check_percent(percent)
    if not distances.defined:
        return math.nan
    return max(
        _percentile(distances.to_prediction, distances.weight_of_reference, percent, distances),
        _percentile(distances.to_reference, distances.weight_of_prediction, percent, distances),
    )


def hausdorff_pooled(distances: SurfaceDistances, percent: float = 95.0) -> float:
    """Return the percentile of both lists of distances put together, mm, as by medpy; NaN where a mask has no surface.

    Raises ValueError unless 0 <= percent <= 100.
    """
    _check_percent(percent)
    if not distances.defined:
        return math.nan
    return _percentile(*_pooled(distances), percent, distances)


def assd(distances: SurfaceDistances) -> float:
    """Return the mean of both lists of distances put together, mm; NaN where a mask has no surface.

    So do medpy, MONAI and Metrics Reloaded; the larger surface counts more.
    """
    if not distances.defined:
        return math.nan
    found, weights = _pooled(distances)
    return float((found * weights).sum() / weights.sum())


def masd(distances: SurfaceDistances) -> float:
    """Return the mean of the two mean directed distances, mm; NaN where a mask has no surface.

    So does Metrics Reloaded under this name, and panoptica under the name of ASSD; both surfaces count alike.
    """
    return sum(mean_directed(distances)) / 2.0


def mean_directed(distances: SurfaceDistances) -> tuple[float, float]:
    """Return the mean distances from the reference surface and from the predicted one, mm; NaN where one is missing."""
    if not distances.defined:
        return math.nan, math.nan
    lists = (
        (distances.to_prediction, distances.weight_of_reference),
        (distances.to_reference, distances.weight_of_prediction),
    )
    first, second = (float((found * weights).sum() / weights.sum()) for found, weights in lists)
    return first, second


def nsd(distances: SurfaceDistances, tolerance: float) -> float:
    """Return the share of both surfaces that lies within ``tolerance`` mm of the other one, in [0, 1].

    1 where both masks are empty, 0 where one is. Raises ValueError unless the tolerance is finite and not below 0.
    """
    if not 0.0 <= tolerance < math.inf:
        raise ValueError(f"a tolerance must be finite and not below 0 mm, not {tolerance}")
    if not distances.defined:
        missing = len(distances.weight_of_reference) == len(distances.weight_of_prediction) == 0
        return 1.0 if missing else 0.0
    found, weights = _pooled(distances)
    return float(weights[found <= tolerance * _ROUNDING].sum() / weights.sum())


def boundary_iou(reference: Mask, prediction: Mask, spacing: Sequence[float], width: float | None = None) -> float:
    """Return the intersection over union of the bands along the inside of both boundaries, in [0, 1].

    The band of a mask is its voxels whose centre lies within ``width`` mm of the centre of a voxel outside it; what
    lies beyond the volume is outside. Where no width is given: ``default_width``. 1 where both masks are empty, 0 where
    one is. Raises ValueError as ``surface_distances`` does, and for a width below the smallest voxel size.

    The code of Cheng et al. counts steps to any neighbour, diagonals as one, not millimetres: equal for boundaries
    along the axes, elsewhere its band is wider by up to a factor of √2 (√3 in three dimensions).
    """
    steps = check_masks(reference, prediction, spacing)
    if width is None:
        width = default_width(reference.shape, steps)
    if not min(steps) <= width * _ROUNDING < math.inf:
        raise ValueError(f"a band must be finite and at least one voxel ({min(steps)} mm) wide, not {width}")
    box = bounding_box(reference | prediction)
    if box is None:
        return 1.0
    first, second = (_band(mask[box], steps, width) for mask in (reference, prediction))
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


def default_width(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return 2 % of the diagonal of a volume, mm, in whole smallest voxels and at least one, as Cheng et al. do."""
    smallest = min(spacing)
    return max(1, round(0.02 * diagonal(shape, spacing) / smallest)) * smallest


def diagonal(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return the length of a volume's diagonal from edge to edge, mm: no two voxels lie farther apart."""
    return math.hypot(*(size * step for size, step in zip(shape, spacing, strict=True)))


def _band(mask: Mask, spacing: tuple[float, ...], width: float) -> Mask:
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(np.pad(mask, 1), sampling=spacing)[(slice(1, -1),) * mask.ndim]
    return np.asarray(mask & (inside <= width * _ROUNDING))


def _pooled(distances: SurfaceDistances) -> tuple[Floats, Floats]:
    return (
        np.concatenate([distances.to_prediction, distances.to_reference]),
        np.concatenate([distances.weight_of_reference, distances.weight_of_prediction]),
    )


def _percentile(found: Floats, weights: Floats, percent: float, distances: SurfaceDistances) -> float:
    if distances.elements == "voxels":
        return float(np.percentile(found, percent))
    order = np.argsort(found, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    return float(found[order[min(int(np.searchsorted(shares, percent / 100.0)), len(order) - 1)]])


def _check_percent(percent: float) -> None:
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent}")


SURFACE_DICE = Metric(
    name="normalized_surface_distance",
    aliases=("nsd", "surface_dice"),
    title="Normalised surface distance",
    suite=Suite.PERFORMANCE,
    definition="share of both boundaries that lies within the tolerance of the other one, mean over cases",
    convention="each boundary voxel, one with a face neighbour outside the mask, counts once (MONAI); " + _BOTH_EMPTY,
    source=_NIKOLOV + "; " + _METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure", "tolerance"}),
    must=frozenset({"tolerance"}),
    tasks=_SEGMENTATION,
)
SURFACE_DICE_BY_AREA = Metric(
    name="normalized_surface_distance_by_area",
    aliases=("nsd_by_area", "surface_dice_by_area"),
    title="Normalised surface distance by area",
    suite=Suite.PERFORMANCE,
    definition="share of the area of both boundaries that lies within the tolerance of the other one, mean over cases",
    convention="boundaries are pieces of a marching-cubes surface, weighted with their area (DeepMind); " + _BOTH_EMPTY,
    source=_NIKOLOV,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure", "tolerance"}),
    must=frozenset({"tolerance"}),
    tasks=_SEGMENTATION,
)


def _distance(
    name: str,
    title: str,
    definition: str,
    aliases: tuple[str, ...] = (),
    convention: str = "",
    source: str = _METRICS_RELOADED,
) -> Metric:
    return Metric(
        name=name,
        aliases=aliases,
        title=title,
        suite=Suite.PERFORMANCE,
        definition=definition + ", mean over cases",
        convention="; ".join(part for part in (convention, _VOXELS, _COST) if part),
        source=source,
        undefined="no case has a reference mask",
        n_of="cases",
        interval=MEAN_OVER_CASES,
        caution=FEW_PATIENTS,
        unit="mm",
        highest=10_000.0,
        higher_is_better=False,
        options=frozenset({"structure"}),
        tasks=_SEGMENTATION,
    )


HAUSDORFF = _distance(
    "hausdorff",
    "Hausdorff distance",
    "largest distance from a voxel of either boundary to the other boundary",
    aliases=("hd",),
    source="Huttenlocher, Klanderman & Rucklidge, IEEE TPAMI 1993;15:850; " + _METRICS_RELOADED,
)
HAUSDORFF_95 = _distance(
    "hausdorff_95",
    "95th percentile Hausdorff distance",
    "larger of the 95th percentiles of the distances from each boundary to the other",
    aliases=("hd95",),
    convention="the maximum of two directed percentiles (MONAI, Metrics Reloaded), interpolated linearly",
)
HAUSDORFF_95_POOLED = _distance(
    "hausdorff_95_pooled",
    "95th percentile Hausdorff distance, pooled",
    "95th percentile of the distances from each boundary to the other, put together",
    aliases=("hd95_pooled",),
    convention="one percentile of the pooled distances (medpy), interpolated linearly",
    source="as computed by medpy",
)
ASSD = _distance(
    "assd",
    "Average symmetric surface distance",
    "mean of the distances from each boundary to the other, put together",
    aliases=("average_symmetric_surface_distance",),
    convention="the larger boundary counts more (medpy, MONAI)",
    source="Heimann et al., IEEE Trans Med Imaging 2009;28:1251; " + _METRICS_RELOADED,
)
MASD = _distance(
    "masd",
    "Mean average surface distance",
    "mean of the two mean distances from each boundary to the other",
    aliases=("mean_average_surface_distance",),
    convention="both boundaries count alike (panoptica calls this ASSD)",
)
BOUNDARY_IOU = Metric(
    name="boundary_iou",
    title="Boundary IoU",
    suite=Suite.PERFORMANCE,
    definition="intersection over union of the bands along the inside of both boundaries, as wide as the tolerance, "
    "mean over cases",
    convention="width in mm between centres of voxels; without a tolerance 2 % of the volume's diagonal, in whole "
    "smallest voxels; " + _BOTH_EMPTY,
    source="Cheng et al., CVPR 2021, doi 10.1109/CVPR46437.2021.01508; " + _METRICS_RELOADED,
    undefined="no case has a reference mask",
    n_of="cases",
    interval=MEAN_OVER_CASES,
    caution=FEW_PATIENTS,
    options=frozenset({"structure", "tolerance"}),
    tasks=_SEGMENTATION,
)
