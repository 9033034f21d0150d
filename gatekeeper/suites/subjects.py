"""The original rows of a condition with their calls, counted by patient.

Repeats of a case are left out: each subject counts once, with its original.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatekeeper.evidence import Rows
from gatekeeper.metrics import ConfusionTable, confusion_by_patient
from gatekeeper.policy import Requirement
from gatekeeper.statistics import Trials
from gatekeeper.suites.clusters import Clusters, Floats


@dataclass(frozen=True)
class Subjects:
    """The original rows of one condition with their calls, counted by patient; ``counts`` (patients, 4)."""

    rows: Rows
    clusters: Clusters
    counts: Floats

    @classmethod
    def of(cls, rows: Rows, operating_point: float) -> Subjects:
        """Take the originals among the rows and count their calls; once for all requirements."""
        return rows.remembered(f"subjects at {operating_point!r}", lambda: cls._of(rows, operating_point))

    @classmethod
    def _of(cls, rows: Rows, operating_point: float) -> Subjects:
        originals = rows.originals()
        clusters = Clusters.of(originals.patient)
        called = originals.called(operating_point)
        return cls(originals, clusters, confusion_by_patient(called, originals.label, clusters.codes, clusters.count))

    @property
    def table(self) -> ConfusionTable:
        """The confusion table of all patients together."""
        return ConfusionTable.of(self.counts.sum(axis=0))

    @property
    def ranks(self) -> Floats:
        """Scores for ranking; a case without an answer ranks worst, unless its failure costs otherwise.

        Worst is last if positive and first if negative; a failure that counts as a call ranks first, as none last.
        """
        worst = np.where(self.rows.label == 1, -1.0, 2.0)
        failed = np.where(self.rows.failed_as < 0, worst, np.where(self.rows.failed_as == 1, 2.0, -1.0))
        return np.asarray(np.where(self.rows.answered, self.rows.score, failed))

    @property
    def probabilities(self) -> Floats:
        """Scores as probabilities; a case without an answer is given the worst one, unless its failure costs otherwise.

        The worst is to be sure of the wrong class: 0 if positive and 1 if negative.
        """
        worst = np.where(self.rows.failed_as < 0, self.rows.label == 0, self.rows.failed_as == 1)
        return np.asarray(np.where(self.rows.answered, self.rows.score, worst.astype(np.float64)))

    @property
    def positives(self) -> tuple[Floats, Floats]:
        """Positive cases and cases in all, by patient."""
        return self.counts[:, [0, 2]].sum(axis=1), self.counts.sum(axis=1)

    @property
    def answers(self) -> tuple[Floats, Floats]:
        """Cases answered and cases in all, by patient."""
        return self.clusters.sums(self.rows.answered), self.clusters.sums(np.ones(len(self.rows)))

    def sums(self, requirement: Requirement) -> tuple[Floats, ...]:
        """Return what a metric of counts is made of, by patient: tp, fp, fn and tn, or cases answered and all."""
        return self.answers if requirement.spec.name == "imageability" else tuple(self.counts.T)

    @property
    def one_class(self) -> bool:
        """Whether all subjects are of one class."""
        return len(np.unique(self.rows.label)) < 2

    @property
    def classes_in_words(self) -> str:
        """Name what is counted by a metric of both classes, with the size of each."""
        table = self.table
        return f"cases ({int(table.tp + table.fn)} positive, {int(table.fp + table.tn)} negative)"

    def counted(self, requirement: Requirement) -> int:
        """Return the number of patients on whom a metric rests: for one of both classes, of the rarer class."""
        spec = requirement.spec
        if spec.name == "imageability":
            return self.clusters.count
        if spec.proportion is None or requirement.prevalence is not None or requirement.other_rate is not None:
            return int(min((self.counts[:, cells].sum(axis=1) > 0).sum() for cells in ([0, 2], [1, 3])))
        return int(np.count_nonzero(spec.proportion(ConfusionTable.of(self.counts)).trials))

    @property
    def trials(self) -> tuple[Trials, Trials]:
        """Patients with positive, and patients with negative, cases: how many are right in every one, or in any."""
        tp, fp, fn, tn = (self.counts[:, cell] > 0 for cell in range(4))
        pairs = ((tp, fn), (tn, fp))
        first, second = (
            Trials(int((right | wrong).sum()), int((right & ~wrong).sum()), int(right.sum())) for right, wrong in pairs
        )
        return first, second

    @property
    def pairs(self) -> int:
        """How many pairs of a positive and a negative there are in which no patient stands twice."""
        positive = self.counts[:, [0, 2]].sum(axis=1) > 0
        negative = self.counts[:, [1, 3]].sum(axis=1) > 0
        return int(min(positive.sum(), negative.sum(), (positive | negative).sum() // 2))
