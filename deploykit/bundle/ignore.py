"""What stays at home: ``.deployignore``, in the syntax of .gitignore, after a list of what nobody wants on an instance."""

from __future__ import annotations

from typing import Any, Sequence

from deploykit.errors import InvalidInput, Location, ToolMissing

NAME = ".deployignore"
# In .deployignore a later line wins, so "!/tests/" brings a folder back.
DEFAULTS = (
    # version control and where the build runs
    ".git",
    ".svn",
    ".hg",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".gitlab-ci.yml",
    "/.gitlab/",
    "/.github/",
    "/.ci/",
    "/.cache/",
    "/" + NAME,
    # Python's and other tools' own
    "__pycache__",
    "*.py[co]",
    ".venv",
    ".venv-*",
    ".tox",
    ".nox",
    ".*_cache",
    ".hypothesis",
    "*.egg-info",
    "/.coverage",
    "**/node_modules/.bin",
    ".phpunit.result.cache",
    ".php-cs-fixer.cache",
    # editors and desktops
    ".idea",
    ".vscode",
    "*.sw[op]",
    "*~",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    # not for an instance, or made anew by the build
    "/tests/",
    "/*.zip",
    "/MANIFEST.sha256",
    "/MANIFEST.checked",
    "/sbom.cdx.json",
)
_MISSING = "pip install pathspec (or all that a build needs: pip install -r deploykit/bundle/requirements.lock)"


class Patterns:
    """Lines in the syntax of .gitignore. file: where they are written, for messages."""

    def __init__(self, lines: Sequence[str], file: str = NAME) -> None:
        self._spec = _spec(lines, file)

    def match(self, path: str, folder: bool = False) -> bool:
        """Does the last line that fits say so? A folder that matches is not entered, as git does not."""
        return bool(self._spec.match_file(path + "/" if folder else path))


def ignored(text: str) -> Patterns:
    """The defaults, then the lines of a .deployignore."""
    return Patterns([*DEFAULTS, *text.splitlines()])


def _spec(lines: Sequence[str], file: str) -> Any:
    try:
        from pathspec import GitIgnoreSpec
    except ImportError:
        raise ToolMissing("the library pathspec is needed to read patterns", hint=_MISSING) from None
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            at = Location(file, max(number - len(DEFAULTS), 1)) if file == NAME else None
            raise InvalidInput(f"no pattern: {line!r}", at=at, hint=str(error).splitlines()[0]) from None
    return GitIgnoreSpec.from_lines(lines)
