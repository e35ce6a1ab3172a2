"""The nouns, as frozen data. What they do lives elsewhere.

Paths are absolute on this machine unless a docstring says otherwise; modes are plain integers
(``0o644``); owners and groups are names in what the user writes and numbers in what the machine says.
"""

from deploykit.model.machine import Answer, Facts, Found, Probe, Running, Service
from deploykit.model.plan import Candidate, Change, Finding, Outcome, Plan, Removal, SocketMoves, Target, Verdict
from deploykit.model.settings import EVENTS, SERVICES, FileRule, Request, Settings, StepSpec
from deploykit.model.trial import Trial, TrialFile, TrialProblem, TrialResult, TrialService

__all__ = [
    "EVENTS",
    "SERVICES",
    "Answer",
    "Candidate",
    "Change",
    "Facts",
    "FileRule",
    "Finding",
    "Found",
    "Outcome",
    "Plan",
    "Probe",
    "Removal",
    "Request",
    "Running",
    "Service",
    "Settings",
    "SocketMoves",
    "StepSpec",
    "Target",
    "Trial",
    "TrialFile",
    "TrialProblem",
    "TrialResult",
    "TrialService",
    "Verdict",
]
