"""Variables that templates use and nobody defined, also in branches that are not taken today."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Set, Tuple, Type

from deploykit.errors import InvalidInput, Location
from deploykit.templating.environment import TemplateSyntaxError, find_undeclared_variables, nodes
from deploykit.templating.explain import explained, not_defined
from deploykit.templating.sources import shown
from deploykit.templating.templates import Templates

_REFERENCES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_GUARDS = ("defined", "undefined")


class _Visit(NamedTuple):
    """One template, and the names that are there when it is run."""

    name: str
    known: FrozenSet[str]
    at: Optional[Location]


def missing(templates: Templates, name: str, known: Tuple[str, ...] = (), at: Optional[Location] = None) -> List[InvalidInput]:
    """An error for every variable that ``name``, or a template it refers to by a constant name, uses and nobody defines.

    known: names besides those that all templates see. at: who asks for the template. A use that is guarded, by
    ``default`` or ``is defined``, is no error. Errors that keep a template from being read are among the list.
    """
    found: List[InvalidInput] = []
    ours = frozenset(templates.known())
    waiting, seen = [_Visit(name, ours.union(known), at)], set()
    while waiting:
        visit = waiting.pop(0)
        if visit.name in seen:
            continue
        seen.add(visit.name)
        try:
            tree = templates.tree(visit.name, visit.at)
            found += _absent(tree, visit, _inherited(templates, tree, visit))
        except InvalidInput as problem:
            found.append(problem)
            continue
        waiting += _references(tree, visit, ours)
    return found


def _inherited(templates: Templates, tree: nodes.Template, below: _Visit) -> Set[str]:
    """Names that the templates which this one extends set for its blocks."""
    names: Set[str] = set()
    chain = [below.name]
    while True:
        parent = next(tree.find_all(nodes.Extends), None)
        name = _constant_name(parent) if parent else ""
        if not parent or not name or name in chain:
            return names
        tree = templates.tree(name, Location(shown(chain[-1]), parent.lineno))
        chain.append(name)
        names |= _assigned(tree)


def _absent(tree: nodes.Template, visit: _Visit, inherited: Set[str]) -> Iterator[InvalidInput]:
    """Errors for one template, in the order of its lines."""
    wanted = _undeclared(tree, visit) - visit.known - _assigned(tree) - _guarded(tree) - inherited
    first_lines: Dict[str, int] = {}
    for use in _uses(tree, frozenset()):
        if use.name in wanted:
            first_lines.setdefault(use.name, use.lineno)
    for name, line in sorted(first_lines.items(), key=lambda pair: (pair[1], pair[0])):
        yield not_defined(name, Location(shown(visit.name), line), visit.known)


def _undeclared(tree: nodes.Template, visit: _Visit) -> Set[str]:
    try:
        return find_undeclared_variables(tree)
    except TemplateSyntaxError as problem:  # an unknown filter or test
        raise explained(problem, Location(shown(visit.name), problem.lineno)) from problem


def _stored(node: nodes.Node) -> Set[str]:
    """Names that are given a value by this node or below it."""
    names = [node] if isinstance(node, nodes.Name) else node.find_all(nodes.Name)
    return {name.name for name in names if name.ctx != "load"}


def _assigned(tree: nodes.Template) -> Set[str]:
    """Names that the template sets itself somewhere, perhaps in a branch under the same condition as the use."""
    sets: Tuple[Type[nodes.Node], ...] = (nodes.Assign, nodes.AssignBlock)
    names = {name for node in tree.find_all(sets) for name in _stored(node)}
    names.update(node.target for node in tree.find_all(nodes.Import))
    names.update(node.name for node in tree.find_all(nodes.Macro))
    for node in tree.find_all(nodes.FromImport):
        names.update(entry if isinstance(entry, str) else entry[1] for entry in node.names)
    return names


def _guarded(tree: nodes.Template) -> Set[str]:
    """Names that the template asks about with ``is defined`` somewhere."""
    tests = (test for test in tree.find_all(nodes.Test) if test.name in _GUARDS)
    return {test.node.name for test in tests if isinstance(test.node, nodes.Name)}


def _uses(node: nodes.Node, bound: FrozenSet[str]) -> Iterator[nodes.Name]:
    """Names that are read below a node, but for what a loop, macro or ``with`` around them binds or ``default`` guards."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load" and node.name not in bound:
            yield node
        return
    inner = bound | _binds(node)
    for child in node.iter_child_nodes():
        if not (isinstance(child, nodes.Name) and _is_default_of(node, child)):
            yield from _uses(child, inner)


def _binds(node: nodes.Node) -> FrozenSet[str]:
    if isinstance(node, nodes.For):
        return frozenset(_stored(node.target))
    if isinstance(node, nodes.With):
        return frozenset(name for target in node.targets for name in _stored(target))
    if isinstance(node, (nodes.Macro, nodes.CallBlock)):
        return frozenset(argument.name for argument in node.args)
    return frozenset()


def _is_default_of(node: nodes.Node, name: nodes.Name) -> bool:
    return isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node is name


def _references(tree: nodes.Template, visit: _Visit, ours: FrozenSet[str]) -> Iterator[_Visit]:
    """Templates that this one refers to by constant names, with the names that are there in them."""
    here = visit.known | _stored(tree) | _assigned(tree) | _guarded(tree)
    for node in tree.find_all(_REFERENCES):
        name = _constant_name(node)
        if name:
            sees_all = getattr(node, "with_context", True)
            yield _Visit(name, here if sees_all else ours, Location(shown(visit.name), node.lineno))


def _constant_name(node: nodes.Node) -> str:
    """The name in ``include "x"``; ``""`` where the template need not be there (``ignore missing``, a list of names)."""
    name = getattr(node, "template", None)
    if getattr(node, "ignore_missing", False) or not isinstance(name, nodes.Const):
        return ""
    return name.value if isinstance(name.value, str) else ""
