"""What a policy may say. The resolved policy is this record in canonical JSON; its digest names it."""

from gatekeeper.policy.schema.basis import Basis, Relaxation
from gatekeeper.policy.schema.context import Context, Prevalence, Task
from gatekeeper.policy.schema.policy import Policy
from gatekeeper.policy.schema.protocols import (
    Champion,
    FailureCosts,
    LatencyProtocol,
    Margin,
    Monitoring,
    Pages,
    Subgroups,
    TestSetUse,
    Waiver,
)
from gatekeeper.policy.schema.requirement import Limit, Requirement

__all__ = [
    "Basis",
    "Champion",
    "Context",
    "FailureCosts",
    "LatencyProtocol",
    "Limit",
    "Margin",
    "Monitoring",
    "Pages",
    "Policy",
    "Prevalence",
    "Relaxation",
    "Requirement",
    "Subgroups",
    "Task",
    "TestSetUse",
    "Waiver",
]
