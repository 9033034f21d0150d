"""Who and what a test set is made of: facts from the headers, and counts of patients."""

from __future__ import annotations

import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record
from gatekeeper.testset.screening.dicom import check_inflated
from gatekeeper.testset.screening.texts import told_by
from gatekeeper.testset.silence import silenced

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NOT_STATED = "not stated"
LEAST_SHOWN = 5

_MODALITIES = """
    AR AU BDUS BI BMD CR CT DG DX ECG ES FID GM HD IO IVOCT IVUS KER LEN LS MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF
    OPV OSS OT PA PT PX REG RF RG RTDOSE RTIMAGE RTPLAN RTSTRUCT SEG SM SR TG US VA XA XC
"""
_MAKERS = (
    "Agfa Barco Canon Carestream Esaote Fujifilm Hitachi Hologic Konica Mindray Neusoft Philips Planmed Samsung "
    "Shimadzu Siemens Toshiba"
)
_OTHER_SPELLINGS = {
    "ge": "GE",
    "g e": "GE",
    "general electric": "GE",
    "fuji": "Fujifilm",
    "united imaging": "United Imaging",
}
_OTHER_SPELLINGS |= {"uih": "United Imaging", "marconi": "Philips", "picker": "Philips", "acuson": "Siemens"}
_SPELLINGS = {maker.casefold(): maker for maker in _MAKERS.split()} | _OTHER_SPELLINGS
_NOT_OF_A_NAME = re.compile(r"[^\w .,&()+/-]")
_LONGEST = 64
_MOST_WORDS = 8
_THICKNESS_MM = ((1.25, "up to 1.25 mm"), (2.5, "1.25 to 2.5 mm"), (5.0, "2.5 to 5 mm"), (float("inf"), "over 5 mm"))
_FIELDS_T = (0.2, 0.3, 0.5, 0.55, 1.0, 1.5, 3.0, 7.0)
_AGE = re.compile(r"(\d{1,4})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
_OLD = 90
_FIRST_YEAR = 1970


class Composition(Record):
    """How many cases, subjects and patients; how many of them are positive; and patients by value of each name.

    A subject is positive by its own label, a patient by that of any subject. ``facts`` come from the headers,
    ``attributes`` from the table: name -> value -> number of patients. A patient with two values counts under both;
    one without is ``not stated``. Counts are exact here: what is shown to people are ``composition_rows``.
    """

    cases: int = Field(ge=1)
    subjects: int = Field(ge=1)
    patients: int = Field(ge=1)
    positive_subjects: int = Field(ge=0)
    positive_patients: int = Field(ge=0)
    facts: dict[str, dict[str, int]]
    attributes: dict[str, dict[str, int]]

    @property
    def prevalence_of_subjects(self) -> float:
        """Share of subjects that are positive, 0 to 1."""
        return self.positive_subjects / self.subjects

    @property
    def prevalence_of_patients(self) -> float:
        """Share of patients with a positive subject, 0 to 1."""
        return self.positive_patients / self.patients


def facts_of(data: bytes) -> Mapping[str, str]:
    """Return what a DICOM header says of the image, from an allowlist; what it does not say is left out.

    ``modality`` (terms of PS3.3 C.7.3.1.1.1, else ``other``), ``manufacturer``, ``model``, ``sex`` (F, M, O, else
    ``other``), ``age`` (decades; one band from 90 on, 45 CFR 164.514(b)(2)(i)(C)), ``year`` of the study unless the
    file says its dates were moved, ``slice_thickness`` (bands in mm, upper limit within), ``field_strength`` (tesla, to
    the nearest usual one within a tenth).

    No free text leaves: a known maker gets one spelling; another maker's name and a model keep at most 64 printable
    characters, and become ``other`` when they have signs that names of makers do not, more than eight words, or
    anything that screening tells, such as an id of six digits. A shorter id here cannot be told from a model.
    What is no readable DICOM file has no facts.
    """
    from pydicom import dcmread

    if data[128:132] != b"DICM":
        return {}
    try:
        with silenced():
            check_inflated(data)
            dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, specific_tags=list(_ASKED))
            return {name: value for name, value in _facts(dataset) if value}
    except Exception:
        return {}


_ASKED = (
    *("Modality", "Manufacturer", "ManufacturerModelName", "PatientSex", "PatientAge", "StudyDate", "SliceThickness"),
    *("MagneticFieldStrength", "LongitudinalTemporalInformationModified"),
)


def _facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    modality, sex = _said(dataset, "Modality").upper(), _said(dataset, "PatientSex").upper()
    moved = _said(dataset, "LongitudinalTemporalInformationModified").upper() == "MODIFIED"
    yield "modality", modality if not modality or modality in _MODALITIES.split() else "other"
    yield "manufacturer", _maker(_said(dataset, "Manufacturer"))
    yield "model", _cleaned(_said(dataset, "ManufacturerModelName"))
    yield "sex", sex if sex in ("", "F", "M", "O") else "other"
    yield "age", _decade(_said(dataset, "PatientAge").upper())
    yield "year", "" if moved else _year(_said(dataset, "StudyDate"))
    yield "slice_thickness", _thickness(_number(_said(dataset, "SliceThickness")))
    yield "field_strength", _field(_number(_said(dataset, "MagneticFieldStrength")))


