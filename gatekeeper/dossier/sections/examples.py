"""A few wrong calls: which cases, how far from the operating point, in which groups, and pictures where they may be."""

from __future__ import annotations

from collections.abc import Iterator

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Block, Cell, Column, Figure, Heading, Paragraph, Row, Table
from gatekeeper.dossier.charts import thumbnail_picture
from gatekeeper.dossier.curves import Example
from gatekeeper.dossier.gather_examples import MOST
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.wording import plain_name

_COLUMNS = (Column("Case", 32.0), Column("Score", 14.0, "right"), Column("From the operating point", 20.0, "right"))
_ATTRIBUTES = Column("Groups", 34.0)
_GROUPS = {"false alarm": "False alarms", "miss": "Misses"}


def examples(material: DossierMaterial) -> Iterator[Block]:
    """Show false alarms and misses; nothing where none were looked for."""
    found = material.shown.examples
    if found is None:
        return
    yield Heading("Example cases")
    if not found:
        yield Paragraph("No answered case was called wrong at the operating point.")
        return
    what = "findings and lesions" if material.policy.context.task == "detection" else "cases"
    yield Paragraph(
        f"Wrong calls of answered {what}: at most {MOST} of each kind, half of them those nearest to the operating "
        "point, half of them those farthest from it."
    )
    grouped = any(example.attributes for example in found)
    columns = (*_COLUMNS, _ATTRIBUTES) if grouped else _COLUMNS
    yield Table("Example cases", columns, tuple(_rows(found, grouped)), narrow=not grouped)
    yield from _pictures(material)


def _rows(found: tuple[Example, ...], grouped: bool) -> Iterator[Row]:
    for kind, title in _GROUPS.items():
        of_kind = [example for example in found if example.kind == kind]
        if not of_kind:
            continue
        yield Row(group=title)
        for example in of_kind:
            cells = (
                Cell(example.case, (example.what,) if example.what else (), strong=True),
                Cell("nothing found" if example.score is None else _number(example.score)),
                Cell("–" if example.distance is None else _number(example.distance)),
            )
            yield Row((*cells, Cell(_told(example))) if grouped else cells)


def _told(example: Example) -> str:
    return "; ".join(f"{plain_name(name)} {value or 'not given'}" for name, value in example.attributes)


def _pictures(material: DossierMaterial) -> Iterator[Block]:
    if not material.policy.dossier.pictures:
        yield Paragraph("The policy allows no pictures of cases in the dossier.", quiet=True)
        return
    drawn = tuple(thumbnail_picture(one) for one in material.shown.thumbnails)
    if drawn:
        caption = (
            "Each case's image, of a volume the middle slice, in the window that the candidate declares; without one, "
            "from the 1st to the 99.5th percentile."
        )
        if material.policy.context.task == "detection":
            caption += " Evidence does not hold where in an image a finding lies: it need not lie in this slice."
        yield Figure(drawn, caption)


def _number(value: float) -> str:
    return numerals.number(value, numerals.Style.SHARE)
