"""One demand on one metric."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from gatekeeper.evidence import Record, Threshold
from gatekeeper.evidence.conditions import NumericFormat
from gatekeeper.metrics import METRICS, Metric
from gatekeeper.policy._meaning import ENDS, faults_of_metric, faults_of_requirement
from gatekeeper.policy.schema.basis import Basis, Relaxation
from gatekeeper.policy.schema.values import Quantity, Text
from gatekeeper.quantities import parse_quantity
from gatekeeper.validation import refuse

DEFAULT_FORMAT: NumericFormat = "bf16"  # of level R2
Stage: TypeAlias = Literal[
    "inference",
    "end_to_end",
    "read",
    "decode",
    "preprocess",
    "transfer",
    "forward",
    "postprocess",
    "cold_start",
    "first_case",
]


class Limit(Record):
    """One side of a threshold."""

    at_least: Quantity | None = None
    at_most: Quantity | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least, at_most")
        return self


class Requirement(Record):
    """One demand on one metric.

    Exactly one of ``lower_limit``, ``upper_limit`` (ends of the two-sided interval at ``confidence``) and
    ``estimate`` (the point) carries the threshold. The keys between ``at_prevalence`` and ``severity`` say how the
    metric is taken; which of them a metric takes, and which it must have, its entry in the catalogue says.
    ``at_prevalence: declared`` is the prevalence of the context. Level R2 runs every case again in ``numeric_format``,
    bf16 unless it is said. Times are of one case at a time, of ``stage`` inference, unless it is said; with ``batch:
    declared`` of a call with as many cases as the run's batches have. ``clause`` names the clause of a regulation or
    standard that the requirement serves, ``hazard`` the entry of the risk file that it controls.
    """

    title: Text | None = None
    metric: str
    lower_limit: Limit | None = None
    upper_limit: Limit | None = None
    estimate: Limit | None = None
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    interval: Literal["wilson", "clopper_pearson", "jeffreys"] | None = None
    at_prevalence: Quantity | None = None
    at_sensitivity: Quantity | None = None
    at_specificity: Quantity | None = None
    at_precision: Quantity | None = None
    at_false_positives_per_case: Quantity | None = None
    at_threshold_probability: Quantity | None = None
    up_to_false_positive_rate: Quantity | None = None
    beta: Quantity | None = None
    miss_cost: Quantity | None = None
    bins: int | None = Field(default=None, ge=2, le=1000)
    of_class: Text | None = None
    average: Literal["macro", "weighted"] | None = None
    structure: Text | None = None
    tolerance: Quantity | None = None
    level: Literal["R0", "R1", "R2", "R3", "R4"] | None = None
    numeric_format: NumericFormat | None = None
    stage: Stage | None = None
    batch: Literal["one", "declared"] | None = None
    of_memory: Literal["host", "device"] | None = None
    percentile: float | None = Field(default=None, gt=0.0, le=100.0)
    of: str | None = None
    perturbation: str | None = None
    severity: int | None = Field(default=None, ge=1)
    blocking: bool = True
    basis: Basis | None = None
    hazard: Text | None = None
    clause: Text | None = None
    relaxes: Relaxation | None = None

    @field_validator("metric")
    @classmethod
    def _is_known(cls, name: str) -> str:
        refuse(faults_of_metric(name))
        return name

    @model_validator(mode="after")
    def _means_something(self) -> Requirement:
        refuse(faults_of_requirement(self))
        return self

    @property
    def spec(self) -> Metric:
        """The catalogue's entry of the metric."""
        return METRICS.get(self.metric)

    @property
    def threshold(self) -> Threshold:
        """The threshold in the metric's own unit."""
        unit = self.spec.unit
        for name in ENDS:
            limit: Limit | None = getattr(self, name)
            if limit is not None:
                return Threshold(
                    of=name,
                    at_least=None if limit.at_least is None else parse_quantity(limit.at_least, unit),
                    at_most=None if limit.at_most is None else parse_quantity(limit.at_most, unit),
                )
        raise ValueError("a requirement without a threshold")

    @property
    def prevalence(self) -> float | None:
        """The prevalence at which a predictive value is required, as a share."""
        return None if self.at_prevalence is None else parse_quantity(self.at_prevalence, "1")

    @property
    def other_rate(self) -> float | None:
        """The specificity at which a sensitivity is required, or the sensitivity of a specificity, as a share."""
        written = (self.at_specificity, self.at_sensitivity, self.at_precision)
        return next((parse_quantity(rate, "1") for rate in written if rate is not None), None)

    @property
    def most_false_positives(self) -> float:
        """The false-positive rate up to which an area counts; 1 for the whole of it."""
        written = self.up_to_false_positive_rate
        return 1.0 if written is None else parse_quantity(written, "1")

    @property
    def rate_of_false_positives(self) -> float | None:
        """The false positives a case at which a lesion sensitivity is required."""
        written = self.at_false_positives_per_case
        return None if written is None else parse_quantity(written, "count")

    @property
    def tolerance_mm(self) -> float | None:
        """The tolerance of a boundary, mm."""
        return None if self.tolerance is None else parse_quantity(self.tolerance, "mm")

    @property
    def parameters(self) -> dict[str, float]:
        """The numbers that the formula of a metric of the whole table takes, by name."""
        written = {name: getattr(self, name) for name in ("beta", "miss_cost", "at_threshold_probability")}
        return {name: parse_quantity(value, "1") for name, value in written.items() if value is not None}

    @property
    def compared_format(self) -> NumericFormat | None:
        """The numeric format that level R2 compares with that of the run, bf16 unless it is said; None elsewhere."""
        return (self.numeric_format or DEFAULT_FORMAT) if self.level == "R2" else None

    @property
    def not_measured(self) -> str | None:
        """What of this requirement this version cannot measure yet, as the subject of a sentence; None if nothing.

        Such a requirement is never decided: it can close a gate and never open one.
        """
        return None if self.spec.measured else self.spec.title
