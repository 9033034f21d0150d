"""What a revision of a signed PDF may change: one signature field filled, and nothing else.

Every object that an earlier revision has and a later one writes again is compared, key by key, by its references and
not by what they lead to: so nothing that was signed can be exchanged. New objects are harmless, as only what is listed
here can lead to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject, PdfObject, Reference
    from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

_OF_A_FIELD = {"/V", "/AP"}
_OF_THE_FILE = {"/Size", "/Prev", "/ID"}
_OF_THE_STORE = {"/Certs", "/CRLs"}


def may_follow(reader: PdfFileReader, revision: int, field: Reference, *, adds_field: bool) -> bool:
    """Say whether a revision only fills the field, or, with ``adds_field``, only adds it at the end of the form.

    ``revision`` counts from 0; certificates and lists may be added to a security store that there is.
    """
    before, after = reader.get_historical_resolver(revision - 1), reader.get_historical_resolver(revision)
    known = {ref.idnum for past in range(revision) for ref in reader.xrefs.explicit_refs_in_revision(past)}
    old, new = before.trailer_view, after.trailer_view
    if any(_raw(old, key) != _raw(new, key) for key in {*old, *new} - _OF_THE_FILE):
        return False  # another catalogue would be another document
    if reader.xrefs.refs_freed_in_revision(revision):
        return False
    changed = [ref for ref in reader.xrefs.explicit_refs_in_revision(revision) if ref.idnum in known]
    return all(_allowed(ref, before, after, field, adds_field=adds_field) for ref in changed)


def _allowed(
    ref: Reference, before: HistoricalResolver, after: HistoricalResolver, field: Reference, *, adds_field: bool
) -> bool:
    from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject

    old, new = before.get_object(ref), after.get_object(ref)
    if type(old) is not type(new) or ref.generation != 0 or isinstance(old, StreamObject):
        return False
    if not isinstance(old, DictionaryObject) or not isinstance(new, DictionaryObject):
        return bool(old == new)
    differing = {key for key in {*old, *new} if _raw(old, key) != _raw(new, key)}
    if ref == field:
        return not adds_field and differing <= _OF_A_FIELD and "/V" not in old
    if ref == _reference(before, "/DSS") == _reference(after, "/DSS"):
        return differing <= _OF_THE_STORE and all(_extends(_raw(old, key), _raw(new, key)) for key in differing)
    lists = "/Fields" if ref == _reference(before, "/AcroForm") else "/Annots" if old.get("/Type") == "/Page" else None
    if adds_field and lists is not None:
        return differing <= {lists} and _extends(_raw(old, lists), _raw(new, lists), by=field)
    return not differing


def _raw(holder: DictionaryObject, key: str) -> PdfObject | None:
    """Return a value as it is written: a reference stays one."""
    return holder.raw_get(key) if key in holder else None


def _reference(resolver: HistoricalResolver, key: str) -> Reference | None:
    from pyhanko.pdf_utils.generic import IndirectObject

    value = _raw(resolver.root, key)
    return value.reference if isinstance(value, IndirectObject) else None


def _extends(old: PdfObject | None, new: PdfObject | None, by: Reference | None = None) -> bool:
    """Say whether a list only got longer: by this one reference, where it is given."""
    from pyhanko.pdf_utils.generic import ArrayObject

    if not isinstance(new, ArrayObject) or not isinstance(old, ArrayObject | None):
        return False
    kept = [] if old is None else [old.raw_get(index) for index in range(len(old))]
    written = [new.raw_get(index) for index in range(len(new))]
    added = written[len(kept) :]
    return written[: len(kept)] == kept and (by is None or [getattr(one, "reference", None) for one in added] == [by])
