"""php-fpm itself says whether our errors are errors: its own test for pools, and a connection for a socket's rights."""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List, Sequence

import pytest

from deploykit.parsers import nginx, php_fpm
from deploykit.parsers.tree import Tree
from deploykit.rules.all import load
from deploykit.rules.pool_examples import a_site
from deploykit.rules.rule import Subject, Surroundings

BINARY = next((str(path) for path in sorted(Path("/usr/sbin").glob("php-fpm*"))), shutil.which("php-fpm") or "")
# What its own test does not see.
UNSEEN = ("fpm-user-root", "fpm-time-value", "fpm-listen-mode", "fpm-listen-address", "fpm-listen-dir", "fpm-allowed-clients")
CHOICES = {
    "user": ["nosuch", "root"],
    "listen": ["9000", "", "app.sock", "127.0.0.1:99999"],
    "pm": ["static", "ondemand", "DYNAMIC", "other", ""],
    "pm.max_children": ["0", "1", "3", "-1", "x"],
    "pm.start_servers": ["0", "1", "2", "9"],
    "pm.min_spare_servers": ["0", "1", "4"],
    "pm.max_spare_servers": ["0", "2", "3", "7"],
    "pm.max_spawn_rate": ["0", "32"],
    "pm.process_idle_timeout": ["0", "10s", "-3"],
    "request_slowlog_timeout": ["0", "5s", "30"],
    "slowlog": ["", "/nosuch/slow.log", "@/slow.log"],
    "request_terminate_timeout": ["0", "10s", "500ms", "60"],
    "access.log": ["@/access.log", "/nosuch/access.log"],
    "chdir": ["/", "/nosuch"],
    "listen.mode": ["0660", "rw"],
    "listen.owner": ["nosuch", "0"],
}
GOOD = {
    "user": "nobody",
    "listen": "@/$pool.sock",
    "pm": "dynamic",
    "pm.max_children": "8",
    "pm.min_spare_servers": "1",
    "pm.max_spare_servers": "3",
}
pytestmark = [
    pytest.mark.services,
    pytest.mark.root,
    pytest.mark.skipif(not BINARY or os.geteuid() != 0, reason="needs php-fpm and root"),
]


def written(chooser: random.Random, folder: Path) -> Iterator[str]:
    yield f"[global]\nerror_log = {folder}/error.log\n[www]\n"
    for key, values in CHOICES.items():
        value = chooser.choice(values) if chooser.random() < 0.18 else GOOD.get(key)
        if value is not None:
            yield f"{key} = {value}\n".replace("@", str(folder))


def errors(text: str, names: Sequence[str]) -> List[str]:
    tree = Tree({"/m": text.encode()})
    config = php_fpm.parse("/m", tree.read, tree.glob, {})
    accounts = frozenset(account.pw_name for account in pwd.getpwall())
    judged = Subject(None, config, Surroundings(accounts=accounts, exists=os.path.exists))
    found = [finding for name in names for finding in load()[name].find(judged)]
    return [f"{f.rule} {f.message}" for f in found if f.severity == "error"]


@pytest.mark.parametrize("seed", range(40))
def test_php_fpm_refuses_what_we_call_an_error(seed: int, tmp_path: Path) -> None:
    text = "".join(written(random.Random(seed), tmp_path))
    main = tmp_path / "main.conf"
    main.write_text(text)
    answer = subprocess.run([BINARY, "-t", "-y", main], capture_output=True, text=True, check=False)
    seen = [name for name in load() if name.startswith("fpm-") and name not in UNSEEN]
    told = errors(text, seen)
    assert bool(answer.returncode) == bool(told), f"{text}\n{answer.stderr}\n{told}"


RIGHTS = [
    "",
    "listen.owner = daemon",
    "listen.owner = 0\nlisten.group = daemon",
    "listen.group = daemon\nlisten.mode = 0640",
    "listen.owner = daemon\nlisten.mode = 0060",
    "listen.mode = 0666",
    "listen.owner = www-data\nlisten.mode = 0606",
    "listen.owner = daemon\nlisten.acl_users = www-data",
    "listen.acl_groups = daemon",
]
CONNECT = """
import os, socket, sys
os.initgroups(sys.argv[1], int(sys.argv[2])); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3]))
socket.socket(socket.AF_UNIX).connect(sys.argv[4])
"""


def connects(account: str, socket: str) -> bool:
    """Does a connection succeed with the rights that nginx gives its workers: the group of the same name, and all others?"""
    user, group = pwd.getpwnam(account), grp.getgrnam(account)
    argv = [sys.executable, "-W", "ignore", "-c", CONNECT, account, str(group.gr_gid), str(user.pw_uid), socket]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def groups(account: str) -> frozenset[str]:
    gids = os.getgrouplist(account, pwd.getpwnam(account).pw_gid)
    return frozenset(grp.getgrgid(gid).gr_name for gid in gids)


@pytest.mark.parametrize("rights", RIGHTS)
def test_a_connection_tells_who_may_open_the_socket(rights: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        pid, socket = Path(f"{folder}/pid"), f"{folder}/s.sock"
        pool = f"[www]\nuser = www-data\nlisten = {socket}\npm = ondemand\npm.max_children = 1\n{rights}\n"
        main = Path(f"{folder}/main.conf")
        main.write_text(f"pid = {pid}\nerror_log = {folder}/log\n{pool}")
        subprocess.run([BINARY, "-y", main], check=True, capture_output=True)
        try:
            for account in ("www-data", "daemon", "root"):
                assert connects(account, socket) is not refused(main.read_text(), socket, account), account
        finally:
            master = int(pid.read_text())
            os.kill(master, signal.SIGTERM)
            while Path(f"/proc/{master}").exists() and pid.exists():
                time.sleep(0.01)


def refused(fpm: str, socket: str, account: str) -> bool:
    tree = Tree({"/m": fpm.encode(), "/n": a_site(user=account, socket=f"unix:{socket}").encode()})
    known = {name: groups(name) for name in ("www-data", "daemon", "root")}
    judged = Subject(
        nginx.parse("/n", tree.read, tree.glob),
        php_fpm.parse("/m", tree.read, tree.glob, {}),
        Surroundings(groups_of=known),
    )
    return bool(list(load()["pair-socket-permission"].find(judged)))
