"""Every waiver of the policy is shown, in force or not, with the verdict without it."""

from __future__ import annotations

import pytest
from made_up_material import finding, material, policy, verdict

from gatekeeper.dossier.blocks import Paragraph, Table
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections.requirements import requirements
from gatekeeper.dossier.sections.waivers import waivers
from gatekeeper.evidence import Outcome, VerdictWord, Waived
from gatekeeper.policy.schema import Waiver

REASON, BY = "Scanner under repair", "A. Person"


def waived(expires: str, counts: bool) -> DossierMaterial:
    """A run of 2026-11-23 whose specificity is not met and waived until a day."""
    leave = Waiver(requirement="specificity", reason=REASON, by=BY, expires=expires)
    taken = None if counts else Waived(reason=REASON, by=BY, expires=expires)
    findings = (finding("sensitivity"), finding("specificity", outcome=Outcome.NOT_MET, waived=taken))
    word = VerdictWord.FAIL if counts else VerdictWord.PASS
    judged = verdict(findings, word, without_waivers=None if counts else VerdictWord.FAIL)
    return material(policy=policy().model_copy(update={"waivers": (leave,)}), verdict=judged)


@pytest.mark.parametrize(
    ("expires", "standing", "use", "conclusion"),
    [
        ("2026-11-23", "in force", "not met, not counted", "The verdict without waivers: FAIL. With them: PASS."),
        (
            "2026-11-22",
            "expired",
            "not met, counted",
            "No waiver took anything out of this verdict",
        ),
    ],
)
def test_a_waiver_is_shown_with_reason_person_day_and_what_it_did(
    expires: str, standing: str, use: str, conclusion: str
) -> None:
    blocks = tuple(waivers(waived(expires, counts=standing == "expired")))
    (table,) = (block for block in blocks if isinstance(block, Table))
    (row,) = table.rows
    assert [cell.text for cell in row.cells] == ["Specificity", REASON, BY, expires, standing]
    assert row.cells[4].below == (use,)
    last = blocks[-1]
    assert isinstance(last, Paragraph)
    assert last.text.startswith(conclusion)


def test_waivers_stand_in_the_section_on_requirements_and_nowhere_without_one() -> None:
    made = waived("2026-12-31", counts=False)
    assert any(isinstance(block, Table) and block.caption == "Waivers" for block in requirements(made))
    assert tuple(waivers(material())) == ()
