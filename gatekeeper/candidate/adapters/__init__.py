"""What runs inside the worker for each format of candidate: loading, calling, and what became of a call."""

from gatekeeper.candidate.adapters.determinism import make_deterministic
from gatekeeper.candidate.adapters.faults import declined, fault_of
from gatekeeper.candidate.adapters.loading import load
from gatekeeper.candidate.adapters.model import Batch, CaseFacts, Model, PluginCase, Setting
from gatekeeper.candidate.adapters.plugin import plugin_distribution
from gatekeeper.candidate.adapters.settings import check_setting

__all__ = [
    "Batch",
    "CaseFacts",
    "Model",
    "PluginCase",
    "Setting",
    "check_setting",
    "declined",
    "fault_of",
    "load",
    "make_deterministic",
    "plugin_distribution",
]
