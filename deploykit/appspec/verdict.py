"""An agent's refusal of a whole appspec, and the small tools to say it."""

from __future__ import annotations

from typing import Optional

from deploykit.errors import InvalidInput, Location


class Rejection(InvalidInput):
    """One agent refuses the whole file, and with it every event of the deployment.

    why: the last part of the rule id, one of ``catalogue.REASONS``. message: the agent's own words, or short for them.
    """

    def __init__(self, why: str, message: str, at: Optional[Location], hint: str = "") -> None:
        super().__init__(message, at=at, hint=hint)
        self.why = why


def shown(text: str, most: int = 120) -> str:
    """A piece of the user's text inside a message: one line without control characters, at most ``most`` characters."""
    clean = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return clean if len(clean) <= most else clean[: most - 3] + "..."
