"""Where deploykit keeps what it must remember, below the folder that stands for ``/``.

var/lib/deploykit/lock        held while a run is at work
                  stamp       what was proved last, for the run that finds nothing changed
                  journal     the run that is going on, or was cut off: to be undone
                  finished    the journal of a run that is proved, until all is tidied up
                  record.json which live files are ours
                  history/RUN journal of a run that is done, or undone, and kept/: what it replaced
var/log/deploykit/RUN.log     everything a run said, 0600
"""

from __future__ import annotations

FOLDER = "/var/lib/deploykit"
LOGS = "/var/log/deploykit"
TEMPORARY = ".deploykit-"  # so begin the names of new and old files that wait beside their place


def home(prefix: str) -> str:
    return prefix + FOLDER


def lock(prefix: str) -> str:
    return prefix + FOLDER + "/lock"


def stamp(prefix: str) -> str:
    return prefix + FOLDER + "/stamp"


def journal(prefix: str) -> str:
    return prefix + FOLDER + "/journal"


def finished(prefix: str) -> str:
    return prefix + FOLDER + "/finished"


def record(prefix: str) -> str:
    return prefix + FOLDER + "/record.json"


def history(prefix: str) -> str:
    return prefix + FOLDER + "/history"


def run(prefix: str, name: str) -> str:
    return f"{prefix}{FOLDER}/history/{name}"


def log(prefix: str, name: str) -> str:
    return f"{prefix}{LOGS}/{name}.log"
