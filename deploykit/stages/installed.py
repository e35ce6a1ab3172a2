"""Is the application there, whose pages the probes ask for?"""

from __future__ import annotations

import re

from deploykit.model import Request
from deploykit.system.port import Readable

# A look at the lines, which every deployment takes; what appspec.yml means in full is BeforeInstall's business.
_DESTINATION = re.compile(rb"""^[ -]*destination:[ ]*["']?(/[^"'#\s]*)""", re.MULTILINE)


def missing(request: Request, machine: Readable) -> str:
    """The first destination of ``files:`` in appspec.yml that is not there; ``""`` when all are, or nobody says.

    On a laptop, and before Install, the pages of an application cannot be asked for.
    """
    path = request.bundle + "/appspec.yml"
    found = _DESTINATION.findall(machine.read(path)) if machine.find(path).there else []
    destinations = [request.prefix + name.decode("utf-8", "replace").rstrip("/") for name in found]
    return next((one for one in destinations if not machine.find(one).there), "")
