"""Which services run, and which run something older than their files."""

from __future__ import annotations

import os
import time
from typing import Iterator

import pytest
from support.services import Stack, needs_services

from deploykit.services import running, supervisor

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as started:
        yield started


def owed(stack: Stack) -> tuple[str, ...]:
    return running.owed(stack.services.values(), stack.machine)


def names(stack: Stack) -> tuple[str, ...]:
    return running.names(stack.services.values(), stack.machine)


def test_from_just_started_to_dead(stack: Stack) -> None:
    assert names(stack) == ("nginx", "php-fpm")
    assert owed(stack) == ()
    time.sleep(0.2)
    os.utime(stack.path("etc/nginx/nginx.conf"))
    assert owed(stack) == ("nginx",)
    stack.write_pool(more="; a remark\n")
    assert owed(stack) == ("nginx", "php-fpm")
    for service in stack.services.values():
        before = supervisor.now(service, stack.machine)
        supervisor.reload(service, stack.machine)
        supervisor.prove(service, stack.machine, before)
    assert owed(stack) == ()
    stack.remove("etc/nginx/conf.d/site.conf")
    assert owed(stack) == ("nginx",)
    stack.kill(stack.nginx)
    assert names(stack) == ("php-fpm",)
    assert owed(stack) == ()  # what does not run owes nothing
