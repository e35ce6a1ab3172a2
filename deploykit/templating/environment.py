"""The sandbox that templates run in: strict about what is not defined and about what may be printed.

The one importer of jinja2; what its neighbours need of it they take from here.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Optional, Type

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from deploykit.templating import filters_fpm, filters_general, filters_ip, filters_nginx
from deploykit.templating.sources import Sources, shown
from deploykit.templating.values import FilterError, kind_of

__all__ = [
    "Context",
    "Extension",
    "Folder",
    "Parser",
    "Sandbox",
    "SecurityError",
    "Template",
    "TemplateNotFound",
    "TemplateSyntaxError",
    "Token",
    "TokenStream",
    "Undefined",
    "UndefinedError",
    "find_undeclared_variables",
    "nodes",
    "sandbox",
]

# They write HTML, which no configuration is.
_NOT_FOR_CONFIGURATION = ("e", "escape", "forceescape", "safe", "striptags", "urlize", "xmlattr")
_LONGEST_PRODUCT = 1_000_000
_LARGEST = 10**200
_PRINT_HINTS = {
    "null": "give it a value, print another one with default('...', true), or leave the line out with {% if %}",
    "true": "say how: nginx_onoff prints on or off, fpm_bool yes or no, string the word True",
    "false": "say how: nginx_onoff prints on or off, fpm_bool yes or no, string the word False",
    "a fraction": "quote it in deploykit.yml, or say how: round | int, or string",
    "a list": "print its elements: join(' '), or a {% for %} loop",
    "a map": "print one of its values, or to_json",
}


class _Undefined(StrictUndefined):
    """Says in our words what is missing."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, dict):
            keys = ", ".join(sorted(map(str, self._undefined_obj))[:12])
            return f'the map has no "{self._undefined_name}" (it has: {keys})'
        usual = super()._undefined_message
        return f'variable "{self._undefined_name}" is not defined' if usual.endswith("is undefined") else usual


class Folder(BaseLoader):
    """Loads templates from Sources; each is parsed once, for whoever wants its tree or its code."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._trees: Dict[str, nodes.Template] = {}

    def tree(self, environment: Any, name: str) -> nodes.Template:
        """The syntax tree of a template. Raises TemplateNotFound, TemplateSyntaxError, InvalidInput."""
        if name not in self._trees:
            text = self._sources.text(name)
            if text is None:
                raise TemplateNotFound(name)
            self._trees[name] = environment.parse(text, name, shown(name))
        return self._trees[name]

    def load(self, environment: Any, name: str, globals: Any = None) -> Template:  # noqa: A002 - jinja2 names it so
        """For jinja2: the compiled template."""
        code = environment.compile(self.tree(environment, name), name, shown(name))
        loaded: Template = environment.template_class.from_code(environment, code, globals)
        return loaded


class Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox, in which an attempt to break out raises at once and maps show their keys before their methods."""

    intercepted_binops = frozenset(("*", "**"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """For jinja2: ``{{ site.items }}`` is the key, where there is one, and not Python's method."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """For jinja2: refuse now, not when the result is used."""
        raise SecurityError(f'"{attribute}" of {kind_of(obj)} is not for templates')

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """For jinja2: ``*`` and ``**`` as long as the result stays small; ``'x' * 10**10`` would take all memory."""
        if not (_small_power(left, right) if operator == "**" else _small_product(left, right)):
            raise SecurityError(f"the result of {operator} is too large")
        return super().call_binop(context, operator, left, right)


def _small_power(base: Any, exponent: Any) -> bool:
    return bool(abs(base) <= _LONGEST_PRODUCT and abs(exponent) <= 64)


def _small_product(left: Any, right: Any) -> bool:
    """A text or list repeated up to a million characters or elements; numbers up to some hundred digits."""
    for sequence, count in ((left, right), (right, left)):
        if hasattr(sequence, "__len__"):
            return len(sequence) * int(count) <= _LONGEST_PRODUCT
    return bool(abs(left) < _LARGEST and abs(right) < _LARGEST)


def _printed(value: object) -> object:
    """What ``{{ value }}`` prints: text and whole numbers. Every other kind would print itself as Python does: refused."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises
    kind = kind_of(value)
    raise FilterError(f"{kind} does not print itself", _PRINT_HINTS.get(kind, "print a text or a number made from it"))


def _mandatory(value: object, message: str = "") -> object:
    """``mandatory``: the value, or an error with this message when it is not defined or null."""
    if isinstance(value, Undefined) or value is None:
        raise FilterError(message or "a mandatory value is missing", "define it in deploykit.yml under variables:")
    return value


def sandbox(sources: Optional[Sources], extensions: Iterable[Type[Extension]]) -> Sandbox:
    """An environment with our settings, filters and tests; sources: where include, import and extends find templates."""
    made = Sandbox(
        autoescape=False,
        auto_reload=False,
        cache_size=-1,
        extensions=list(extensions),
        finalize=_printed,
        keep_trailing_newline=True,
        loader=Folder(sources) if sources else None,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=_Undefined,
    )
    for name in _NOT_FOR_CONFIGURATION:
        del made.filters[name]
    for module in (filters_general, filters_nginx, filters_fpm, filters_ip):
        made.filters.update(module.FILTERS)
    made.filters["mandatory"] = _mandatory
    made.tests.update(filters_general.TESTS)
    del made.globals["lipsum"]
    return made
