"""The candidate to edit: a contract that holds, filled with what the artefact says, and what only people can know."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gatekeeper.candidate.contract import NEED_TRUST, Format
from gatekeeper.policy.schema.context import Context
from gatekeeper.starting.learnt import Learnt
from gatekeeper.starting.notation import names, quoted

ARTEFACTS: Mapping[Format, str] = MappingProxyType(
    {
        "onnx": "model.onnx",
        "safetensors": "weights.safetensors",
        "torchscript": "model.ts",
        "export": "model.pt2",
        "monai_bundle": "bundle",
        "python": "code",
        "command": "run.sh",
        "predictions": "predictions.csv",
    }
)
_VOLUMES = ("CT", "MR", "PT", "NM")
_COLOUR = ("OP", "SM")
_OF_MASKS = ("segmentation", "quantification")
_INTENSITY: Mapping[str, str] = MappingProxyType(
    {
        "CT": "{zero_at: -1000, one_at: 400, clip: true}   # such as a window in HU",
        "MR": "{normalisation: z_score}   # or min_max, percentiles",
        "OP": "{zero_at: 0, one_at: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}",
    }
)


def candidate_yaml(context: Context, form: Format, artefact: str | None, learnt: Learnt | None) -> str:
    """Return a contract for a policy's context. ``artefact`` is relative to the YAML; ``learnt`` is what it says."""
    known = learnt or Learnt(form)
    return f"""\
# The candidate: what is run, what it takes, what its answers mean, and from where on it calls a case positive. All of
# it, and every file that it names, is in the digest that is released: `gatekeeper candidate digest FILE`.
# CHECK marks what no file can say. {_told(known)}
description: "CHECK: what it is, its version, and what it was trained on"
{_files(context, form, artefact, known)}
input:
{_input(context, known)}
output:
{_output(context, form, known)}"""


def _told(known: Learnt) -> str:
    if known.parse_error is not None:
        return f"The artefact could not be parsed ({known.parse_error})."
    said = [
        *([f"{known.parameters:,} parameters"] if known.parameters else []),
        *(["the size of its input"] if known.size else []),
        *(["how many answers it gives"] if known.answers else []),
    ]
    return f"The artefact told: {', '.join(said)}." if said else "Nothing was read from an artefact."


def _files(context: Context, form: Format, artefact: str | None, known: Learnt) -> str:
    of_masks = form == "predictions" and context.task in _OF_MASKS
    name = quoted(artefact or ("predictions" if of_masks else ARTEFACTS[form]))
    lines = [f"format: {form}"]
    if form == "command":
        lines += [f'command: [{name}, "{{input}}", "{{output}}"]   # CHECK: an executable and its arguments']
        lines += [f"files: [{name}]"]
    else:
        lines += [f"artefact: {name}" + ("   # put the model here" if artefact is None else "")]
    if form == "safetensors":
        lines += ["architecture:   # CHECK: the network that the weights are of, and its arguments", *_network(context)]
    if form == "python":
        lines += ["plugin: my_model   # CHECK: the entry point in the group gatekeeper.candidates"]
    if form in NEED_TRUST:
        lines += ["producer: trusted   # it can run code when it is loaded; dossier and verdict will show this"]
    return "\n".join(lines)


def _network(context: Context) -> list[str]:
    axes, masks = _axes(context), context.task in _OF_MASKS
    shape = f"spatial_dims: {axes}, in_channels: {1 if context.modality not in _COLOUR else 3}"
    if not masks:
        return ["  name: monai_densenet121", f"  arguments: {{{shape}, out_channels: 1}}"]
    out = f"out_channels: {len(context.structures) + 1}"
    return ["  name: monai_unet", f"  arguments: {{{shape}, {out}, channels: [16, 32, 64], strides: [2, 2]}}"]


def _axes(context: Context) -> int:
    return 3 if context.modality in _VOLUMES else 2


def _input(context: Context, known: Learnt) -> str:
    axes = known.axes or _axes(context)
    order = "rows, columns" if axes == 2 else "along the axes of the orientation"
    lines = [
        f"  size: [{', '.join(map(str, known.size))}]   # {order}"
        if known.size
        else f"  dimensions: {axes}   # or size: [...], {order}, where it takes one size alone"
    ]
    if axes == 3:
        lines += ["  orientation: RAS   # CHECK: the axes of the patient, or LPS"]
    channels = known.channels or (3 if context.modality in _COLOUR else 1)
    lines += [f"  channels: {channels}" + ("   # as the file says" if known.channels else "   # CHECK: 1 or 3")]
    intensity = _INTENSITY.get(context.modality, "{zero_at: 0, one_at: 4095}")
    spacing = ", ".join(["1.0"] * axes)
    return "\n".join(
        [
            *lines,
            "  # CHECK: how pixel values become the network's; else they stay as the file's rescaling gives them.",
            f"  #intensity: {intensity}",
            "  # CHECK: the spacing that it was trained at, in mm. With resample other images are brought to it.",
            f"  #spacing_mm: [{spacing}]",
            "  #resample: true",
        ]
    )


def _output(context: Context, form: Format, known: Learnt) -> str:
    if context.task == "detection":
        return "  kind: boxes   # corners in pixels of the input as prepared, with scores\n" + _cut("a finding")
    if context.task in _OF_MASKS:
        return _masks(context, form, known)
    return _calls(context, known)


def _calls(context: Context, known: Learnt) -> str:
    """Where a graph may end in probabilities they are declared: other numbers are then refused, not misread."""
    several = (known.answers or 1) > 1
    scores, shares = ("logits", "softmax") if several else ("logit", "probability")
    kind, other = (scores, shares) if known.probabilities is False else (shares, scores)
    positive = context.positive or "positive"
    more = [f"class {number}" for number in range(2, known.answers or 2)] if several else []
    return (
        f"  kind: {kind}   # CHECK: or {other}\n"
        f"  classes: {names([f'not {positive}', positive, *more])}   # CHECK: in the order of its answers\n"
        f"  positive: {quoted(positive)}\n" + _cut("a case")
    )


def _masks(context: Context, form: Format, known: Learnt) -> str:
    structures, channels = context.structures or ("structure",), known.answers if known.has_axes else None
    if form == "predictions" or known.whole_numbers or channels is None:
        kind, first = "mask", 1
    elif channels == len(structures) + 1:
        kind, first = "mask_softmax", 1
    else:
        kind, first = ("mask_logit" if known.probabilities is False else "mask_probability"), 0
    what = "label" if kind == "mask" else "channel"
    listed = "".join(f"    {quoted(name)}: {number}\n" for number, name in enumerate(structures, start=first))
    cut = _cut("a voxel") if kind in ("mask_logit", "mask_probability") else ""
    return (
        f"  kind: {kind}   # CHECK: mask, mask_softmax, mask_probability or mask_logit\n"
        f"  structures:   # CHECK: the {what} of each\n{listed}{cut}"
    )


def _cut(what: str) -> str:
    return (
        f"operating_point: 0.5   # CHECK: the probability from which {what} is called; it is released with the model\n"
    )
