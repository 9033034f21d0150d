"""What is tried: each suite plans its conditions and reads its rows."""

from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.walk import measure, measure_subgroup, plan_policy

__all__ = ["Measurement", "measure", "measure_subgroup", "plan_policy", "undefined"]
