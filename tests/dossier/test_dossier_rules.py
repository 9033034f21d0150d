"""What the dossier says of a policy's rules: waivers, multiplicity, failures, requirements without basis."""

from __future__ import annotations

from made_up_material import attachments, finding, material, policy, verdict

from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.blocks import Points, Table
from gatekeeper.dossier.content import compose_content
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.evidence import Outcome, VerdictWord, Waived
from gatekeeper.policy.schema import FailureCosts, Waiver

WAIVED = Waived(reason="Scanner under repair", by="A. Person", expires="2026-12-31")


def rules(made: DossierMaterial) -> dict[str, str]:
    content = compose_content(made, describe_attachments(attachments()))
    methods = next(part for part in content.sections if part.title == "Methods")
    return dict(item for block in methods.blocks if isinstance(block, Points) for item in block.items)


def with_policy(**changed: object) -> DossierMaterial:
    return material(policy=policy().model_copy(update=changed))


def test_serial_order_and_holm_are_told_apart() -> None:
    assert "serial gatekeeping" in rules(material())["Several requirements:"]
    assert "Holm's step-down procedure" in rules(with_policy(multiplicity="holm"))["Several requirements:"]


def test_what_failures_count_as_is_told_when_it_was_declared() -> None:
    assert "As the policy declares" not in rules(material())["Missing answers:"]
    told = rules(with_policy(failure_costs=FailureCosts(refusal="positive", crash="negative")))["Missing answers:"]
    assert "a crash counts as negative and a refusal counts as positive." in told


def test_a_waived_finding_is_marked_keeps_its_outcome_and_is_no_reason_of_the_verdict() -> None:
    waiver = Waiver(requirement="specificity", reason="Scanner under repair", by="A. Person", expires="2026-12-31")
    findings = (
        finding("sensitivity"),
        finding("specificity", title="Specificity", outcome=Outcome.NOT_MET, waived=WAIVED),
        finding("precision", title="Precision", outcome=Outcome.NOT_MET, words="The precision."),
    )
    made = material(
        policy=policy().model_copy(update={"waivers": (waiver,)}), verdict=verdict(findings, VerdictWord.FAIL)
    )
    content = compose_content(made, describe_attachments(attachments()))
    assert content.first_page.reasons == ("The precision.",)
    assert [brief.title for brief in content.first_page.requirements] == [
        "Sensitivity",
        "Specificity (waived)",
        "Precision",
    ]
    shown = next(part for part in content.sections if part.title == "Requirements")
    cells = [cell for block in shown.blocks if isinstance(block, Table) for row in block.rows for cell in row.cells]
    assert any("waived until 2026-12-31" in line for cell in cells for line in cell.below)
    assert any(cell.text == "Specificity" and "not met" in cell.below for cell in cells)
    assert "keeps its outcome" in rules(made)["Waivers:"]


def test_a_requirement_without_basis_says_so() -> None:
    bare = {id_: item.model_copy(update={"basis": None}) for id_, item in policy().requirements.items()}
    content = compose_content(with_policy(requirements=bare), describe_attachments(attachments()))
    section = next(part for part in content.sections if part.title == "Where the thresholds come from")
    rows = [row for block in section.blocks if isinstance(block, Table) for row in block.rows]
    assert rows
    assert all([cell.text for cell in row.cells[2:]] == ["none given", "the policy does not say", ""] for row in rows)
