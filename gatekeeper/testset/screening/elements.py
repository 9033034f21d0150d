"""One DICOM element: which rules its value breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from gatekeeper.testset.screening.rules import is_technical, may_be_pseudonym, names_a_class, rule_of_any_value
from gatekeeper.testset.screening.texts import is_counted_dummy, is_dummy, told_by

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Told: TypeAlias = tuple[str, str]
"""A place and the rule that it breaks."""

_TEXTS = frozenset({"CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"})
# A year is written as its first day where the format asks for a whole date.
_YEAR_ONLY = re.compile(r"\d{4}(0101(0*|0*\.0*))?([+-]\d{4})?")
_MIDNIGHT = re.compile(r"[0:.]*")
_AGE = re.compile(r"(\d+)([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}
_OLD = 90
# Whoever was born by then is 90 in 2026; asked only of files that say nothing of when they were made.
_BORN_BY = 1936
_MADE = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
# Siemens scanners write the body region and the protocol with a caret between them.
_WITH_CARET = re.compile(r"^(Study|Series|PerformedProcedureStep|RequestedProcedure)Description$|^ProtocolName$")
_COUNTER = re.compile(r"\d{1,2}")


def told_by_element(keyword: str, kind: str, text: str, dataset: Dataset, removed: bool, moved: bool) -> Iterator[str]:
    """Give the rules that ``text``, the value of the attribute ``keyword`` with representation ``kind``, breaks.

    ``removed`` and ``moved`` are what the file says of itself: that the identity was removed, that dates were moved.
    """
    if is_dummy(text) or kind in _NUMBERS or is_technical(keyword):
        return
    if kind == "PN":
        if not is_counted_dummy(text) and not (removed and keyword == "PatientName" and _is_its_pseudonym(dataset)):
            yield "name"
    elif kind in ("DA", "DT"):
        yield from _told_by_date(keyword, text, dataset, moved)
    elif kind == "TM":
        if not moved and not all(_MIDNIGHT.fullmatch(part) for part in text.split("\\")):
            yield "time"
    elif kind == "AS":
        if _is_old(text):
            yield "age"
    elif kind == "AE":
        yield "network"
    elif kind == "UI":
        if not removed and not names_a_class(keyword) and not _is_registered(text):
            yield "UID"
    elif may_be_pseudonym(keyword):
        yield from _told_by_pseudonym(keyword, text, removed)
    else:
        yield from _told_by_text(keyword, kind, text)


def _told_by_text(keyword: str, kind: str, text: str) -> Iterator[str]:
    rule = rule_of_any_value(keyword)
    if rule is not None:
        if not (rule == "identifier" and _COUNTER.fullmatch(text)):
            yield rule
    elif kind in _TEXTS:
        yield from told_by(text.replace("^", " ") if _WITH_CARET.search(keyword) else text)


def _told_by_pseudonym(keyword: str, text: str, removed: bool) -> Iterator[str]:
    """Give nothing for a pseudonym: any value of a file that says the identity was removed, and that shows nothing.

    A bare number may be one; a date, a name, a mail address and a number with hyphens are not believed.
    """
    if not removed:
        yield "patient id" if keyword == "PatientID" else "identifier"
    else:
        bare = re.sub(r"(?<!\d)\d{6,}(?!\d)", "0", text) if "date in text" not in told_by(text) else text
        yield from (rule for rule in told_by(bare) if rule not in ("file path in text", "network address in text"))


def _is_its_pseudonym(dataset: Dataset) -> bool:
    name, identity = (str(dataset.get(keyword, "")).strip("^ ") for keyword in ("PatientName", "PatientID"))
    return name == identity


def _told_by_date(keyword: str, text: str, dataset: Dataset, moved: bool) -> Iterator[str]:
    born = keyword == "PatientBirthDate"
    if moved and not born:
        return
    exact = not all(_YEAR_ONLY.fullmatch(part.strip()) for part in text.split("\\"))
    if exact or (born and _is_old_birth(int(text[:4]), dataset)):
        yield "date"


def _is_old_birth(year: int, dataset: Dataset) -> bool:
    made = [str(dataset.get(keyword, ""))[:4] for keyword in _MADE]
    years = [int(one) for one in made if one.isdecimal() and len(one) == 4]
    return max(years) - year >= _OLD if years else year <= _BORN_BY


def _is_old(text: str) -> bool:
    ages = [_AGE.fullmatch(part.strip().upper()) for part in text.split("\\")]
    return any(age is not None and int(age[1]) / _PER_YEAR[age[2]] >= _OLD for age in ages)


def _is_registered(text: str) -> bool:
    """Whether all UIDs of a value stand in PS3.6: such a one names a class or a well-known frame, no instance."""
    from pydicom._uid_dict import UID_dictionary

    return all(part.strip(" \0") in UID_dictionary for part in text.split("\\"))
