"""How sure a drop is: a metric before, less the same metric after, on the same cases.

Percentiles of resampled drops promise too much, most of all where stress changes few calls: the upper limit of a drop
of 2 points was wrong in 4 to 18 % of simulated test sets of 100 cases, half of them positive, and in up to 47 % of
those with fewer positives, instead of 2.5 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics import ConfusionTable, confusion_by_patient
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Interval, Undecidable, equivalent_trials, paired_areas, tango, wilson
from gatekeeper.statistics.paired_difference import correlation_of, paired_difference_interval
from gatekeeper.statistics.paired_proportions import effective_pairs
from gatekeeper.statistics.two_classes import recovered_from
from gatekeeper.suites import performance
from gatekeeper.suites.clusters import ALIKE, FEWEST_CLUSTERS, all_alike, interval_when_alike
from gatekeeper.suites.subjects import Subjects
from gatekeeper.suites.two_rates import value_of_table

Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class Drop:
    """A metric on the same cases before and after; ``confidence`` is that of the drop."""

    followed: Requirement
    before: Subjects
    after: Subjects
    confidence: float
    operating_point: float

    @property
    def estimate(self) -> float:
        """The metric before less that after; NaN where it has no value."""
        first, second = (performance.estimate(self.followed, part) for part in self.parts)
        return first - second

    @property
    def interval(self) -> Interval | None:
        """The interval that the gate decides on; None with too few patients.

        A share of the same cases has Tango's score interval, an area the paired one of DeLong, any other metric MOVER's
        of its intervals before and after (at a prevalence, above, at least that of both rates). A drop that no patient
        varies is bounded by how many patients there are.
        """
        answers = self._answers()
        if answers is not None:
            return self._of_shares(*answers)
        if self.followed.spec.name == "auroc":
            return self._of_areas()
        return self._of_both_limits()

    @property
    def parts(self) -> tuple[Subjects, Subjects]:
        """Before and after."""
        return self.before, self.after

    @property
    def _enough(self) -> bool:
        return min(part.counted(self.followed) for part in self.parts) >= FEWEST_CLUSTERS

    def _answers(self) -> tuple[Answers, Answers, NDArray[np.intp]] | None:
        """Return what counts before and after, and the patient, of each case that a share is of; None for no share.

        The cases are the same in both: those with an alarm, of which a precision is the share, are not.
        """
        spec, codes = self.followed.spec, self.before.clusters.codes
        if spec.name == "imageability":
            return self.before.rows.answered, self.after.rows.answered, codes
        if spec.proportion is None or self.followed.prevalence is not None or self.followed.other_rate is not None:
            return None
        cases = np.arange(len(codes))
        shares = [
            spec.proportion(
                ConfusionTable.of(
                    confusion_by_patient(part.rows.called(self.operating_point), part.rows.label, cases, len(cases))
                )
            )
            for part in self.parts
        ]
        if (shares[0].trials != shares[1].trials).any():
            return None
        of_it = shares[0].trials > 0
        first, second = (share.hits[of_it] > 0 for share in shares)
        return first, second, codes[of_it]

    def _of_shares(self, first: Answers, second: Answers, codes: NDArray[np.intp]) -> Interval | None:
        apart = first.astype(np.int8) - second
        if apart.min() == apart.max() or codes.min() == codes.max():
            return self._when_alike()
        if not self._enough:
            return None
        pairs = effective_pairs(first, second, codes, self.confidence)
        on = "" if pairs.n == len(codes) else " on effective numbers of cases"
        found = tango(pairs, self.confidence)
        return replace(found, method=f"paired {found.method}{on}")

    def _of_areas(self) -> Interval | None:
        label, codes = self.before.rows.label, self.before.clusters.codes
        try:
            areas = paired_areas(self.before.ranks, self.after.ranks, label, codes)
        except Undecidable:  # a class of one patient
            return self._when_alike() if all_alike(np.subtract(*self._replicates)) else None
        if areas.unanimous:
            return self._when_alike()
        return areas.interval(self.confidence) if self._enough else None

    def _of_both_limits(self) -> Interval | None:
        replicates = self._replicates
        if all_alike(np.subtract(*replicates)):
            return self._when_alike()
        first, second = (performance.estimate(self.followed, part) for part in self.parts)
        limits = self._limits(self.confidence)
        if limits is None or not self._enough:
            return None
        try:
            found = paired_difference_interval(first, limits[0], second, limits[1], correlation_of(*replicates))
        except Undecidable:
            return None
        found = replace(found.within(-self._span, self._span), method=f"paired {found.method}")
        if self.followed.prevalence is None:
            return found
        method = f"{found.method}; upper limit at least that of Wilson and Tango limits of both rates"
        return replace(found, upper=max(found.upper, self._most_by_rates()), method=method)

    def _most_by_rates(self) -> float:
        """Return MOVER's upper limit from sensitivity and specificity before (Wilson) and what each loses (Tango).

        At a prevalence one rate makes nearly all of a predictive value. Where none of its few cases changes, before and
        after seem to go together more than they do; here such cases have a limit of their own.
        """
        label, codes = self.before.rows.label == 1, self.before.clusters.codes
        right = [part.rows.called(self.operating_point) == label for part in self.parts]
        tp, fp, fn, tn = self.before.counts.T
        seen, limits = [], []
        for own, hits, misses in ((label, tp, fn), (~label, tn, fp)):
            trials = equivalent_trials(hits, hits + misses, self.confidence)
            pairs = effective_pairs(right[0][own], right[1][own], codes[own], self.confidence)
            seen += [trials.hits / trials.trials, pairs.difference]
            limits += [wilson(trials.hits, trials.trials, self.confidence), tango(pairs, self.confidence)]
        return recovered_from(self._lost, seen, limits, (-self._span, self._span), "MOVER of both rates").upper

    def _lost(self, sensitivity: float, found_less: float, specificity: float, cleared_less: float) -> float:
        """Return the metric at rates, less that at rates so much lower."""
        found = np.clip([sensitivity, sensitivity - found_less], 0.0, 1.0)
        cleared = np.clip([specificity, specificity - cleared_less], 0.0, 1.0)
        first, second = value_of_table(self.followed, ConfusionTable(found, 1.0 - cleared, 1.0 - found, cleared))
        return float(first - second)

    @property
    def _span(self) -> float:
        return self.followed.spec.highest - self.followed.spec.lowest

    @property
    def _replicates(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first, second = performance.replicates(self.followed, *self.parts)
        return first, second

    def _limits(self, confidence: float) -> tuple[Interval, Interval] | None:
        """Return the metric's own interval before, and after."""
        item = self.followed.model_copy(update={"confidence": confidence})
        first, second = (performance.measure(item, part.rows, self.operating_point).interval for part in self.parts)
        return None if first is None or second is None else (first, second)

    def _when_alike(self) -> Interval | None:
        """Bound a drop that no patient varies, such as none at all: no change in all of them is not no change ever.

        Patients (for an AUROC, pairs of them) that are all alike bound how many could differ. A predictive value is no
        mean over patients; its drop lies between the differences of its own two intervals, each with half of the error.
        """
        name = self.followed.spec.name
        if name == "auroc":
            pairs = self.before.pairs
            return interval_when_alike(self.estimate, -1.0, pairs, self.confidence, ALIKE) if pairs else None
        if name in ("sensitivity", "specificity", "imageability") and self.followed.other_rate is None:
            counted = self.before.counted(self.followed)
            return interval_when_alike(self.estimate, -1.0, counted, self.confidence, ALIKE)
        limits = self._limits(1.0 - (1.0 - self.confidence) / 2.0)
        if limits is None:
            return None
        first, second = limits
        method = "difference of both limits (Bonferroni), since no patient differs"
        return Interval(first.lower - second.upper, first.upper - second.lower, self.confidence, method)
