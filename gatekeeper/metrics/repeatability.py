"""How much an answer changes when nothing about the patient does.

Levels. R0: the same input run again, on the same device with the same batch size, in a fresh process, as often as the
policy says. R1: one case at a time, the last one first. R2: another numeric format. R3: benign perturbations (one
pixel, one degree, 1 % of intensity, unless the policy names others). R4: true repeats from the test set
(``repeat_of``). Repeats of a case are the baseline and every run of the level together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatekeeper.metrics.specification import EVERY_TASK, Metric, Suite

# What a column of a structure is called that holds the Dice of its outline in a further run with that at baseline.
BETWEEN_DICE = "between_dice"

_OPTIONS = frozenset({"level", "numeric_format"})
_ONE_ANSWER = "from R0 to R3, an answer that some of the runs lack"


def subject_flips(called: NDArray[np.bool_], subject: NDArray[np.intp], subjects: int) -> NDArray[np.bool_]:
    """Say for each subject whether its repeats did not all get the same call; shape (subjects,).

    Subjects with a single row never flip; leave them out before dividing.
    """
    calls = np.bincount(subject, weights=called, minlength=subjects)
    rows = np.bincount(subject, minlength=subjects)
    return (calls > 0) & (calls < rows)


def subject_ranges(score: NDArray[np.float64], subject: NDArray[np.intp], subjects: int) -> NDArray[np.float64]:
    """Return each subject's largest score less its smallest; shape (subjects,)."""
    largest, smallest = np.full(subjects, -np.inf), np.full(subjects, np.inf)
    np.maximum.at(largest, subject, score)
    np.minimum.at(smallest, subject, score)
    return np.asarray(largest - smallest, dtype=np.float64)


def within_subject_squares(
    score: NDArray[np.float64], subject: NDArray[np.intp], subjects: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each subject's sum of squared deviations from its own mean, and its degrees of freedom (rows - 1)."""
    rows = np.bincount(subject, minlength=subjects).astype(np.float64)
    # Taken from one of the subject's scores, so that equal scores give exactly 0.
    first = np.zeros(subjects)
    first[subject] = score
    shift = score - first[subject]
    mean = np.bincount(subject, weights=shift, minlength=subjects) / np.maximum(rows, 1.0)
    squares = np.bincount(subject, weights=(shift - mean[subject]) ** 2, minlength=subjects)
    return np.asarray(squares, dtype=np.float64), np.maximum(rows - 1.0, 0.0)


MAX_DEVIATION = Metric(
    name="max_deviation",
    title="Largest change on rerun",
    suite=Suite.REPEATABILITY,
    tasks=EVERY_TASK,
    definition="largest difference between two answers to one subject: scores, or whatever was measured or found, of "
    f"outlines also 1 less their Dice; 0 means bit for bit; {_ONE_ANSWER} is a change of 1",
    source="repeatability ladder: R0 reruns in fresh processes, R1 one case at a time and the last one first, R2 "
    "another numeric format (bf16 unless said), R3 benign perturbations, R4 true repeats",
    undefined="no case was answered in any run",
    n_of="cases run twice",
    higher_is_better=False,
    options=_OPTIONS,
    must=frozenset({"level"}),
    convention="at R3 an object may have moved: scores, quantities and findings are compared, and no overlap",
)
FLIP_RATE = Metric(
    name="flip_rate",
    title="Flips between repeats",
    suite=Suite.REPEATABILITY,
    definition="share of subjects whose repeats did not all get the same call at the operating point; "
    f"{_ONE_ANSWER} is another call",
    source="FDA draft guidance on AI-enabled device software functions (2025-01-07), App. C: precision study",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval=(
        "Clopper-Pearson (exact); on the effective number of subjects (Korn & Graubard) where a patient has several"
    ),
    higher_is_better=False,
    options=_OPTIONS,
    must=frozenset({"level"}),
    convention="repeats are all runs of a level: at R3 the image as it is and after each benign change; several reruns "
    "of R0 stop once one has shown that a requirement is not met, since more can only add flips",
)
WITHIN_SUBJECT_SD = Metric(
    name="within_subject_sd",
    aliases=("wsd",),
    title="Within-subject SD of the score",
    suite=Suite.REPEATABILITY,
    definition="square root of the pooled within-subject variance of the score: sum of squares over sum of (k - 1); "
    f"{_ONE_ANSWER} counts as a change of the score to 0 or 1, whichever is farther",
    source="Raunig et al., Stat Methods Med Res 2015;24:27 (QIBA)",
    undefined="no subject has a repeat",
    n_of="subjects with repeats",
    interval="studentised bootstrap of patients, of the variances within subjects; at least chi-squared",
    caution="below 100 subjects the upper limit is wrong in 4 to 5 % of studies instead of 2.5 %, and more often where "
    "few subjects scatter far more than all others: those that were not drawn are in no interval",
    higher_is_better=False,
    options=_OPTIONS,
    must=frozenset({"level"}),
)
