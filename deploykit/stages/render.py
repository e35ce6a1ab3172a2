"""From templates, variables and facts to targets: every file of the candidate, in memory. Nothing is written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Tuple, TypeVar

from deploykit.config.places import live_path
from deploykit.errors import InvalidInput, Location
from deploykit.model import FileRule, Probe, Settings, Target
from deploykit.secrets import names_secret
from deploykit.system.port import Readable
from deploykit.templating.names import RESERVED, template_names
from deploykit.templating.sources import Sources, shown

if TYPE_CHECKING:  # jinja2 takes 50 ms, which a run that renders nothing need not pay
    from deploykit.templating.templates import Templates

_ENDING = ".j2"
_MODE = 0o644
_SECRET_MODE = 0o640  # both services read their files as root
_JINJA = re.compile(r"\{\{.*?\}\}|\{%[-+]?\s*[a-z]+\b.*?%\}")
_AUTO = "auto"  # the socket of services: php-fpm:
_PROBE_TEXTS = ("url", "host", "body", "address", "path")

Given = TypeVar("Given")
Made = TypeVar("Made")


class _Output(NamedTuple):
    """One file that a rule makes. more: names that only its template sees. each: key of the ``each:`` element, or ``""``."""

    rule: FileRule
    path: str
    more: Mapping[str, object]
    each: str

    def target(self, content: bytes, private: bool) -> Target:
        """The file with its content; owner and group stay ``""`` where the rule is silent. private: does it hold a secret?"""
        rule = self.rule
        mode = rule.mode if rule.mode is not None else _SECRET_MODE if private else _MODE
        return Target(self.path, rule.service, shown(rule.template), content, mode, rule.owner, rule.group, self.each)

    def __str__(self) -> str:
        element = f', {self.rule.each} "{self.each}"' if self.each else ""
        return f"{shown(self.rule.template)} ({self.rule.at or 'deploykit.yml'}{element})"


def render(settings: Settings, machine: Readable) -> Tuple[Target, ...]:
    """Every target, in the order of ``settings.files`` and of their ``each:`` lists.

    A template whose name ends in ``.j2`` is rendered, any other is copied byte for byte. InvalidInput holds, in ``more``,
    whatever else is wrong: variables that are not defined, two files with one path, files that do not render.
    """
    templates = _open(settings, machine)
    problems: List[InvalidInput] = []
    outputs = _all(settings.files, lambda rule: _outputs(rule, settings, templates), problems)
    problems += _missing(settings.files, outputs, templates)
    problems += _twice(outputs)
    _refuse(problems)
    private = {rule.template for rule in settings.files if _holds_secret(rule, settings, machine)}
    targets = _all(
        outputs, lambda output: [output.target(_content(output, templates), output.rule.template in private)], problems
    )
    _refuse(problems)
    return tuple(targets)


def _holds_secret(rule: FileRule, settings: Settings, machine: Readable) -> bool:
    """Does the template name a secret variable? Then not everybody on the machine shall read what it becomes."""
    path = f"{settings.bundle}/config_templates/{rule.template}"
    source = machine.read(path) if machine.find(path).kind == "file" else b""  # what is missing is told elsewhere
    return names_secret(source.decode("utf-8", "replace"), settings.secrets)


def render_text(settings: Settings, text: str, at: Location) -> str:
    """A text of deploykit.yml with its ``{{ }}`` filled in. InvalidInput at ``at``."""
    if "{{" not in text and "{%" not in text:
        return text
    from deploykit.templating.templates import Templates

    return Templates(template_names(settings)).text(text, at=at)


def render_probes(settings: Settings) -> Tuple[Probe, ...]:
    """``settings.probes`` with the ``{{ }}`` in url, host, body, address and path filled in. InvalidInput at the probe."""
    return tuple(_probe(settings, probe) for probe in settings.probes)


def _probe(settings: Settings, probe: Probe) -> Probe:
    at = probe.at or Location("deploykit.yml")
    filled: Dict[str, Any] = {name: render_text(settings, getattr(probe, name), at) for name in _PROBE_TEXTS}
    if filled["address"] == _AUTO:
        filled["address"] = f"unix:{settings.services['php-fpm'].socket}"
    return replace(probe, **filled)


def locator(settings: Settings, machine: Readable) -> Callable[[Target, int], Location]:
    """A function that tells where a line (from 1) of a target's content comes from: its template or an included one.

    The templates are rendered again only when it is called, once for each target that is asked about.
    """
    opened: List[Templates] = []
    known: Dict[str, Tuple[Location, ...]] = {}

    def locate(target: Target, line: int) -> Location:
        if line < 1 or not target.template.endswith(_ENDING):
            return Location(target.template, line)
        if not opened:
            opened.append(_open(settings, machine))
        if target.path not in known:
            known[target.path] = _places(target, settings, opened[0])
        places = known[target.path]
        return places[min(line, len(places)) - 1] if places else Location(target.template)

    return locate


def _places(target: Target, settings: Settings, templates: Templates) -> Tuple[Location, ...]:
    from deploykit.templating.lines import locations

    rules = [rule for rule in settings.files if shown(rule.template) == target.template]
    outputs = [output for rule in rules for output in _outputs(rule, settings, templates) if output.path == target.path]
    return locations(templates, outputs[0].rule.template, outputs[0].more) if outputs else ()


def _open(settings: Settings, machine: Readable) -> Templates:
    from deploykit.templating.templates import Templates

    return Templates(template_names(settings), Sources(machine, settings.bundle))


def _all(given: Iterable[Given], make: Callable[[Given], List[Made]], problems: List[InvalidInput]) -> List[Made]:
    """All that ``make`` makes; its InvalidInputs go to ``problems``."""
    made: List[Made] = []
    for one in given:
        try:
            made += make(one)
        except InvalidInput as problem:
            problems.append(problem)
    return made


def _refuse(problems: List[InvalidInput]) -> None:
    """Raise all of them as one, each once: what fails for one element of a list fails for the others in the same way."""
    different: Dict[Tuple[str, str], InvalidInput] = {}
    for problem in problems:
        different.setdefault((str(problem.at), problem.message.partition(" (for ")[0]), problem)
    if different:
        first, *others = different.values()
        first.more = (*first.more, *others)
        raise first


def _outputs(rule: FileRule, settings: Settings, templates: Templates) -> List[_Output]:
    """The files that a rule makes here; none when its ``when`` says no."""
    service = settings.services.get(rule.service)
    if service is None:
        raise InvalidInput(f'there is no service "{rule.service}"', at=rule.at, hint="one of " + ", ".join(settings.services))
    outputs = []
    for key, more in _elements(rule, templates):
        if not rule.when or _holds(rule, more, templates):
            path = live_path(service, templates.text(rule.to, more, rule.at), rule.at)
            outputs.append(_Output(rule, path, more, key))
    return outputs


def _elements(rule: FileRule, templates: Templates) -> Iterator[Tuple[str, Mapping[str, object]]]:
    """Key and names for each element of the rule's list; one without names when it has no list."""
    if not rule.each:
        yield "", {}
        return
    if rule.item in RESERVED:
        raise InvalidInput(f'"{rule.item}" is a name that templates already have', at=rule.at, hint="choose another for item:")
    elements = templates.value(rule.each, at=rule.at)
    if not isinstance(elements, (list, tuple)):
        raise InvalidInput(f'each: "{rule.each}" is no list', at=rule.at, hint="write its elements as a list in deploykit.yml")
    for place, element in enumerate(elements):
        name = element.get("name") if isinstance(element, dict) else None
        yield str(place if name is None else name), {rule.item: element}


