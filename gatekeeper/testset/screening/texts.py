"""What gives a person away within a text, and the dummies that give nobody away.

No pattern can find a name that stands in a sentence without a title: fields written for one patient are therefore told
whenever they hold anything, whatever it is (rule ``comment``).
"""

from __future__ import annotations

import re

_DUMMIES = """
    anon anonym anonymous anonymised anonymized anonymization applicable available de deidentified doctor dummy empty
    hidden identified identity masked n a na name no none not null operator patient person physician provided pseudonym
    pseudonymised pseudonymized redacted removed specified study subject undefined unk unknown unspecified value
    withheld
"""
_WORDS_OF_DUMMIES = frozenset(_DUMMIES.split())
_WORD = re.compile(r"[^\W_]+")
_FILLER = re.compile(r"([x0*.?_#-])\1*", re.IGNORECASE)
_COUNTED = re.compile(r"[^\W\d_]*\D?\d{1,4}")

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?:19|20)\d\d([-/._:]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<![\d.])(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1(?:19|20)?\d\d(?![\d.])",
        rf"(?<!\d)\d{{1,2}}\.?[-/ ]?(?:{_MONTHS})[a-z]*\.?[-/ ,]*(?:19|20)?\d\d(?!\d)",
        rf"\b(?:{_MONTHS})[a-z]*\.? ?\d{{1,2}},? ?(?:19|20)\d\d(?!\d)",
    )
)
_PATTERNS = (
    ("e-mail in text", re.compile(r"[\w.+-]+@[\w-]+\.\w")),
    ("web address in text", re.compile(r"\b(?:https?|ftp|file|s3)://|\bwww\.", re.IGNORECASE)),
    ("file path in text", re.compile(r"\b[A-Za-z]:\\\w|(?:^|\s)\\\\\w+\\|(?:^|[\s=:;,'\"(])~?/(?:[\w.-]+/)+[\w.-]+")),
    ("network address in text", re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}\d{1,3}(?![\d.])")),
    ("phone in text", re.compile(r"(?<!\w)(?:\+|\()\d[\d ()/-]{6,}\d|(?<!\d)\d{3}[ .-]\d{3}[ .-]\d{4}(?!\d)")),
    (
        "name in text",
        re.compile(
            r"[^\W\d_]{2,}\^[^\W\d_]|\b(?:Dr|Mr|Mrs|Ms|Miss|Prof|Herr|Frau|Mme|Sig|Sra)\b\.?\s+[^\W\d_]"
            r"|(?i:\b(?:patient|name|mrn|dob|born|physician|accession(?: no)?|operator)\s*[:=#]\s*\w)"
        ),
    ),
)
# Digits behind a point are decimals, except in a chain of six and more parts, which is a UID.
_NUMBER = re.compile(r"(?<![\d.])\d{6,}|(?<![\d.-])\d{1,5}(?:-\d{1,5})+|(?<![\d.])\d+(?:\.\d+){5,}")
_LEAST_DIGITS = 6
_LEAST_HYPHENED_DIGITS = 7


def plain(data: bytes) -> str:
    """Return the text of a header's field without its padding: UTF-8 where it is that, otherwise Latin-1."""
    stripped = data.strip(b" \0\t\r\n")
    try:
        return stripped.decode()
    except UnicodeDecodeError:
        return stripped.decode("latin-1")


def is_dummy(text: str) -> bool:
    """Whether a text is empty or says that nothing is said.

    That is: one of ``x 0 * . ? _ # -`` repeated, or nothing but words such as ANONYMOUS, ANON, DEIDENTIFIED, REMOVED,
    REDACTED, UNKNOWN, NONE, N/A, NULL, DUMMY, NO NAME, PATIENT (the whole list stands above), in any case and order.
    """
    stripped = text.strip()
    words = _WORD.findall(stripped.casefold())
    return (
        not stripped
        or _FILLER.fullmatch(stripped) is not None
        or all(word in _WORDS_OF_DUMMIES or _FILLER.fullmatch(word) is not None for word in words)
    )


def is_counted_dummy(text: str) -> bool:
    """Whether a text is a dummy with a number of at most four digits, such as ``Patient 12`` or ``ANON^0012``."""
    digits = re.sub(r"\d{1,4}\b", "", text, count=1)
    return is_dummy(text) or (_COUNTED.search(text) is not None and is_dummy(digits))


def told_by(text: str) -> tuple[str, ...]:
    """Return the rules that a text breaks, each once: dates, names, numbers, phones, mail, web, network, paths."""
    found = []
    rest = text
    for pattern in _DATES:
        rest = pattern.sub(" ", rest)
    if rest != text:
        found.append("date in text")
    found += [rule for rule, pattern in _PATTERNS if pattern.search(rest)]
    if any(_is_number(match.group()) for match in _NUMBER.finditer(rest)):
        found.append("number in text")
    return tuple(found)


def _is_number(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    return digits >= (_LEAST_HYPHENED_DIGITS if "-" in text else _LEAST_DIGITS) and set(text) != {"0"}
