"""The configurations from which the rules on php-fpm make their examples: whole ones, as short as they can be."""

from __future__ import annotations

POOL = """[www]
user = www-data
group = www-data
listen = /run/php/www.sock
listen.owner = www-data
listen.group = www-data
pm = static
pm.max_children = 5
"""

SITE = """user www-data;
events {}
http {
    server {
        listen 80;
        root /srv/app/public;
        location ~ \\.php$ {
            try_files $uri =404;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:/run/php/www.sock;
        }
    }
}
"""


def a_pool(*lines: str) -> str:
    """A good pool, with more lines at its end; one whose directive is there already takes that one's place."""
    text = POOL.splitlines()
    for line in lines:
        keys = [known.partition(" = ")[0] for known in POOL.splitlines()]
        key = line.partition(" = ")[0]
        if key in keys:
            text[keys.index(key)] = line
        else:
            text.append(line)
    return "".join(f"{line}\n" for line in text)


def without(*keys: str) -> str:
    """A good pool that lacks some directives."""
    return "".join(f"{line}\n" for line in POOL.splitlines() if line.partition(" = ")[0] not in keys)


def a_site(*lines: str, **replaced: str) -> str:
    """A good site, with more lines in its PHP location; ``location``, ``socket``, ``script`` and ``user`` replace a part."""
    text = SITE.replace("        }\n    }", "".join(f"            {line}\n" for line in lines) + "        }\n    }")
    parts = {"location": "~ \\.php$", "socket": "unix:/run/php/www.sock", "user": "www-data"}
    parts["script"] = "$document_root$fastcgi_script_name"
    for name, value in replaced.items():
        text = text.replace(parts[name], value)
    return text
