"""The content model: what a dossier says, in which order, with which numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_up_material import attachments, finding, ladders, main_findings, manifest, material, policy, verdict

from gatekeeper.canonical import digest_bytes
from gatekeeper.dossier.attachments import describe_attachments
from gatekeeper.dossier.blocks import Content, Facts, Figure, Paragraph, Points, Section, Table
from gatekeeper.dossier.content import DEVELOPMENT, EXPLORATORY, compose_content
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.sections import methods
from gatekeeper.dossier.sections.performance import confusion_counts
from gatekeeper.evidence import Outcome, Reason, VerdictWord
from gatekeeper.evidence.detached import DETACHED, detach
from gatekeeper.metrics import METRICS, Metric
from gatekeeper.policy.approval import Approval
from gatekeeper.verdict import Bar, ReleaseBar


def content_of(made: DossierMaterial) -> Content:
    return compose_content(made, describe_attachments(attachments()))


def section(content: Content, title: str) -> Section:
    return next(part for part in content.sections if part.title == title)


def said(part: Section) -> str:
    """All text of a section, one line a statement."""
    lines: list[str] = []
    for block in part.blocks:
        if isinstance(block, Table):
            for row in block.rows:
                texts = [text for cell in row.cells for text in (cell.text, *cell.below)]
                lines.append(" | ".join((row.group, *texts, row.note)))
        elif isinstance(block, Points | Facts):
            lines += [f"{name} {value}" for name, value in block.items]
        elif isinstance(block, Figure):
            lines += [drawn.words for drawn in block.drawings] + [block.caption]
        else:
            lines.append(block.text)
    return "\n".join(lines).replace("\u202f", " ").replace("\u00a0", " ")


def test_sections_come_in_their_order_and_are_numbered_after_the_verdict() -> None:
    content = content_of(material())
    assert [part.number for part in content.sections] == list(range(2, 19))
    assert [part.title for part in content.sections] == [
        "Requirements",
        "Where the thresholds come from",
        "Subgroups",
        "Performance",
        "Cases without an answer",
        "Repeatability",
        "Robustness",
        "Refusals",
        "Latency",
        "What this gate can see",
        "Test set",
        "Candidate",
        "Methods",
        "Environment",
        "Traceability",
        "Attachments and verification",
        "Glossary",
    ]


def test_page_one_says_verdict_reason_and_what_it_is_about() -> None:
    first = content_of(material()).first_page
    assert first.verdict == "FAIL"
    assert first.words == "1 of 7 blocking requirements is not met: Precision (PPV) at 12 %."
    assert first.reasons == (main_findings()[2].words,)
    facts = dict(first.facts)
    assert facts["Test set"] == "chest-ct-2026: 412 cases of 384 patients, use 2 of this set"
    assert facts["Policy"].startswith("nodule_malignancy 1.2.0 (")
    assert [brief.title for brief in first.requirements][-1] == "Within-subject SD of the score (advisory)"
    assert first.remainder == "12 subgroup findings (advisory) in section 4: 10 met and 2 not decided."


def test_page_one_says_who_approved_the_policy_and_what_bars_the_release() -> None:
    facts = dict(content_of(material()).first_page.facts)
    assert facts["Policy"].endswith("approved by nobody")
    assert facts["Release"] == "nothing in this run bars it"
    signed = Approval(
        policy_id="x",
        policy_version="1.0.0",
        by="Dr Ada Example",
        role="qa",
        meaning="approved for release checks",
        approved="2026-11-20T08:00:00Z",
        digest="sha256:" + "1" * 64,
        signer="Made-up QA",
        fingerprint="sha256:" + "2" * 64,
        development=False,
    )
    bars = (ReleaseBar(Bar.NOT_PASSED, "the verdict is FAIL", "mend it"), ReleaseBar(Bar.TEST_SET_WORN, "worn", "lock"))
    content = content_of(material(approval=signed, bars=bars))
    facts = dict(content.first_page.facts)
    assert facts["Policy"].endswith("approved by Dr Ada Example (qa)")
    assert facts["Release"] == "barred: not passed and test set worn"
    assert "The verdict is FAIL: mend it." in said(section(content, "Requirements"))
    told = said(section(content, "Where the thresholds come from"))
    assert "Approved by Dr Ada Example (qa), 2026-11-20 08:00 UTC: approved for release checks (key Made-up QA" in told


def test_page_one_keeps_the_gravest_requirements_when_there_is_no_room_for_all() -> None:
    plain = tuple(finding(f"m{index}", title=f"Met {index}") for index in range(60))
    grave = finding("last", title="Grave", outcome=Outcome.NOT_MET)
    first = content_of(material(verdict=verdict((*plain, grave)))).first_page
    assert len(first.requirements) < 20
    assert first.requirements[-1].title == "Grave"
    hidden = 61 - len(first.requirements)
    assert first.remainder == f"{hidden} further requirements in section 2: {hidden} met."


def test_every_finding_stands_in_the_tables_with_its_denominator() -> None:
    made = material()
    content = content_of(made)
    shown = said(section(content, "Requirements"))
    for found in made.verdict.findings[:9]:
        line = next(line for line in shown.splitlines() if f"| {found.title} | {found.outcome.value} |" in line)
        assert f"| {found.n:,} | {found.n_of} | {found.patients:,} patients |" in line
        assert f"Method: {found.method}." in line


def test_order_weight_and_claim_are_told() -> None:
    shown = said(section(content_of(material()), "Requirements"))
    assert "Precision (PPV) at 12 % | not met | no. 3, blocking |" in shown
    assert "Flips between repeats | not decided | no. 5, blocking, not claimed |" in shown
    assert "Area under the ROC curve | met | advisory |" in shown


def test_what_was_not_decided_says_what_would_decide_it() -> None:
    shown = said(section(content_of(material()), "Requirements"))
    assert "Flips between repeats: about 212 more subjects with repeats (now 118)." in shown
    assert "Sensitivity, manufacturer TOSHIBA: no number of cases can be given (subgroup too small; now 9" in shown


@pytest.mark.parametrize(
    "words",
    [
        "read in another source that quotes it",
        "computed from figures of the source named",
        "not checked against a source",
        "a choice of this project",
        "controls hazard H-03",
        "0.12, read in another source that quotes it: made-up registry 2024, table 3",
        "policies/base/triage.yaml, policies/chest_ct/nodule_malignancy.yaml",
        "Labels are the median of up to four readers, not pathology.",
    ],
)
def test_thresholds_come_with_their_source_and_how_sure_it_is(words: str) -> None:
    assert words in said(section(content_of(material()), "Where the thresholds come from"))


def test_counts_of_calls_are_derived_from_sensitivity_and_specificity() -> None:
    assert confusion_counts(material()) == (175, 13, 18, 206)
    odd = finding("sensitivity", estimate=0.93111)
    assert confusion_counts(material(verdict=verdict((odd, main_findings()[1])))) is None
    assert confusion_counts(material(verdict=verdict(main_findings()[:1]))) is None


def test_composition_counts_cases_subjects_patients_and_positives() -> None:
    shown = said(section(content_of(material()), "Test set"))
    assert "| All | 530 | 412 | 384 | 306 (57.7 %) |" in shown
    assert "Cases 530, of which 118 repeat another case of the same subject" in shown
    assert manifest().root in shown


def test_rare_values_of_an_attribute_are_summed() -> None:
    cases = tuple(
        replace(case, attributes={"site": f"site {index % 40:02}"}) for index, case in enumerate(manifest().cases)
    )
    shown = said(section(content_of(material(manifest=type(manifest()).of("many sites", cases))), "Test set"))
    assert "28 rarer values" in shown


def test_breaking_points_name_the_step_in_its_unit() -> None:
    shown = said(section(content_of(material()), "Robustness"))
    assert "contour translation | Sensitivity | 0.931 | 5: 3 mm | not on this ladder" in shown
    assert "contour erosion | Sensitivity | 0.931 | 1: 0.3 mm | 2: 0.6 mm" in shown


def test_a_ladder_that_fails_without_stress_says_so() -> None:
    broken = type(ladders()[0])(**{**vars(ladders()[0]), "breaking_point": 0})
    shown = said(section(content_of(material(ladders=(broken,))), "Robustness"))
    assert "| none | already without" in shown


def test_methods_explain_each_interval_that_occurs_and_no_other() -> None:
    shown = said(section(content_of(material()), "Methods"))
    for title in ("Patient-cluster bootstrap:", "Clopper-Pearson interval:", "Order statistics:", "Breaking point:"):
        assert title in shown
    assert "Wilson" not in shown
    assert "DeLong interval:" not in shown


def test_a_method_of_a_plug_in_is_named_all_the_same() -> None:
    shown = said(
        section(content_of(material(verdict=verdict((finding("x", method="Bayesian, flat prior"),)))), "Methods")
    )
    assert "Bayesian, flat prior" in shown


@pytest.mark.parametrize("method", ["Wilson score", "DeLong", "logit at a prevalence (Mercaldo)", "paired bootstrap"])
def test_common_methods_are_explained_by_name(method: str) -> None:
    shown = said(section(content_of(material(verdict=verdict((finding("x", method=method),)))), "Methods"))
    assert "as its plug-in describes it" not in shown


def test_attachments_are_listed_with_digest_and_size() -> None:
    shown = said(section(content_of(material()), "Attachments and verification"))
    for item in describe_attachments(attachments()):
        assert f"{item.name} | {item.description}" in shown
        assert item.digest in shown
    assert "entry 41, head sha256:" in shown
    assert "gatekeeper verify dossier.pdf" in shown


def test_the_environment_says_how_many_components_the_bill_of_materials_lists_and_names_it() -> None:
    shown = said(section(content_of(material()), "Environment"))
    assert "Bill of materials 181 components: every distribution of Python that the run could import" in shown
    assert "sbom.cdx.json (CycloneDX 1.6)" in shown
    assert "Bill of materials none attached" in said(section(compose_content(material(), ()), "Environment"))


def test_files_that_lie_beside_the_dossier_are_told_with_size_and_digest() -> None:
    files = attachments()
    large = detach({"cases.parquet": files.pop("cases.parquet")}, largest=0)
    assert large is not None
    made = compose_content(material(), describe_attachments({**files, DETACHED: large}))
    shown = said(section(made, "Attachments and verification"))
    assert (
        "keep these files, which lie in the run's folder, with this PDF. Without them it cannot be verified." in shown
    )
    assert f"cases.parquet | 41.3 kB | {digest_bytes(attachments()['cases.parquet'])}" in shown
    assert "lie beside" not in said(section(content_of(material()), "Attachments and verification"))


@pytest.mark.parametrize(
    ("development", "exploratory", "bands"),
    [
        (False, False, ()),
        (True, False, (DEVELOPMENT,)),
        (False, True, (EXPLORATORY,)),
        (True, True, (DEVELOPMENT, EXPLORATORY)),
    ],
)
def test_warnings_stand_on_the_dossier_when_they_apply(
    development: bool, exploratory: bool, bands: tuple[tuple[str, str], ...]
) -> None:
    judged = verdict(main_findings(), exploratory=exploratory)
    assert content_of(material(development=development, verdict=judged)).bands == bands


def test_what_is_absent_is_said_to_be_absent() -> None:
    bare = material(
        verdict=verdict((), VerdictWord.INVALID, words="The worker was lost."),
        policy=policy().model_copy(update={"subgroups": None}),
        roc=None,
        ladders=(),
        repeatability=None,
        latency_seconds=(),
        notes=(),
    )
    content = compose_content(bare, ())
    assert "No requirement was judged." in said(section(content, "Requirements"))
    assert "The policy asks for no subgroups." in said(section(content, "Subgroups"))
    assert "There is no ROC curve" in said(section(content, "Performance"))
    assert "The test set has no repeated subjects." in said(section(content, "Repeatability"))
    assert "The policy asks for no perturbation ladder." in said(section(content, "Robustness"))
    assert "No call was timed." in said(section(content, "Latency"))
    assert "No file is attached." in said(section(content, "Attachments and verification"))


def test_timed_calls_that_failed_are_told_and_slow_down_the_percentiles() -> None:
    shown = said(section(content_of(material(latency_seconds=(0.01,) * 96 + (math.inf,) * 4)), "Latency"))
    assert "p95 10.0 ms, p99 no answer" in shown.replace("\u202f", " ")
    assert "4 without an answer (100 timed calls)" in shown.replace("\u202f", " ")
    none = said(section(content_of(material(latency_seconds=(math.inf,) * 3)), "Latency"))
    assert "None of 3 timed calls gave an answer." in none.replace("\u202f", " ")


def test_subgroups_that_were_asked_for_and_not_found_are_told() -> None:
    shown = said(section(content_of(material(verdict=verdict(main_findings()))), "Subgroups"))
    assert "No subgroup was judged" in shown


def test_an_empty_subgroup_gives_its_reason() -> None:
    empty = finding(
        "sensitivity[sex=O]",
        subgroup={"sex": "O"},
        outcome=Outcome.NOT_DECIDED,
        reason=Reason.SUBGROUP_EMPTY,
        estimate=None,
        interval=None,
        n=0,
        patients=0,
    )
    shown = said(section(content_of(material(verdict=verdict((*main_findings(), empty)))), "Subgroups"))
    assert "| O | not decided: subgroup empty | – | no interval |" in shown


@pytest.mark.parametrize("name", ["../policy.json", "a/b.json", "", ".hidden", "a\nb"])
def test_an_attachment_needs_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        describe_attachments({name: b""})


def test_the_content_model_holds_no_markup() -> None:
    for part in content_of(material()).sections:
        assert all(
            isinstance(block, Table | Paragraph | Points | Facts | Figure) or block.text for block in part.blocks
        )
        assert "<" not in said(part)


@pytest.mark.parametrize("spec", [spec for spec in METRICS if spec.interval], ids=lambda spec: spec.name)
def test_every_kind_of_interval_of_the_catalogue_is_described(spec: Metric) -> None:
    assert any(key in (spec.interval or "").lower() for key, _, _ in methods._INTERVALS), spec.interval
