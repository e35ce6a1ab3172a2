"""A former commit of the bundle, read with git; the working tree, its index and its branches stay as they are."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Iterator, Mapping, NoReturn, Optional, Sequence, Tuple

from deploykit.errors import Failed, ToolMissing, UsageError
from deploykit.system import commands
from deploykit.system.port import CommandResult

SECONDS = 60.0  # for one call of git; a blob may have to come from the server first
_NOT_FOUND = 127
_HASH = re.compile(r"^[0-9a-f]{40,64}$", re.MULTILINE)
_ENTRY = re.compile(r"(?:^|\n)(\d{6}) (blob|tree) ([0-9a-f]{40,64})\t(.+)$", re.DOTALL)
_GIVEN_BY_GITLAB = (
    ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "the target branch"),  # set where the result of the merge is tested
    ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "the base of the merge request"),
)
_DEFAULTS = ("origin/HEAD", "origin/main", "origin/master")
_NOTHING = "name what to compare with: --from REF, --live, or --between ENV ENV"


@dataclass(frozen=True)
class Base:
    """What a change is compared with. commit: full hash. told: how it was found, ``merge base of origin/main and HEAD``."""

    commit: str
    told: str


def base(bundle: str, asked: str, environment: Mapping[str, str]) -> Base:
    """The commit to compare the working tree of ``bundle`` (an absolute folder) with.

    asked: any name git knows (``--from``), and then it is the merge base of that and HEAD. ``""``: what GitLab names in
    ``environment`` (variables), else the merge base with the default branch of origin; on that branch itself HEAD while
    there is something uncommitted in the bundle, else the commit before it. Raises UsageError where no commit can be found.
    """
    git = _Git(bundle)
    if asked:
        return git.merge_base(asked)
    for variable, told in _GIVEN_BY_GITLAB:
        if environment.get(variable):
            return Base(git.commit(environment[variable]), told)
    branch = environment.get("CI_DEFAULT_BRANCH", "")
    for name in (*((f"origin/{branch}",) if branch else ()), *_DEFAULTS):
        if git.knows(name):
            found = git.merge_base(name)
            return found if found.commit != git.commit("HEAD") else git.last()
    return git.last()


class Former:
    """The bundle as it was at a commit. folder: where its files are, once they were taken."""

    def __init__(self, bundle: str, commit: str, temporary: str) -> None:
        self._git = _Git(bundle, index=temporary + "/index")
        self._commit = commit
        self._tree = temporary + "/tree"
        self.folder = f"{self._tree}/{self._git.prefix}".rstrip("/")

    def take(self, paths: Sequence[str]) -> None:
        """Write these files and folders (below the bundle) as a checkout would, those that were there. Failed if git cannot.

        They go through an index of their own: unlike an archive that leaves out and rewrites nothing, and like a checkout
        it keeps to the line ends that .gitattributes asks for.
        """
        entries = list(self._git.entries(self._commit, [self._git.prefix + path for path in paths]))
        for mode, kind, name, path in entries:
            if kind == "tree":
                self._git.must("read-tree", f"--prefix={path}/", name)
            else:
                self._git.must("update-index", "--add", "--cacheinfo", f"{mode},{name},{path}")
        if entries:
            self._git.must("checkout-index", "--all", "--force", "--quiet", f"--prefix={self._tree}/")


@contextlib.contextmanager
def former(bundle: str, commit: str) -> Iterator[Former]:
    """The bundle at a commit, in a folder that only we can read and that is removed in the end."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory(prefix="deploykit-former-") as temporary:
        found = Former(bundle, commit, temporary)
        os.makedirs(found.folder)
        yield found


class _Git:
    """git in one working tree. prefix: the bundle's folder in it, ``""`` or with a slash at its end."""

    def __init__(self, bundle: str, index: str = "") -> None:
        self._index = index
        self._folder = bundle
        where = self.ask("rev-parse", "--show-toplevel", "--show-prefix")
        if where.status:
            _no_tree(bundle, where)
        self._folder, self.prefix = [*where.output.rstrip("\n").split("\n"), ""][:2]

    def ask(self, *words: str) -> CommandResult:
        """Run git at the top of the tree. What a hook of git's has set for another tree counts for nothing here."""
        unset = ("-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE")
        index = (f"GIT_INDEX_FILE={self._index}",) if self._index else ()
        told = ("LC_ALL=C.UTF-8", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", *index)
        return commands.ask(("env", *unset, *told, "git", "-C", self._folder, *words), SECONDS)

    def must(self, *words: str) -> str:
        result = self.ask(*words)
        if result.status:
            raise Failed(f"git {words[0]} failed: {_last_line(result)}", hint="git fsck tells whether the repository is whole")
        return result.output

    def knows(self, name: str) -> bool:
        return bool(self._commit(name))

    def commit(self, name: str) -> str:
        """The full hash of a commit. UsageError when it is not here."""
        found = self._commit(name)
        if not found:
            raise UsageError(f'there is no commit "{name}" in this clone', hint=self._deeper())
        return found

    def merge_base(self, name: str) -> Base:
        commit = self.commit(name)
        found = _HASH.findall(self.ask("merge-base", commit, "HEAD").output)
        if not found:
            raise UsageError(f'no common ancestor of "{name}" and HEAD in this clone', hint=self._deeper())
        return Base(found[0], f"merge base of {name} and HEAD")

    def last(self) -> Base:
        """HEAD while there is something uncommitted in the bundle, else its parent."""
        if self.must("status", "--porcelain", "--", self.prefix or "."):
            return Base(self.commit("HEAD"), "HEAD")
        if self.knows("HEAD~1"):
            return Base(self.commit("HEAD~1"), "the commit before HEAD")
        raise UsageError("there is no commit before HEAD in this clone", hint=self._deeper() if self._shallow() else _NOTHING)

    def entries(self, commit: str, paths: Sequence[str]) -> Iterator[Tuple[str, str, str, str]]:
        """(mode, ``blob`` or ``tree``, hash, path from the top) of those of the paths that there are."""
        told = self.must("ls-tree", "-z", "--full-tree", commit, "--", *paths) if paths else ""
        for record in told.split("\0"):
            found = _ENTRY.search(record)
            if found:
                yield found[1], found[2], found[3], found[4]

    def _commit(self, name: str) -> Optional[str]:
        if name.startswith("-"):
            return None
        found = _HASH.findall(self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").output)
        return found[0] if found else None

    def _shallow(self) -> bool:
        return self.ask("rev-parse", "--is-shallow-repository").output.strip() == "true"

    def _deeper(self) -> str:
        if self._shallow():
            return 'the clone is shallow: set GIT_DEPTH: "0" for the job, or run git fetch --unshallow'
        return 'run git fetch origin, or name another commit with --from; in GitLab set GIT_DEPTH: "0" for the job'


def _no_tree(bundle: str, result: CommandResult) -> NoReturn:
    if result.status == _NOT_FOUND:
        raise ToolMissing("git is not installed", hint="install it; --live and --between ENV ENV need none")
    if "dubious ownership" in result.output:
        hint = f"git does not trust a folder of somebody else's: git config --global --add safe.directory {bundle}"
        raise UsageError(f"{bundle} belongs to another account", hint=hint)
    raise UsageError(f"{bundle} is in no working tree of git: {_last_line(result)}", hint=_NOTHING)


def _last_line(result: CommandResult) -> str:
    lines = [line for line in result.output.splitlines() if line.strip()]
    return lines[-1] if lines else f"exit status {result.status}"
