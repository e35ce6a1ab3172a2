"""One entry of ``permissions:`` as agent v1 takes it: object, type, mode, access control list, SELinux context."""

from __future__ import annotations

from typing import Iterable, List, Optional, Tuple

from deploykit.appspec import ruby
from deploykit.appspec.ruby import Value, index, inspect, no_method, to_s
from deploykit.appspec.scalars import whole
from deploykit.appspec.spec import Permission
from deploykit.appspec.values import each, fetch
from deploykit.appspec.verdict import Rejection, shown
from deploykit.errors import Location

TYPES = ("file", "directory")
_LETTERS = {"m": "mask", "o": "other", "g": "group", "u": "user"}
_KINDS = {**_LETTERS, **{word: word for word in _LETTERS.values()}}


def read_permission(entry: Value) -> Permission:
    """The permission; raises ``Rejection``, or ``RubyError`` where the shape is wrong."""
    at, name = entry.at, fetch(entry, "object")
    if name.nil:
        raise _no_object(at)
    pattern = index(entry, "pattern")
    permission = Permission(
        object=ruby.strip(to_s(name)),
        at=at,
        pattern="**" if pattern.nil else to_s(pattern),
        excepted=tuple(to_s(one) for one in _list(index(entry, "except"))),
        types=_types(index(entry, "type")),
        owner=to_s(index(entry, "owner")),
        group=to_s(index(entry, "group")),
        mode=_mode(index(entry, "mode")),
        acls=_acls(index(entry, "acls")),
        context=_context(index(entry, "context")),
    )
    if not permission.object:
        raise _no_object(at)
    return permission


def _no_object(at: Location) -> Rejection:
    return Rejection("object", "a permission has no object value", at, "name the file or folder")


def _list(value: Value) -> Tuple[Value, ...]:
    return each(value) if value.truthy else ()


def _types(value: Value) -> Tuple[str, ...]:
    if not value.truthy:
        return TYPES
    for one in each(value):
        if one.kind != "text" or one.content not in TYPES:
            message = f"object type not supported for permissions ({shown(to_s(one))})"
            raise Rejection("type", message, one.at, "write file or directory")
    return tuple(one.content for one in each(value))


def _mode(value: Value) -> str:
    if value.nil:
        return ""
    mode = to_s(value).rjust(3, "0")
    hint = 'write four octal digits in quotes: "0644"'
    if len(mode) > 4:
        raise Rejection("mode", f"the length of a permissions mode ({shown(mode)}) is invalid", value.at, hint)
    for one in mode:
        if not "0" <= one <= "7":
            message = f"the permissions mode ({shown(mode)}) contains an invalid character ({shown(one)})"
            raise Rejection("mode", message, value.at, hint)
    return mode


def _acls(value: Value) -> Tuple[str, ...]:
    if value.nil:
        return ()
    entries = each(value)
    for one in entries:
        if one.kind != "text":
            raise no_method("split", one)
        check_ace(one.content, one.at)
    return tuple(one.content for one in entries)


def check_ace(ace: str, at: Location) -> None:
    """``[default:][user|group|mask|other:]name:permissions``, or ``Rejection``."""
    bad = Rejection("acl", f"invalid acl entry ({shown(ace)})", at, "write e.g. u:name:rwx or d:g:name:r-x")
    # Ruby's split gives nothing for an empty text; the parts are looked at from the end.
    parts = ace.split(":")[::-1] if ace else []
    if not 2 <= len(parts) <= 4:
        raise bad
    default = is_default_ace(ace)
    kind = "" if len(parts) == 2 else _KINDS.get(parts[2], "default" if parts[2] in ("d", "default") else "unknown")
    if kind == "unknown" or (len(parts) == 4 and (kind == "default" or parts[3] not in ("d", "default"))):
        raise bad
    kind, name = _kind_and_name("" if kind == "default" else kind, parts[1])
    if kind in ("mask", "other") and name:
        raise bad
    if not default and kind != "mask" and not name:
        raise Rejection("acl", f"use mode to set the base acl entry ({shown(ace)})", at)
    _check_rights(ace, parts[0], at)


def is_default_ace(ace: str) -> bool:
    """Is it an entry for files that are made later in a folder?"""
    parts = ace.split(":")
    return len(parts) in (3, 4) and parts[0] in ("d", "default")


def _kind_and_name(kind: str, word: str) -> Tuple[str, str]:
    full = _KINDS.get(word, "")
    if full in ("mask", "other"):
        return (kind, full) if kind else (full, "")
    return kind or "user", word


def _check_rights(ace: str, rights: str, at: Location) -> None:
    if len(rights) == 1 and "0" <= rights <= "7":
        return
    for one in rights:
        if one not in "rwx-":
            raise Rejection("acl", f"the acl {shown(ace)} contains an invalid character ({shown(one)})", at)


def _context(value: Value) -> Optional[Tuple[str, str, str]]:
    if value.nil:
        return None
    kind = index(value, "type")
    if kind.nil:
        raise Rejection("context", f"an invalid context type ({shown(inspect(value))})", value.at, "name the SELinux type")
    span = index(value, "range")
    if not span.nil:
        _check_range(span)
    return to_s(index(value, "name")), to_s(kind), to_s(span)


def _check_range(span: Value) -> None:
    if span.kind != "text":
        raise no_method("split" if span.kind == "list" else "include?", span)
    parts = _two(span.content, ":", span.at)
    levels = [_number(one, "s", "sensitivity", span.at) for one in _two(parts[0], "-", span.at)]
    if levels[-1] < levels[0]:
        raise Rejection("context", f"a problem with the SELinux range specified ({shown(span.content)})", span.at)
    if len(parts) == 2:
        _check_categories(parts[1], span.at)


def _two(text: str, mark: str, at: Location) -> List[str]:
    parts = text.split(mark, 1)
    if "" in parts:
        raise Rejection("context", f"invalid range part {shown(text)}", at)
    return parts


def _number(text: str, letter: str, word: str, at: Location) -> int:
    digits = text[1:]
    if not digits or text[0] != letter or any(not "0" <= one <= "9" for one in digits):
        raise Rejection("context", f"invalid {word} {shown(text)}", at)
    return whole(digits, 10)


def _category(text: str, at: Location) -> int:
    number = _number(text, "c", "category", at)
    if number > 1023:
        raise Rejection("context", f"invalid category {shown(text)}", at)
    return number


def _check_categories(text: str, at: Location) -> None:
    # Ruby's split drops the empty parts behind.
    seen: List[int] = []
    for part in text.rstrip(",").split(",") if text.strip(",") else ():
        seen.extend(_span(part, at))
    if len(set(seen)) < len(seen):
        raise Rejection("context", "duplicate categories", at)


def _span(part: str, at: Location) -> Iterable[int]:
    ends = [_category(one, at) for one in (_two(part, ".", at) if "." in part else [part])]
    if ends[-1] < ends[0]:
        raise Rejection("context", f"invalid category range {shown(part)}", at)
    return range(ends[0], ends[-1] + 1)
