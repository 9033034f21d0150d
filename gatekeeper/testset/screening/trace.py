"""What screening finds: a place and the rule that it breaks. The value never leaves the screening."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence

from gatekeeper.errors import Code, UsageError
from gatekeeper.evidence import Record

RULES: Mapping[str, str] = {
    "name": "the name of a person (45 CFR 164.514(b)(2)(i)(A))",
    "patient id": "a patient's number in a file that does not say it was replaced ((i)(H))",
    "identifier": "a number that leads to a patient in another system ((i)(H), (J), (K), (R))",
    "date": "a date finer than a year, or a year that gives away an age of 90 and over ((i)(C))",
    "time": "a time of day (PS3.15 Table E.1-1)",
    "age": "an age of 90 and over ((i)(C))",
    "address": "a place smaller than a state ((i)(B))",
    "phone": "a telephone or fax number ((i)(D), (E))",
    "device": "a serial number or name of one device ((i)(M))",
    "institution": "who treated or scanned, by its name (PS3.15 Table E.1-1)",
    "network": "the name or address of a machine in a network ((i)(N), (O))",
    "circumstances": "occupation, rank, religion or residence (PS3.15 Table E.1-1)",
    "person code": "codes that stand for one person or place (PS3.15 Table E.1-1)",
    "comment": "free text written for one patient (PS3.15 Table E.1-1)",
    "date in text": "a date within a text",
    "name in text": "a name within a text: Family^Given, a title before a name, or a field such as Name:",
    "number in text": "six digits in a row, or seven with hyphens, within a text",
    "phone in text": "a telephone number within a text",
    "e-mail in text": "an e-mail address within a text ((i)(F))",
    "web address in text": "a web address within a text ((i)(N))",
    "network address in text": "an IP address within a text ((i)(O))",
    "file path in text": "a path of a file, whose folders often bear names",
    "UID": "an instance UID in a file that does not say it was replaced ((i)(R))",
    "private tag": "private data, whose content nobody but the maker can vouch for (PS3.15 E.3.10)",
    "unknown element": "an element that is not in the DICOM dictionary",
    "burned-in annotation": "the pixels hold, or may well hold, written text (PS3.15 E.3.1)",
    "recognisable face": "the file says that the patient can be recognised in the image ((i)(Q))",
    "overlay": "a drawn layer or curve, which can spell a name (PS3.15 E.3.3)",
    "small picture": "a second, small picture that may show what was removed from the image",
    "originals": "a copy of values as they were before a change, or a signature over them",
    "embedded document": "a document or a binary block within the file",
    "preamble": "bytes in the 128 before the DICOM prefix",
    "header extension": "a block of another program after the header",
    "text field": "a text in a file that needs none",
    "place": "where a picture was taken ((i)(B))",
    "trailing data": "bytes after the end of the file",
    "not screened": "no known format: nothing can be said of what it holds",
}


class Trace(Record):
    """One place that breaks one rule.

    ``where`` is a DICOM keyword, those of nested sequences joined by dots, or ``gggg,bbxx`` for a block of private
    elements; elsewhere a field, tag or chunk. ``rule`` is a key of ``RULES``. There is no room for a value.
    """

    case_id: str
    path: str
    where: str
    rule: str


def report(traces: Sequence[Trace]) -> str:
    """Return a table for people: by rule, then place, how many files and cases. At most 80 columns, no value."""
    if not traces:
        return "no traces of patients\n"
    files: dict[tuple[str, str], set[str]] = defaultdict(set)
    cases: dict[tuple[str, str], set[str]] = defaultdict(set)
    for trace in traces:
        files[trace.rule, trace.where].add(trace.path)
        cases[trace.rule, trace.where].add(trace.case_id)
    lines = [f"{'':60}{'files':>9} {'cases':>9}"]
    order = list(RULES)
    told = ""
    for rule, where in sorted(files, key=lambda key: (order.index(key[0]) if key[0] in RULES else -1, key[1])):
        if rule != told:
            lines += textwrap.wrap(f"{rule}: {RULES.get(rule, '')}", 80, subsequent_indent="  ")
            told = rule
        lines.append(f"  {_fitted(where, 57):58}{len(files[rule, where]):>9,} {len(cases[rule, where]):>9,}")
    return "\n".join(lines) + "\n"


def unallowed(traces: Sequence[Trace], allowed: Mapping[str, str]) -> tuple[Trace, ...]:
    """Return the traces that nobody has answered for.

    ``allowed`` says of a place why it may stay. A place with a dot allows exactly that one; a bare keyword allows the
    attribute wherever it stands, nested too. Raises UsageError for a place without a reason.
    """
    for place, because in allowed.items():
        if not because.strip():
            raise UsageError(
                Code.MISSING_KEY, "a trace is allowed without a reason", where=place, mend="say because of what"
            )
    return tuple(
        trace for trace in traces if trace.where not in allowed and trace.where.rpartition(".")[2] not in allowed
    )


def _fitted(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[-(width - 1) :]