def _said(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def _maker(text: str) -> str:
    words = re.findall(r"[^\W_]+", text.casefold())
    for count in (1, 2):
        known = _SPELLINGS.get(" ".join(words[:count]))
        if known is not None:
            return known
    return _cleaned(text)


def _cleaned(text: str) -> str:
    normal = " ".join(unicodedata.normalize("NFKC", text).split())
    strange = _NOT_OF_A_NAME.search(normal) is not None or not normal.isprintable()
    if strange or len(normal) > _LONGEST or len(normal.split()) > _MOST_WORDS or told_by(normal):
        return "other"
    return normal


def _decade(text: str) -> str:
    age = _AGE.fullmatch(text)
    if age is None:
        return ""
    years = int(int(age[1]) / _PER_YEAR[age[2]])
    return f"{_OLD}+" if years >= _OLD else f"{years // 10 * 10}-{years // 10 * 10 + 9}"


def _year(text: str) -> str:
    year = text[:4]
    return year if year.isdecimal() and year.isascii() and int(year) >= _FIRST_YEAR else ""


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _thickness(millimetres: float | None) -> str:
    return "" if millimetres is None else next(words for limit, words in _THICKNESS_MM if millimetres <= limit)


def _field(tesla: float | None) -> str:
    if tesla is None:
        return ""
    tesla = tesla / 10_000 if tesla > 100 else tesla  # Some scanners write gauss.
    usual = min(_FIELDS_T, key=lambda field: abs(field - tesla))
    return f"{usual:g} T" if abs(usual - tesla) <= usual / 10 else f"{tesla:.1f} T"


def compose(
    patients: Sequence[str],
    labels: Sequence[int],
    facts_by_case: Sequence[Mapping[str, str]],
    attributes_by_case: Sequence[Mapping[str, str]],
    *,
    subjects: Sequence[str] | None = None,
) -> Composition:
    """Count a test set, one entry a case in each sequence.

    ``labels`` are 0 or 1; ``subjects`` the id of what a case repeats, each case its own subject when not given.
    Raises ValueError for sequences of unequal lengths, UsageError for no case.
    """
    if not patients:
        raise UsageError(Code.NOTHING_TO_JUDGE, "a test set without cases has no composition")
    repeated = tuple(subjects) if subjects is not None else tuple(str(number) for number in range(len(patients)))
    rows = tuple(zip(patients, labels, facts_by_case, attributes_by_case, repeated, strict=True))
    return Composition(
        cases=len(rows),
        subjects=len({(patient, subject) for patient, _, _, _, subject in rows}),
        patients=len(set(patients)),
        positive_subjects=len({(patient, subject) for patient, label, _, _, subject in rows if label}),
        positive_patients=len({patient for patient, label, *_ in rows if label}),
        facts=_counted(patients, facts_by_case),
        attributes=_counted(patients, attributes_by_case),
    )


def composition_rows(composition: Composition) -> tuple[tuple[str, str, str], ...]:
    """Return (name, value, patients) for people: facts, then attributes, values in order.

    A count under 5 is shown as "<5": so few patients with a rare value may be known to somebody who reads the dossier,
    and health statistics commonly hide such cells. Where one cell alone is hidden, the smallest other one of 5 and more
    is shown as "≥5", or the hidden count would follow from the total.
    """
    return tuple(
        (name, value, shown)
        for counts in (composition.facts, composition.attributes)
        for name, by_value in counts.items()
        for value, shown in _shown(by_value)
    )


def _counted(patients: Sequence[str], by_case: Sequence[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    names = sorted({name for case in by_case for name in case})
    counted = {}
    for name in names:
        who: dict[str, set[str]] = defaultdict(set)
        for patient, case in zip(patients, by_case, strict=True):
            who[case.get(name) or NOT_STATED].add(patient)
        stated = set().union(*(those for value, those in who.items() if value != NOT_STATED))
        who[NOT_STATED] = who[NOT_STATED] - stated
        counted[name] = {value: len(who[value]) for value in sorted(who, key=_in_order) if who[value]}
    return counted


def _in_order(value: str) -> tuple[bool, int, str]:
    number = re.match(r"\d{1,9}", value)
    return value == NOT_STATED, int(number[0]) if number else -1, value


def _shown(by_value: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    seen = [value for value, count in by_value.items() if count >= LEAST_SHOWN]
    hidden = len(by_value) - len(seen)
    covered = min(seen, key=lambda value: by_value[value]) if hidden == 1 and seen else None
    for value, count in by_value.items():
        text = f"<{LEAST_SHOWN}" if count < LEAST_SHOWN else f"≥{LEAST_SHOWN}" if value == covered else f"{count:,}"
        yield value, text
