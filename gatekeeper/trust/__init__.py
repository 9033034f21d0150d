"""Keys, DSSE attestations, PDF signatures, strict verification, the ledger."""

from gatekeeper.trust.dsse import OpenedEnvelope, open_envelope, sign_envelope
from gatekeeper.trust.keys import KeyRing, Signer, load_keys, load_signer, load_trust_root, own_root
from gatekeeper.trust.ledger import Checkpoint, Entry, Ledger
from gatekeeper.trust.pdf_signature import Stamp, sign_pdf
from gatekeeper.trust.pdf_verification import SignatureFact, SignedDocument, verify_pdf
from gatekeeper.trust.statement import PAYLOAD_TYPE, PREDICATE_TYPE, Statement, parse_statement, statement

__all__ = [
    "PAYLOAD_TYPE",
    "PREDICATE_TYPE",
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
    "load_keys",
    "load_signer",
    "load_trust_root",
    "open_envelope",
    "own_root",
    "parse_statement",
    "sign_envelope",
    "sign_pdf",
    "statement",
    "verify_pdf",
]
