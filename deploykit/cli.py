"""From the words that were typed to a command; the only place that builds a real machine and picks an exit status.

The run that finds nothing changed ends in ``_as_proved``, before anything that takes time is imported.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, Callable, Sequence

PACKAGE = os.path.dirname(os.path.abspath(__file__))
USAGE = 64


def main(argv: Sequence[str] | None = None, *, bundle: str = "", door: Callable[..., Any] | None = None) -> int:
    """Run the program and return its exit status.

    argv: the words behind the program's name. bundle: where deploykit.yml is, unless ``--bundle`` says so; by default
    the working directory, or the folder above this package. door: builds the machine; tests hand in one that fails on purpose.
    """
    words = _in_sandbox(list(sys.argv[1:] if argv is None else argv))
    if words is None or _is_lost(words):
        return USAGE
    if _as_proved(words, bundle):
        return 0
    import gc

    from deploykit.arguments import parse

    gc.disable()  # a run is short, and what it makes is needed until its end
    arguments = parse(words)
    if isinstance(arguments, int):
        return arguments
    return _run(arguments, words, bundle, door)


def _in_sandbox(words: list[str]) -> list[str] | None:
    """The words, and in a hook that ``simulate`` runs those that tell where its sandbox is; None when that is wrong.

    A root that is no sandbox is refused: going on without it would change the machine itself.
    """
    root = os.environ.get("DEPLOYKIT_ROOT", "")
    if not root or not words or words[0] == "simulate" or words[0].startswith("-") or _value(words, "--root"):
        return words
    from deploykit.system import sandbox

    more = sandbox.words(root)
    if more is None:
        sys.stderr.write(f"deploykit: DEPLOYKIT_ROOT is {root}, and that is no sandbox of `deploykit simulate`; unset it\n")
    return None if more is None else words + more


def _is_lost(words: list[str]) -> bool:
    """A relative path in a working folder that is gone leads nowhere."""
    paths = (_value(words, "--root"), _value(words, "--bundle"))
    if all(not path or path.startswith("/") for path in paths):
        return False
    try:
        os.getcwd()
    except OSError:
        sys.stderr.write("deploykit: the working folder is gone; give absolute paths to --root and --bundle\n")
        return True
    return False


def _as_proved(words: list[str], bundle: str) -> bool:
    """Does a plain ``run AfterInstall`` find everything as it was proved? Then it says so and is done."""
    if words[:2] != ["run", "AfterInstall"] or any(word in words for word in ("--dry-run", "--json", "--help", "-h")):
        return False
    from deploykit import places
    from deploykit.system import stamp

    prefix = _absolute(_value(words, "--root"))
    where = os.path.abspath(_value(words, "--bundle") or bundle or _default_bundle())
    if os.path.lexists(places.journal(prefix)) or os.path.lexists(places.finished(prefix)):
        return False
    if not stamp.holds(places.stamp(prefix), words, dict(os.environ), where, PACKAGE):
        return False
    sys.stdout.write("AfterInstall: nothing changed since it was proved, nothing to reload\n")
    return True


def _run(arguments: Namespace, words: list[str], bundle: str, door: Callable[..., Any] | None) -> int:
    from deploykit.commands import failed
    from deploykit.errors import DeploykitError, Interrupted, from_os
    from deploykit.system.output import to_people

    output = to_people(sys.stderr if arguments.json else sys.stdout, dict(os.environ))
    arguments.bundle = os.path.abspath(arguments.bundle or bundle or _default_bundle())
    arguments.root = _absolute(arguments.root)
    if arguments.command == "run":
        os.chdir("/")  # the agent's working folder may be another deployment's archive, or be deleted under us
    try:
        return int(_command(arguments.command)(arguments, _door(arguments, words, door), output))
    except DeploykitError as error:
        return failed.because(error, arguments, output)
    except OSError as error:
        return failed.because(from_os(error), arguments, output)
    except KeyboardInterrupt:
        return failed.because(Interrupted("interrupted"), arguments, output)
    except Exception as error:
        return failed.by_a_bug(error, arguments, output)
    finally:
        output.close()


def _command(name: str) -> Callable[..., int]:
    from importlib import import_module

    return import_module(f"deploykit.commands.{name}").run  # type: ignore[no-any-return]


def _door(arguments: Namespace, words: list[str], door: Callable[..., Any] | None) -> Callable[[Any], Any]:
    """A function from the watch over signals to the machine: commands that need no machine never build one."""

    def build(watch: Any) -> Any:
        from deploykit.system.real import RealMachine

        machine = (door or RealMachine)(arguments.root, words, dict(os.environ), arguments.bundle, watch)
        return _failing(machine, arguments) if getattr(arguments, "fail_at", "") else machine

    return build


def _failing(machine: Any, arguments: Namespace) -> Any:
    from deploykit import places
    from deploykit.errors import UsageError
    from deploykit.system.failing import FailingMachine

    if not arguments.root:
        raise UsageError("--fail-at is for sandboxes", hint="say --root DIR, or play the agent with deploykit simulate")
    return FailingMachine(machine, arguments.fail_at, places.home(arguments.root))


def _default_bundle() -> str:
    try:
        here = os.getcwd()
    except OSError:
        return os.path.dirname(PACKAGE)
    return here if os.path.exists(os.path.join(here, "deploykit.yml")) else os.path.dirname(PACKAGE)


def _absolute(root: str) -> str:
    return os.path.realpath(root).rstrip("/") if root else ""


def _value(words: list[str], option: str) -> str:
    for index, word in enumerate(words):
        if word == option and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(option + "="):
            return word[len(option) + 1 :]
    return ""
