"""What php-fpm is told about a request, and whether it is asked at all."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_examples import DOTFILES, FRONT, ONLY_FILES, PARAMS, PASS, SCRIPT, a_server, a_site
from deploykit.rules.nginx_layout import Block, Layout, Location, Server, layout
from deploykit.rules.nginx_regex import compiled
from deploykit.rules.rule import Example, Exists, Found, Subject, finding, rule

# Without these PHP sees no method, no query or no form.
NEEDED = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH")
_PHP = re.compile(r"php|fpm", re.IGNORECASE)
_WATCHING = re.compile(r"status|ping", re.IGNORECASE)


def passing(view: Layout) -> Iterator[Block]:
    """Blocks that hand requests to PHP, as far as their words tell, and of which everything is known."""
    for block in view.blocks:
        if block.has("fastcgi_pass") and view.whole(block) and speaks_php(block):
            yield block


def speaks_php(block: Block) -> bool:
    """Does what stands around a fastcgi_pass look like PHP, and not like another program that speaks FastCGI?"""
    words: List[str] = [word for level in block.chain if level.name == "location" for word in level.args]
    for name in ("fastcgi_pass", "fastcgi_index", "fastcgi_param"):
        words += [word for directive in block.effective(name) for word in directive.args]
    upstream = block.layout.upstreams.get(block.value("fastcgi_pass"))
    words += [word for server in upstream.block or () for word in server.args] if upstream else []
    return any(_PHP.search(word) for word in words)


def params(block: Block) -> Dict[str, Directive]:
    """The fastcgi_param that are in effect, by name; the last of each counts."""
    return {directive.args[0]: directive for directive in block.effective("fastcgi_param") if directive.args}


def outer_params(block: Block) -> Dict[str, Directive]:
    """The fastcgi_param that would be in effect if the block had none of its own."""
    outer = Block(block.chain[:-1], block.layout)
    found = {directive.args[0]: directive for directive in outer.effective("fastcgi_param") if directive.args}
    return found if block.has("fastcgi_param") else {}


@rule(
    "nginx-script-filename",
    "error",
    bad=Example(nginx=a_site(php=(ONLY_FILES, PARAMS, PASS))),
    good=Example(nginx=a_site()),
)
def script_filename(subject: Subject) -> Found:
    """SCRIPT_FILENAME is not handed to php-fpm, or does not begin with the document root.

    php-fpm answers 404 "File not found." to every script and logs "Primary script unknown". The stock fastcgi_params does not
    set it (fastcgi.conf does). Add ``fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;`` behind the include.
    """
    hint = f"add: {SCRIPT}"
    for block in passing(layout(subject)):
        found = params(block)
        script = found.get("SCRIPT_FILENAME") or found.get("PATH_TRANSLATED")  # php-fpm takes the second for the first
        if not found or (script is None and "SCRIPT_FILENAME" in outer_params(block)):
            continue
        if script is None:
            message = "SCRIPT_FILENAME is not set for php-fpm"
            yield finding("nginx-script-filename", message, block.own("fastcgi_pass")[-1].at, hint)
        elif not _names_a_file(script, block):
            value = " ".join(script.args[1:])
            yield finding("nginx-script-filename", f"SCRIPT_FILENAME '{value}' lacks the document root", script.at, hint)


def _names_a_file(script: Directive, block: Block) -> bool:
    """Does the value begin with the root, a path, or a variable that may hold one? The pages of php-fpm itself need none."""
    value = script.args[1] if len(script.args) > 1 else ""
    bare = re.match(r"\$\{?(?:fastcgi_script_name|uri|document_uri|request_uri|fastcgi_path_info)\b|(?![$/])", value)
    words = " ".join(word for level in block.chain if level.name == "location" for word in level.args)
    return not bare or (bool(_WATCHING.search(words)) and ".php" not in words)


@rule(
    "nginx-fastcgi-params",
    "error",
    bad=Example(nginx=a_site(php=(ONLY_FILES, SCRIPT, PASS))),
    good=Example(nginx=a_site()),
)
def fastcgi_params(subject: Subject) -> Found:
    """php-fpm is not told the request's method, query or form: ``include fastcgi_params;`` is missing.

    Without REQUEST_METHOD php-fpm answers 200 with an empty body, which looks like success to a health check; without the
    others queries or forms are empty. Include fastcgi_params where SCRIPT_FILENAME is set.
    """
    for block in passing(layout(subject)):
        found, outer = params(block), outer_params(block)
        missing = [name for name in NEEDED if name not in found]
        if missing and not any(name in outer for name in missing):
            message = f"php-fpm is not told {', '.join(missing)}"
            yield finding("nginx-fastcgi-params", message, block.own("fastcgi_pass")[-1].at, f"add: {PARAMS}")


@rule(
    "nginx-fastcgi-param-lost",
    "error",
    bad=Example(nginx=a_site(PARAMS, SCRIPT, php=(ONLY_FILES, "fastcgi_param APP_ENV prod;", PASS))),
    good=Example(nginx=a_site(PARAMS, SCRIPT, "fastcgi_param APP_ENV prod;", php=(ONLY_FILES, PASS))),
)
def fastcgi_param_lost(subject: Subject) -> Found:
    """A fastcgi_param in a location drops all those of the server and of http.

    They are inherited only where a block has none of its own. When the method is among the lost ones php-fpm answers 200 with
    an empty body. It is a warning when only parameters of your own are lost. Repeat the others, or the include, in the
    location.
    """
    for block in passing(layout(subject)):
        found, outer = params(block), outer_params(block)
        lost = [name for name in outer if name not in found]
        if lost:
            vital = any(name in (*NEEDED, "SCRIPT_FILENAME") for name in lost)
            shown = ", ".join(lost[:4]) + (" ..." if len(lost) > 4 else "")
            message = f"this drops the parameters set further out: {shown}"
            at = block.own("fastcgi_param")[0].at
            severity = "error" if vital else "warning"
            yield finding("nginx-fastcgi-param-lost", message, at, "repeat them, or the include, here", severity)


@rule(
    "nginx-php-pathinfo",
    "warning",
    bad=Example(nginx=a_site(php=(PARAMS, SCRIPT, PASS), location="~ \\.php")),
    good=Example(nginx=a_site(php=(ONLY_FILES, PARAMS, SCRIPT, PASS), location="~ \\.php")),
)
def php_pathinfo(subject: Subject) -> Found:
    """A PHP location that takes any path with .php somewhere in it, and does not look whether the script is there.

    ``/hello.txt/x.php`` reaches php-fpm, which may run the text file: an uploaded picture becomes a program. Only
    security.limit_extensions stands in the way. Let the expression end in ``\\.php$``, or add ``try_files $uri =404;``.
    """
    for block in passing(layout(subject)):
        if isinstance(block, Location) and block.is_regex and not _guarded(block):
            regex = compiled(block.path, block.sign == "~*")
            if regex and regex.search("/hello.txt/x.php") and regex.search("/hello.txt/x.php/y"):
                message = f"'{block.text}' takes /hello.txt/x.php/y too"
                hint = "end the expression in \\.php$, or add: try_files $uri =404;"
                yield finding("nginx-php-pathinfo", message, block.directive.at, hint)


def _guarded(block: Block) -> bool:
    """Is it made sure that the script is there?"""
    tests = (word for inner in block.ifs for word in inner.directive.args[:1])
    return block.has("try_files", "alias", "internal") or any(word in ("!-f", "!-e") for word in tests)


@rule(
    "nginx-php-source",
    "error",
    bad=Example(nginx=a_server("root /srv/app/public;", "index index.php;", FRONT, DOTFILES)),
    good=Example(nginx=a_site("index index.php;")),
)
def php_source(subject: Subject) -> Found:
    """PHP files are served, and no location hands them to php-fpm: the source goes out as plain text, with 200.

    That is so when index or try_files ends in .php, or there are .php files below the root, and the location which takes them
    has no fastcgi_pass. Add the PHP location, or narrow the one that takes its requests.
    """
    view = layout(subject)
    for server in view.servers:
        if not view.whole(server) or server.has("return", "rewrite") or not server.readable:
            continue
        said = set()
        for path, at in (*_asked_for(server), *_lying_there(server, subject)):
            place = server.target(path) or server
            shadowed = isinstance(place, Location) and place.is_regex and _is_wanted(server, path)
            if path not in said and not shadowed and _serves_source(place, path, subject.around.exists):
                said.add(path)
                message = f"{path} is sent as it is: no location hands it to php-fpm"
                hint = "add a location ~ \\.php$ with fastcgi_pass"
                yield finding("nginx-php-source", message, at.at, hint)


def _is_wanted(server: Server, path: str) -> bool:
    """Would a location run the script, if only it got the request?"""
    return any(location.has("fastcgi_pass") and location.matches(path) for location in server.locations)


def _asked_for(server: Server) -> Iterator[Tuple[str, Directive]]:
    """Scripts that the server itself asks for, and where: the last word of try_files, and an index of its own."""
    for block in (server, *server.every_location()):
        if block is not server and block.hands_on:
            continue
        for directive in block.own("try_files"):
            yield from ((path, directive) for path in _php_paths(directive.args[-1:]))
        prefix = block.path.rstrip("/") if isinstance(block, Location) and not block.is_regex else ""
        asking = (server.target("/") or server) if block is server else block
        for directive in block.own("index") if block.own("index") == asking.effective("index") else ():
            yield from ((f"{prefix}/{word}", directive) for word in directive.args if re.match(r"[\w-]+\.php\Z", word))


def _lying_there(server: Server, subject: Subject) -> Iterator[Tuple[str, Directive]]:
    """The first script directly below the server's root, where the files are known."""
    names = subject.around.names(server.folder) if subject.around.names and server.folder else None
    first = next((name for name in sorted(names or ()) if name.endswith(".php")), "")
    if first and server.root:
        yield f"/{first}", server.root


def _php_paths(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        path = word.partition("?")[0]
        if path.startswith("/") and path.endswith(".php") and "$" not in path:
            yield path


def _serves_source(place: Block, path: str, exists: Optional[Exists]) -> bool:
    """Does nginx itself send the file?"""
    if place.hands_on or place.root is None or place.has("return", "rewrite", "deny", "internal", "if", "perl", "js_content"):
        return False
    if any(directive.args[:1] == ("all",) for directive in place.effective("deny")):
        return False
    for directive in place.own("try_files"):
        if not any(word.startswith(("$uri", "$document_uri", path)) for word in directive.args[:-1]):
            return False
    known = exists and place.folder and exists(place.folder)
    return not (known and exists and exists(place.folder + path) is False)
