"""Free-form variables: of deploykit.yml, of an environment's file, of the machine's own."""

from __future__ import annotations

import re
from typing import Any, Collection, Dict

from deploykit.config.convert import Attempt, children
from deploykit.config.document import Layer
from deploykit.config.node import Node
from deploykit.config.scalars import free_form
from deploykit.errors import InvalidInput, Location


def layer(node: Node, secrets: Collection[str] = ()) -> Layer:
    """The variables of one map. secrets: names whose values no message may show.

    Raises InvalidInput for traps (``config.scalars``) and for names that are none in Jinja, all at once. Names that templates
    already have (``facts``) are refused where templates are known, in ``templating``.
    """
    attempt = Attempt()
    values: Dict[str, Any] = {}
    for name, child in children(node).items():
        attempt.call(_name, name, child.key_at)
        values[name] = attempt.call(free_form, child, name in secrets)
    attempt.finish()
    return Layer(values, {name: child.key_at for name, child in node.children.items()})


def whole_file(node: Node, secrets: Collection[str] = ()) -> Layer:
    """A file that holds nothing but variables, as ``layer`` reads them."""
    if list(node.children) == ["variables"]:
        hint = 'write the variables at the left edge, without "variables:" above them'
        raise InvalidInput("this file holds nothing but variables", at=node.children["variables"].key_at, hint=hint)
    return layer(node, secrets)


def _name(name: str, at: Location) -> None:
    if not name.isidentifier():
        better = re.sub(r"\W", "_", name) or "name"
        better = better if better.isidentifier() else f"_{better}"
        raise InvalidInput(f'a template cannot use a variable named "{name}"', at=at, hint=f'name it "{better}"')
