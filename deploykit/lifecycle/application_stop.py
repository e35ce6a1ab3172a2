"""ApplicationStop: the steps that deploykit.yml lists for it, by default none: services are reloaded, never stopped.

The agent runs it from the archive of the *previous* revision under the new deployment's id. If it fails, every later
deployment fails too, so it never does: what goes wrong is said and logged.
"""

from deploykit.flow import plan_steps as decide
from deploykit.flow import run_steps as carry_out

FORGIVING = True

__all__ = ["FORGIVING", "carry_out", "decide"]
