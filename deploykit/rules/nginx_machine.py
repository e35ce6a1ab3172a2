"""What the machine must have: addresses, accounts, folders, files, modules, a release."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

from deploykit.parsers.nginx_tree import Directive
from deploykit.rules.nginx_examples import a_http, a_main, a_server
from deploykit.rules.nginx_layout import Layout, layout
from deploykit.rules.nginx_listens import listen_of
from deploykit.rules.nginx_releases import MODULES, foreign, is_directive, lacks, plain_name, removed, since
from deploykit.rules.rule import Example, Found, Subject, finding, rule

_BUILT = frozenset(("http_ssl_module", "http_v2_module", "http_realip_module", "http_stub_status_module"))
_MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules", "/etc/nginx/modules")
_DEFAULT_CONNECTIONS = 512


@rule(
    "nginx-needs-version",
    "error",
    bad=Example(nginx=a_server("http2 on;", "return 204;"), around={"nginx_version": (1, 22, 1)}),
    good=Example(nginx=a_server("http2 on;", "return 204;"), around={"nginx_version": (1, 26, 0)}),
)
def needs_version(subject: Subject) -> Found:
    """A directive that the machine's nginx is too old for, or that it has no more.

    ``http2 on`` came with 1.25.1 and ``ssl on`` went with it; before that it was ``listen ... http2``. nginx does not start.
    Only judged where the release is known.
    """
    version = subject.around.nginx_version
    for directive, _ in layout(subject).ours if version else ():
        first, gone = since(directive.name, directive.args), removed(directive.name)
        if version and first and version < first:
            message = f"'{directive.name}' needs nginx {_dotted(first)}, and this is {_dotted(version)}"
            yield finding("nginx-needs-version", message, directive.at, _older(directive))
        elif version and gone and version >= gone:
            message = f"'{directive.name}' is gone since nginx {_dotted(gone)}, and this is {_dotted(version)}"
            yield finding(
                "nginx-needs-version", message, directive.at, "write: listen ... ssl;" if directive.name == "ssl" else ""
            )


def _older(directive: Directive) -> str:
    return "write: listen ... ssl http2;" if directive.name == "http2" else ""


def _dotted(version: Tuple[int, ...]) -> str:
    return ".".join(map(str, version))


@rule(
    "nginx-needs-module",
    "error",
    bad=Example(nginx=a_main("load_module modules/ngx_http_nosuch_module.so;"), around={"nginx_modules": _BUILT}),
    good=Example(nginx=a_main(), around={"nginx_modules": _BUILT}),
)
def needs_module(subject: Subject) -> Found:
    """A module that is loaded and not there, or a directive of a module that this nginx lacks.

    nginx does not start. Install the package with the module (``nginx -V`` lists what is built in), or leave the line out. Only
    judged where the modules are known.
    """
    view, modules = layout(subject), subject.around.nginx_modules
    loaded = {plain_name(d.args[0]) for d, _ in view.every("load_module") if d.args}
    for directive, _ in view.every("load_module"):
        path = directive.args[0] if directive.args else ""
        if path and _is_absent(path, subject):
            yield finding("nginx-needs-module", f"there is no module {path}", directive.at, "install its package")
    elsewhere = any("modules" in include.pattern and not include.files for include in view.config.includes)
    for directive, module in _wanting(view) if modules and not elsewhere else ():
        if modules and module not in loaded and lacks(modules | frozenset(loaded), module):
            message = f"'{directive.name}' belongs to the module {module}, which this nginx lacks"
            yield finding("nginx-needs-module", message, directive.at, "install its package, or leave the line out")


def _is_absent(path: str, subject: Subject) -> bool:
    """Is a module's file surely not there? A relative path is looked up where distributions put modules, and by its name."""
    around = subject.around
    if path.startswith("/") and around.exists:
        return around.exists(path) is False
    known = {plain_name(name) for name in around.nginx_modules or ()}
    file = path.rpartition("/")[2]
    there = around.exists is not None and any(around.exists(f"{folder}/{file}") for folder in _MODULE_FOLDERS)
    return around.nginx_modules is not None and plain_name(path) not in known and not there


def _wanting(view: Layout) -> Iterator[Tuple[Directive, str]]:
    """The first directive of each module that is not part of every nginx."""
    seen: Dict[str, Directive] = {}
    for directive, _ in view.ours:
        module = MODULES.get(directive.name) or (foreign(directive.name) if not is_ours(directive.name) else "")
        if module and module not in seen:
            seen[module] = directive
            yield directive, module


def is_ours(name: str) -> bool:
    """Is the directive nginx's own?"""
    return is_directive(name) and not foreign(name)


