"""Which folders are still to be made."""

from __future__ import annotations

import posixpath
from typing import Dict, Iterable, List

from deploykit.system.port import Readable


def missing_folders(wanted: Iterable[str], machine: Readable) -> List[str]:
    """These folders and those above them that are not there, parents first."""
    seen: Dict[str, bool] = {}
    for one in wanted:
        folder = one
        while folder not in seen:
            seen[folder] = machine.find(folder).there
            folder = posixpath.dirname(folder)
    return sorted(folder for folder, there in seen.items() if not there)
