"""What a candidate declares about itself: artefact, input, output, operating point. A YAML file beside the weights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatekeeper.evidence import Record

Pixels = Annotated[int, Field(ge=1, le=16384)]
Millimetres = Annotated[float, Field(gt=0.0)]


class Architecture(Record):
    """A registered network definition and its arguments."""

    name: str
    arguments: dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(default_factory=dict)


class Intensity(Record):
    """Pixel values that are mapped linearly onto 0 and 1 before they reach the network."""

    zero_at: float
    one_at: float

    @model_validator(mode="after")
    def _spans(self) -> Intensity:
        if self.zero_at == self.one_at:
            raise ValueError("zero_at and one_at are the same value")
        return self


class InputContract(Record):
    """The images that the candidate takes: rows and columns, pixel spacing in mm (row, column), intensity mapping."""

    size: tuple[Pixels, Pixels]
    spacing_mm: tuple[Millimetres, Millimetres] | None = None
    intensity: Intensity


class OutputContract(Record):
    """What the network returns for one image: one number, the logit or the probability of the positive class."""

    kind: Literal["logit", "probability"]
    classes: tuple[str, str]
    positive: str

    @model_validator(mode="after")
    def _positive_is_a_class(self) -> OutputContract:
        if self.positive not in self.classes:
            raise ValueError(f"positive names none of the classes {', '.join(self.classes)}")
        return self


class Contract(Record):
    """A candidate: model artefact, adapter and operating point.

    A case is called positive when its probability is at or above ``operating_point``.
    """

    description: str = Field(min_length=1)
    format: Literal["safetensors"]
    architecture: Architecture
    artefact: str = Field(min_length=1)
    input: InputContract
    output: OutputContract
    operating_point: float = Field(gt=0.0, lt=1.0)
    producer: Literal["trusted", "untrusted"] = "untrusted"
