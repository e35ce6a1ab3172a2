"""The three ways to fail, told: your input is wrong, we were interrupted, or it is our own bug."""

from __future__ import annotations

import argparse
from typing import List

from deploykit import __version__
from deploykit.errors import DeploykitError
from deploykit.stages import report
from deploykit.system.output import Output

BUG = 70


def because(error: DeploykitError, arguments: argparse.Namespace, output: Output) -> int:
    """Say what is wrong; returns the exit status of the error's class."""
    for text, colour in report.error_lines(error):
        output.say(text, colour)
    if arguments.json:
        output.document(report.error_document(error))
    return error.status


def by_a_bug(error: Exception, arguments: argparse.Namespace, output: Output) -> int:
    """A report that can be pasted: versions and the traceback; the last line tells what happened."""
    import platform
    import traceback

    frames: List[str] = traceback.format_exception(type(error), error, error.__traceback__)
    output.say("this is a bug in deploykit; please report it with the lines below", "red")
    output.say(f"deploykit {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for frame in frames:
        output.say(frame.rstrip("\n"))
    if arguments.json:
        output.document({"error": f"a bug in deploykit: {error!r}", "status": BUG, "at": None, "hint": "please report it"})
    return BUG