def _holds(rule: FileRule, more: Mapping[str, object], templates: Templates) -> bool:
    answer = templates.value(rule.when, more, rule.at)
    if isinstance(answer, str):  # "no" is a text, and so true
        raise InvalidInput("when: gives a text, not true or false", at=rule.at, hint="compare it, or use the filter bool")
    return bool(answer)


def _missing(rules: Iterable[FileRule], outputs: List[_Output], templates: Templates) -> Iterator[InvalidInput]:
    """Variables that are not defined, in all templates that are rendered here or could be."""
    from deploykit.templating.missing import missing

    rendered = {output.rule.template for output in outputs}
    for rule in rules:
        if rule.template.endswith(_ENDING) and (not rule.when or rule.template in rendered):
            yield from missing(templates, rule.template, (rule.item,) if rule.each else (), rule.at)


def _twice(outputs: List[_Output]) -> Iterator[InvalidInput]:
    first: Dict[str, _Output] = {}
    for output in outputs:
        other = first.setdefault(output.path, output)
        if other is not output:
            message = f"two files become {output.path}: {other} and {output}"
            yield InvalidInput(message, at=output.rule.at, hint='give one of them another "to"')


def _content(output: _Output, templates: Templates) -> bytes:
    """What is in the file. InvalidInput at the template's line, with the element that it fails for."""
    rule = output.rule
    if not rule.template.endswith(_ENDING):
        return _copied(rule, templates)
    try:
        return templates.render(rule.template, output.more, rule.at).encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{shown(rule.template)} gives characters that UTF-8 cannot write", at=rule.at) from None
    except InvalidInput as problem:
        if output.each:
            problem.message += f' (for {rule.each} "{output.each}")'
        raise


def _copied(rule: FileRule, templates: Templates) -> bytes:
    assert templates.sources
    name = rule.template
    content = templates.sources.raw(name)
    if content is None:
        raise InvalidInput(
            f'there is no template "{name}"', at=rule.at, hint="create it in config_templates/, or remove the rule"
        )
    if b"{{" in content or b"{%" in content:
        _refuse_jinja(name, content.decode("utf-8", "replace"), templates)
    return content


def _refuse_jinja(name: str, text: str, templates: Templates) -> None:
    """A file that is copied must not look like a template that somebody forgot to name so."""
    for match in _JINJA.finditer(text):
        if match[0].startswith("{%") or templates.is_template(match[0]):
            at = Location(shown(name), text.count("\n", 0, match.start()) + 1)
            hint = f"rename it to {name.rpartition('/')[2]}{_ENDING} (there, {{% raw %}} keeps text as it is)"
            raise InvalidInput("Jinja in a file that is copied as it is", at=at, hint=hint)
