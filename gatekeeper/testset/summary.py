"""What a locked test set is made of, for people."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.testset.composition import compose, composition_rows
from gatekeeper.testset.manifest import Manifest


def summary_rows(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """Give (name, value, count): counts of the set, then patients by attribute and header; few patients as "<5"."""
    cases = manifest.cases
    composition = compose(
        [case.patient for case in cases],
        [case.label for case in cases],
        [{} for _ in cases],
        [case.attributes for case in cases],
        subjects=[case.subject for case in cases],
    )
    yield "task", manifest.task, ""
    yield "cases", "", f"{composition.cases:,}"
    yield "subjects", "", f"{composition.subjects:,}"
    yield "", "positive", _share(composition.positive_subjects, composition.subjects)
    yield "patients", "", f"{composition.patients:,}"
    yield "", "positive", _share(composition.positive_patients, composition.patients)
    yield "files", "", f"{manifest.files:,}"
    if manifest.unusable:
        yield "must be refused", "", f"{len(manifest.unusable):,}"
    for name, value, count in composition_rows(composition.model_copy(update={"facts": manifest.composition})):
        yield name.replace("_", " "), value, f"{count} patients"


def header_rows(manifest: Manifest) -> tuple[tuple[str, str, str], ...]:
    """Return (name, value, patients) of what the headers said when the set was locked; few patients as "<5"."""
    counts = compose(["none"], [0], [{}], [{}]).model_copy(update={"facts": manifest.composition})
    return composition_rows(counts)


def _share(count: int, whole: int) -> str:
    return f"{count:,} ({count / whole * 100:.1f} %)"
