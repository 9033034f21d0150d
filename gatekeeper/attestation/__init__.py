"""What the gate signs of a run, and what it is held against: a full record, and one for tools that know no such."""

from gatekeeper.attestation.in_toto_result import RESULT_TYPE, InTotoResult, in_toto_result
from gatekeeper.attestation.predicate import LedgerState, ModelValidation, Standing, json_schema, model_validation
from gatekeeper.attestation.statements import (
    Beside,
    OpenedAttestation,
    attest,
    attest_result,
    checkpoint_of,
    hold_beside,
    open_attestation,
    state,
)

__all__ = [
    "RESULT_TYPE",
    "Beside",
    "InTotoResult",
    "LedgerState",
    "ModelValidation",
    "OpenedAttestation",
    "Standing",
    "attest",
    "attest_result",
    "checkpoint_of",
    "hold_beside",
    "in_toto_result",
    "json_schema",
    "model_validation",
    "open_attestation",
    "state",
]
