"""What a candidate does with inputs that it should, or should not, answer."""

from __future__ import annotations

from gatekeeper.metrics.specification import EVERY_TASK, Metric, Suite

IMAGEABILITY = Metric(
    name="imageability",
    title="Imageability",
    suite=Suite.PERFORMANCE,
    definition="share of the cases of the test set that the candidate answered at all",
    source="Abràmoff et al., npj Digit Med 2018;1:39, PMC6550188",
    undefined="no case",
    n_of="cases",
    interval="Clopper-Pearson (exact); on the effective number of cases (Korn & Graubard) where a patient has several",
    tasks=EVERY_TASK,
)
REFUSAL_RATE = Metric(
    name="refusal_rate",
    title="Refusal of unusable inputs",
    suite=Suite.REFUSAL,
    definition="share of unusable inputs, of the kinds that the policy lists under refusals, that were refused; a "
    "crash or an answer that does not come is no refusal; inputs that are the same to the candidate count once",
    source="FDA draft guidance on AI-enabled device software functions (2025-01-07), XII: bad input",
    undefined="no unusable input was tried; without an interval where a kind that is listed was not",
    n_of="unusable inputs",
    interval="Clopper-Pearson (exact); on the effective number of inputs (Korn & Graubard) where a patient has several",
    tasks=EVERY_TASK,
)
