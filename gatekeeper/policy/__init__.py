"""What a clinical context requires: schema, strict reading, composition."""

from gatekeeper.policy.load import LoadedPolicy, load_policy, load_settings, policy_names, search_folders, shipped
from gatekeeper.policy.schema import Policy, Requirement

__all__ = [
    "LoadedPolicy",
    "Policy",
    "Requirement",
    "load_policy",
    "load_settings",
    "policy_names",
    "search_folders",
    "shipped",
]
