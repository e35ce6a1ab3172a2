from __future__ import annotations

import pytest

from deploykit.config.places import below, fault, live_path
from deploykit.errors import InvalidInput, Location
from deploykit.model import Service

DEBIAN = Service("php-fpm", "/etc/php/8.2/fpm", "", "", "", "www-data")
AMAZON = Service("php-fpm", "/etc", "", "", "", "apache", folders=(("pool.d", "php-fpm.d"),))


def test_the_first_folder_may_have_another_name_on_this_machine():
    assert live_path(DEBIAN, "pool.d/a.conf") == "/etc/php/8.2/fpm/pool.d/a.conf"
    assert live_path(AMAZON, "pool.d/a.conf") == "/etc/php-fpm.d/a.conf"
    assert live_path(AMAZON, "x/pool.d/a.conf") == "/etc/x/pool.d/a.conf"
    assert live_path(AMAZON, "pool.d") == "/etc/pool.d"


@pytest.mark.parametrize("rest", ["", "/etc/passwd", "../a", "a/../b", "a//b", "a/", "./a", "a\nb", "a\0b", "{{ x }}/../y"])
def test_a_path_cannot_leave_its_folder(rest: str):
    assert fault(rest)
    with pytest.raises(InvalidInput) as caught:
        live_path(DEBIAN, rest, Location("deploykit.yml", 3, 4))
    assert str(caught.value.at) == "deploykit.yml:3:4"


def test_an_expression_counts_as_a_name():
    assert not fault("conf.d/{{ name | replace('/', '..') }}.conf")


def test_a_prefix_stands_for_the_root():
    assert (below("", "/etc/x"), below("/tmp/box", "/etc/x"), below("/tmp/box/", "/etc/x")) == (
        "/etc/x",
        *["/tmp/box/etc/x"] * 2,
    )
