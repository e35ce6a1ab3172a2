"""What every template sees: variables, facts, the services, the environment and the sizing functions."""

from __future__ import annotations

from typing import Dict, FrozenSet

from deploykit.errors import InvalidInput
from deploykit.model import Service, Settings
from deploykit.templating.sizing import functions

_FIELDS = ("name", "root", "main", "pid_file", "error_log", "user", "binary", "version", "unit", "supervisor", "socket", "run")

RESERVED: FrozenSet[str] = frozenset(
    # the last two lines are jinja2's own
    (
        *("facts", "nginx", "php_fpm", "environment", "php_children", "php_children_formula"),
        *("range", "dict", "cycler", "joiner", "namespace", "loop", "self", "super", "caller", "varargs", "kwargs"),
        *("true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else"),
    )
)


def template_names(settings: Settings) -> Dict[str, object]:
    """All names for ``Templates``. InvalidInput, all at once, for variables with a reserved name."""
    problems = [_reserved(settings, name) for name in settings.variables if name in RESERVED]
    if problems:
        problems[0].more = tuple(problems[1:])
        raise problems[0]
    names: Dict[str, object] = dict(settings.variables)
    facts = dict(settings.facts)
    names.update(functions(facts), facts=facts, environment=settings.environment)
    for service in settings.services.values():
        names[service.name.replace("-", "_")] = _readable(service)
    return names


def _reserved(settings: Settings, name: str) -> InvalidInput:
    return InvalidInput(
        f'"{name}" is a name that templates already have', at=settings.origins.get(name), hint="give the variable another name"
    )


def _readable(service: Service) -> Dict[str, object]:
    fields: Dict[str, object] = {name: getattr(service, name) for name in _FIELDS}
    return {**fields, "installed": service.installed}
