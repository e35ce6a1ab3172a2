"""docs/appspec.md says what the catalogue says."""

from __future__ import annotations

import re
from pathlib import Path

from deploykit.appspec.catalogue import AGENTS, REASONS, RULES
from deploykit.appspec.page import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "appspec.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m deploykit.appspec.page > docs/appspec.md"


def test_every_rule_has_a_row() -> None:
    assert re.findall(r"^\| `(appspec-[a-z0-9-]+)` \|", page(), re.MULTILINE) == [
        *[one for one in RULES if "-rejected-" not in one],
        *[one for one in RULES if "-rejected-" in one],
    ]


def test_rules_are_well_formed() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"appspec-[a-z0-9]+(-[a-z0-9]+)*", rule.id)
        assert rule.severity in ("error", "warning", "info")
        assert rule.agents
        assert set(rule.agents) <= set(AGENTS)
        assert rule.what
        assert rule.example
        assert rule.needs in ("", "bundle", "machine")
    assert sum(len(agents) for agents, _, _ in REASONS.values()) == sum("-rejected-" in one for one in RULES)
