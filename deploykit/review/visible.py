"""Text as a reader must see it: what is invisible, or turns the text around it, is spelt out."""

from __future__ import annotations

_NAMES = {"\r": "<CR>", "\n": "<LF>", "\0": "<NUL>", "\x1b": "<ESC>"}


def visible(text: str) -> str:
    """One line in which every character can be seen: control characters, bidirectional marks, blanks that are none, halves
    of surrogates and unassigned ones as ``<U+202E>``; a tab stays."""
    return text if text.isprintable() else "".join(map(_shown, text))


def shortened(text: str, longest: int) -> str:
    """The same, in at most so many characters (10 or more)."""
    shown = visible(text)
    return shown if len(shown) <= longest else shown[: longest - 6] + " [...]"


def _shown(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    return _NAMES.get(character) or f"<U+{ord(character):04X}>"
