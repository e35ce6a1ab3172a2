"""Templates, texts and expressions, rendered with one set of names."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Type

from deploykit.errors import Location
from deploykit.templating.environment import (
    Context,
    Extension,
    Folder,
    Parser,
    Template,
    TemplateSyntaxError,
    Undefined,
    nodes,
    sandbox,
)
from deploykit.templating.explain import explaining
from deploykit.templating.sources import Sources

NOTHING: Mapping[str, object] = {}


class Templates:
    """Renders with the same names as often as wanted; every template, text and expression is compiled once.

    names: what every template sees. sources: None when only texts and expressions are wanted.
    """

    def __init__(
        self, names: Mapping[str, object], sources: Optional[Sources] = None, extensions: Tuple[Type[Extension], ...] = ()
    ) -> None:
        self.sources = sources
        self.environment = sandbox(sources, extensions)
        self.names = names
        # as globals, so that imported macros see them too
        self.environment.globals.update(names)
        self._all: Dict[str, Any] = dict(self.environment.globals)
        self._compiled: Dict[Tuple[str, str], Template] = {}

    def known(self) -> Tuple[str, ...]:
        """Every name that a template sees, jinja2's own functions among them."""
        return tuple(self._all)

    def render(self, name: str, more: Mapping[str, object] = NOTHING, at: Optional[Location] = None) -> str:
        """The text of the template ``name``, with ``more`` names. It ends with a newline unless it is empty.

        InvalidInput at the template's line, or at ``at`` when there is no such template.
        """
        with explaining(at, self._all, inside=True):
            text = self._run(self.environment.get_template(name), more)[0]
        return text if not text or text.endswith("\n") else text + "\n"

    def text(self, source: str, more: Mapping[str, object] = NOTHING, at: Optional[Location] = None) -> str:
        """What a text of deploykit.yml with ``{{ }}`` in it becomes. InvalidInput at ``at``."""
        if "{{" not in source and "{%" not in source:
            return source
        with explaining(at, self._all):
            return self._run(self._once(self.environment.from_string, "text", source), more)[0]

    def value(self, expression: str, more: Mapping[str, object] = NOTHING, at: Optional[Location] = None) -> object:
        """The value of a Jinja expression of deploykit.yml. InvalidInput at ``at``, also when it is not defined."""
        with explaining(at, self._all):
            value: object = self._run(self._once(self._expression, "value", expression), more)[1].vars["result"]
            if isinstance(value, Undefined):
                str(value)  # raises
        return value

    def tree(self, name: str, at: Optional[Location] = None) -> nodes.Template:
        """The syntax tree of a template. InvalidInput at its line, or at ``at`` when there is no such template."""
        loader = self.environment.loader
        assert isinstance(loader, Folder)
        with explaining(at, inside=True):
            return loader.tree(self.environment, name)

    def is_template(self, text: str) -> bool:
        """Does jinja2 see something to do in this text, and understand it?"""
        try:
            self.environment.parse(text)
        except TemplateSyntaxError:
            return False
        return True

    def _run(self, template: Template, more: Mapping[str, object]) -> Tuple[str, Context]:
        # What Template.render does, but without a copy of all names for each element of an `each:` list
        run = template.new_context(self._all, shared=True)
        run.vars.update(more)
        try:
            return self.environment.concat(template.root_render_func(run)), run
        except Exception:
            self.environment.handle_exception()

    def _once(self, compiler: Callable[[str], Template], kind: str, source: str) -> Template:
        key = (kind, source)
        if key not in self._compiled:
            self._compiled[key] = compiler(source)
        return self._compiled[key]

    def _expression(self, source: str) -> Template:
        parser = Parser(self.environment, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError("more follows than one expression", 1)
        tree = nodes.Template([nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)], lineno=1)
        tree.set_environment(self.environment)
        return self.environment.from_string(tree)
