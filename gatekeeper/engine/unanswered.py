"""Why cases have no usable answer, and what no reference has, in sentences for the person who started the run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from gatekeeper.candidate.contract import OutputContract
from gatekeeper.engine.measuring import Asked, reference_label
from gatekeeper.engine.output_faults import OutputFault
from gatekeeper.evidence import BASELINE, CaseOutcome, Evidence

_SHOWN = 3
_OF_THE_CONTRACT = "hold output in the candidate's YAML against what it returns"
_MENDS = {
    OutputFault.NO_PROBABILITY.value: "if it returns log-odds, output.kind has to say so",
    OutputFault.NO_SUM.value: "if it returns logits, output.kind has to say so",
    OutputFault.NO_LABEL.value: "hold output.structures in the candidate's YAML against the labels that it returns",
}


def why_unanswered(evidence: Evidence, log: Path) -> str | None:
    """Return what cases of the baseline lack an answer for, most often first; None where all that failed was declined.

    ``log`` has what the candidate printed, if it is there.
    """
    failed = [failure for failure in evidence.failures_under(BASELINE.id) if failure[0] is not CaseOutcome.REFUSED]
    if not failed:
        return None
    total = sum(evidence.outcomes_under(BASELINE.id).values())
    groups = Counter((outcome, why) for outcome, why, _ in failed).most_common()
    told = [f"{count:,} {_in_words(*group)}" for group, count in groups[:_SHOWN]]
    rest = [f"{len(groups) - _SHOWN:,} more reasons"] if len(groups) > _SHOWN else []
    sentence = f"No usable answer to {len(failed):,} of {total:,} cases: {', '.join([*told, *rest])}"
    mend = _mend(*groups[0][0], log)
    return f"{sentence}; {mend}." if mend else f"{sentence}."


def without_reference(evidence: Evidence, output: OutputContract, asked: Asked) -> list[str]:
    """Return a sentence for each structure that is asked and that no reference mask of a test set has."""
    columns = evidence.under(BASELINE.id).answers
    return [
        f'No reference mask holds "{name}": by output.structures of the candidate, its label there is '
        f"{reference_label(output, name)}."
        for name in asked.structures
        if not np.any(np.nan_to_num(columns.get(f"measured.{name}.reference", np.zeros(0))) > 0.0)
    ]


def _in_words(outcome: CaseOutcome, why: str) -> str:
    name = outcome.value.replace("_", " ")
    return f"{name} ({why})" if why else name


def _mend(outcome: CaseOutcome, why: str, log: Path) -> str | None:
    if outcome is CaseOutcome.INVALID_OUTPUT:
        given = {fault.value for fault in OutputFault}
        return _MENDS.get(why, _OF_THE_CONTRACT) if why in given else None
    if outcome is CaseOutcome.TIMED_OUT:
        return "a case may take as long as engine.case_timeout says"
    if outcome is CaseOutcome.OUT_OF_MEMORY:
        return "engine.candidate_memory says how much there is, engine.batch_size how many cases share it"
    return f"what it printed is in {log}" if log.is_file() else None
