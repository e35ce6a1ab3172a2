"""The page as text: nothing from outside, nothing that runs but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any, Dict, List, Optional, Tuple

from hypothesis import given, settings
from support.reviews import ANY, HOSTILE, review

from deploykit.review.document import document, terraform
from deploykit.review.model import EnvironmentChange, Review
from deploykit.review.page import page
from deploykit.review.text import lines

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Every tag with its attributes, and whether all are closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: List[Tuple[str, Dict[str, Optional[str]]]] = []
        self.open: List[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_nothing_comes_from_outside() -> None:
    text = page(review())
    assert not re.search(r"https?:|//[a-z]|url\(|@import|@font-face", text)
    for tag, attributes in Reader(text).tags:
        assert tag not in ("link", "iframe", "object", "base", "form", "img")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_its_policy_lets_only_its_own_script_and_style_in() -> None:
    text = page(review())
    for kind in ("script", "style"):
        inner = re.search(f"<{kind}>(.*)</{kind}>", text, re.DOTALL)
        assert inner
        hashed = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{hashed}'" in text
    assert "default-src 'none'" in text


def test_hostile_text_is_only_text() -> None:
    honest, hostile = Reader(page(review("x"))), Reader(page(review(HOSTILE)))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in honest.tags]
    for _, attributes in hostile.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)


def test_identifiers_are_unique_and_links_lead_somewhere() -> None:
    tags = Reader(page(review())).tags
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {str(a["href"])[1:] for tag, a in tags if tag == "a"} <= set(map(str, identifiers))


def test_one_environment_needs_no_tabs_and_none_no_panel() -> None:
    one = review().environments[1]
    assert 'class="tabs"' not in page(Review("x", (one,)))
    empty = page(Review("x", (EnvironmentChange("staging"),)))
    assert "No change: <code>staging</code>." in empty
    assert '<section class="panel"' not in empty


@given(ANY)
@settings(max_examples=40, deadline=None)
def test_any_page_is_well_formed(any_review: Review) -> None:
    text = page(any_review)
    Reader(text)
    text.encode("utf-8")


def test_the_document_for_programs() -> None:
    found = document(review())
    assert json.loads(json.dumps(found)) == found
    assert found["totals"] == terraform(review()) == {"create": 1, "update": 2, "delete": 1}
    same, production, _ = found["environments"]
    assert (same["changed"], production["changed"]) == (False, True)
    assert production["reload"] == ["nginx", "php-fpm"]
    assert production["files"][0]["secret_changed"] is True
    assert production["files"][0]["diff"][0] == "@@ -1,4 +1,4 @@"
    assert [(one["rule"], one["new"]) for one in production["findings"]] == [
        ("pair-a-rule", True),
        ("pair-b-rule", False),
        ("nginx-a-rule", True),
        ("nginx-b-rule", False),
    ]


def test_the_lines_for_a_terminal() -> None:
    said = [text for text, _ in lines(review())]
    assert said[0] == "compared with client_max_body_size 64m;"
    assert "  create /etc/php/new  (+1 -0, 0644)  config_templates/new" in said
    assert "    +    password ***;  (secret changed)" in said
    assert "no change: same" in said
    assert said[-1] == "4 files in 2 of 3 environments, nginx reload, php-fpm reload, no downtime"
    for text, _ in lines(review(HOSTILE)):
        assert text.isprintable() or "\t" in text
