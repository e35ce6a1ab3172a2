"""Does php-fpm hold another text than the one that was written? A look at a value's raw text, piece by piece."""

from __future__ import annotations

import re
from typing import Iterator, List, Mapping, NamedTuple, Optional

from deploykit.parsers.ini_constants import CONSTANTS
from deploykit.parsers.php_fpm_directives import POOL, text
from deploykit.parsers.php_fpm_tree import Entry

TRUE_WORDS = frozenset(("yes", "true", "on"))
FALSE_WORDS = frozenset(("no", "none", "false", "off", "null"))
SECRET = re.compile(r"pass|secret|token|key|pwd|dsn|salt|auth|cred", re.IGNORECASE)
TEXTS = frozenset(key for key, known in POOL.items() if known.kind is text)
INI = frozenset(("php_value", "php_admin_value"))
QUOTE = 'put it in double quotes, with \\ before each " and \\'

_TOKEN = re.compile(
    r"(?P<double>\"(?:[^\"\\]|\\.)*\")|(?P<single>'[^']*')|(?P<blank>[ \t\r\n]+)|(?P<bare>[^\"'; \t\r\n]+)|(?P<other>.)"
)
_SPECIAL = re.compile(r"[;'|&^~!()$]")
_ESCAPE = re.compile(r"\\([\"$\\])")
_OPERATORS = re.compile(r"[|&^~!() ]+")
_NUMBER = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)\Z")
_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\Z")
_GLUED = re.compile(r"[A-Za-z0-9]\$pool|\$pool[A-Za-z0-9]")


class Piece(NamedTuple):
    """A part of a raw value. kind: ``double`` or ``single`` (quotes), ``blank``, ``bare``, ``other`` (``;``, a lone quote)."""

    kind: str
    text: str


def is_false_word(entry: Entry) -> bool:
    """Is it a bare word that PHP's ini files turn into nothing?"""
    return _bare_word(entry).lower() in FALSE_WORDS


def is_switch(entry: Entry) -> bool:
    """Is it a bare yes, on or true in a variable that does not look like a secret? It becomes 1, which often means the same."""
    return entry.key == "env" and _bare_word(entry).lower() in TRUE_WORDS and not SECRET.search(entry.bracket)


def reason(entry: Entry, environment: Optional[Mapping[str, str]]) -> str:
    """Why php-fpm's value is not what was written, ``""`` if it is. Never tells the value, it may be a secret."""
    if entry.key not in ("env", *INI) and entry.key not in TEXTS:
        return ""
    found = "" if entry.quoted else _unquoted(entry)
    return found or _variables(entry, environment) or (_env(entry, environment) if entry.key == "env" else "")


def _unquoted(entry: Entry) -> str:
    if not _SPECIAL.search(entry.raw) and not (entry.key in ("env", "ping.response") and _is_constant(_bare_word(entry))):
        return ""
    pieces = _pieces(entry.raw)
    found = _comment(pieces) or _single_quote(entry, pieces)
    # Whoever writes ${NAME} wants something else to stand there.
    return found or ("" if "${" in entry.raw else _evaluated(entry, _value(pieces)))


def _pieces(raw: str) -> List[Piece]:
    return [Piece(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(raw)]


def _value(pieces: List[Piece]) -> List[Piece]:
    """The pieces before the comment, without the blanks around them."""
    value = list(_before_comment(pieces))
    while value and value[-1].kind == "blank":
        value.pop()
    return value


def _before_comment(pieces: List[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.text == ";":
            return
        yield piece


def _comment(pieces: List[Piece]) -> str:
    """A semicolon with text close to both its sides was meant as a part of the value."""
    for number, piece in enumerate(pieces):
        if piece.text == ";":
            before, after = pieces[number - 1 : number], pieces[number + 1 : number + 2]
            close = before and after and "blank" not in (before[0].kind, after[0].kind) and after[0].text != ";"
            return "everything from ';' on is taken for a comment" if close else ""
    return ""


def _single_quote(entry: Entry, pieces: List[Piece]) -> str:
    value = _value(pieces)
    if any(piece.text == "'" for piece in value):
        return "the ' opens a quote that nothing closes"
    # A shell that gets the command sees the quotes no more, which seldom matters there.
    if entry.bracket == "sendmail_path":
        return ""
    for first, second in zip(value, value[1:]):
        if sorted((first.kind, second.kind)) == ["bare", "single"]:
            return "the ' are quotes for php-fpm and fall away"
    return ""


def _evaluated(entry: Entry, value: List[Piece]) -> str:
    """Words and operators outside quotes that PHP works out. In values of php.ini constants and masks are what is wanted."""
    bare = "".join(piece.text for piece in value if piece.kind == "bare")
    if entry.key in INI:
        return "| & ^ ~ ! are operators outside quotes" if re.search(r"[|&^~!]", bare) and not _is_mask(bare) else ""
    if entry.key not in ("env", "ping.response") or "$pool" in entry.raw:
        return ""
    if entry.value == _as_written(value):
        return ""
    word = bare.lower()
    if len(value) == 1 and _is_constant(bare):
        becomes = "1" if word in TRUE_WORDS else "nothing" if word in FALSE_WORDS else "a number or text of PHP's own"
        return f"{bare} without quotes becomes {becomes}"
    return "it is worked out as an expression, because it is not in quotes"


def _is_mask(bare: str) -> bool:
    operands = [word for word in _OPERATORS.split(bare) if word]
    return all(word in CONSTANTS or _NUMBER.match(word) for word in operands)


def _is_constant(word: str) -> bool:
    return word in CONSTANTS or word.lower() in TRUE_WORDS or word.lower() in FALSE_WORDS


def _bare_word(entry: Entry) -> str:
    return entry.raw.partition(";")[0].strip()


def _as_written(value: List[Piece]) -> str:
    return "".join(_plain(piece) for piece in value)


def _plain(piece: Piece) -> str:
    if piece.kind == "double":
        return _ESCAPE.sub(r"\1", piece.text[1:-1])
    return piece.text[1:-1] if piece.kind == "single" else piece.text


def _variables(entry: Entry, environment: Optional[Mapping[str, str]]) -> str:
    """``${NAME}`` without a value. An env value that is empty then is refused, fpm-env-unset tells that."""
    if environment is None or not entry.unset or (entry.key == "env" and not entry.value):
        return ""
    name = entry.unset[0]
    return f"${{{name if name.isupper() else '...'}}} in it has no value here and becomes nothing"


def _env(entry: Entry, environment: Optional[Mapping[str, str]]) -> str:
    pieces = _value(_pieces(entry.raw))
    written = _as_written(pieces)
    if "$pool" in written and (SECRET.search(entry.bracket) or (_GLUED.search(written) and "/" not in written)):
        return "$pool in it becomes the name of the pool, in quotes too"
    if not entry.value.startswith("$"):
        return ""
    name = _NAME.match(entry.value)
    if name is None:
        return "it begins with $, so php-fpm looks for an environment variable of that name, in quotes too"
    known = environment is not None and name.group(1) in environment
    like = name.group(1).isupper() or name.group(1).lower() == entry.bracket.lower()
    return "" if known or like else "it begins with $, so it is taken for the name of an environment variable, in quotes too"
