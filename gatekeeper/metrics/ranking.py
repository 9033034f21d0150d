"""Metrics of the order that scores give to cases, at no operating point."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

AUROC = Metric(
    name="auroc",
    aliases=("auc",),
    title="Area under the ROC curve",
    suite=Suite.PERFORMANCE,
    definition="probability that a positive case scores above a negative one, ties counted one half",
    source="Hanley & McNeil, Radiology 1982;143:29; DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837",
    undefined="all cases are of one class",
    n_of="cases",
    interval=(
        "DeLong, by patient where one has several cases (Obuchowski); Wilson score on the effective number of pairs"
    ),
)
