"""The values that nginx's directives take, read as nginx reads them."""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterator, Optional, Sequence, Tuple

from deploykit.rules.nginx_kinds import BUFFERS, FLAGS, MILLISECONDS, NUMBERS, OFFSETS, SECONDS, SIZES
from deploykit.rules.nginx_listens import PLAIN, VALUED, host_and_port

Words = Tuple[str, ...]
Said = Optional[str]
Check = Callable[[Words], Said]

_SIZE = re.compile(r"(\d+)([kKmM]?)\Z", re.ASCII)
_OFFSET = re.compile(r"\d+[kKmMgG]?\Z", re.ASCII)
_SHORT = r"(?:\d+w *)?(?:\d+d *)?(?:\d+h *)?(?:\d+m(?!s) *)?(?:\d+s? *)?"
_TIME = re.compile(rf"(?=\d)(?:\d+y *)?(?:\d+M *)?{_SHORT}\Z", re.ASCII)
_FINE_TIME = re.compile(rf"(?=\d){_SHORT}(?:\d+ms *)?\Z", re.ASCII)
_RATE = re.compile(r"rate=\d+r/[sm]\Z")
_NAMED_SIZE = re.compile(r"[^:]+:(.*)\Z")
_LEVELS = frozenset(("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg"))
_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_TIED = {"k": 1024, "m": 1024 * 1024, "": 1}
_SIZE_HINT = "a size is a whole number, and perhaps k or m behind it"
_TIME_HINT = "a time is a whole number and a unit: ms s m h d w"


def bytes_of(text: str) -> Optional[int]:
    """The bytes of a size, None where it is none."""
    match = _SIZE.match(text)
    return int(match.group(1)) * _TIED[match.group(2).lower()] if match else None


def wrong(name: str, words: Words) -> Tuple[str, str]:
    """What is wrong with the words behind a directive, and a hint; two empty texts when nothing is known to be."""
    check = _CHECKS.get(name)
    said = check(words) if check and words else None
    return (said, _hint(name, said)) if said else ("", "")


def _hint(name: str, said: str) -> str:
    if "is no size" in said:
        return _SIZE_HINT if name not in OFFSETS else "a size is a whole number, and perhaps k, m or g behind it"
    if "is no time in seconds" in said:
        return "a time is a whole number and a unit: s m h d w M y"
    return _TIME_HINT if "is no time" in said else ""


def _size(words: Words) -> Said:
    return None if _SIZE.match(words[0]) else f"'{words[0]}' is no size"


def _offset(words: Words) -> Said:
    return None if _OFFSET.match(words[0]) else f"'{words[0]}' is no size"


def _time(words: Words) -> Said:
    return None if _FINE_TIME.match(words[0]) else f"'{words[0]}' is no time"


def _seconds(words: Words) -> Said:
    return None if _TIME.match(words[0]) else f"'{words[0]}' is no time in seconds or longer"


def _number(words: Words) -> Said:
    return None if words[0].isascii() and words[0].isdigit() else f"'{words[0]}' is no whole number"


def _buffers(words: Words) -> Said:
    if len(words) != 2:
        return None
    return _number(words[:1]) or ("there must be at least one" if int(words[0]) < 1 else None) or _size(words[1:])


def _on_off(words: Words) -> Said:
    return None if words[0].lower() in ("on", "off") else f"'{words[0]}' is neither on nor off"


def _one_of(*known: str) -> Check:
    def check(words: Words) -> Said:
        return None if words[0].lower() in known else f"'{words[0]}' is none of {', '.join(known)}"

    return check


def _all_of(*known: str) -> Check:
    """Every word is one of these; nginx does not look at the case."""
    lower = {word.lower() for word in known}

    def check(words: Words) -> Said:
        strange = next((word for word in words if word.lower() not in lower), None)
        return None if strange is None else f"'{strange}' is none of {', '.join(known)}"

    return check


def _within(low: int, high: int) -> Check:
    def check(words: Words) -> Said:
        return _number(words) or (None if low <= int(words[0]) <= high else f"{words[0]} is not within {low} and {high}")

    return check


