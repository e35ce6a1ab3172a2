"""One script of an event: how the agent turns it into a program to start, and its end into one of the agent's codes."""

from __future__ import annotations

import os
import re
import shlex
from typing import Callable, List, Mapping, Tuple

from deploykit.appspec.spec import Script
from deploykit.simulator import tail
from deploykit.simulator.agents import Agent
from deploykit.simulator.model import FAILED, LEFT_OPEN, MISSING, NOT_EXECUTABLE, TIMED_OUT, Asked, EventFailed, ScriptEnd
from deploykit.system import agent_files, agent_hook

# With one of these in it Ruby hands a command line to sh; else it is parted at blanks.
_FOR_SHELL = re.compile(r"[*?{}\[\]<>()~&|\\$;'`\"\n#]")
_ERRORS = {
    1: "EPERM",
    2: "ENOENT",
    7: "E2BIG",
    8: "ENOEXEC",
    13: "EACCES",
    20: "ENOTDIR",
    26: "ETXTBSY",
    40: "ELOOP",
}

Say = Callable[[str], None]


def run(script: Script, archive: str, environment: Mapping[str, str], asked: Asked, log: ScriptLog) -> ScriptEnd:
    """Run one script to its end. Raises EventFailed with the agent's code and words."""
    path = f"{archive}/{script.location}"
    _make_ready(script, path)
    words, note = command(script, archive, asked.agent)
    if note:
        log.note(f"{script.location}: {note}")
    log.say(f"Script - {script.location}\n")
    hook = agent_hook.Hook(
        words,
        environment,
        asked.folder if asked.local else "/",
        script.timeout,
        sh_otherwise=asked.agent.splits_command,
        no_stdin=asked.agent.no_stdin,
        grace=asked.agent.grace,
    )
    ended = agent_hook.play(hook, log.hear)
    log.ends.append(ScriptEnd(script.location, ended.seconds, ended.status if ended.kind == "exited" else None))
    _judge(script, words, ended, asked.agent)
    return log.ends[-1]


class ScriptLog:
    """Where the lines of an event's scripts go: scripts.log, deployments.log, and the tail for the console."""

    def __init__(self, agent: Agent, deployment: str, scripts_log: str, deployments_log: str) -> None:
        self.tail = tail.Tail(agent)
        self.ends: List[ScriptEnd] = []
        self.notes: List[str] = []
        self._agent = agent
        self._deployment = deployment
        self._deployments_log = deployments_log
        for path in (scripts_log, deployments_log):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        self._file = open(scripts_log, "a", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115 - closed by close()

    def close(self) -> None:
        self._file.close()

    def note(self, text: str) -> None:
        """Something about the simulation, for its user."""
        self.notes.append(text)

    def say(self, line: str) -> None:
        """A line, with its line end: of the agent, or of a script behind ``[stdout]`` or ``[stderr]``."""
        second, exact = agent_files.now()
        self.tail.add(second, line)
        kept = line if self._agent.strict_utf8 else tail.cut(line.rstrip("\n")) + "\n"
        self._file.write(f"{second} {kept}")
        self._file.flush()
        if self._agent.strict_utf8:
            if tail.breaks_reader(line.encode("utf-8", "surrogateescape")):
                raise UnicodeError("invalid byte sequence in UTF-8")
            self._mirror(exact, line.strip())

    def hear(self, stream: str, line: bytes) -> bool:
        """A line of a script; False when this was the last that is read of its stream."""
        text = line.decode("utf-8", "surrogateescape" if self._agent.strict_utf8 else "replace")
        try:
            self.say(f"[{stream}]{text}")
        except UnicodeError:
            return False
        return True

    def summary(self, text: str) -> None:
        """Version 2 writes to deployments.log only when something failed: the tail, and a line about it."""
        if not self._agent.strict_utf8:
            exact = agent_files.now()[1]
            for line in (*self.tail.text().splitlines(), text):
                self._mirror(exact, line)

    def _mirror(self, exact: str, line: str) -> None:
        with open(self._deployments_log, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"[{exact}] [{self._deployment}]{line}\n")


def command(script: Script, archive: str, agent: Agent) -> Tuple[Tuple[str, ...], str]:
    """(The words that are executed, a note where that is not what would be on a machine.)"""
    wrapped, note = _as_somebody(script)
    path = f"{archive}/{script.location}"
    if wrapped[-1:] == ("-c",):
        return (*wrapped, f"{shlex.quote(archive)}/{script.location}"), note
    if not agent.splits_command:
        return (*wrapped, path), note
    # The archive's own path is quoted: a blank in the name of a sandbox is not the revision's fault.
    if _FOR_SHELL.search(script.location):
        return ("sh", "-c", " ".join((*wrapped, f"{shlex.quote(archive)}/{script.location}"))), note
    first, *more = re.split(r"[ \t]+", path[len(archive) :])
    return (*wrapped, archive + first, *more), note


def _as_somebody(script: Script) -> Tuple[Tuple[str, ...], str]:
    wanted = [f"runas: {script.runas}"] if script.runas else []
    wanted += ["sudo: true"] if script.sudo else []
    if wanted and os.geteuid() != 0:
        return (), "" if script.runas == agent_files.login() else f"{' and '.join(wanted)} not simulated: only root can do that"
    account = ("su", script.runas, "-c") if script.runas else ()
    return (("sudo", *account) if script.sudo else account), ""


def _make_ready(script: Script, path: str) -> None:
    if not os.path.exists(path):
        message = f"Script does not exist at specified location: {os.path.normpath(path)}"
        raise EventFailed(message, MISSING, script.location)
    if os.access(path, os.X_OK):
        return
    try:
        agent_files.make_executable(path)
    except OSError:
        message = f"Unable to set script at specified location: {script.location} as executable"
        raise EventFailed(message, NOT_EXECUTABLE, script.location) from None


def _judge(script: Script, words: Tuple[str, ...], ended: agent_hook.Ended, agent: Agent) -> None:
    where = f"Script at specified location: {script.location}"
    as_whom = where + (f" run as user {script.runas}" if script.runas else "")
    if ended.kind == "timed out":
        raise EventFailed(f"{where} failed to complete in {script.timeout} seconds", TIMED_OUT, script.location)
    if ended.kind == "left open":
        raise EventFailed(f"{where} failed to close {ended.stream.upper()}", LEFT_OPEN, script.location)
    if ended.kind == "unheard":
        words_of_ruby = "error ArgumentError with message invalid byte sequence in UTF-8"
        raise EventFailed(f"{as_whom} failed with {words_of_ruby}", FAILED, script.location)
    if ended.kind == "not started":
        raise EventFailed(f"{as_whom} failed with {_exec_error(ended.number, words[0], agent)}", FAILED, script.location)
    if ended.status:
        raise EventFailed(f"{as_whom} failed with exit code {_exit_code(ended.status, agent)}", FAILED, script.location)


def _exit_code(status: int, agent: Agent) -> str:
    """What the message says of a script that a signal killed: nothing (version 1), or 1."""
    if status >= 0:
        return str(status)
    return "" if agent.splits_command else "1"


def _exec_error(number: int, program: str, agent: Agent) -> str:
    text = os.strerror(number)
    if agent.splits_command:
        return f"error Errno::{_ERRORS.get(number, number)} with message {text} - {program}"
    return f"error: {text} (os error {number})"
