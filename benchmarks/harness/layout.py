"""Where everything lies: one private folder that holds the root, the inputs and the work folders."""

from __future__ import annotations

import glob
import os
import pwd
import re
import tempfile
from dataclasses import dataclass

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATES = os.path.join(BENCHMARKS, "templates")
PEERS = os.path.join(BENCHMARKS, "peers")
CHECKOUT = os.environ.get("DEPLOYKIT_BENCH_CHECKOUT") or os.path.dirname(BENCHMARKS)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def cache_folder() -> str:
    """Where ``setup.sh`` put the peers."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("DEPLOYKIT_BENCH_CACHE") or os.path.join(home, "deploykit-bench")


def php_version() -> str:
    """The newest installed php-fpm of Debian's packages, as ``8.2``; ``""`` without one."""
    names = (re.fullmatch(r".*/php-fpm(\d+\.\d+)", path) for path in glob.glob("/usr/sbin/php-fpm*"))
    return max((match.group(1) for match in names if match), default="")


@dataclass(frozen=True)
class Layout:
    """``folder`` is private to one run; ``root`` below it stands for ``/``."""

    folder: str
    php: str

    @property
    def root(self) -> str:
        return os.path.join(self.folder, "root")

    @property
    def work(self) -> str:
        return os.path.join(self.folder, "work")

    @property
    def nginx(self) -> str:
        return os.path.join(self.root, "etc/nginx")

    @property
    def fpm(self) -> str:
        return os.path.join(self.root, "etc/php", self.php, "fpm")

    @property
    def nginx_pid(self) -> str:
        return os.path.join(self.root, "run/nginx.pid")

    @property
    def fpm_pid(self) -> str:
        return os.path.join(self.root, f"run/php/php{self.php}-fpm.pid")

    @property
    def fpm_log(self) -> str:
        return os.path.join(self.root, f"var/log/php{self.php}-fpm.log")

    def input(self, variant: str) -> str:
        """Folder of one variant of the input."""
        return os.path.join(self.folder, "input", variant)

    def environment(self, variant: str) -> dict[str, str]:
        """All that a contender is told."""
        return {
            "PATH": PATH,
            "HOME": self.work,
            "LANG": "C.UTF-8",
            "BENCH_ROOT": self.root,
            "BENCH_NGINX": self.nginx,
            "BENCH_FPM": self.fpm,
            "BENCH_FPM_BINARY": f"/usr/sbin/php-fpm{self.php}",
            "BENCH_NGINX_PID": self.nginx_pid,
            "BENCH_FPM_PID": self.fpm_pid,
            "BENCH_INPUT": self.input(variant),
            "BENCH_TEMPLATES": TEMPLATES,
            "BENCH_WORK": self.work,
        }


def place() -> str:
    """In memory where that can be had: ext4 takes long to find inodes right after a reset has deleted thousands."""
    chosen = os.environ.get("DEPLOYKIT_BENCH_ROOT", "")
    return chosen or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")


def make_layout() -> Layout:
    """A fresh private folder that the workers' account may enter."""
    folder = tempfile.mkdtemp(prefix="dkbench-", dir=place())
    os.chmod(folder, 0o755)
    return Layout(folder, php_version())


def account() -> str:
    """Whom the workers run as: Debian's own for root, else ourselves."""
    return "www-data" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
