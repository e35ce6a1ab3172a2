"""What went wrong in a template, as an error with template, line and advice."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Iterable, Iterator, Optional, Tuple

from deploykit.errors import DeploykitError, InvalidInput, Location
from deploykit.templating.environment import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from deploykit.templating.sources import FOLDER
from deploykit.templating.values import FilterError

_FUNCTIONS = ("range", "dict", "cycler", "joiner", "namespace")
_NAME = re.compile(r'variable "(\w+)" is not defined')


@contextmanager
def explaining(at: Optional[Location], known: Iterable[str] = (), inside: bool = False) -> Iterator[None]:
    """What goes wrong in the block is raised as InvalidInput at ``at``; inside: at the template's own line, if there is one."""
    try:
        yield
    except InvalidInput as problem:
        problem.at = problem.at or (inside and _place_of(problem)) or at
        raise
    except DeploykitError:
        raise
    except Exception as problem:
        raise explained(problem, (_place_of(problem) if inside else None) or at, known) from problem


def explained(problem: Exception, at: Optional[Location], known: Iterable[str] = ()) -> InvalidInput:
    """Any problem of a template as an InvalidInput at ``at``. known: names that may have been meant."""
    message, hint = _words(problem)
    name = _NAME.fullmatch(message)
    return not_defined(name[1], at, known) if name else InvalidInput(message, at=at, hint=hint)


def not_defined(name: str, at: Optional[Location], known: Iterable[str]) -> InvalidInput:
    """The error for a variable that nobody defined, with the nearest known name."""
    import difflib

    near = difflib.get_close_matches(name, [one for one in known if one not in _FUNCTIONS], n=1, cutoff=0.7)
    guess = f' (did you mean "{near[0]}"?)' if near else ""
    return InvalidInput(f'variable "{name}" is not defined{guess}', at=at, hint="define it in deploykit.yml under variables:")


def _words(problem: Exception) -> Tuple[str, str]:
    """Message and hint for what can go wrong while a template is compiled or run."""
    if isinstance(problem, FilterError):
        return problem.message, problem.hint
    if isinstance(problem, SecurityError):
        return f"the sandbox refuses this: {problem}", "templates see variables and facts, and change nothing"
    if isinstance(problem, TemplateNotFound):
        return f'there is no template "{problem.name}" in {FOLDER}/', f"names count from {FOLDER}/ on"
    if isinstance(problem, TemplateSyntaxError):
        return f"this is no valid template: {problem.message}", ""
    if isinstance(problem, UndefinedError):
        return str(problem), "ask with `is defined`, or use default('...')"
    endless = isinstance(problem, RecursionError)
    return "the templates include each other without end" if endless else f"this cannot be computed: {problem}", ""


def _place_of(problem: BaseException) -> Optional[Location]:
    """The innermost template line of a problem: where its text is wrong, or else where it was being run."""
    if isinstance(problem, TemplateSyntaxError) and problem.filename:
        return Location(problem.filename, problem.lineno)
    place, frames = None, problem.__traceback__
    while frames is not None:
        # jinja2 puts such frames in, one for each line of a template
        if "__jinja_exception__" in frames.tb_frame.f_globals:
            place = Location(frames.tb_frame.f_code.co_filename, frames.tb_lineno)
        frames = frames.tb_next
    return place
