"""What went wrong in a template, as an error with template, line and advice."""

from __future__ import annotations

import re
from typing import Iterable, Optional, Tuple

from deploykit.errors import DeploykitError, InvalidInput, Location
from deploykit.templating.environment import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from deploykit.templating.sources import FOLDER
from deploykit.templating.values import FilterError

_NAME = re.compile(r'variable "(\w+)" is not defined')


def explained(problem: Exception, at: Optional[Location], known: Iterable[str] = ()) -> DeploykitError:
    """Any problem of a template as an InvalidInput at ``at``. known: names that may have been meant."""
    if isinstance(problem, DeploykitError):
        problem.at = problem.at or at
        return problem
    message, hint = _words(problem)
    name = _NAME.fullmatch(message)
    return not_defined(name[1], at, known) if name else InvalidInput(message, at=at, hint=hint)


def not_defined(name: str, at: Optional[Location], known: Iterable[str]) -> InvalidInput:
    """The error for a variable that nobody defined, with the nearest known name."""
    import difflib  # noqa: PLC0415 - only for somebody who is in trouble

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
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


def place_of(problem: BaseException) -> Optional[Location]:
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
