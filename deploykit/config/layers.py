"""Variables from weak to strong: several places may set one, and the strongest wins."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from deploykit.config.convert import Placed
from deploykit.config.document import Config, Environment, Layer
from deploykit.config.environments import group_layers
from deploykit.config.node import nearest
from deploykit.config.places import below
from deploykit.config.source import read_file
from deploykit.config.variables import whole_file
from deploykit.errors import InvalidInput, Location
from deploykit.model import Request
from deploykit.system.port import Readable


def layers(config: Config, environment: str, request: Request, machine: Readable) -> Iterator[Layer]:
    """All layers, the weakest first.

    application < variables: < the environment's file < the environment's variables: < groups: < the machine's own file <
    the command line. Raises InvalidInput for files that are wrong, or named and missing; the machine's own may be missing.
    """
    secrets = {secret.text.split(".")[0] for secret in config.secrets}
    chosen = config.environments.get(environment, Environment())
    yield _application(config.application, request.application)
    yield config.variables
    if chosen.file:
        node = read_file(f"{request.bundle}/{chosen.file.text}", chosen.file.text, machine)
        if node is None:
            raise InvalidInput(f'there is no file "{chosen.file.text}" in the bundle', at=chosen.file.at)
        yield whole_file(node, secrets)
    yield chosen.variables
    yield from group_layers(config, request.group)
    if config.instance:
        path = below(request.prefix, config.instance)
        node = read_file(path, path, machine)
        yield whole_file(node, secrets) if node else Layer()
    yield Layer(request.variables, {name: Location(f"--var {name}") for name in request.variables})


def files_read(config: Config, environment: str, prefix: str) -> Tuple[str, ...]:
    """Files of variables besides deploykit.yml: the environment's (below the bundle), the machine's own (absolute)."""
    chosen = config.environments.get(environment, Environment())
    of_environment = (chosen.file.text,) if chosen.file else ()
    return of_environment + ((below(prefix, config.instance),) if config.instance else ())


def _application(written: Optional[Placed], deployed: str) -> Layer:
    if written:
        return Layer({"application": written.text}, {"application": written.at})
    if deployed:
        return Layer({"application": deployed}, {"application": Location("the deployment")})
    return Layer()


def merged(all_layers: Iterable[Layer]) -> Tuple[Dict[str, Any], Dict[str, Location]]:
    """The variables, and where the strongest layer that sets each top-level one wrote it.

    Maps are merged key by key at every depth; lists and single values replace what was there.
    """
    values: Dict[str, Any] = {}
    places: Dict[str, Location] = {}
    for layer in all_layers:
        values = _over(values, layer.values)
        places.update(layer.places)
    return values, places


def _over(weak: Mapping[str, Any], strong: Mapping[str, Any]) -> Dict[str, Any]:
    both = {**weak, **strong}
    for key in weak.keys() & strong.keys():
        if isinstance(weak[key], dict) and isinstance(strong[key], dict):
            both[key] = _over(weak[key], strong[key])
    return both


def known_secrets(config: Config, variables: Mapping[str, Any]) -> Tuple[str, ...]:
    """The names under ``secrets:``.

    Raises InvalidInput for one that nothing sets, since a misspelt name would let the secret out. That can be said only when
    all variables are known: not when another environment, or a machine, has a file of its own.
    """
    environments = config.environments.values()
    if not config.instance and not any(environment.file for environment in environments):
        everywhere = [variables, config.variables.values]
        everywhere += [layer.values for layer in (*config.groups.values(), *(e.variables for e in environments))]
        known = {name for names in everywhere for name in names}
        for secret in config.secrets:
            _refuse_unknown(secret, known)
    return tuple(secret.text for secret in config.secrets)


def _refuse_unknown(secret: Placed, known: Iterable[str]) -> None:
    name = secret.text.split(".")[0]
    if name not in known:
        hint = "write the name of a variable; a dummy value below variables: will do"
        raise InvalidInput(f'nothing sets the secret "{name}"{nearest(name, known)}', at=secret.at, hint=hint)
