"""What is tried: each suite plans its conditions and reads its rows."""

from gatekeeper.suites.asked import asked_of
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.walk import measure, measure_subgroup, plan_policy

__all__ = ["Measurement", "asked_of", "measure", "measure_subgroup", "plan_policy", "undefined"]
