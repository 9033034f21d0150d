"""What a candidate declares about itself, in words: format, input, output, how it declines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatekeeper.candidate import CandidateRecord
from gatekeeper.candidate.contract import CALLS, Architecture, Contract, InputContract, Intensity, OutputContract
from gatekeeper.dossier import numerals

_KINDS = {
    "probability": "the probability of {positive}",
    "logit": "the logit of {positive}",
    "softmax": "a probability of each class",
    "logits": "an unnormalised logarithm of the probability of each class",
    "mask": "a mask of labels",
    "mask_probability": "a probability of each voxel, one channel a structure",
    "mask_logit": "a logit of each voxel, one channel a structure",
    "mask_softmax": "probabilities of each voxel, a channel for background and each structure; the highest is called",
    "boxes": "boxes with a score each",
}
_NORMALISATIONS = {
    "z_score": "mean taken away, divided by the standard deviation, of each image",
    "min_max": "least and greatest value of each image mapped onto 0 and 1",
}
_FITS = {"resize": "resized to it by linear interpolation", "crop_or_pad": "cropped or padded to it, centred"}


def contract_in_words(record: CandidateRecord) -> tuple[tuple[str, str], ...]:
    """Return pairs of name and text."""
    contract = record.contract
    return (
        ("Producer", f"{contract.producer}{_trust(contract)}"),
        ("Format", _format(record)),
        ("Input", "; ".join(_input(contract.input))),
        ("Output", "; ".join(_output(contract.output))),
        *((("Operating point", _point(contract)),) if contract.output.kind not in ("mask", "mask_softmax") else ()),
        ("Declines an input", _declines(contract)),
        ("Made for", ", ".join(contract.numeric_formats) + ("; compiled" if contract.compile else "")),
    )


def _trust(contract: Contract) -> str:
    trusted = contract.producer == "trusted"
    return ": declared by whoever made the candidate, not shown" if trusted else ""


def _format(record: CandidateRecord) -> str:
    contract = record.contract
    if contract.architecture is not None:
        return f"{contract.format}, architecture {_architecture(contract.architecture)}"
    if contract.plugin is not None:
        return f"{contract.format}, plug-in {contract.plugin} of {record.plugin}"
    if contract.command:
        return f"{contract.format}: {' '.join(contract.command)}"
    if contract.format == "predictions":
        return "predictions: the model was not run here, its predictions were made elsewhere"
    return contract.format


def _architecture(architecture: Architecture) -> str:
    arguments = ", ".join(f"{name} {value}" for name, value in architecture.arguments.items())
    return architecture.name + (f" ({arguments})" if arguments else "")


def _input(declared: InputContract) -> Iterator[str]:
    what = ("pixels" if declared.axes == 2 else "voxels") + (", colour" if declared.channels == 3 else "")
    yield f"{_times(declared.size)} {what}" if declared.size else f"any number of {what} in {declared.axes} dimensions"
    if declared.orientation is not None:
        yield f"axes {declared.orientation} of the patient"
    if declared.spacing_mm is not None:
        how = ", resampled to it linearly" if declared.resample else ""
        yield f"{_times(declared.spacing_mm)} mm{how}"
    else:
        yield "at the spacing of the image"
    if declared.fit != "exact":
        yield _FITS[declared.fit]
    if declared.multiple_of is not None:
        yield f"padded to a multiple of {declared.multiple_of}"
    yield from _intensity(declared.intensity)
    if declared.sliding_window is not None:
        window = declared.sliding_window
        yield f"in sliding windows of {_times(window.size)}, overlap {window.overlap:g}, weights {window.mode}"
    yield declared.dtype


def _intensity(intensity: Intensity) -> Iterator[str]:
    if intensity.zero_at is not None and intensity.one_at is not None:
        cut = ", clipped" if intensity.clip else ""
        yield f"intensity {_plain(intensity.zero_at)} becomes 0, {_plain(intensity.one_at)} becomes 1{cut}"
    elif intensity.normalisation == "percentiles":
        low, high = intensity.percentiles
        yield f"percentiles {low:g} and {high:g} of each image mapped onto 0 and 1, clipped"
    elif intensity.normalisation is not None:
        yield _NORMALISATIONS[intensity.normalisation]
    if intensity.mean is not None and intensity.std is not None:
        yield f"less {_listed(intensity.mean)}, divided by {_listed(intensity.std)}"


def _output(declared: OutputContract) -> Iterator[str]:
    classes = f" ({' or '.join(declared.classes)})" if declared.classes else ""
    yield _KINDS[declared.kind].format(positive=declared.positive) + classes
    if declared.positive is not None and declared.kind in ("softmax", "logits"):
        yield f"looked for is {declared.positive}"
    if declared.structures:
        labels = ", ".join(f"{name} {label}" for name, label in declared.structures.items())
        yield f"{'labels' if declared.kind == 'mask' else 'channels'}: {labels}"
    if declared.calibration is not None:
        line = declared.calibration
        yield f"log-odds recalibrated: slope {line.slope:g}, intercept {line.intercept:g}"


def _point(contract: Contract) -> str:
    what = "positive" if contract.output.kind in CALLS else "called"
    return f"{what} at a probability of {contract.operating_point:g} or more"


def _declines(contract: Contract) -> str:
    refuses = contract.output.refuses
    ways = [f"by {name}" for name in refuses.exceptions]
    ways += [f"by its output {refuses.flag}"] if refuses.flag else []
    ways += [f"by exit status {refuses.status}"] if refuses.status is not None else []
    return ", or ".join(ways) or "never: no way to decline is declared"


def _times(lengths: Sequence[float]) -> str:
    return " × ".join(f"{length:g}" for length in lengths)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _plain(value: float) -> str:
    return numerals.number(value, numerals.Style.PLAIN)
