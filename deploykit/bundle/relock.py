"""``python -m deploykit.bundle.relock``: write the lock anew, from the requirements in setup.cfg. ``make lock`` calls it."""

from __future__ import annotations

import configparser
import os
import sys
from typing import Dict, List, Sequence, Set

from deploykit.bundle import vendor, wheels
from deploykit.bundle.lock import BUILD_ONLY, PATH, Locked, Target, dump, parse, targets
from deploykit.bundle.verify import sha256
from deploykit.errors import DeploykitError, Failed
from deploykit.system import agent_files


def relock(requirements: Sequence[str], folder: str) -> str:
    """The text of a lock for these requirements; ``folder`` is filled with wheels, and empty at first.

    The oldest Python decides about versions: its newest library runs on all of them, and not the other way round. Raises
    Failed when a wheel is missing for a target, Refused when pure files differ between targets.
    """
    everywhere = targets()
    oldest = everywhere[0]
    wheels.pip(oldest, os.path.join(folder, "resolved"), requirements)
    pins = sorted(wheels.named(file) for file in os.listdir(os.path.join(folder, "resolved")))
    hashes: Dict[str, Set[str]] = {name: set() for name, _ in pins}
    for target in everywhere:
        for name, digest in _of_target(target, pins, os.path.join(folder, str(target))).items():
            hashes[name].add(digest)
    libraries = [Locked(name, version, frozenset(hashes[name])) for name, version in pins]
    travelling = [one for one in libraries if one.name not in BUILD_ONLY]
    vendor.build(wheels.fetch(travelling, everywhere, os.path.join(folder, "all"), lambda _: None))
    return dump(libraries)


def _of_target(target: Target, pins: Sequence[tuple[str, str]], folder: str) -> Dict[str, str]:
    """Name to SHA-256 of the wheel that pip takes for this target."""
    wheels.pip(target, folder, ["--no-deps", *(f"{name}=={version}" for name, version in pins)])
    found = {wheels.named(file)[0]: sha256(os.path.join(folder, file)) for file in os.listdir(folder)}
    lacking = [name for name, _ in pins if name not in found]
    if lacking:
        raise Failed(f"no wheel for {target}: {', '.join(lacking)}")
    return found


def _wanted() -> List[str]:
    setup = configparser.ConfigParser()
    setup.read("setup.cfg", encoding="utf-8")
    return [*setup["options"]["install_requires"].split(), *BUILD_ONLY]


def main() -> int:
    """Write the lock of this checkout and say what has changed."""
    folder = os.path.abspath(os.path.join("build", "relock"))
    agent_files.forget([folder])
    os.makedirs(folder)
    try:
        text = relock(_wanted(), folder)
    except DeploykitError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    finally:
        agent_files.forget([folder])
        agent_files.delete(os.path.dirname(folder))
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(text)
    for one in parse(text):
        sys.stdout.write(f"{one.name} {one.version}, {len(one.hashes)} wheels\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
