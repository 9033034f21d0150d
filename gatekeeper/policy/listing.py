"""Which policies there are."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.errors import UsageError
from gatekeeper.policy.load import load_policy, policy_names, search_folders, shipped
from gatekeeper.policy.schema import Policy


@dataclass(frozen=True)
class ListedPolicy:
    """A policy that loads; ``own`` when the user's folder gives it and not the shipped one."""

    name: str
    policy: Policy
    own: bool


def list_policies() -> tuple[list[ListedPolicy], list[str]]:
    """Return the policies of the search path that load, and the names of those that do not."""
    own = [folder for folder in search_folders("policies") if folder != shipped("policies")]
    listed: list[ListedPolicy] = []
    broken: list[str] = []
    for name in policy_names():
        try:
            policy = load_policy(name).policy
        except UsageError:
            broken.append(name)
        else:
            listed.append(ListedPolicy(name, policy, any((folder / f"{name}.yaml").is_file() for folder in own)))
    return listed, broken
