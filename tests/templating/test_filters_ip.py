"""ipaddr and ipwrap."""

from __future__ import annotations

import pytest

from deploykit.errors import InvalidInput
from deploykit.templating.filters_ip import ipaddr, ipwrap


@pytest.mark.parametrize(
    ("value", "query", "answer"),
    [
        ("192.0.2.5", "", "192.0.2.5"),
        ("192.0.2.5/24", "", "192.0.2.5/24"),
        ("2001:db8::1", "", "2001:db8::1"),
        ("192.0.2.256", "", False),
        ("host", "", False),
        ("", "", False),
        (5, "", False),
        (None, "", False),
        ("192.0.2.5/24", "address", "192.0.2.5"),
        ("192.0.2.5", "address", "192.0.2.5"),
        ("192.0.2.0/24", "address", False),
        ("192.0.2.5/24", "network", "192.0.2.0"),
        ("192.0.2.5/24", "netmask", "255.255.255.0"),
        ("192.0.2.5/24", "prefix", 24),
        ("2001:db8::1/64", "prefix", 64),
        ("192.0.2.5/24", "broadcast", "192.0.2.255"),
        ("192.0.2.5/31", "broadcast", False),
        ("2001:db8::1/64", "broadcast", False),
        ("192.0.2.0/24", "net", "192.0.2.0/24"),
        ("192.0.2.5/24", "net", False),
        ("192.0.2.5/24", "host", "192.0.2.5/24"),
        ("192.0.2.0/24", "host", False),
        (["192.0.2.1", "x", "::1"], "", ["192.0.2.1", "::1"]),
        (["192.0.2.1/24", "192.0.2.0/24"], "net", ["192.0.2.0/24"]),
    ],
)
def test_ipaddr(value, query, answer):
    assert ipaddr(value, query) == answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("::1", "[::1]"),
        ("2001:db8::1/64", "[2001:db8::1]/64"),
        ("192.0.2.1", "192.0.2.1"),
        ("host", "host"),
        (["::1", "host"], ["[::1]", "host"]),
    ],
)
def test_ipwrap(value, answer):
    assert ipwrap(value) == answer


@pytest.mark.parametrize(
    "source", ["{{ '192.0.2.300' | ipaddr }}", "{{ '192.0.2.1' | ipaddr('first') }}", "{{ gone | ipaddr }}"]
)
def test_a_wrong_address_gets_into_no_file(rendered, source):
    with pytest.raises(InvalidInput):
        rendered(source)
