"""Page one: what a radiologist reads. Whatever comes in, it stays one page."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from gatekeeper.dossier import numerals
from gatekeeper.dossier.blocks import Brief, FirstPage
from gatekeeper.dossier.charts import outcome_mark, verdict_mark
from gatekeeper.dossier.geometry import PAPERS
from gatekeeper.dossier.material import DossierMaterial
from gatekeeper.dossier.wording import joined, shortened, visible
from gatekeeper.evidence import Finding, Outcome, VerdictWord

_MOST_WORDS = 240
_MOST_REASON = 200
_MOST_REASONS = 2
_MOST_FACT = 130
_MOST_USE = 210
_MOST_TITLE = 80


@dataclass(frozen=True)
class _Text:
    """How much room a text of one style takes, as the style sheet sets it: letters a line, mm a line, mm besides."""

    letters: int
    line: float
    besides: float

    def height(self, text: str) -> float:
        """Return the height in mm, rather too much than too little."""
        return max(1, len(textwrap.wrap(visible(text), self.letters))) * self.line + self.besides


_WORDS = _Text(78, 5.7, 0.0)
_REASON = _Text(98, 4.6, 1.2)
_FACT = _Text(84, 4.5, 0.7)
_TITLE = _Text(31, 3.9, 2.2)
_PLAIN = _Text(70, 3.9, 2.2)
_REMAINDER = _Text(110, 3.9, 1.6)
_BAND = 13.6
_HEAD = 6.4 + 27.1
_AROUND_FACTS = 11.5

_GRAVITY = {Outcome.NOT_MET: 0, Outcome.NOT_DECIDED: 1, Outcome.MET: 2}


def first_page(material: DossierMaterial) -> FirstPage:
    """Compose page one. Long texts are cut with an ellipsis; they stand in full in the sections."""
    verdict = material.verdict
    words = shortened(verdict.words, _MOST_WORDS)
    reasons = tuple(shortened(finding.words, _MOST_REASON) for finding in deciding(material)[:_MOST_REASONS])
    facts = _facts(material)
    bands = int(material.development) + int(verdict.exploratory)
    room = (
        PAPERS[material.policy.dossier.paper].sheet
        - _HEAD
        - _AROUND_FACTS
        - bands * _BAND
        - _WORDS.height(words)
        - 2 * _REMAINDER.height("")
    )
    room -= sum(_REASON.height(reason) for reason in reasons) + sum(_FACT.height(value) for _, value in facts)
    main = [finding for finding in verdict.findings if not finding.subgroup]
    shown = _fitting(main, room)
    return FirstPage(
        mark=verdict_mark(verdict.verdict),
        verdict=verdict.verdict.value,
        words=words,
        reasons=reasons,
        facts=facts,
        requirements=tuple(_brief(finding) for finding in shown),
        remainder=_remainder(main, shown, [finding for finding in verdict.findings if finding.subgroup]),
    )


def deciding(material: DossierMaterial) -> list[Finding]:
    """Return the blocking findings that made the verdict what it is; none for PASS."""
    outcome = {VerdictWord.FAIL: Outcome.NOT_MET, VerdictWord.INCONCLUSIVE: Outcome.NOT_DECIDED}
    wanted = outcome.get(material.verdict.verdict)
    counted = [finding for finding in material.verdict.findings if finding.blocking and finding.waived is None]
    return [finding for finding in counted if finding.outcome is wanted]


def weight(finding: Finding) -> str:
    """Say whether a finding can close the gate."""
    if finding.waived is not None:
        return "waived"
    return "blocking" if finding.blocking else "advisory"


def tally(findings: list[Finding]) -> str:
    """Count findings by outcome: ``10 met, 1 not met and 2 not decided``."""
    counts = [(outcome, sum(finding.outcome is outcome for finding in findings)) for outcome in Outcome]
    return joined([f"{count} {outcome.value}" for outcome, count in counts if count])


def _facts(material: DossierMaterial) -> tuple[tuple[str, str], ...]:
    verdict, context = material.verdict, material.policy.context
    scope = f"{numerals.counted(verdict.cases, 'case')} of {numerals.counted(verdict.patients, 'patient')}"
    policy = f"{verdict.policy_id} {verdict.policy_version} ({numerals.short_digest(verdict.digests.policy)})"
    by = f"{material.approval.by} ({material.approval.role})" if material.approval else "nobody"
    use = f"use {material.ledger.exposures:,} of this set"
    facts = (
        ("Candidate", f"{verdict.candidate} ({numerals.short_digest(verdict.digests.candidate)})"),
        ("Policy", f"{policy}, approved by {by}"),
        ("Release", _release(material)),
        ("Test set", f"{verdict.testset}: {scope}, {use}"),
        ("Finished", f"{numerals.moment(verdict.run.finished)}, run {verdict.run.id}"),
    )
    cut = tuple((name, shortened(value, _MOST_FACT)) for name, value in (*facts, *_blind(material)))
    return (*cut, ("Intended use", shortened(context.intended_use, _MOST_USE)))


def _blind(material: DossierMaterial) -> tuple[tuple[str, str], ...]:
    """Name the planted defects that this gate does not see; nothing where it sees all."""
    missed = material.self_test.not_seen if material.self_test else ()
    if not missed:
        return ()
    where = ": planted in this evidence, nothing blocks it (see “What this gate can see”)"
    named = shortened(joined([defect.title for defect in missed]), _MOST_FACT - len(where))
    return (("Would not see", named + where),)


def _release(material: DossierMaterial) -> str:
    if not material.bars:
        return "nothing in this run bars it"
    return f"barred: {joined([bar.reason.value.lower().replace('_', ' ') for bar in material.bars])}"


def _brief(finding: Finding) -> Brief:
    plain = weight(finding) == "blocking"
    title = finding.title if plain else f"{shortened(finding.title, _MOST_TITLE - 11)} ({weight(finding)})"
    return Brief(
        mark=outcome_mark(finding.outcome),
        outcome=finding.outcome.value,
        title=shortened(title, _MOST_TITLE),
        words=shortened(finding.words, _MOST_REASON),
    )


def _height(brief: Brief) -> float:
    return max(_TITLE.height(brief.title), _PLAIN.height(brief.words))


def _fitting(findings: list[Finding], room: float) -> list[Finding]:
    """Choose what there is room for, the gravest first, and keep the order in which they were judged."""
    chosen: set[str] = set()
    for finding in sorted(findings, key=lambda finding: (not finding.blocking, _GRAVITY[finding.outcome])):
        room -= _height(_brief(finding))
        if room < 0.0:
            break
        chosen.add(finding.id)
    return [finding for finding in findings if finding.id in chosen]


def _remainder(main: list[Finding], shown: list[Finding], subgroups: list[Finding]) -> str:
    parts = []
    hidden = [finding for finding in main if finding not in shown]
    if hidden:
        parts.append(f"{numerals.counted(len(hidden), 'further requirement')} in section 2: {tally(hidden)}.")
    if subgroups:
        weights = joined(sorted({weight(finding) for finding in subgroups}))
        parts.append(
            f"{numerals.counted(len(subgroups), 'subgroup finding')} ({weights}) in section 4: {tally(subgroups)}."
        )
    return " ".join(parts)
