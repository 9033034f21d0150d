"""From evidence to the calls of several classes."""

from __future__ import annotations

from gatekeeper.dossier.asking import plainly
from gatekeeper.dossier.curves import ClassCalls
from gatekeeper.evidence import BASELINE, Evidence
from gatekeeper.policy import Policy
from gatekeeper.suites import classes


def class_calls(policy: Policy, evidence: Evidence) -> ClassCalls | None:
    """Return calls against labels of the originals at baseline, and how each class fares against the rest.

    None where the evidence holds no probabilities of classes.
    """
    rows = evidence.under(BASELINE.id)
    if not classes.held(rows) or not (rows.case == rows.subject).any():
        return None
    subjects = rows.remembered("classes", lambda: classes.ClassSubjects.of(rows))
    sensitivity, precision = (
        [classes.measure(plainly(policy, name, of_class=of_class), rows) for of_class in subjects.names]
        for name in ("class_sensitivity", "class_precision")
    )
    return ClassCalls(
        names=subjects.names,
        counts=tuple(tuple(int(count) for count in row) for row in subjects.counts.sum(axis=0)),
        shares=tuple(zip(sensitivity, precision, strict=True)),
        replaced=int((~rows.originals().answered).sum()),
    )
