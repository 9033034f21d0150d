"""A model that wants to be released: its contract, its digest, the worker that runs it."""

from gatekeeper.candidate.contract import Contract
from gatekeeper.candidate.load import Candidate, CandidateRecord, load_candidate

__all__ = ["Candidate", "CandidateRecord", "Contract", "load_candidate"]
