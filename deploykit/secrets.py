"""Which values must never be seen: those named under ``secrets:``, and those whose names say so."""

from __future__ import annotations

import binascii
import fnmatch
import functools
import json
import re
from typing import Any, Callable, List, Sequence, Tuple

from deploykit.model import Settings

_WORDS = r"(?:password|passwd|secret|token|api_?key|private_?key|credentials?)"
_TELLING = re.compile(rf"(?:^|[^a-z]){_WORDS}(?:[^a-z]|$)", re.IGNORECASE)
_TELLING_LINE = re.compile(rf"^(\s*\S*(?:^|[^a-z]){_WORDS}(?:[^a-z\s=:]\S*?)?(?:\s*[=:]\s*|\s+))(\S.*)$", re.IGNORECASE)
_EXPRESSIONS = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
MASK = "***"


def secret_values(settings: Settings) -> Tuple[str, ...]:
    """Every text to hide: the values themselves, their single lines, and how they look quoted inside a configuration."""
    found: List[str] = []
    _collect("", settings.variables, settings.secrets, found)
    return tuple(dict.fromkeys(found))


def is_secret(path: str, named: Sequence[str]) -> bool:
    """Is the variable at this dotted path (``sites.0.db_password``) secret: by ``secrets:``, by its name or a name above it?"""
    if any(_tells(part) for part in path.split(".")):
        return True
    return any(fnmatch.fnmatchcase(path, name) or path.startswith(name + ".") for name in named)


def names_secret(template: str, named: Sequence[str]) -> bool:
    """Does a template use a secret variable, one that is named so or that is listed under ``secrets:``?"""
    words = {name.rpartition(".")[2] for name in named}
    used = " ".join(_EXPRESSIONS.findall(template))
    return bool(_TELLING.search(used)) or any(re.search(rf"\b{re.escape(word)}\b", used) for word in words)


def former_mask(after: str, secrets: Sequence[str]) -> Callable[[str], str]:
    """A function that takes the secrets of a former revision, which nobody tells us any more, out of a line of it.

    A line is masked when a line of ``after`` is the same but for a secret in it, or when its key says that it holds one.
    """
    there = [secret for secret in secrets if secret in after]
    alike = [_but_for_secrets(line, there) for line in after.split("\n") if any(s in line for s in there)]
    return lambda line: _mask_line(line, alike)


def _but_for_secrets(line: str, secrets: Sequence[str]) -> re.Pattern[str]:
    parts = re.split("|".join(re.escape(s) for s in sorted(secrets, key=len, reverse=True)), line)
    return re.compile("(.*)".join(re.escape(part) for part in parts))


def _mask_line(line: str, alike: Sequence[re.Pattern[str]]) -> str:
    for pattern in alike:
        found = pattern.fullmatch(line)
        if found:
            for start, end in reversed([found.span(n) for n in range(1, pattern.groups + 1)]):
                line = line[:start] + MASK + line[end:]
            return line
    return _TELLING_LINE.sub(rf"\1{MASK}", line)


def _collect(path: str, value: Any, named: Sequence[str], found: List[str]) -> None:
    """All forms of the secret values at or below ``path``. A thousand sites of fifty variables come by here."""
    if isinstance(value, dict):
        for key, below in value.items():
            _collect(f"{path}.{key}" if path else str(key), below, named, found)
    elif isinstance(value, (list, tuple)):
        for number, below in enumerate(value):
            _collect(f"{path}.{number}", below, named, found)
    elif isinstance(value, (str, int)) and not isinstance(value, bool) and is_secret(path, named):
        found += _forms(str(value))


@functools.lru_cache(maxsize=1024)
def _tells(name: str) -> bool:
    return _TELLING.search(name) is not None


def _forms(value: str) -> List[str]:
    """How a value looks in a file: as it is, quoted for either service, in JSON, in base64, line by line."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    encoded = binascii.b2a_base64(value.encode("utf-8", "surrogateescape"), newline=False).decode()
    return [value, quoted, quoted.replace("${", "\\${"), *value.splitlines(), _json(value), encoded]


def _json(value: str) -> str:
    """As JSON writes it, without the quotes around it."""
    return value if value.isascii() and '"' not in value and "\\" not in value else json.dumps(value)[1:-1]
