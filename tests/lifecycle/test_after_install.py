"""AfterInstall on real services: first, changed, unchanged, refused, undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from support.services import free_port, needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def test_first_deployment_then_the_second_run_changes_nothing(site: Site) -> None:
    site.deploy("one")
    assert site.serves("one")
    before, stamps = site.files(), written(site)
    again = site.run("run AfterInstall", "one")
    assert (again.status, again.output) == (0, "AfterInstall: nothing changed since it was proved, nothing to reload\n")
    assert (site.files(), written(site)) == (before, stamps)


def test_an_unchanged_configuration_from_a_new_archive_reloads_nothing(site: Site) -> None:
    site.deploy("one")
    masters, stamps = site.generation(), written(site)
    copy = site.bundle("one") + "-again"
    subprocess.run(["cp", "-r", site.bundle("one"), copy], check=True)
    result = site.run("run AfterInstall", "one", "--var", "unused=1")  # asks for the whole way round
    assert result.status == 0
    assert "5 files as they should be, nothing to reload" in result.output
    assert (site.generation(), written(site)) == (masters, stamps)


def test_changed_files_go_live_and_old_ones_go(site: Site) -> None:
    site.deploy("one")
    result = site.run("run AfterInstall", "two")
    assert result.status == 0, result.output
    assert site.serves("two")
    names = {os.path.basename(path) for path in site.files()}
    assert "only-two.conf" in names
    assert "only-one.conf" not in names


def test_dry_run_shows_the_diff_and_touches_nothing(site: Site) -> None:
    site.deploy("one")
    before = everything(site.root)
    result = site.run("run AfterInstall --dry-run --detailed-exitcode", "two")
    assert result.status == 2
    assert '+    location / { return 200 "two"; }' in result.output
    assert '-    location / { return 200 "one"; }' in result.output
    assert "judge: started and asked in a private namespace" in result.output or os.geteuid()
    assert everything(site.root) == before
    assert site.serves("one")


def test_a_broken_template_is_refused_at_its_line(site: Site) -> None:
    site.deploy("one")
    before = site.files()
    result = site.run("run AfterInstall", "broken")
    assert result.status == 3
    assert 'config_templates/nginx/conf.d/broken.conf:1: unknown directive "no_such_directive"' in result.output
    assert site.files() == before
    assert site.serves("one")


def test_what_passes_both_tests_and_breaks_php_is_refused_by_the_rehearsal(site: Site) -> None:
    site.deploy("one")
    result = site.run("run AfterInstall", "wrong socket")
    assert result.status == 3
    assert "config_templates/nginx/conf.d/site.conf.j2:6" in result.output
    assert "elsewhere.sock" in result.output
    assert site.serves("one")


def test_digest_is_last_and_fits_the_console(site: Site) -> None:
    site.deploy("one")
    tail = site.run("run AfterInstall", "broken").output.encode()[-1500:].decode()
    assert "--- AfterInstall failed, exit status 3" in tail
    assert "broken.conf:1" in tail
    assert "state: nothing live was changed" in tail
    log = Path(tail.rpartition("log: ")[2].strip())
    assert (log.stat().st_mode & 0o777, "no_such_directive" in log.read_text("utf-8")) == (0o600, True)


def test_a_reload_that_lies_is_noticed_and_undone(site: Site) -> None:
    """Somebody takes nginx's new port between the judgement and the reload: nginx says nothing and keeps the old files."""
    site.deploy("one")
    before = site.files()
    port = free_port()
    result = site.run("run AfterInstall", "two", "--var", f"port={port}", fault=f"port:{port}")
    assert result.status == 1, result.output
    assert "nginx did not take the new configuration" in result.output
    assert "Address already in use" in result.output
    assert "state: undone" in result.output
    assert site.files() == before
    assert site.serves("one")
    assert site.leftovers() == []


def test_a_reload_that_is_owed_is_made_good(site: Site) -> None:
    site.deploy("one")
    conf = next(path for path in site.files() if path.endswith("site.conf") and "nginx" in path)
    os.utime(conf)  # somebody saved the file: what runs may be older than what it says
    masters = site.generation()
    result = site.run("run AfterInstall", "one")
    assert result.status == 0
    assert "nginx reloaded and proved" in result.output
    assert site.generation() != masters
    assert "nothing changed" in site.run("run AfterInstall", "one").output


def test_no_secret_in_any_output_or_log(site: Site) -> None:
    site.deploy("one")
    outputs = [site.run("run AfterInstall --dry-run", "two", "--var", "db_password=second-canary").output]
    outputs.append(site.run("run AfterInstall", "two", "--var", "db_password=second-canary").output)
    outputs += [path.read_text("utf-8") for path in Path(site.root, "var/log/deploykit").glob("*")]
    outputs.append(site.run("run AfterInstall --dry-run --json", "one").output)
    joined = "\n".join(outputs)
    assert '+env[DB_PASSWORD] = "***"' in joined
    assert "canary" not in joined
    assert "first-secret" not in joined


def test_json_is_one_document_on_stdout(site: Site) -> None:
    site.deploy("one")
    document = json.loads(site.run("run AfterInstall --dry-run --json", "two").output)
    assert document["reload"] == ["nginx", "php-fpm"]
    assert {change["action"] for change in document["changes"]} == {"create", "replace", "remove"}


def test_sigterm_undoes_within_four_seconds(site: Site) -> None:
    site.deploy("one")
    before = site.files()
    result = site.run("run AfterInstall", "two", fault="term:25")
    assert result.status == 130
    assert "state: undone" in result.output
    assert site.files() == before
    assert site.serves("one")


def test_a_second_run_at_the_same_time_is_told_who_is_at_work(site: Site) -> None:
    site.deploy("one")
    slow = subprocess.Popen(
        site.argv("run AfterInstall", "two", fault="hang:3"), env=site.environment(), stdout=subprocess.DEVNULL
    )
    try:
        site.wait_for_line("var/lib/deploykit/lock", f"pid {slow.pid}")
        result = site.run("run AfterInstall --wait 0", "one", "--var", "other=1")
        assert result.status == 75
        assert f"pid {slow.pid}, AfterInstall" in result.output
    finally:
        slow.send_signal(signal.SIGKILL)
        slow.wait()
    assert site.run("run AfterInstall", "one", "--var", "other=1").status == 0
    assert site.serves("one")


def written(site: Site) -> dict[str, int]:
    """Change times of everything below etc/ and of what deploykit keeps."""
    roots = [Path(site.root, "etc"), Path(site.root, "var/lib/deploykit")]
    return {
        str(p): p.lstat().st_ctime_ns for root in roots for p in root.rglob("*") if p.name not in ("lock", "stamp", "deploykit")
    }


def everything(root: str) -> dict[str, tuple[int, int]]:
    return {str(p): (p.lstat().st_mode, p.lstat().st_mtime_ns) for p in Path(root).rglob("*")}
