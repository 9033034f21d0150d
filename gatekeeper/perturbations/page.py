"""The registry as a page: every perturbation with its unit and range, what it does, and whose definition that is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from gatekeeper.perturbations.specification import Perturbation

HEAD = """\
# Perturbations

How an acquisition, or a contour, can go wrong: what a policy can name under `robustness`, each with a ladder of
severities from the least to the greatest, and under `repeatability.benign`. Generated from the registry by
`gatekeeper policy perturbations --markdown`; do not edit it by hand.

An image is perturbed as the candidate is about to get it: oriented, resampled, windowed and fitted, before its own mean
and standard deviation are applied. 0 and 1 are then the ends of the window that the candidate declares; where it takes
values as they are, or in standard deviations, the least and the greatest value of each image. What a candidate
normalises from the image's own values is normalised again afterwards, so that a candidate which is immune to a change
of brightness in use is so here. Outlines and boxes move along where the object moves.

All that is drawn depends on the case and the perturbation alone: every severity of a ladder is the same draw, and
neither batch nor order matter.
"""
_UNITS = {"1": "", "count": "", "mm": " mm", "degree": " degree"}


def perturbations_markdown(perturbations: Iterable[Perturbation]) -> str:
    """Return the page: a table of all, then each by family."""
    listed = list(perturbations)
    lines = ["| perturbation | least to strongest | axes | modalities |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [`{one.name}`](#{one.name}) | {range_of(one)} | {axes_of(one)} | {modalities_of(one)} |" for one in listed
    ]
    sections = [
        f"\n## {family.capitalize()}\n" + "".join(_entry(one) for one in listed if one.family == family)
        for family in dict.fromkeys(one.family for one in listed)
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n" + "".join(sections)


def perturbation_text(one: Perturbation, width: int = 100) -> str:
    """Return one entry for a terminal of so many columns."""
    lines = [one.name, ""]
    for name, said in facts_of(one):
        lines += textwrap.wrap(said, width, initial_indent=f"  {name:<16}  ", subsequent_indent=" " * 20)
    return "\n".join(lines) + "\n"


def facts_of(one: Perturbation) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a perturbation, each with its name."""
    yield (
        "in a policy",
        f"robustness: {{{one.name}: [...]}}" + (f" (or {', '.join(one.aliases)})" if one.aliases else ""),
    )
    yield "what it does", one.description
    yield "magnitude", range_of(one)
    yield "images", f"{axes_of(one)}; {modalities_of(one)}"
    yield "what is known", "outlines and boxes move along" if one.moves else "outlines and boxes stay where they are"
    yield "source", one.source


def range_of(one: Perturbation) -> str:
    """Return the range of magnitudes, from where nothing changes on: ``from 0 (nothing changes) to 20 mm``."""
    unit = _UNITS.get(one.unit, f" {one.unit}")
    far = one.highest if one.neutral == one.lowest else one.lowest
    way = "up" if far > one.neutral else "down"
    return f"{way} from {one.neutral:g} (nothing changes) to {far:g}{unit}"


def axes_of(one: Perturbation) -> str:
    """Return of how many axes images can be."""
    return " and ".join(f"{axes}-D" for axes in sorted(one.axes))


def modalities_of(one: Perturbation) -> str:
    """Return of which modalities images can be, as DICOM codes."""
    return "any modality" if one.modalities is None else ", ".join(sorted(one.modalities))


def _entry(one: Perturbation) -> str:
    facts = "".join(f"- **{name}**: {_escaped(said)}\n" for name, said in facts_of(one))
    return f'\n<a id="{one.name}"></a>\n### `{one.name}`\n\n{facts}'


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
