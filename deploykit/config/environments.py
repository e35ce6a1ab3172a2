"""Which environment this machine is in."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Iterator, Mapping

from deploykit.config.document import Config, Environment, Layer
from deploykit.config.node import nearest
from deploykit.errors import InvalidInput, Location
from deploykit.model import Request

_AT = Location("deploykit.yml")


def choose(environments: Mapping[str, Environment], request: Request) -> str:
    """The name of the environment: as asked for, else the first with a pattern for the deployment group, else the only one.

    ``""`` when deploykit.yml has none. Raises InvalidInput when the answer is not clear.
    """
    names = ", ".join(environments)
    if request.environment:
        if request.environment in environments:
            return request.environment
        hint = f"the environments: {names}" if names else "deploykit.yml has no environments:"
        near = nearest(request.environment, environments)
        raise InvalidInput(f'there is no environment "{request.environment}"{near}', at=_AT, hint=hint)
    if request.group and environments:
        return _of_group(environments, request.group)
    if len(environments) > 1:
        raise InvalidInput("it is not clear which environment is meant", at=_AT, hint=f"say --env with one of: {names}")
    return names


def _of_group(environments: Mapping[str, Environment], group: str) -> str:
    for name, environment in environments.items():
        if any(fnmatchcase(group, pattern) for pattern in environment.groups):
            return name
    message = f'the deployment group "{group}" belongs to no environment'
    raise InvalidInput(message, at=_AT, hint=f"write a pattern for it below groups: of one of: {', '.join(environments)}")


def group_layers(config: Config, group: str) -> Iterator[Layer]:
    """The variables of every entry of ``groups:`` whose pattern fits, in the order of the file."""
    return (layer for pattern, layer in config.groups.items() if fnmatchcase(group, pattern))