@rule(
    "nginx-listen-address",
    "error",
    bad=Example(nginx=a_http("server { listen 10.9.9.9:80; return 204; }"), around={"addresses": frozenset(("10.0.0.5",))}),
    good=Example(nginx=a_http("server { listen 10.0.0.5:80; return 204; }"), around={"addresses": frozenset(("10.0.0.5",))}),
)
def listen_address(subject: Subject) -> Found:
    """nginx is to listen at an address that this machine does not have.

    It cannot bind it and does not start. Listen at all addresses (``listen 80;``), or fill the address in from the machine's
    facts. Only judged where the addresses are known.
    """
    addresses = subject.around.addresses
    for directive, parents in layout(subject).every("listen") if addresses is not None else ():
        host = _numeric(listen_of(directive).host) if directive.args and parents[-1].name == "server" else None
        if host and addresses is not None and host not in {_numeric(address) for address in addresses}:
            message = f"this machine does not have the address {host}"
            yield finding("nginx-listen-address", message, directive.at, "listen at all addresses, or use the machine's own")


def _numeric(text: str) -> Optional[str]:
    """An IP address in its usual spelling; None for names, sockets, the loopback and the addresses that stand for all."""
    from ipaddress import ip_address

    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return None if address.is_loopback or address.is_unspecified else str(address)


@rule(
    "nginx-user-missing",
    "error",
    bad=Example(nginx=a_main("user nginxx;"), around={"accounts": frozenset(("www-data",))}),
    good=Example(nginx=a_main("user www-data;"), around={"accounts": frozenset(("www-data",))}),
)
def user_missing(subject: Subject) -> Found:
    """The account or group after ``user`` does not exist.

    nginx does not start. Debian calls it www-data, Amazon Linux and nginx.org's packages nginx. Only judged where the accounts
    are known.
    """
    accounts, groups = subject.around.accounts, subject.around.groups
    for directive, _ in layout(subject).every("user"):
        name, group = (*directive.args, "", "")[:2]
        if accounts is not None and name and name not in accounts:
            yield finding("nginx-user-missing", f"there is no account '{name}'", directive.at, "correct the name, or make it")
        elif groups is not None and group and group not in groups:
            yield finding("nginx-user-missing", f"there is no group '{group}'", directive.at, "correct the name, or make it")


@rule(
    "nginx-log-dir",
    "error",
    bad=Example(nginx=a_http("access_log /var/log/nosuch/a.log;"), around={"exists": lambda path: path == "/var/log"}),
    good=Example(nginx=a_http("access_log /var/log/a.log;"), around={"exists": lambda path: path == "/var/log"}),
)
def log_dir(subject: Subject) -> Found:
    """The folder of a log file does not exist.

    nginx makes the file, not the folder, and does not start. Make the folder in a step before, or log somewhere else. Only
    judged where the folders are known.
    """
    exists = subject.around.exists
    for directive, _ in layout(subject).every("access_log", "error_log") if exists else ():
        path = directive.args[0] if directive.args else ""
        folder = path.rpartition("/")[0]
        if exists and path.startswith("/") and "$" not in path and folder and exists(folder) is False:
            message = f"the folder {folder} does not exist: nginx cannot open this log"
            yield finding("nginx-log-dir", message, directive.at, f"make {folder}, or log somewhere else")


@rule(
    "nginx-worker-connections",
    "warning",
    bad=Example(nginx="worker_rlimit_nofile 256;\nevents { worker_connections 4096; }\n"),
    good=Example(nginx="worker_rlimit_nofile 8192;\nevents { worker_connections 4096; }\n"),
)
def worker_connections(subject: Subject) -> Found:
    """More connections than files that a worker may open.

    Each connection is an open file, and one that is passed on is two. Under load nginx logs "Too many open files" and drops
    requests. Set worker_rlimit_nofile to at least twice worker_connections. Without it the service's own limit counts, where
    that is known.
    """
    view = layout(subject)
    limits = [d for d, parents in view.every("worker_rlimit_nofile") if d.args and d.args[0].isdigit()]
    for directive, _ in view.every("worker_connections"):
        wanted = int(directive.args[0]) if directive.args and directive.args[0].isdigit() else _DEFAULT_CONNECTIONS
        limit = int(limits[-1].args[0]) if limits else subject.around.open_files
        if limit is not None and wanted > limit:
            at = limits[-1].at if limits else directive.at
            message = f"{wanted} connections, and a worker may open {limit} files"
            yield finding("nginx-worker-connections", message, at, f"set worker_rlimit_nofile to {2 * wanted}")
