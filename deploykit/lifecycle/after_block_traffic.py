"""AfterBlockTraffic: the steps that deploykit.yml lists for it. Only with a load balancer, from the previous revision."""

from deploykit.flow import plan_steps as decide
from deploykit.flow import run_steps as carry_out

FORGIVING = True  # runs from the previous revision: if it failed, every later deployment would

__all__ = ["FORGIVING", "carry_out", "decide"]
