"""From what nginx and php-fpm say to findings at the line of the template that somebody wrote."""

from __future__ import annotations

import re
from typing import Callable, Iterator, List, Mapping, Optional, Tuple

from deploykit.errors import Location
from deploykit.model import Finding, Target, TrialProblem

Locate = Callable[[Target, int], Location]
Said = Optional[Tuple[str, Optional[Tuple[str, int]]]]  # the text, and the (path, line) that it names

_NGINX = re.compile(r"(?:nginx: |\d+#\d+: )?\[(?P<level>emerg|alert|crit|error|warn)\] (?:\d+#\d+: )?(?P<text>.*)")
_NGINX_PLACE = re.compile(r" in (?P<path>/[^:]+):(?P<line>\d+)\s*$")
_FPM_LEVEL = re.compile(r"^(?:\[[^\]]*\d{4}[^\]]*\] )?(?P<level>ERROR|WARNING|ALERT|NOTICE|PHP[^:]*): +(?P<text>.*)")
_FPM_PLACE = re.compile(r"\[(?P<path>/[^:\]]+):(?P<line>\d+)\]")
_FPM_INCLUDE = re.compile(r"Unable to include (?P<path>/\S+) from \S+ at line (?P<line>\d+)")
_FPM_POOL = re.compile(r"\[pool ([^\]]+)\]")
_FPM_REPEATS = ("failed to load configuration file", "FPM initialization failed", "failed to post process", "Unable to include")
_QUOTED = re.compile(r"""\"([^"]+)"|(?<!\w)'([^']+)'""")
_HARMLESS = (
    'the "user" directive makes sense only',
    "could not open error log file",
    "duplicate MIME type",
    "'user' directive is ignored when FPM is not running as root",
    "'group' directive is ignored when FPM is not running as root",
)
HINTS = {
    "fastcgi-address": "fastcgi_pass in nginx and listen = in the php-fpm pool must name the same address",
    "probe": "both services accept this configuration, but the page that probes: asks for does not come back",
    "timeout": "find out what it waits for: a name that does not resolve, a lock, a missing device",
}


class Mapper:
    """Turns problems of a trial into findings. locate: (target, line of its content) -> place in the template."""

    def __init__(self, targets: Mapping[str, Target], locate: Locate) -> None:
        self._targets = targets
        self._locate = locate

    def findings(self, problem: TrialProblem, severity: str) -> Iterator[Finding]:
        """One finding for each line that says something, or one for the whole output when no line does."""
        lines = list(self._lines(problem, severity))
        if lines or severity != "error":
            yield from lines
            return
        text = problem.output.strip() or f"{problem.service} does not accept this configuration and does not say why"
        yield Finding(problem.kind, severity, text, self.by_text(text), HINTS.get(problem.kind, ""))

    def at(self, path: str, line: int) -> Location:
        """Place in the template for a line of a rendered file; files that are not rendered stand for themselves."""
        target = self._targets.get(path)
        return self._locate(target, line) if target else Location(path, line)

    def by_text(self, text: str) -> Optional[Location]:
        """Where the thing that a message names stands: the first rendered line that holds it as a word of its own."""
        places = (self.by_pattern(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])") for word in self._words(text))
        return next((place for place in places if place), None)

    def by_pattern(self, pattern: str) -> Optional[Location]:
        """Where the first rendered line stands that matches and is no comment."""
        wanted = re.compile(pattern.encode())
        for target in self._targets.values():
            line = _line_of(target.content, wanted)
            if line:
                return self._locate(target, line)
        return None

    def _lines(self, problem: TrialProblem, severity: str) -> Iterator[Finding]:
        if problem.kind in HINTS:
            return
        read, elsewhere = (_nginx_line, None) if problem.service == "nginx" else (_fpm_line, _fpm_include(problem.output))
        said: List[str] = []
        for line in problem.output.splitlines():
            found = read(line, severity)
            if found and not any(text in line for text in _HARMLESS) and found[0] not in said:
                said.append(found[0])
                text, place = found[0], found[1] or elsewhere
                at = self.at(*place) if place else self.by_text(text)
                yield Finding(problem.kind, severity, text, at)

    @staticmethod
    def _words(text: str) -> List[str]:
        unix = re.findall(r"unix:(/[^\s:;,\"']+)", text)
        pools = [f"[{name}]" for name in _FPM_POOL.findall(text)]
        return unix + [one or other for one, other in _QUOTED.findall(text)] + pools


def _nginx_line(line: str, severity: str) -> Said:
    found = _NGINX.search(line)
    if not found or (found["level"] == "warn") != (severity == "warning"):
        return None
    text = found["text"].strip()
    place = _NGINX_PLACE.search(text)
    if place:
        return text[: place.start()], (place["path"], int(place["line"]))
    return text, None


def _fpm_line(line: str, severity: str) -> Said:
    found = _FPM_LEVEL.search(line.strip())
    if not found or found["level"] == "NOTICE" or (found["level"] == "WARNING") != (severity == "warning"):
        return None
    text = re.sub(r" in Unknown on line \d+$", "", found["text"].strip())
    if text.startswith(_FPM_REPEATS):
        return None
    place = _FPM_PLACE.search(text)
    if place:
        return _FPM_PLACE.sub("", text).strip(), (place["path"], int(place["line"]))
    return text, None


def _fpm_include(output: str) -> Optional[Tuple[str, int]]:
    """The file, and the line in it, at which php-fpm gave up: where a syntax error is, of which it says no place itself."""
    found = _FPM_INCLUDE.search(output)
    return (found["path"], int(found["line"])) if found else None


def _line_of(content: bytes, wanted: re.Pattern[bytes]) -> int:
    for number, line in enumerate(content.splitlines(), 1):
        if wanted.search(line) and not line.lstrip().startswith((b"#", b";")):
            return number
    return 0
