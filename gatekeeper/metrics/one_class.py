"""One class of several against the rest: shares of its cases, or of the calls of it."""

from __future__ import annotations

from gatekeeper.metrics.specification import Metric, Suite

_RELOADED = "Metrics Reloaded (Maier-Hein et al., Nat Methods 2024, doi 10.1038/s41592-023-02151-z)"


def _share(name: str, title: str, definition: str, undefined: str, n_of: str) -> Metric:
    return Metric(
        name=name,
        title=title,
        suite=Suite.PERFORMANCE,
        definition=definition,
        source=_RELOADED,
        undefined=undefined,
        n_of=n_of,
        interval="Clopper-Pearson; on the effective number (Korn & Graubard) where a patient has several cases",
        options=frozenset({"of_class"}),
        must=frozenset({"of_class"}),
        tasks=frozenset({"multiclass_classification"}),
        measured=False,
        convention="the class of the highest probability is called; of equal ones the first that is declared",
    )


CLASS_SENSITIVITY = _share(
    "class_sensitivity",
    "Sensitivity to a class",
    "share of the cases of of_class that were called so",
    "no case is of the class",
    "cases of the class",
)
CLASS_SPECIFICITY = _share(
    "class_specificity",
    "Specificity for a class",
    "share of the other cases that were not called of_class",
    "all cases are of the class",
    "cases of other classes",
)
CLASS_PRECISION = _share(
    "class_precision",
    "Precision of calls of a class",
    "share of the calls of of_class that are right. Depends on the classes' shares",
    "no case was called so",
    "calls of the class",
)
CLASS_NPV = _share(
    "class_npv",
    "Negative predictive value for a class",
    "share of the calls of other classes that are not of of_class. Depends on the classes' shares",
    "all cases were called so",
    "calls of other classes",
)