def _or(*allowed: str, otherwise: Check) -> Check:
    def check(words: Words) -> Said:
        return None if words[0] in allowed or "$" in words[0] else otherwise(words)

    return check


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
    return _size((sized.group(1),)) or (f"'{rate}' is no rate: 10r/s, 30r/m" if rate and not _RATE.match(rate) else None)


def _cache_path(words: Words) -> Said:
    for word in words[1:]:
        name, _, value = word.partition("=")
        sized = _NAMED_SIZE.match(value) if name == "keys_zone" else None
        said = _size((sized.group(1),)) if sized else _seconds((value,)) if name == "inactive" else None
        said = _offset((value,)) if name in ("max_size", "min_free") else said
        if said:
            return said
    return None if any(word.startswith("keys_zone=") for word in words) else "it needs keys_zone=NAME:SIZE"


def _cache_valid(words: Words) -> Said:
    codes = (word for word in words[:-1] if word != "any")
    strange = next((word for word in codes if not word.isdigit() or not 100 <= int(word) <= 599), None)
    return _seconds(words[-1:]) or (None if strange is None else f"'{strange}' is no status")


def _session_cache(words: Words) -> Said:
    for word in words:
        shared = re.match(r"shared:[^:]+:(.*)\Z", word)
        if not shared and word not in ("off", "none", "builtin") and not re.match(r"builtin:\d+\Z", word):
            return f"'{word}' is no session cache: off, none, builtin, shared:NAME:SIZE"
        if shared and _size((shared.group(1),)):
            return _size((shared.group(1),))
    return None


def _timeouts(words: Words) -> Said:
    return next(filter(None, (_time((word,)) for word in words)), None)


def _limits() -> Iterator[Tuple[Sequence[str], Check]]:
    """Directives whose value is one number, size, time or switch."""
    yield tuple(SIZES), _size
    yield tuple(OFFSETS), _offset
    yield tuple(MILLISECONDS), _time
    yield tuple(SECONDS), _seconds
    yield tuple(NUMBERS), _number
    yield tuple(BUFFERS), _buffers
    yield tuple(FLAGS), _on_off
    yield ("gzip_comp_level",), _within(1, 9)
    yield ("limit_req_status", "limit_conn_status"), _within(400, 599)
    yield ("worker_connections",), _number
    yield ("worker_processes",), _or("auto", otherwise=_within(1, 100000))
    yield ("keepalive_timeout",), _timeouts
    yield ("limit_rate", "limit_rate_after"), _or("0", otherwise=_offset)


def _others() -> Iterator[Tuple[Sequence[str], Check]]:
    yield ("listen",), _listen
    yield ("fastcgi_pass", "proxy_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "server"), _address
    yield ("error_page",), _codes
    yield ("return",), _return
    yield ("error_log",), _log_level
    yield ("limit_req_zone", "limit_conn_zone"), _zone
    yield ("fastcgi_cache_path", "proxy_cache_path", "uwsgi_cache_path", "scgi_cache_path"), _cache_path
    yield ("fastcgi_cache_valid", "proxy_cache_valid", "uwsgi_cache_valid", "scgi_cache_valid"), _cache_valid
    yield ("ssl_session_cache",), _session_cache
    yield ("ssl_protocols", "proxy_ssl_protocols"), _all_of(*_PROTOCOLS)
    yield ("satisfy",), _one_of("all", "any")
    yield ("gzip_http_version",), _one_of("1.0", "1.1")
    yield ("proxy_http_version",), _one_of("1.0", "1.1", "2")
    yield ("gzip_static",), _one_of("on", "off", "always")
    yield ("ssl_verify_client",), _one_of("off", "on", "optional", "optional_no_ca")
    yield ("autoindex_format",), _one_of("html", "json", "jsonp", "xml")
    yield ("if_modified_since",), _one_of("off", "exact", "before")


_CHECKS: Dict[str, Check] = {name: check for names, check in (*_limits(), *_others()) for name in names}
