from __future__ import annotations

import re
import time

import pytest
from support.configurations import found, lines, loud, subject

from deploykit.rules.all import load
from deploykit.rules.pool_examples import POOL, a_pool, a_site
from deploykit.rules.rule import Example

WANTED = """
fpm-syntax fpm-unknown-directive fpm-bad-value fpm-missing-directive fpm-pm-numbers fpm-number-range fpm-time-value
fpm-ini-value fpm-unknown-ini fpm-value-altered fpm-env-unset fpm-duplicate-key fpm-duplicate-listen fpm-pool-merged
fpm-account-missing fpm-user-root fpm-path-missing fpm-listen-dir fpm-listen-address fpm-listen-mode fpm-listen-all
fpm-allowed-clients fpm-include-missing fpm-include-depth fpm-process-max fpm-rlimit fpm-status-ping
pair-socket pair-socket-permission pair-allowed-clients pair-chroot pair-open-basedir pair-limit-extensions
pair-body-size pair-timeouts pair-memory pair-backlog pair-status-not-routed
"""
IDS = tuple(name for name in load() if name.startswith(("fpm-", "pair-")))


def test_every_rule_is_there() -> None:
    assert sorted(IDS) == sorted(WANTED.split())


@pytest.mark.parametrize("name", IDS)
def test_the_bad_example_is_reported_and_the_good_one_is_not(name: str) -> None:
    rule = load()[name]
    bad = found(name, rule.bad)
    assert [(f.rule, f.severity) for f in bad] == [(name, rule.severity)]
    assert bad[0].at is not None
    assert bad[0].message.isprintable()
    assert found(name, rule.good) == []


@pytest.mark.parametrize("name", IDS)
def test_a_good_example_is_good_in_the_eyes_of_the_other_rules(name: str) -> None:
    good = load()[name].good
    assert loud(good.fpm, good.nginx, **good.around) == []


@pytest.mark.parametrize("name", IDS)
def test_an_explanation_tells_what_it_is_about_and_what_to_do(name: str) -> None:
    first, blank, rest = load()[name].explanation.partition("\n\n")
    assert first.endswith(".")
    assert blank
    assert len(rest.split()) > 15


@pytest.mark.parametrize("name", IDS)
def test_nothing_is_said_where_there_is_no_configuration(name: str) -> None:
    assert found(name, Example()) == []
    assert found(name, Example(nginx=a_site())) == []


def test_problems_of_the_parser_keep_their_place_hint_and_severity() -> None:
    told = found("fpm-unknown-directive", Example(fpm=a_pool("pm.max_childrens = 3")))[0]
    assert (str(told.at), told.hint) == ("/etc/php/8.2/fpm/php-fpm.conf:9:1", "did you mean 'pm.max_children'?")
    assert lines("fpm-include-missing", a_pool("include = /etc/php/8.2/fpm/pool.d/nosuch")) == ["warning 9"]
    assert lines("fpm-include-missing", a_pool("include = /etc/nosuch/*.conf")) == ["error 9"]


def test_a_slow_log_that_waits_longer_than_a_request_may_live() -> None:
    pool = a_pool("slowlog = /var/log/slow.log", "request_slowlog_timeout = 20s", "request_terminate_timeout = {}")
    assert lines("fpm-bad-value", pool.format("10s")) == ["error 10"]
    assert lines("fpm-bad-value", pool.format("1m")) == []
    assert lines("fpm-bad-value", pool.format("0")) == []


def pools(count: int) -> str:
    text = a_pool('env[KEY] = "a;b"', "env[PATH] = $PATH", "php_admin_value[memory_limit] = 64M", "php_flag[log_errors] = on")
    return "".join(re.sub("www(?!-)", f"www{number}", text) for number in range(count))


def servers(count: int) -> str:
    server = re.search(r"    server \{.*\n    \}\n", a_site(), re.DOTALL)
    assert server
    inner = "".join(server.group().replace("www.sock", f"www{number}.sock") for number in range(count))
    return f"user www-data;\nevents {{}}\nhttp {{\n{inner}}}\n"


def test_three_hundred_pools_and_sites_are_judged_fast_and_found_in_order() -> None:
    judged = subject(Example(servers(300), pools(300), {"exists": lambda path: False, "environment": {"PATH": "/bin"}}))
    assert judged.fpm
    assert len(judged.fpm.pools) == 300
    began = time.process_time()
    told = {name: len(list(load()[name].find(judged))) for name in IDS}
    assert time.process_time() - began < 2.0
    assert {name: number for name, number in told.items() if number} == {"fpm-listen-dir": 300}


def test_a_pool_of_nothing_but_noise_breaks_no_rule() -> None:
    noise = (
        "[\x00]\n[a$pool]\nlisten = $pool\npm = dynamic\npm.max_children = -\nenv[] = \nlisten.mode = \n=\n[b]\nlisten = :\n"
    )
    for name in IDS:
        found(name, Example("http { server { location { fastcgi_pass; } } upstream { server; } fastcgi_pass x; }", noise))
        found(name, Example(a_site(socket="unix:"), noise + POOL))
