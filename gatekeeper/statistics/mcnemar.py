"""Do two models differ on the same cases? McNemar's test of calls that are right or wrong, and its clustered forms.

Sources: McNemar, Psychometrika 1947;12:153; Fagerland, Lydersen & Laake, BMC Med Res Methodol 2013;13:91 (mid-p, which
they recommend); Durkalski et al., Stat Med 2003;22:2417 and Obuchowski, Stat Med 1998;17:1495 (several cases a
patient). A test of equality alone: that it does not reject is no proof that two models are equally good
(``noninferiority``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

McNemarMethod: TypeAlias = Literal["exact", "mid_p", "asymptotic", "asymptotic_corrected"]
ClusteredMethod: TypeAlias = Literal["durkalski", "obuchowski"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Discordance:
    """A two-sided test of two models on the same cases.

    ``candidate_only`` and ``reference_only`` count the cases in which only that model was right, ``n`` all cases,
    ``patients`` the patients they come from. ``statistic`` is chi-squared with one degree of freedom; None for a test
    that needs none.
    """

    p_value: float
    statistic: float | None
    candidate_only: int
    reference_only: int
    n: int
    patients: int
    method: str


def mcnemar(candidate_only: int, reference_only: int, n: int, method: McNemarMethod = "mid_p") -> Discordance:
    """Return McNemar's test of independent cases; p = 1 without a discordant one.

    ``exact``: the binomial distribution of the discordant cases, 1/2 each; never rejects more often than it says.
    ``mid_p`` (the default): the exact p less the probability of the outcome seen; nearly as often as it says.
    ``asymptotic``: (b - c)² / (b + c) against chi-squared; ``asymptotic_corrected``: Edwards' (|b - c| - 1)² / (b + c).

    Raises ValueError for counts below 0 or more discordant cases than cases.
    """
    if min(candidate_only, reference_only) < 0 or candidate_only + reference_only > n or n < 1:
        raise ValueError(f"{candidate_only} and {reference_only} discordant cases of {n}")
    fewer, discordant = min(candidate_only, reference_only), candidate_only + reference_only
    if method in ("exact", "mid_p"):
        statistic, p_value = None, _binomial_p(fewer, discordant, mid=method == "mid_p")
    else:
        gap = abs(candidate_only - reference_only)
        corrected = max(0, gap - 1) if method == "asymptotic_corrected" else gap
        statistic = corrected**2 / discordant if discordant else 0.0
        p_value = _chi_squared_p(statistic)
    return Discordance(p_value, statistic, candidate_only, reference_only, n, n, _NAMES[method])


def clustered_mcnemar(
    candidate_right: NDArray[np.bool_],
    reference_right: NDArray[np.bool_],
    patients: NDArray[np.intp],
    method: ClusteredMethod = "obuchowski",
) -> Discordance:
    """Return McNemar's test where patients have several cases, that may be right or wrong together.

    With d the difference of right answers in a patient of m cases: ``durkalski`` (Σ d/m)² / Σ (d/m)², which weighs
    each patient alike and is McNemar's with one case a patient; ``obuchowski`` (the default) (Σ d)² (K - 1) / (K Σ d²)
    for K patients, which weighs each case alike, as the difference of proportions does.

    Patients are independent, and enough of them have discordant cases for chi-squared to hold (25 or so). p = 1 where
    no patient has a difference.

    Parameters
    ----------
    candidate_right, reference_right : shape (n,), which cases each model was right in
    patients : codes of the patients, shape (n,)

    Raises ValueError for lengths that differ, no case, or a single patient.
    """
    if not candidate_right.shape == reference_right.shape == patients.shape or candidate_right.ndim != 1:
        raise ValueError("answers of two models and patients must be of one length")
    only = candidate_right & ~reference_right, reference_right & ~candidate_right
    codes = np.unique(patients, return_inverse=True)[1]
    cases = np.bincount(codes).astype(np.float64)
    if len(cases) < 2:
        raise ValueError("a test over patients needs two of them")
    differences = np.bincount(codes, weights=only[0].astype(float) - only[1], minlength=len(cases))
    if method == "durkalski":
        differences, shrunk = np.sort(differences / cases), 1.0
    else:
        shrunk = (len(cases) - 1.0) / len(cases)
    squares = float((differences**2).sum())
    statistic = shrunk * float(differences.sum()) ** 2 / squares if squares else 0.0
    counts = int(only[0].sum()), int(only[1].sum())
    return Discordance(_chi_squared_p(statistic), statistic, *counts, len(patients), len(cases), _CLUSTERED[method])


def _binomial_p(fewer: int, discordant: int, mid: bool) -> float:
    from scipy.special import bdtr

    if discordant == 0:
        return 1.0
    up_to = float(bdtr(fewer, discordant, 0.5))
    if mid:
        below = float(bdtr(fewer - 1, discordant, 0.5)) if fewer else 0.0
        return min(1.0, up_to + below)
    return min(1.0, 2.0 * up_to)


def _chi_squared_p(statistic: float) -> float:
    return math.erfc(math.sqrt(statistic / 2.0))


_NAMES: dict[McNemarMethod, str] = {
    "exact": "McNemar, exact binomial",
    "mid_p": "McNemar, mid-p",
    "asymptotic": "McNemar, chi-squared",
    "asymptotic_corrected": "McNemar, chi-squared with continuity correction (Edwards)",
}
_CLUSTERED: dict[ClusteredMethod, str] = {
    "durkalski": "McNemar by patient (Durkalski)",
    "obuchowski": "McNemar by patient (Obuchowski)",
}
