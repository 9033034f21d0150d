"""What a candidate declares about itself: format, artefact, input, output, operating point. A YAML beside the files."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from gatekeeper.evidence import Record

Pixels = Annotated[int, Field(ge=1, le=16384)]
Millimetres = Annotated[float, Field(gt=0.0)]
Name = Annotated[str, Field(min_length=1, max_length=200)]

Format: TypeAlias = Literal[
    "safetensors", "onnx", "torchscript", "export", "monai_bundle", "python", "command", "predictions"
]
NumericFormat: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16"]
OutputKind: TypeAlias = Literal[
    "probability", "logit", "softmax", "logits", "mask", "mask_probability", "mask_logit", "mask_softmax", "boxes"
]
# Whatever loads these may run code that the file brings.
NEED_TRUST: tuple[Format, ...] = ("torchscript", "export", "monai_bundle", "python")
CALLS: tuple[OutputKind, ...] = ("probability", "logit", "softmax", "logits")
MASKS: tuple[OutputKind, ...] = ("mask", "mask_probability", "mask_logit", "mask_softmax")
Scalar: TypeAlias = bool | int | float | str
Argument: TypeAlias = Scalar | tuple[Scalar | tuple[Scalar, ...], ...]


class Architecture(Record):
    """A registered network definition and its arguments."""

    name: str
    arguments: dict[str, Argument] = Field(default_factory=dict)


class Intensity(Record):
    """How pixel values are mapped before they reach the network; one of three ways, then ``mean`` and ``std``.

    ``zero_at`` and ``one_at``: linearly, these values onto 0 and 1 (a CT window); ``clip`` cuts what lies outside.
    ``normalisation``: from each image's own values. ``z_score`` takes away the mean and divides by the standard
    deviation, ``min_max`` maps the least and the greatest onto 0 and 1, ``percentiles`` maps two percentiles onto 0
    and 1 and clips. Neither: values as they are after the rescaling of the file. ``mean`` and ``std`` are then taken
    away and divided by, one number a channel.
    """

    zero_at: float | None = None
    one_at: float | None = None
    clip: bool = False
    normalisation: Literal["z_score", "min_max", "percentiles"] | None = None
    percentiles: tuple[float, float] = (0.5, 99.5)
    mean: tuple[float, ...] | None = None
    std: tuple[Annotated[float, Field(gt=0.0)], ...] | None = None

    @model_validator(mode="after")
    def _spans(self) -> Intensity:
        if (self.zero_at is None) != (self.one_at is None):
            raise ValueError("zero_at and one_at belong together")
        if self.zero_at is not None and self.zero_at == self.one_at:
            raise ValueError("zero_at and one_at are the same value")
        if self.zero_at is not None and self.normalisation is not None:
            raise ValueError("give either zero_at and one_at, or normalisation")
        if self.clip and self.zero_at is None:
            raise ValueError("clip needs zero_at and one_at")
        if not 0.0 <= self.percentiles[0] < self.percentiles[1] <= 100.0:
            raise ValueError("percentiles are two numbers from 0 to 100, the lower one first")
        if (self.mean is None) != (self.std is None) or len(self.mean or ()) != len(self.std or ()):
            raise ValueError("mean and std belong together, one number a channel each")
        return self


class SlidingWindow(Record):
    """Inference by MONAI's sliding window: the size of a window in voxels, its overlap, how overlaps are weighed."""

    size: tuple[Pixels, ...]
    overlap: float = Field(default=0.25, ge=0.0, lt=1.0)
    mode: Literal["constant", "gaussian"] = "gaussian"
    batch_size: int = Field(default=4, ge=1, le=4096)


