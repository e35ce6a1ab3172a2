"""The command line: what can be typed, and the help that tells it."""

from __future__ import annotations

import argparse
import os
from typing import Any, Dict, List, NoReturn, Sequence, Tuple, Union

from deploykit import __version__

USAGE = 64
EPILOG = """exit statuses: 0 ok; 1 failed and undone; 2 would change (with --detailed-exitcode); 3 refused by a rule or check;
4 the undo failed too; 64 usage; 65 bad configuration or template; 69 tool missing; 70 bug; 75 another run is at work;
124 own deadline; 130 interrupted"""


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 on a mistake, which means "would change" here; and a shortened option is a mistake."""

    def __init__(self, **given: Any) -> None:
        super().__init__(allow_abbrev=False, **given)

    def error(self, message: str) -> NoReturn:
        self.print_usage(__import__("sys").stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parse(words: Sequence[str]) -> Union[argparse.Namespace, int]:
    """The arguments, or the exit status when there is nothing more to do (help, a mistake)."""
    parser = _parser(words[0] if words else "")
    try:
        arguments = parser.parse_args(list(words) or ["--help"])
        arguments.var = _variables(parser, arguments.var)
        _settle_format(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return arguments


def _settle_format(arguments: argparse.Namespace) -> None:
    """``--json`` is the short form of ``--format json``; any document leaves standard error to people."""
    if getattr(arguments, "format", "") == "text" and arguments.json:
        arguments.format = "json"
    arguments.json = arguments.json or getattr(arguments, "format", "text") != "text"


def _parser(chosen: str) -> _Parser:
    """chosen: the command that is typed. Of the others only name and help are needed, and every option costs time."""
    parser = _Parser(prog="deploykit", description="CodeDeploy lifecycle hooks for nginx and php-fpm.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"deploykit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
        if name == chosen:
            _common(command, several=name == "diff")
            _OPTIONS.get(name, lambda _: None)(command)
    return parser


def _common(command: argparse.ArgumentParser, several: bool) -> None:
    if several:
        command.add_argument(
            "--env", dest="environments", action="append", default=[], metavar="NAME", help="an environment; repeatable"
        )
        command.set_defaults(env="")
    else:
        command.add_argument(
            "--env", default="", metavar="NAME", help="environment, instead of the one that the deployment group chooses"
        )
    command.add_argument("--root", default="", metavar="DIR", help="folder that stands for /")
    command.add_argument(
        "--bundle", default="", metavar="DIR", help="folder with deploykit.yml (default: here, else this program's)"
    )
    command.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="set a variable; repeatable")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, messages on stderr")


def _run(command: argparse.ArgumentParser) -> None:
    from deploykit.model import EVENTS  # takes longer than all of this: --version and --help do without

    event = os.environ.get("LIFECYCLE_EVENT", "")
    default: Dict[str, Any] = {"nargs": "?", "default": event} if event in EVENTS else {}
    command.add_argument("event", metavar="EVENT", type=_event, help=", ".join(EVENTS), **default)
    command.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    command.add_argument("--detailed-exitcode", action="store_true", help="with --dry-run: 2 when something would change")
    command.add_argument(
        "--deadline",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="default: appspec.yml's timeout less the time an undo takes",
    )
    command.add_argument(
        "--wait", type=_seconds, default=30.0, metavar="SECONDS", help="for another run on this machine to end"
    )
    command.add_argument(
        "--fail-at",
        type=_failure,
        default=None,
        metavar="STEP",
        help="below --root only: fail at apply, reload, http, fastcgi or run",
    )


def _render(command: argparse.ArgumentParser) -> None:
    command.add_argument("template", nargs="?", default="", help="below config_templates/; default: all")
    command.add_argument("-o", "--output", default="", metavar="DIR", help="write the files below DIR instead of printing them")


def _check(command: argparse.ArgumentParser) -> None:
    what = command.add_mutually_exclusive_group()
    what.add_argument("--all", action="store_true", help="the candidate of every environment")
    what.add_argument("--live", action="store_true", help="what is on this machine now")
    what.add_argument("--tree", default="", metavar="DIR", help="an existing tree: DIR/nginx and DIR/php-fpm")
    what.add_argument("--appspec", default="", metavar="FILE", help="an appspec.yml")
    command.add_argument(
        "--agent", choices=("v1", "v2", "both"), default="both", help="which CodeDeploy agent reads the appspec"
    )
    command.add_argument(
        "--format", choices=("text", "json", "gitlab", "junit", "sarif"), default="text", help="report on stdout"
    )
    command.add_argument("--facts", default="", metavar="FILE", help="facts of the target machine, as YAML or JSON")
    command.add_argument("--nginx-root", default="", metavar="DIR", help="what DIR/nginx stands for (default: as found here)")
    command.add_argument("--php-fpm-root", default="", metavar="DIR", help="what DIR/php-fpm stands for")


def _diff(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--all", action="store_true", help="every environment (the default, but with --live)")
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--from",
        dest="former",
        default="",
        metavar="REF",
        help="with the merge base of this commit and HEAD (default: the base of the merge request, else of origin's branch)",
    )
    what.add_argument("--live", action="store_true", help="with what is on this machine")
    what.add_argument("--between", nargs=2, default=(), metavar="ENV", help="one environment with another, as they are here")
    add("--format", choices=("text", "markdown", "json", "html", "terraform"), default="text", help="what to write")
    add("-o", "--output", default="", metavar="FILE", help="write it there instead of to stdout")
    add("--detailed-exitcode", action="store_true", help="2 when something differs")


def _undo(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "target", nargs="?", default="", metavar="RUN", help="bring back what was live before this run; default: the last"
    )
    command.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    command.add_argument(
        "--wait", type=_seconds, default=30.0, metavar="SECONDS", help="for another run on this machine to end"
    )


def _docs(command: argparse.ArgumentParser) -> None:
    command.add_argument("section", nargs="?", default="", help="a top-level key of deploykit.yml")


def _simulate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--agent", choices=("v1", "v2"), default="v1", help="which CodeDeploy agent to play (default: v1)")
    add("--revision", action="append", default=[], metavar="ZIP|DIR", help="deploy this; repeatable (default: the bundle)")
    add("--events", default="", metavar="E,E,...", help="these events, as the agent's own command line takes them")
    add("--load-balancer", action="store_true", help="with the six events of BlockTraffic and AllowTraffic")
    add("--local", action="store_true", help="as codedeploy-local: its events, the caller's environment and folder")
    add(
        "--fail-at",
        default="",
        metavar="WHAT",
        help="an event, or apply, reload, http, fastcgi, run: the last revision fails there",
    )
    add("--group", default="simulated-staging", metavar="NAME", help="deployment group (default: simulated-staging)")
    add("--application", default="", metavar="NAME", help="application (default: simulated)")
    add("--deployment-id", default="", metavar="ID", help="id of the deployment (default: the next number)")
    add("--max-revisions", type=_at_least_one, default=5, metavar="N", help="archives that the agent keeps (default: 5)")
    behaviours = ("DISALLOW", "OVERWRITE", "RETAIN")
    add("--file-exists-behavior", type=str.upper, choices=behaviours, default="DISALLOW", help="unless appspec.yml says it")
    add("--ignore-application-stop-failures", action="store_true", help="go on after a failure in the old revision's hooks")
    add("--keep", action="store_true", help="leave the services of the sandbox running")


def _bundle(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("-o", "--output", default="revision.zip", metavar="FILE", help="the zip to write (default: revision.zip)")
    add("--source", default="", metavar="DIR", help="the checkout with built assets (default: the folder with deploykit.yml)")
    add("--allow", action="append", default=[], metavar="PATTERN", help="a file that only looks like a secret; repeatable")
    add("--sbom", default="", metavar="FILE", help="write the bill of materials here, too (CycloneDX 1.6)")
    add("--cache", default="", metavar="DIR", help="where wheels are kept (default: ~/.cache/deploykit/wheels)")


_COMMANDS = {
    "run": "run the handler of a lifecycle event",
    "render": "print or write the rendered configuration",
    "check": "judge the candidate of an environment; nothing is changed",
    "diff": "what a change does to every environment's files; nothing is changed",
    "status": "what is live, whether it is as deployed, and what runs",
    "undo": "bring back the configuration from before a run",
    "history": "the runs that changed something here",
    "doctor": "is everything there that a deployment needs?",
    "simulate": "play the CodeDeploy agent with a revision, here or in a folder that stands for a machine",
    "bundle": "write the zip to deploy: the application, the configuration, deploykit and its libraries",
    "docs": "the annotated deploykit.yml",
    "version": "version of deploykit, Python and libraries",
}
_OPTIONS = {
    "run": _run,
    "render": _render,
    "check": _check,
    "diff": _diff,
    "undo": _undo,
    "simulate": _simulate,
    "bundle": _bundle,
    "docs": _docs,
}


def _event(word: str) -> str:
    from deploykit.model import EVENTS

    if word in EVENTS:
        return word
    import difflib

    near = difflib.get_close_matches(word.lower(), [e.lower() for e in EVENTS], 1)
    hint = next((f"did you mean {e}?" for e in EVENTS if near and e.lower() == near[0]), f"the events are {', '.join(EVENTS)}")
    raise argparse.ArgumentTypeError(f"unknown event {word!r}: {hint}")


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds < 1e7:
        return seconds
    raise argparse.ArgumentTypeError(f"not a number of seconds: {word!r}")


def _failure(word: str) -> str:
    from deploykit.system.failing import PLACES

    if word in PLACES:
        return word
    raise argparse.ArgumentTypeError(f"cannot be made to fail: {word!r}; one of {', '.join(PLACES)} can")


def _at_least_one(word: str) -> int:
    if word.isdecimal() and int(word) > 0:
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r}: with less than 1 the agent ends itself")


def _variables(parser: _Parser, given: List[str]) -> Dict[str, Any]:
    return dict(_variable(parser, word) for word in given)


def _variable(parser: _Parser, word: str) -> Tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals or not name.isidentifier():
        parser.error(f"--var {word!r}: write NAME=VALUE")
    plain: Dict[str, Any] = {"true": True, "false": False}
    if value in plain:
        return name, plain[value]
    return name, int(value) if value.isdecimal() and str(int(value)) == value else value
