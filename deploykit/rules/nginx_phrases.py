"""Directives of nginx whose value is more than one number, size, time or word."""

from __future__ import annotations

import re
from typing import Iterator, Sequence, Tuple

from deploykit.rules.nginx_listens import PLAIN, VALUED, host_and_port
from deploykit.rules.nginx_simple import Check, Said, Words, all_of, offset, one_of, seconds, size

_RATE = re.compile(r"rate=\d+r/[sm]\Z")
_NAMED_SIZE = re.compile(r"[^:]+:(.*)\Z")
_LEVELS = frozenset(("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"))
_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def checks() -> Iterator[Tuple[Sequence[str], Check]]:
    """Names of directives and the function that says what is wrong with their words, None for nothing."""
    yield ("listen",), _listen
    yield ("fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "server"), _address
    yield ("error_page",), _codes
    yield ("return",), _return
    yield ("error_log",), _log_level
    yield ("limit_req_zone", "limit_conn_zone"), _zone
    yield ("fastcgi_cache_path", "proxy_cache_path", "uwsgi_cache_path", "scgi_cache_path"), _cache_path
    yield ("fastcgi_cache_valid", "proxy_cache_valid", "uwsgi_cache_valid", "scgi_cache_valid"), _cache_valid
    yield ("ssl_session_cache",), _session_cache
    yield ("ssl_protocols", "proxy_ssl_protocols"), all_of(*_PROTOCOLS)
    yield ("satisfy",), one_of("all", "any")
    yield ("gzip_http_version",), one_of("1.0", "1.1")
    yield ("proxy_http_version",), one_of("1.0", "1.1", "2")
    yield ("gzip_static",), one_of("on", "off", "always")
    yield ("ssl_verify_client",), one_of("off", "on", "optional", "optional_no_ca")
    yield ("autoindex_format",), one_of("html", "json", "jsonp", "xml")
    yield ("if_modified_since",), one_of("off", "exact", "before")


def _port(text: str) -> Said:
    """The port behind an address, if one is given."""
    if text.startswith("unix:") or "$" in text:
        return None
    port = host_and_port(text)[1]
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        return f"'{port}' is no port: those are 1 to 65535" if port else f"'{text}' has no port behind its colon"
    return None


def _listen(words: Words) -> Said:
    first, _, last = words[0].partition("-")
    ranged = first.rpartition(":")[2].isdigit() and last.isdigit()
    return _port(first if ranged else words[0]) or next(filter(None, map(_listen_parameter, words[1:])), None)


def _listen_parameter(word: str) -> Said:
    name, equals, value = word.partition("=")
    if (not equals and word in (*PLAIN, "udp", "multipath")) or (equals and name in VALUED):
        numeric = name in ("backlog", "fastopen", "setfib") and not value.lstrip("-").isdigit()
        return f"'{word}' has no number" if equals and numeric else None
    return f"'{word}' is no parameter of listen"


def _address(words: Words) -> Said:
    """host, host:port, unix:/path, or a URL."""
    text = re.sub(r"\A[a-z]+://", "", words[0]).partition("/")[0]
    return None if "$" in words[0] or words[0].partition("://")[2].startswith("unix:") else _port(text)


def _codes(words: Words) -> Said:
    """The statuses of error_page: all words but the last and a ``=code``."""
    codes = [word for word in words[:-1] if not word.startswith("=")]
    wrong_one = next((word for word in codes if not word.isdigit() or not 300 <= int(word) <= 599 or word == "499"), None)
    return None if wrong_one is None else f"'{wrong_one}' is no status between 300 and 599 that an error page can have"


def _return(words: Words) -> Said:
    code = words[0]
    if len(words) == 1 and code.startswith(("http://", "https://", "$scheme")):
        return None
    return None if code.isdigit() and int(code) <= 999 else f"'{code}' is no status"


def _log_level(words: Words) -> Said:
    known = len(words) < 2 or words[1] in _LEVELS or words[1].startswith("debug_")
    return None if known else f"'{words[1]}' is no log level: {', '.join(sorted(_LEVELS))}"


def _zone(words: Words) -> Said:
    """limit_req_zone and limit_conn_zone."""
    zone = next((word[5:] for word in words if word.startswith("zone=")), None)
    sized = _NAMED_SIZE.match(zone) if zone else None
    if not sized:
        return "it needs zone=NAME:SIZE"
    rate = next((word for word in words if word.startswith("rate=")), None)
    return size((sized.group(1),)) or (f"'{rate}' is no rate: 10r/s, 30r/m" if rate and not _RATE.match(rate) else None)


def _cache_path(words: Words) -> Said:
    for word in words[1:]:
        name, _, value = word.partition("=")
        sized = _NAMED_SIZE.match(value) if name == "keys_zone" else None
        said = size((sized.group(1),)) if sized else seconds((value,)) if name == "inactive" else None
        said = offset((value,)) if name in ("max_size", "min_free") else said
        if said:
            return said
    return None if any(word.startswith("keys_zone=") for word in words) else "it needs keys_zone=NAME:SIZE"


def _cache_valid(words: Words) -> Said:
    codes = (word for word in words[:-1] if word != "any")
    strange = next((word for word in codes if not word.isdigit() or not 100 <= int(word) <= 599), None)
    return seconds(words[-1:]) or (None if strange is None else f"'{strange}' is no status")


def _session_cache(words: Words) -> Said:
    for word in words:
        shared = re.match(r"shared:[^:]+:(.*)\Z", word)
        if not shared and word not in ("off", "none", "builtin") and not re.match(r"builtin:\d+\Z", word):
            return f"'{word}' is no session cache: off, none, builtin, shared:NAME:SIZE"
        if shared and size((shared.group(1),)):
            return size((shared.group(1),))
    return None