class InputContract(Record):
    """The images that the candidate takes, as an array of (channel, *axes).

    ``size`` is in pixels: (rows, columns), or of a volume along its three axes: (slices, rows, columns) as stored, or
    (x, y, z) of the patient with an ``orientation``. Where it is left out any size is taken, and ``dimensions`` says
    how many axes there are. ``spacing_mm`` is in the order of the axes. What does not fit is an error, unless
    ``resample`` allows linear interpolation to the spacing, and ``fit`` says how another size is made the right one.
    ``multiple_of`` pads each axis at its end with the least value of the image. ``gives`` is what a command or a
    plug-in is given for a case: the prepared ``array`` (a ``npy`` file to a command), the same as ``nifti``, or the
    ``original`` files.
    """

    size: tuple[Pixels, ...] | None = None
    dimensions: Literal[2, 3] | None = None
    orientation: Literal["RAS", "LPS"] | None = None
    spacing_mm: tuple[Millimetres, ...] | None = None
    resample: bool = False
    fit: Literal["exact", "resize", "crop_or_pad"] = "exact"
    multiple_of: Pixels | None = None
    channels: Literal[1, 3] = 1
    intensity: Intensity = Field(default_factory=Intensity)
    dtype: Literal["float32", "float64", "float16", "uint8", "int16", "int32", "int64"] = "float32"
    sliding_window: SlidingWindow | None = None
    gives: Literal["array", "nifti", "original"] = "array"

    @model_validator(mode="after")
    def _hangs_together(self) -> InputContract:
        if self.size is None and self.dimensions is None:
            raise ValueError("give size, or dimensions (2 or 3)")
        if self.size is not None and len(self.size) != (self.dimensions or len(self.size)):
            raise ValueError("size has another number of axes than dimensions")
        if self.axes not in (2, 3):
            raise ValueError("size has two axes, or three")
        for name in ("spacing_mm", "sliding_window"):
            lengths = self.sliding_window.size if name == "sliding_window" and self.sliding_window else self.spacing_mm
            if lengths is not None and len(lengths) != self.axes:
                raise ValueError(f"{name} has {len(lengths)} axes, the input has {self.axes}")
        if self.orientation is not None and self.axes != 3:
            raise ValueError("orientation is of volumes alone")
        if self.resample and self.spacing_mm is None:
            raise ValueError("resample needs spacing_mm")
        if self.fit != "exact" and self.size is None:
            raise ValueError("fit needs size")
        if self.multiple_of is not None and self.size is not None:
            raise ValueError("multiple_of is for inputs of any size")
        if self.intensity.mean is not None and len(self.intensity.mean) != self.channels:
            raise ValueError("mean and std have one number for each channel")
        return self

    @property
    def axes(self) -> int:
        """How many axes an image has: 2 or 3."""
        return self.dimensions or len(self.size or ())


class Calibration(Record):
    """A recalibration that belongs to the candidate, on the log-odds (of several classes: their logs).

    ``slope`` times the log-odds plus ``intercept``; a temperature T of several classes is the slope 1 / T.
    """

    slope: float = Field(default=1.0, gt=0.0)
    intercept: float = 0.0


class Refusing(Record):
    """How the candidate says that it declines an input: one of these exceptions, a flag among its outputs, a status.

    ``flag`` names an output that is true (not 0) for a refused case; ``status`` is the exit status of a command.
    """

    exceptions: tuple[Name, ...] = ()
    flag: Name | None = None
    status: int | None = Field(default=None, ge=1, le=125)


