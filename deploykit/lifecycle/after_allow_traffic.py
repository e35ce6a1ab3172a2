"""AfterAllowTraffic: the steps that deploykit.yml lists for it. The event comes only with a load balancer in the group."""

from deploykit.flow import plan_steps as decide
from deploykit.flow import run_steps as carry_out

FORGIVING = False

__all__ = ["FORGIVING", "carry_out", "decide"]
