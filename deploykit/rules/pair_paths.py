"""Do nginx and the pool mean the same files?"""

from __future__ import annotations

import posixpath
import re
from typing import Iterator, List, Optional, Set, Tuple

from deploykit.errors import Location
from deploykit.parsers.php_fpm_tree import Pool
from deploykit.rules.fastcgi import Passing, wiring
from deploykit.rules.locations import catches, extensions
from deploykit.rules.pool_examples import a_pool, a_site
from deploykit.rules.pools import pools_of
from deploykit.rules.rule import Example, Found, Subject, finding, rule

# Names under which deployments put a symbolic link to the release that counts.
LINKS = ("current", "live", "active", "latest")
PHP_OWN = "$document_root$fastcgi_script_name"


def _reached(subject: Subject) -> Iterator[Tuple[Pool, Passing]]:
    reached = wiring(subject).reached
    for pool in pools_of(subject):
        for passing in reached.get(pool.name, ()):
            yield pool, passing


@rule(
    "pair-chroot",
    "error",
    bad=Example(nginx=a_site(), fpm=a_pool("chroot = /srv/app")),
    good=Example(nginx=a_site(script="/public$fastcgi_script_name"), fpm=a_pool("chroot = /srv/app")),
)
def chroot(subject: Subject) -> Found:
    """The pool's chroot is still in SCRIPT_FILENAME.

    Within the chroot /srv/app the file /srv/app/public/index.php is called /public/index.php: php-fpm finds no script and every
    PHP request is answered with 404. Take the chroot off: fastcgi_param SCRIPT_FILENAME /public$fastcgi_script_name.
    """
    said: Set[str] = set()
    for pool, passing in _reached(subject):
        entry, folder = pool.entry("chroot"), passing.script_folder
        jail = pool.path("chroot").rstrip("/")
        if entry and jail and pool.name not in said and _below(folder, jail):
            said.add(pool.name)
            message = (
                f"the scripts are asked for below {folder}, which is {folder[len(jail) :] or '/'} within the chroot {jail}"
            )
            at = passing.directive.at
            yield finding("pair-chroot", message, entry.at, f"take the chroot off SCRIPT_FILENAME, at {at.file}:{at.line}")


@rule(
    "pair-open-basedir",
    "error",
    bad=Example(nginx=a_site(), fpm=a_pool("php_admin_value[open_basedir] = /var/www/:/tmp/")),
    good=Example(nginx=a_site(), fpm=a_pool("php_admin_value[open_basedir] = /srv/app/:/tmp/")),
)
def open_basedir(subject: Subject) -> Found:
    """open_basedir leaves out the folder of the scripts.

    PHP may not open the very script that it is asked for, and every PHP request is answered with 404. Add the document root, or
    the folder that holds all releases where the root goes through a symbolic link.
    """
    said: Set[str] = set()
    for pool, passing in _reached(subject):
        entry = pool.ini().get("open_basedir")
        if entry is None or not entry.value or entry.unset or pool.text("chroot") or pool.name in said:
            continue
        folder = passing.script_folder
        if folder and not passing.sets("open_basedir") and not _allowed(folder, entry.value):
            said.add(pool.name)
            message = f"open_basedir of pool {pool.name} leaves out {folder}, where nginx looks for the scripts"
            yield finding("pair-open-basedir", message, entry.at, f"add {folder}")


def _allowed(folder: str, allowed: str) -> bool:
    places = [posixpath.normpath(place) for place in allowed.split(":") if place.startswith("/")]
    # What is relative, or made of variables, may be anywhere.
    if len(places) < len([place for place in allowed.split(":") if place]):
        return True
    return any(_below(folder, place) or folder.startswith(place) or _by_link(folder, place) for place in places)


def _by_link(folder: str, place: str) -> bool:
    """May the root lie there once its symbolic link is followed? /srv/app/current is most often in /srv/app/releases."""
    parts = folder.split("/")
    for link in LINKS:
        if link in parts:
            parent = "/".join(parts[: parts.index(link)])
            return place.startswith(f"{parent}/releases") or place.startswith(f"{parent}/versions")
    return False


def _below(path: str, folder: str) -> bool:
    return bool(path) and (path == folder or path.startswith(folder.rstrip("/") + "/"))


@rule(
    "pair-limit-extensions",
    "error",
    bad=Example(nginx=a_site(location="~ \\.phtml$"), fpm=a_pool()),
    good=Example(nginx=a_site(location="~ \\.phtml$"), fpm=a_pool("security.limit_extensions = .php .phtml")),
)
def limit_extensions(subject: Subject) -> Found:
    """security.limit_extensions does not allow what nginx hands over.

    php-fpm runs only files that end in one of its words (.php and .phar unless set) and answers the others with 403 "Access
    denied.". Where .php works and only further endings of the location do not, it is a warning. Let the two agree.
    """
    said: Set[Location] = set()
    for pool, passing in _reached(subject):
        allowed = pool.text("security.limit_extensions").split()
        handed = _handed(passing)
        denied = [word for word in handed if not any(f"x.{word}".endswith(ending) for ending in allowed)]
        entry = pool.entry("security.limit_extensions")
        location = passing.location
        at = entry.at if entry else location.at if location else passing.directive.at
        if allowed and denied and at not in said:
            said.add(at)
            partly = "php" in handed and "php" not in denied
            names = " and ".join(f".{word}" for word in denied)
            message = f"nginx hands files that end in {names} to pool {pool.name}, which runs {' '.join(allowed)} only"
            yield finding("pair-limit-extensions", message, at, "let the two agree", "warning" if partly else "error")


def _handed(passing: Passing) -> List[str]:
    """Endings of the scripts that nginx hands over here."""
    script = passing.param("SCRIPT_FILENAME")
    fixed = re.search(r"\.([A-Za-z0-9]+)\Z", script)
    if fixed and script.rfind("$") < script.rfind("/"):
        return [fixed.group(1)]
    return extensions(passing.location) if passing.location else []


@rule(
    "pair-status-not-routed",
    "info",
    bad=Example(nginx=a_site(), fpm=a_pool("ping.path = /ping")),
    good=Example(nginx=a_site(location="~ (\\.php|^/ping)$"), fpm=a_pool("ping.path = /ping")),
)
def status_not_routed(subject: Subject) -> Found:
    """pm.status_path or ping.path is a path that nginx does not hand to the pool.

    Over HTTP the application answers there, most often with 200, which a monitor takes for a pong. Ask over the socket, or give
    nginx a location for the path, with access for the monitor only.
    """
    reached = wiring(subject).reached
    for pool in pools_of(subject):
        passings = reached.get(pool.name, ())
        keys = ["ping.path"] if pool.text("pm.status_listen") else ["pm.status_path", "ping.path"]
        lost = [key for key in keys if pool.text(key) and not _routed(pool.text(key), passings)]
        entry = pool.entry(lost[0]) if lost and passings else None
        if entry:
            paths = " and ".join(pool.text(key) for key in lost)
            message = f"nginx does not hand {paths} to pool {pool.name}: over HTTP the application answers there"
            yield finding("pair-status-not-routed", message, entry.at, "ask over the socket, or add a location for it")


def _routed(path: str, passings: Tuple[Passing, ...]) -> bool:
    locations: List[Optional[object]] = []
    for passing in passings:
        location = passing.location
        locations.append(location)
        if location and catches(location, path):
            return True
    return None in locations
