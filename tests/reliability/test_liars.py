"""Programs and disks that do not do as they say: whatever they claim, the old configuration goes on serving."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from support.services import needs_services
from support.site import Site

pytestmark = [pytest.mark.services, needs_services()]

LIARS = {
    "says yes to everything, and starts nothing": "#!/bin/sh\necho 'nginx: configuration test is successful' >&2\nexit 0\n",
    "says yes when it is tested": '#!/bin/sh\ncase " $* " in *" -t "*) exit 0 ;; esac\nexec /usr/sbin/nginx "$@"\n',
    "never ends": "#!/bin/sh\nexec sleep 600\n",
}


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.deploy("one")
        yield made


@pytest.mark.parametrize("liar", LIARS)
def test_an_nginx_that_lies_or_hangs_when_it_is_tested(site: Site, liar: str) -> None:
    before = site.files()
    program = Path(site.folder, "nginx")
    program.write_text(LIARS[liar], encoding="utf-8")
    program.chmod(0o755)
    bundle = Path(site.bundle("broken"))
    text = (bundle / "deploykit.yml").read_text(encoding="utf-8")
    (bundle / "deploykit.yml").write_text(text.replace("services:\n", f"services:\n  nginx: {{binary: {program}}}\n"), "utf-8")
    result = site.run("run AfterInstall --deadline 8", "broken")
    assert result.status in (3, 124), result.output  # refused, or given up at our own deadline
    assert site.files() == before
    assert site.serves("one")
    assert not _running(str(program))


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("where", ["etc/nginx", "var/lib/deploykit"])
def test_a_disk_that_is_too_small(site: Site, where: str) -> None:
    """A file system of 64 KiB in the place of a folder; the new files need more."""
    folder = f"{site.root}/{where}"
    big = Path(site.bundle("two"), "config_templates/nginx/conf.d/big.conf")
    big.write_text("# a line of a comment that says nothing at all\n" * 20_000, encoding="utf-8")
    _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder, keeping=folder)
    try:
        before = site.files()
        result = site.run("run AfterInstall", "two")
        assert result.status == 1, result.output
        assert "free" in result.output
        assert site.files() == before
        assert site.serves("one")
        assert site.leftovers() == []
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize("where", ["etc/nginx", "etc/php", "var/lib/deploykit"])
def test_a_folder_that_is_mounted_read_only(site: Site, where: str) -> None:
    folder = f"{site.root}/{where}"
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        before = site.files()
        result = site.run("run AfterInstall", "two")
        assert result.status == 1, result.output
        assert "read-only" in result.output
        assert site.files() == before
        assert site.serves("one")
    finally:
        subprocess.run(["umount", folder], check=True)
    assert site.run("run AfterInstall", "two").status == 0
    assert site.serves("two")
    assert site.leftovers() == []


def _mount(*words: str, keeping: str) -> None:
    """Mount something over a folder, with the files of the folder copied into it."""
    packed = subprocess.run(["tar", "-C", keeping, "-cf", "-", "."], check=True, capture_output=True).stdout
    subprocess.run(["mount", *words], check=True)
    subprocess.run(["tar", "-C", keeping, "-xf", "-"], input=packed, check=True)


def _running(program: str) -> bool:
    found = subprocess.run(["pgrep", "-f", program], capture_output=True, check=False)
    return found.returncode == 0
