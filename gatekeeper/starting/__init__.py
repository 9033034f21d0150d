"""A new project: policy, candidate, test set and workflow as files to edit, that hold as they are written."""

from gatekeeper.starting.begin import Started, Wishes, begin, default_id, missing_wishes
from gatekeeper.starting.nearest import Shipped, nearest_policy, shipped_policies

__all__ = [
    "Shipped",
    "Started",
    "Wishes",
    "begin",
    "default_id",
    "missing_wishes",
    "nearest_policy",
    "shipped_policies",
]
