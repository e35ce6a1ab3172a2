"""What php-fpm is told about a request, and whether it is asked at all."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_blocks import Block
from deploykit.rules.nginx_examples import ONLY_FILES, PARAMS, PASS, SCRIPT, a_site
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.rule import Example, Found, Subject, finding, rule

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
