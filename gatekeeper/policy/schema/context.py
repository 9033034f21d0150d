"""The clinical context that a policy speaks of."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import field_validator, model_validator

from gatekeeper.evidence import Record
from gatekeeper.policy._meaning import faults_of_context, faults_of_share
from gatekeeper.policy.schema.basis import Basis
from gatekeeper.policy.schema.values import Quantity, Text
from gatekeeper.validation import refuse

Task: TypeAlias = Literal["classification", "multiclass_classification", "detection", "segmentation", "quantification"]


class Prevalence(Record):
    """The share of positive units in the intended use, with its basis."""

    value: Quantity
    basis: Basis

    @field_validator("value")
    @classmethod
    def _is_a_share(cls, written: Quantity) -> Quantity:
        refuse(faults_of_share(written))
        return written


class Context(Record):
    """The clinical context that a policy speaks of.

    ``unit`` is the unit of analysis: what is counted (a patient, an examination, an image, a nodule). ``positive``
    names the finding that is called (classification, detection), ``classes`` the classes of a multi-class
    classification, ``structures`` what is segmented or measured.
    """

    modality: Literal["CT", "MR", "CR", "DX", "MG", "US", "OP", "PT", "NM", "SM", "XA"]
    body_part: Text
    task: Task
    unit: Text
    positive: Text | None = None
    classes: tuple[Text, ...] = ()
    structures: tuple[Text, ...] = ()
    prevalence: Prevalence | None = None
    intended_use: Text

    @model_validator(mode="after")
    def _says_what_is_found(self) -> Context:
        refuse(faults_of_context(self))
        return self
