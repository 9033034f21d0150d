"""Section 14: the words of this dossier."""

from __future__ import annotations

from gatekeeper.dossier.blocks import Block, Facts

_WORDS = (
    ("Candidate", "the model that wants to be released: weights, adapter and operating point."),
    (
        "Case, patient, subject",
        "a case is one unit of input; a subject groups repeats of one case; a patient may have several.",
    ),
    ("Claimed", "met, and so is every requirement before it in the policy's order."),
    (
        "Condition",
        "one way in which all cases are run: baseline, rerun, one by one, a numeric format, a severity of a "
        "perturbation, the timing protocol.",
    ),
    ("Exposure", "one recorded use of a locked test set for a candidate under a policy."),
    (
        "Interval, limit",
        "the range of values that the evidence leaves open at the confidence printed; a limit is one of its ends.",
    ),
    ("Lock", "the signed list of a test set: every case with patient, label, attributes and digest."),
    (
        "Met, not met, not decided",
        "the outcomes of a requirement. Not decided: the evidence leaves both open; the gate stays shut.",
    ),
    ("Operating point", "the score from which on a case is called positive."),
    ("Planted defect", "a fault put into the evidence on purpose, to see whether the policy closes the gate to it."),
    ("Precision", "positive predictive value: the share of alarms that are right. Never a number format."),
    ("Repeatability", "same subject, same conditions: how much the answer moves."),
    ("Severity", "the step of a perturbation's ladder, counted from 1; its magnitude is in the physical unit."),
    ("Threshold", "what the policy demands of a limit or of an estimate."),
)


def glossary() -> tuple[Block, ...]:
    """Explain the words that mean something particular here."""
    return (Facts(_WORDS),)
