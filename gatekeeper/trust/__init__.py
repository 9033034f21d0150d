"""Keys, DSSE attestations, PDF signatures, strict verification, the ledger."""

from gatekeeper.trust._certificates import is_development
from gatekeeper.trust.anchors import AUTHORITY, Trust
from gatekeeper.trust.baseline import Baseline, load_baseline
from gatekeeper.trust.dsse import OpenedEnvelope, open_envelope, sign_envelope
from gatekeeper.trust.keys import (
    ROLES,
    KeyRing,
    Signer,
    develop_under,
    key_places,
    load_keys,
    load_signer,
    load_trust_root,
    own_trust,
)
from gatekeeper.trust.ledger import Checkpoint, Entry, Ledger
from gatekeeper.trust.pdf_signature import Stamp, countersign_pdf, sign_pdf
from gatekeeper.trust.pdf_verification import SignatureFact, SignedDocument, verify_pdf
from gatekeeper.trust.statement import PAYLOAD_TYPE, PREDICATE_TYPE, Statement, parse_statement, statement

__all__ = [
    "AUTHORITY",
    "PAYLOAD_TYPE",
    "PREDICATE_TYPE",
    "ROLES",
    "Baseline",
    "Checkpoint",
    "Entry",
    "KeyRing",
    "Ledger",
    "OpenedEnvelope",
    "SignatureFact",
    "SignedDocument",
    "Signer",
    "Stamp",
    "Statement",
    "Trust",
    "countersign_pdf",
    "develop_under",
    "is_development",
    "key_places",
    "load_baseline",
    "load_keys",
    "load_signer",
    "load_trust_root",
    "open_envelope",
    "own_trust",
    "parse_statement",
    "sign_envelope",
    "sign_pdf",
    "statement",
    "verify_pdf",
]
