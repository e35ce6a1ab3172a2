"""The configurations from which the rules on nginx make their examples: whole ones, as short as they can be."""

from __future__ import annotations

from typing import Sequence

PARAMS = "include fastcgi_params;"
SCRIPT = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;"
PASS = "fastcgi_pass unix:/run/php/app.sock;"
ONLY_FILES = "try_files $uri =404;"
FRONT = "location / { try_files $uri $uri/ /index.php?$query_string; }"
DOTFILES = "location ~ /\\. { deny all; }"
PHP = (ONLY_FILES, PARAMS, SCRIPT, PASS)


def a_main(*lines: str) -> str:
    """A good site; the lines stand on the outermost level."""
    return _text(("events {}", *lines, *a_block("http", "server_tokens off;", *a_block("server", "listen 80;", "return 204;"))))


def a_http(*lines: str) -> str:
    """The lines within http, and nothing else there."""
    return _text(("events {}", *a_block("http", "server_tokens off;", *lines)))


def a_server(*lines: str) -> str:
    """A server that listens at port 80 as app.example.com and has these lines."""
    return a_http(*a_block("server", "listen 80;", "server_name app.example.com;", *lines))


def a_site(*lines: str, php: Sequence[str] = PHP, location: str = "~ \\.php$") -> str:
    """A server that hands PHP to php-fpm, with more lines; php: what stands in the PHP location."""
    return a_server("root /srv/app/public;", FRONT, DOTFILES, *lines, *a_block(f"location {location}", *php))


def a_block(head: str, *lines: str) -> Sequence[str]:
    return (f"{head} {{", *(f"    {line}" for line in lines), "}")


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
