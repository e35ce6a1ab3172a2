"""php_children: the formula, its inputs and its steadiness."""

from __future__ import annotations

import pytest

from deploykit.errors import InvalidInput
from deploykit.templating.sizing import Sizing, children, functions

FACTS = {"memory_mb": 3928, "cores": 2}


@pytest.mark.parametrize(
    ("facts", "sizing", "count"),
    [
        (FACTS, Sizing(), 24),
        (FACTS, Sizing(per_core_cap=0), 45),
        (FACTS, Sizing(memory_share=0.8, per_core_cap=0), 73),
        (FACTS, Sizing(per_child_mb=64, per_core_cap=0), 28),
        (FACTS, Sizing(reserve_mb=1024, per_core_cap=0), 36),
        ({**FACTS, "php_worker_mb": 57}, Sizing(per_core_cap=0), 28),
        ({**FACTS, "php_worker_mb": 0}, Sizing(per_core_cap=0), 45),
        ({"memory_mb": 128, "cores": 1}, Sizing(), 1),
        ({"memory_mb": 512, "cores": 1}, Sizing(), 3),
    ],
)
def test_children(facts, sizing, count):
    assert children(facts, sizing)[0] == count


def test_the_formula_says_what_was_used():
    assert children({**FACTS, "php_worker_mb": 57}, Sizing())[1] == (
        "(3928 MB - 256 MB) x 0.5 / 64 MB (measured) = 28, at most 12 x 2 cores = 24: 24"
    )
    assert children(FACTS, Sizing(per_core_cap=0))[1] == "(3928 MB - 256 MB) x 0.5 / 40 MB (assumed) = 45"
    assert "40 MB (as set)" in children(FACTS, Sizing(per_child_mb=40))[1]


def test_small_changes_of_what_was_measured_change_nothing():
    texts = {
        children({"memory_mb": 3928 + more, "cores": 2, "php_worker_mb": 41 + more}, Sizing(per_core_cap=0))
        for more in range(8)
    }
    assert len(texts) == 1


def test_in_a_template(rendered):
    source = "; {{ php_children_formula(memory_share=0.8) }}\npm.max_children = {{ php_children(memory_share=0.8) }}\n"
    assert rendered(source, **functions(FACTS)) == (
        "; (3928 MB - 256 MB) x 0.8 / 40 MB (assumed) = 73, at most 12 x 2 cores = 24: 24\npm.max_children = 24\n"
    )


@pytest.mark.parametrize(
    ("facts", "call"),
    [
        ({}, "php_children()"),
        ({"memory_mb": 1000}, "php_children()"),
        ({"memory_mb": 0, "cores": 1}, "php_children()"),
        (FACTS, "php_children(memory_share=0)"),
        (FACTS, "php_children(memory_share=1.5)"),
        (FACTS, "php_children(reserve_mb=-1)"),
        (FACTS, "php_children(per_child_mb='40')"),
        (FACTS, "php_children(per_child_mb=true)"),
        (FACTS, "php_children(per_child=40)"),
        (FACTS, "php_children(40)"),
        (FACTS, "php_children(reserve_mb=gone)"),
    ],
)
def test_refused(rendered, facts, call):
    with pytest.raises(InvalidInput):
        rendered("{{ " + call + " }}", **functions(facts))
