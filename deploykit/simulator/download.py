"""DownloadBundle: forget old archives, unpack the new one, strip a folder that is all there is in it."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import List

from deploykit.simulator.layout import Layout, archive, write
from deploykit.simulator.model import Asked, EventFailed
from deploykit.system import agent_files

# A folder is taken as the bundle that would be made of it.
LEFT_OUT = (".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis")


def download(asked: Asked, layout: Layout) -> List[str]:
    """Put the revision where its archive belongs. Returns notes. Raises EventFailed."""
    own = layout.deployment(asked.deployment)
    retain(asked, layout)
    agent_files.forget([archive(own)])
    notes = _fetch(asked, own)
    _strip(own)
    write(layout.most_recent, own)
    return notes


def retain(asked: Asked, layout: Layout) -> None:
    """Forget the oldest archives of the group, so that with this one not more than ``retain`` are left.

    The last successful one is never forgotten: with 1 to be kept two stay.
    """
    others = [layout.deployment(name) for name in layout.deployments() if name != asked.deployment]
    extra = len(others) - asked.retain + 1
    last = layout.last_successful_folder()
    old = agent_files.oldest_first(folder for folder in others if folder != last)
    agent_files.forget(old[: max(extra, 0)])


def _fetch(asked: Asked, own: str) -> List[str]:
    if os.path.isdir(asked.revision):
        agent_files.copy_folder(asked.revision, archive(own), lambda path: _in_bundle(path, asked.root))
        return []
    bundle = f"{own}/bundle.tar"
    if os.path.lexists(bundle):
        os.remove(bundle)
    agent_files.install(asked.revision, bundle)
    try:
        note = agent_files.unpack(bundle, archive(own))
    except agent_files.BadArchiveError as error:
        raise EventFailed(str(error)) from None
    return [note] if note else []


def _in_bundle(path: str, root: str) -> bool:
    name = os.path.basename(path)
    return not any(fnmatchcase(name, pattern) for pattern in LEFT_OUT) and os.path.realpath(path) != root


def _strip(own: str) -> None:
    """A folder at the top is taken away when it is the only entry and something in it is called like an appspec."""
    names = os.listdir(archive(own))
    inner = f"{archive(own)}/{names[0]}" if len(names) == 1 else ""
    if not inner or not os.path.isdir(inner) or not any("appspec" in name.lower() for name in os.listdir(inner)):
        return
    aside = f"{own}/deployment-archive-temp"
    agent_files.forget([aside])
    agent_files.move(archive(own), aside)
    agent_files.move(f"{aside}/{names[0]}", archive(own))
    os.rmdir(aside)
