"""Which finding hits which lesion of a case, at most one finding a lesion and one lesion a finding.

``greedy``: findings in turn, highest score first; each takes, of the lesions that are free and at which it lies, the
one where it lies best (Lin et al., ECCV 2014:740, COCO; VOC tries the best lesion only, free or not). What a finding
takes depends on no finding of lower score: the hits at a higher cut of the score are those that remain. So curves
(FROC, AP) need this one.

``hungarian``: all findings together: most hits first, then the best sum of ``quality``, then the highest scores (Kuhn,
Nav Res Logist 1955;2:83). For findings that were cut at an operating point beforehand.

No order of rows changes who hits: findings of one score are taken in the order of their localisation, best first; of
lesions at which a finding lies equally well it takes the one that comes first by place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.localisation import Localisation

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Method = Literal["greedy", "hungarian"]
DoubleHits = Literal["false_positive", "ignored"]

FALSE_POSITIVE = -1
IGNORED = -2

_EQUAL = 1e-9  # of the range of quality: what differs by less lies equally well, and the higher score is taken


@dataclass(frozen=True)
class Assigned:
    """The findings of a case, in the order given: score, and the lesion hit (-1 false positive, -2 ignored).

    ``lesions`` is the number of reference lesions; those that stand in ``hits`` are hit, the others are missed.
    """

    scores: Floats
    hits: Positions
    lesions: int


def assign(localisation: Localisation, scores: Floats, method: Method, double_hits: DoubleHits) -> Assigned:
    """Assign the findings of a case to its lesions.

    Parameters
    ----------
    localisation : of F findings at L lesions; either may be 0
    scores : shape (F,), higher is more suspicious; infinite ones rank as such
    method : ``greedy`` or ``hungarian``
    double_hits : what a finding is that lies at a lesion, each such lesion being another finding's: a false positive
        (COCO, VOC), or ignored, neither hit nor false positive (LUNA16; Setio et al., Med Image Anal 2017;42:1)

    Raises ValueError for a NaN among the scores, scores that do not fit, or another name.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (len(localisation.meets),) or np.isnan(scores).any():
        raise ValueError(f"scores {scores.shape} are not those of {len(localisation.meets)} findings, or one is NaN")
    if method not in ("greedy", "hungarian") or double_hits not in ("false_positive", "ignored"):
        raise ValueError(f"findings are not assigned by {method!r} with double hits as {double_hits!r}")
    columns = _in_order_of_place(localisation)
    meets, quality = localisation.meets[:, columns], localisation.quality[:, columns]
    rows = _in_order_of_score(scores, meets, quality)
    taken = (_greedy if method == "greedy" else _hungarian)(meets[rows], quality[rows], scores[rows])
    hits = np.full(len(scores), FALSE_POSITIVE, dtype=np.intp)
    hits[rows] = np.where(taken >= 0, np.append(columns, FALSE_POSITIVE)[taken], FALSE_POSITIVE)
    if double_hits == "ignored":
        hits[(hits == FALSE_POSITIVE) & localisation.meets.any(axis=1)] = IGNORED
    return Assigned(scores, hits, localisation.meets.shape[1])


def _in_order_of_place(localisation: Localisation) -> Positions:
    """Sort the lesions by their coordinates, the first coordinate first."""
    place = localisation.place
    return np.lexsort(place.T[::-1]) if place.shape[1] else np.arange(len(place))


def _in_order_of_score(scores: Floats, meets: NDArray[np.bool_], quality: Floats) -> Positions:
    """Sort the findings, highest score first; equal ones by their best localisation, then by that at each lesion."""
    counted = np.where(meets, quality, -np.inf)
    best = counted.max(axis=1, initial=-np.inf)
    return np.lexsort((*-counted.T[::-1], -best, -scores))


def _greedy(meets: NDArray[np.bool_], quality: Floats, scores: Floats) -> Positions:
    taken = np.full(len(scores), FALSE_POSITIVE, dtype=np.intp)
    free = np.ones(meets.shape[1], dtype=np.bool_)
    for row in np.flatnonzero(meets.any(axis=1)):
        open_to = np.flatnonzero(meets[row] & free)
        if len(open_to):
            taken[row] = open_to[np.argmax(quality[row, open_to])]
            free[taken[row]] = False
    return taken


def _hungarian(meets: NDArray[np.bool_], quality: Floats, scores: Floats) -> Positions:
    from scipy.optimize import linear_sum_assignment

    taken = np.full(len(scores), FALSE_POSITIVE, dtype=np.intp)
    if not meets.any():
        return taken
    worst, best = quality[meets].min(), quality[meets].max()
    share = (quality - worst) / (best - worst) if best > worst else np.zeros_like(quality)
    by_score = np.searchsorted(np.unique(scores), scores) / len(scores)
    # Any one hit is worth more than all that the quality of the others can add up to.
    each = min(meets.shape) + 1.0
    worth = np.where(meets, each + share + _EQUAL * by_score[:, None], 0.0)
    found, lesion = linear_sum_assignment(worth, maximize=True)
    real = meets[found, lesion]
    taken[found[real]] = lesion[real]
    return taken