class OutputContract(Record):
    """What the candidate returns for a batch of n images.

    ``probability``, ``logit``: one number a case, of the positive class, shape (n,) or (n, 1). ``softmax``, ``logits``:
    one a class, shape (n, classes), probabilities that sum to 1 or their unnormalised logs. ``mask``: whole numbers,
    shape (n, *axes) or (n, 1, *axes), ``structures`` gives the label of each. ``mask_probability``, ``mask_logit``:
    shape (n, channels, *axes), ``structures`` gives the channel of each (from 0), which is called where its probability
    is at or above the operating point. ``mask_softmax``: the same shape, the highest channel is called; channel 0 is
    background. ``boxes``: low and high corners (n, m, 2, axes), or (m, 2 * axes) a case with the low corner first, in
    pixels of the input as prepared and in the order of its axes, pixel i from i to i + 1; and scores (n, m). Rows that
    are all NaN are no findings.

    The reference mask of a test set has for each structure the label of a ``mask``, the channel of ``mask_softmax``,
    the channel + 1 of ``mask_probability`` and ``mask_logit``. ``name`` chooses among several named (or numbered)
    outputs; the scores of boxes are the output ``scores``, or the one that follows.
    """

    kind: OutputKind
    classes: tuple[Name, ...] = ()
    positive: Name | None = None
    structures: dict[Name, Annotated[int, Field(ge=0, le=65535)]] = Field(default_factory=dict)
    name: Name | None = None
    calibration: Calibration | None = None
    refuses: Refusing = Field(default_factory=Refusing)

    @model_validator(mode="after")
    def _hangs_together(self) -> OutputContract:
        if self.kind in ("probability", "logit") and (len(self.classes) != 2 or self.positive is None):
            raise ValueError(f"an output of kind {self.kind} needs two classes, and which of them is positive")
        if self.kind in ("softmax", "logits"):
            if len(self.classes) < 2:
                raise ValueError(f"an output of kind {self.kind} needs two classes or more")
            if len(self.classes) == 2 and self.positive is None:
                raise ValueError("of two classes, positive says which one is looked for")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("a class stands twice")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError(f"positive names none of the classes {', '.join(self.classes)}")
        if (self.kind in MASKS) != bool(self.structures):
            raise ValueError("structures belong to masks: the label (or channel) of each by its name")
        if len(set(self.structures.values())) != len(self.structures):
            raise ValueError("two structures have the same label")
        if self.kind in ("mask", "mask_softmax") and 0 in self.structures.values():
            raise ValueError("0 is background, structures have labels from 1")
        if self.calibration is not None and self.kind not in CALLS:
            raise ValueError("calibration is of probabilities of cases")
        return self


class Contract(Record):
    """A candidate: model artefact, adapter and operating point.

    A case is called positive when its probability is at or above ``operating_point``; so is a voxel, or a finding.
    ``artefact`` is a file or a folder beside the YAML, ``files`` further ones that it needs (external data of ONNX):
    what is not among them does not exist for the candidate.
    ``batch_size`` is the most cases that it takes at once. ``numeric_formats`` are those that it is made for.
    ``command`` is the argument list of an executable, in which ``{input}`` and ``{output}`` stand for folders.
    """

    description: str = Field(min_length=1)
    format: Format
    artefact: Name | None = None
    files: tuple[Name, ...] = ()
    architecture: Architecture | None = None
    plugin: Name | None = None
    command: tuple[Name, ...] = ()
    input: InputContract
    output: OutputContract
    operating_point: float = Field(default=0.5, gt=0.0, lt=1.0)
    batch_size: int | None = Field(default=None, ge=1, le=65536)
    numeric_formats: tuple[NumericFormat, ...] = ("fp32",)
    compile: bool = False
    producer: Literal["trusted", "untrusted"] = "untrusted"

    @model_validator(mode="after")
    def _hangs_together(self) -> Contract:
        needs = {"safetensors": "architecture", "python": "plugin", "command": "command"}
        for form, key in needs.items():
            if (self.format == form) != bool(getattr(self, key)):
                raise ValueError(f"{key} belongs to the format {form}, which needs it")
        if self.artefact is None and self.format not in ("python", "command"):
            raise ValueError(f"the format {self.format} needs an artefact")
        if self.format in NEED_TRUST and self.producer != "trusted":
            raise ValueError(
                f"a file of the format {self.format} can run code when it is loaded: it needs producer: trusted, which "
                "dossier and verdict will show; ONNX and safetensors need no trust"
            )
        decides = self.output.kind not in ("mask", "mask_softmax")
        if decides and "operating_point" not in self.model_fields_set:
            raise ValueError(f"an output of kind {self.output.kind} needs an operating_point")
        if self.format == "predictions" and self.output.kind not in (*CALLS, "mask"):
            raise ValueError(
                f"predictions that were made elsewhere are read of the kinds {', '.join(CALLS)} and mask, not of "
                f"{self.output.kind}"
            )
        if self.input.gives != "array" and self.format not in ("python", "command"):
            raise ValueError("files are given to a command or a plug-in alone")
        if "fp32" not in self.numeric_formats:
            raise ValueError("numeric_formats name fp32 among others: it is what the others are compared with")
        return self
