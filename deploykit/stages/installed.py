"""Is the application there, whose pages the probes ask for?"""

from __future__ import annotations

from deploykit.appspec.reader import judge
from deploykit.model import Request
from deploykit.system.port import Readable


def missing(request: Request, machine: Readable) -> str:
    """The first destination of ``files:`` in appspec.yml that is not there; ``""`` when all are, or nobody says.

    On a laptop, and before Install, the pages of an application cannot be asked for.
    """
    path = request.bundle + "/appspec.yml"
    appspec = judge(machine.read(path)).appspec if machine.find(path).there else None
    destinations = [request.prefix + copy.destination.rstrip("/") for copy in appspec.files] if appspec else []
    return next((one for one in destinations if not machine.find(one).there), "")
