"""Files that nginx's packages bring: a tree that is judged elsewhere includes them without having them."""

from __future__ import annotations

from typing import Optional

_PARAMS = """
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_SCHEME $scheme;
fastcgi_param HTTPS $https if_not_empty;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx/$nginx_version;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param REDIRECT_STATUS 200;
"""
_SCRIPT = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n"
_PROXY = """
proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
"""
_SNIPPET = (
    """
fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
try_files $fastcgi_script_name =404;
set $path_info $fastcgi_path_info;
fastcgi_param PATH_INFO $path_info;
fastcgi_index index.php;
"""
    + _SCRIPT
    + _PARAMS
)
_TYPES = "types { text/html html htm; text/css css; application/javascript js; image/png png; image/jpeg jpeg jpg; }\n"
FILES = {
    "fastcgi_params": _PARAMS,
    "fastcgi.conf": _SCRIPT + _PARAMS,
    "mime.types": _TYPES,
    "proxy_params": _PROXY,
    "snippets/fastcgi-php.conf": _SNIPPET,
    "uwsgi_params": "",
    "scgi_params": "",
}


def stock(path: str, root: str) -> Optional[bytes]:
    """The stock file at a path below nginx's configuration root; None when there is none of that name."""
    name = path[len(root) + 1 :] if path.startswith(root + "/") else ""
    return FILES[name].encode() if name in FILES else None
