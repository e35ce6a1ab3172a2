"""Where less is allowed: a plain user, root without CAP_SYS_ADMIN, no namespaces at all."""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401  # what the account nobody may not be able to read later
import http.client  # noqa: F401
import os
import pickle
import shutil
import urllib.parse  # noqa: F401
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest
from support.trial_site import NGINX, PHP, POOL, SITE, Site, new_site

from deploykit.errors import Refused
from deploykit.model import Trial, TrialResult
from deploykit.system import fastcgi  # noqa: F401
from deploykit.system import http as our_http  # noqa: F401
from deploykit.system.namespace import Kernel
from deploykit.system.trial import rehearse

ROOT = os.geteuid() == 0
NOBODY = 65534
WRONG_SITE = SITE.replace("root {root}", "rooot {root}")
OWN_POOL = "\n".join(line for line in POOL.splitlines() if not line.startswith("listen.")) + "\n"

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not (NGINX and PHP), reason="nginx and php-fpm are not installed"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


class NoNamespaces(Kernel):
    """As with RestrictNamespaces=yes."""

    def unshare(self, flags: int) -> None:
        raise PermissionError(1, "Operation not permitted", "unshare")


class NoMounts(Kernel):
    """As with SystemCallFilter=~@mount."""

    def mount(self, source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
        raise PermissionError(1, "Operation not permitted", "mount")


class NoNetwork(Kernel):
    """As with RestrictNamespaces=mnt."""

    def unshare(self, flags: int) -> None:
        if flags & 0x40000000:
            raise PermissionError(1, "Operation not permitted", "unshare")
        super().unshare(flags)


class NoAdministration(Kernel):
    """As in a container whose root lacks CAP_SYS_ADMIN: namespaces of its own only below a user namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.mapped = False

    def unshare(self, flags: int) -> None:
        self.mapped = self.mapped or bool(flags & 0x10000000)
        if not self.mapped:
            raise PermissionError(1, "Operation not permitted", "unshare")
        super().unshare(flags)


def user_namespaces() -> bool:
    """May a plain user make one here?"""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if ROOT:
                os.setuid(NOBODY)
            status = ctypes.CDLL(None).unshare(0x10000000)
        finally:
            os._exit(status != 0)
    return os.waitpid(pid, 0)[1] == 0


needs_user_namespaces = pytest.mark.skipif(not user_namespaces(), reason="user namespaces are not allowed here")
needs_root = pytest.mark.skipif(not ROOT, reason="only root is refused what this looks at")


@pytest.fixture
def site() -> Iterator[Site]:
    made = new_site()
    try:
        yield made
    finally:
        shutil.rmtree(made.root)


def as_nobody(trial: Trial) -> TrialResult:
    """The result of the same trial for a plain user, in a child when we are root."""
    if not ROOT:
        return rehearse(trial)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read_end)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: else /proc/self stays root's; exec would do it too
            os.write(write_end, pickle.dumps(rehearse(trial)))
        finally:
            os._exit(0)
    os.close(write_end)
    with open(read_end, "rb") as stream:
        raw = stream.read()
    os.waitpid(pid, 0)
    result = pickle.loads(raw)
    assert isinstance(result, TrialResult)
    return result


@needs_user_namespaces
def test_a_plain_user_rehearses_pools_without_foreign_owners(site: Site) -> None:
    before = site.look()
    trial = site.trial(
        site.file("etc/php/pool.d/app.conf", OWN_POOL),
        site.file("etc/nginx/sites-enabled/low", "server {{ listen 80; }}\n"),
    )
    result = as_nobody(trial)
    assert (result.judge, result.rehearsed, result.problems, result.notes) == ("user namespace", True, (), ())
    assert site.look() == before


@needs_user_namespaces
def test_a_plain_user_gets_the_verdict_of_the_tests_for_other_pools(site: Site) -> None:
    result = as_nobody(site.trial())
    assert (result.judge, result.rehearsed, result.problems) == ("user namespace", False, ())
    assert "php-fpm accepts this configuration, but cannot be started without root" in result.notes[0]
    assert "failed to chown() the socket" in result.notes[0]


@needs_user_namespaces
def test_a_plain_user_sees_errors_with_their_place(site: Site) -> None:
    before = site.look()
    result = as_nobody(site.trial(site.file("etc/nginx/sites-enabled/app", WRONG_SITE)))
    assert result.judge == "user namespace"
    assert f'unknown directive "rooot" in {site.root}/etc/nginx/sites-enabled/app:3' in result.problems[0].output
    assert site.look() == before


@needs_root
@needs_user_namespaces
def test_a_plain_user_is_told_what_it_could_not_read(site: Site) -> None:
    site.write("etc/nginx/key.pem", "secret").chmod(0o600)
    result = as_nobody(site.trial(site.file("etc/php/pool.d/app.conf", OWN_POOL)))
    assert result.problems == ()
    assert result.notes == (f"{site.root}/etc/nginx/key.pem is not readable for this user: it was missing in the trial",)


@needs_root
@needs_user_namespaces
def test_root_without_administration_rehearses_below_a_user_namespace(site: Site) -> None:
    before = site.look()
    result = rehearse(site.trial(), NoAdministration())
    assert (result.judge, result.rehearsed, result.problems) == ("user namespace", True, ())
    assert "unshare: EPERM" in result.notes[0]
    pool = POOL.replace("owner = www-data", "owner = root").replace("listen.group = www-data", "listen.group = root")
    result = rehearse(site.trial(site.file("etc/php/pool.d/app.conf", pool), probes=()), NoAdministration())
    assert "permission denied" in result.problems[0].output
    assert site.look() == before


@needs_root
def test_without_a_network_of_its_own_it_is_only_tested(site: Site) -> None:
    before = site.look()
    result = rehearse(site.trial(), NoNetwork())
    assert (result.judge, result.rehearsed, result.problems) == ("namespace", False, ())
    assert "no private network" in result.notes[0]
    result = rehearse(site.trial(site.file("etc/nginx/sites-enabled/app", WRONG_SITE)), NoNetwork())
    assert [problem.kind for problem in result.problems] == ["nginx-test"]
    assert site.look() == before


@pytest.mark.parametrize("kernel", [NoNamespaces(), NoMounts()])
def test_without_namespaces_a_copy_is_tested(site: Site, kernel: Kernel) -> None:
    before = site.look()
    result = rehearse(site.trial(site.file("etc/nginx/sites-enabled/app", SITE)), kernel)
    assert (result.judge, result.rehearsed, result.problems) == ("copy", False, ())
    assert any("EPERM" in note for note in result.notes)
    assert "tested as a copy with rewritten paths" in result.notes[-1]
    assert site.look() == before
    assert not list(Path("/tmp").glob(f"deploykit-trial-*{site.root}/etc/nginx/nginx.conf"))


def test_a_copy_tells_live_paths(site: Site) -> None:
    files = (site.file("etc/nginx/sites-enabled/app", WRONG_SITE), site.file("etc/php/pool.d/app.conf", POOL + "nokey = 1\n"))
    result = rehearse(site.trial(*files), NoNamespaces())
    assert [problem.kind for problem in result.problems] == ["nginx-test", "fpm-test"]
    assert f'unknown directive "rooot" in {site.root}/etc/nginx/sites-enabled/app:3' in result.problems[0].output
    assert f"[{site.root}/etc/php/pool.d/app.conf:10] unknown entry" in result.problems[1].output


def test_a_copy_knows_removals_and_refuses_links(site: Site) -> None:
    result = rehearse(site.trial(removals=(f"{site.root}/etc/nginx/fastcgi.conf",)), NoNamespaces())
    assert f'open() "{site.root}/etc/nginx/fastcgi.conf" failed' in result.problems[0].output
    (site.root / "etc/nginx/linked").symlink_to("/tmp")
    with pytest.raises(Refused, match="linked is a symbolic link to /tmp"):
        rehearse(site.trial(site.file("etc/nginx/linked/x", "")), NoNamespaces())


def test_a_copy_follows_new_folders(site: Site) -> None:
    text = SITE.replace("root {root}/www;", "root {root}/www; include {root}/etc/nginx/new/*.conf;")
    files = (site.file("etc/nginx/sites-enabled/app", text), site.file("etc/nginx/new/x.conf", "nonsense;\n"))
    result = rehearse(site.trial(*files), NoNamespaces())
    assert 'unknown directive "nonsense"' in result.problems[0].output


def test_nothing_works(site: Site) -> None:
    nameless = tuple(replace(service, test=(service.test[0], "-t")) for service in (site.nginx, site.fpm))
    result = rehearse(site.trial(services=nameless), NoNamespaces())
    assert (result.judge, result.rehearsed, result.problems) == ("none", False, ())
    assert "no test names a covered file" in result.notes[-1]
