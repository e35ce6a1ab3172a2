"""``deploykit version``: what to put into a bug report."""

from __future__ import annotations

import argparse
import platform
from importlib import import_module
from typing import Dict

from deploykit import __version__
from deploykit.system.output import Output

LIBRARIES = {"jinja2": "jinja2", "yaml": "pyyaml", "psutil": "psutil", "sh": "sh", "crossplane": "crossplane"}


def run(arguments: argparse.Namespace, _: object, output: Output) -> int:
    """Print versions; always 0."""
    versions = {"deploykit": __version__, "python": platform.python_version(), **_libraries()}
    if arguments.json:
        output.document(versions)
    else:
        for name, number in versions.items():
            output.say(f"{name} {number}")
    return 0


def _libraries() -> Dict[str, str]:
    found: Dict[str, str] = {}
    for module, name in LIBRARIES.items():
        try:
            found[name] = str(getattr(import_module(module), "__version__", "unknown"))
        except ImportError:
            found[name] = "missing"
    return found
