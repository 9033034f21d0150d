"""What a policy may say. The resolved policy is this record in canonical JSON; its digest names it."""

from gatekeeper.policy.schema.basis import Basis, Relaxation
from gatekeeper.policy.schema.context import Context, Prevalence, Task
from gatekeeper.policy.schema.policy import Policy
from gatekeeper.policy.schema.protocols import (
    Champion,
    FailureCosts,
    LatencyProtocol,
    Load,
    Margin,
    Monitoring,
    Pages,
    RepeatabilityProtocol,
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
    "Load",
    "Margin",
    "Monitoring",
    "Pages",
    "Policy",
    "Prevalence",
    "Relaxation",
    "RepeatabilityProtocol",
    "Requirement",
    "Subgroups",
    "Task",
    "TestSetUse",
    "Waiver",
]
