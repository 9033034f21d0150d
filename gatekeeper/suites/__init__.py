"""What is tried: each suite plans its conditions and reads its rows."""

from gatekeeper.suites.asked import asked_of
from gatekeeper.suites.measurement import Measurement, undefined
from gatekeeper.suites.stopping import is_decided
from gatekeeper.suites.subgroups import measure_subgroup
from gatekeeper.suites.walk import measure, plan_policy

__all__ = ["Measurement", "asked_of", "is_decided", "measure", "measure_subgroup", "plan_policy", "undefined"]
