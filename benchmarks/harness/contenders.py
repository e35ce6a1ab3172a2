"""Who takes part: for each contender its command line, its extra environment, and why it cannot run when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Callable, Dict, Mapping, Tuple

from harness import arrange
from harness.layout import CHECKOUT, PEERS, Layout, cache_folder

Command = Callable[[Layout, str], Tuple[str, ...]]


@dataclass(frozen=True)
class Contender:
    """command: argv for a layout and a variant of the input. needs: files that must be there. most: sites without ``--all``.

    fresh: called before every run, outside the measured time. version: argv whose first line of output names the version.
    """

    name: str
    command: Command
    needs: Tuple[str, ...] = ()
    extra: Callable[[Layout, str], Mapping[str, str]] = lambda _layout, _variant: {}
    most: int = 1_000_000
    fresh: Callable[[Layout, str], None] = lambda _layout, _variant: None
    version: Tuple[str, ...] = field(default=())

    def missing(self) -> str:
        """What is not installed, ``""`` when all is there."""
        return ", ".join(need for need in self.needs if not (shutil.which(need) or os.path.exists(need)))


def floor_python() -> str:
    """The interpreter of the script's libraries: of ``setup.sh``, else the one that runs the harness."""
    path = os.path.join(cache_folder(), "floor/bin/python")
    return path if os.path.exists(path) else sys.executable


def peer(name: str) -> str:
    """Path of a peer's file."""
    return os.path.join(PEERS, name)


def tool(folder: str, name: str) -> str:
    """Path of a program in one of the virtual environments of ``setup.sh``."""
    return os.path.join(cache_folder(), folder, "bin", name)


def _puppet(layout: Layout, variant: str) -> Tuple[str, ...]:
    folders = (f"--confdir={layout.work}/puppet", f"--vardir={layout.work}/puppet/var")
    hiera = f"--hiera_config={layout.input(variant)}/hiera.yml"
    return ("puppet", "apply", "--color=false", "--detailed-exitcodes", *folders, hiera, peer("puppet_site.pp"))


def _puppet_facts(layout: Layout, variant: str) -> Mapping[str, str]:
    names = {name: text for name, text in layout.environment(variant).items() if name.startswith("BENCH_")}
    return {**{f"FACTER_{name.lower()}": text for name, text in names.items()}, "FACTER_bench_peers": PEERS}


def _deploykit(kind: str) -> Command:
    def command(layout: Layout, variant: str) -> Tuple[str, ...]:
        launcher = os.path.join(arrange.bundle(layout, kind, variant), "run.py")
        arguments = ("run", "AfterInstall", "--root", layout.root, "--env", "bench")
        return ("/usr/bin/python3", "-I", "-S", launcher, *arguments)

    return command


_PYINFRA, _ANSIBLE = tool("pyinfra", "pyinfra"), tool("ansible", "ansible-playbook")
_DEPLOYKIT = (os.path.join(CHECKOUT, "run.py"), os.path.join(CHECKOUT, "deploykit/cli.py"), floor_python())

ALL: Dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("script", lambda *_: (floor_python(), peer("script.py")), version=(floor_python(), "--version")),
        Contender("bash", lambda *_: ("bash", peer("hook.sh")), ("envsubst",), version=("bash", "--version")),
        Contender(
            "pyinfra",
            lambda *_: (_PYINFRA, "-y", "@local", peer("pyinfra_deploy.py")),
            (_PYINFRA,),
            most=100,
            version=(_PYINFRA, "--version"),
        ),
        Contender("puppet", _puppet, ("puppet",), _puppet_facts, most=100, version=("puppet", "--version")),
        Contender(
            "ansible",
            lambda *_: (_ANSIBLE, peer("ansible_play.yml")),
            (_ANSIBLE,),
            lambda *_: {"ANSIBLE_CONFIG": peer("ansible.cfg")},
            most=100,
            version=(_ANSIBLE, "--version"),
        ),
        Contender("deploykit", _deploykit("warm"), _DEPLOYKIT, fresh=arrange.arrange_once),
        Contender("deploykit-cold", _deploykit("cold"), _DEPLOYKIT, fresh=arrange.arrange_anew),
    )
}
ACCEPTED = {"puppet": (0, 2)}


def succeeded(contender: Contender, status: int) -> bool:
    """Does this exit status say that all went well? (``puppet --detailed-exitcodes`` says 2 for "changed something".)"""
    return status in ACCEPTED.get(contender.name, (0,))


def version_of(contender: Contender) -> str:
    """The first line that its version command prints, ``""`` without one."""
    if not contender.version or contender.missing():
        return ""
    told = subprocess.run(contender.version, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (told.stdout or told.stderr).partition("\n")[0].strip()
