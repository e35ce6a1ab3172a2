"""Does nginx reach the pool: is there a socket, and may nginx use it?"""

from __future__ import annotations

from typing import FrozenSet, Iterator, NamedTuple, Optional, Set, Tuple

from deploykit.errors import Location
from deploykit.parsers.nginx_tree import NginxConfig
from deploykit.parsers.php_fpm_tree import Pool
from deploykit.rules.fastcgi import Link, speaks_php, wiring
from deploykit.rules.fpm_listen import wrong_client, wrong_mode
from deploykit.rules.pool_addresses import Address, listening
from deploykit.rules.pool_examples import a_pool, a_site
from deploykit.rules.pools import pools_of, unread
from deploykit.rules.rule import Example, Found, Subject, Surroundings, finding, rule


@rule(
    "pair-socket",
    "error",
    bad=Example(nginx=a_site(socket="unix:/run/php/php8.2-fpm.sock"), fpm=a_pool()),
    good=Example(nginx=a_site(), fpm=a_pool()),
)
def socket(subject: Subject) -> Found:
    """nginx hands PHP to an address where no pool listens.

    Both services pass their own tests, and every PHP request is answered with 502. Unix paths are compared with /var/run as
    /run; localhost is 127.0.0.1 and ::1; a pool at a bare port listens on all addresses. Addresses of other machines, other
    FastCGI programs and sockets that are there already are left alone. Write the pool's listen into fastcgi_pass.
    """
    if subject.fpm is None or unread(subject.fpm) or not all(map(_says_where, pools_of(subject))):
        return
    said: Set[Location] = set()
    for link in wiring(subject).links:
        if not link.pools and link.at not in said and _should_be_here(link, subject.around):
            said.add(link.at)
            message = f"no pool of php-fpm listens at {link.text}"
            places = sorted({pool.listen for pool in pools_of(subject)})
            hint = f"the pools listen at {', '.join(places[:3])}{' ...' if places[3:] else ''}" if places else "define a pool"
            yield finding("pair-socket", message, link.at, hint)


def _says_where(pool: Pool) -> bool:
    entry = pool.entry("listen")
    return bool(entry and not entry.unset and listening(pool))


def _should_be_here(link: Link, around: Surroundings) -> bool:
    if not link.address.here and not link.address.hosts & (around.addresses or frozenset()):
        return False
    there = around.exists(link.address.socket) if around.exists and link.address.socket else None
    return there is not True and (speaks_php(link) or there is False)


class _Worker(NamedTuple):
    """nginx's workers. user: ``""`` where nginx's files do not say. groups: those known; certain: are they all?"""

    user: str
    groups: FrozenSet[str]
    certain: bool


@rule(
    "pair-socket-permission",
    "error",
    bad=Example(nginx=a_site(user="nginx"), fpm=a_pool("listen.owner = root", "listen.group = root")),
    good=Example(nginx=a_site(), fpm=a_pool()),
)
def socket_permission(subject: Subject) -> Found:
    """nginx's user may not open the pool's socket.

    To connect takes write permission. Without listen.owner and listen.group the socket is root's, with mode 0660, and only root
    can connect; listen.acl_users and listen.acl_groups stand in the place of owner and group. Every PHP request is answered
    with 502. Set listen.owner and listen.group to nginx's user. Where it takes knowing who is in which group, nothing is
    said unless that is known.
    """
    if subject.nginx is None or not subject.around.as_root:
        return
    worker = _worker(subject.nginx, subject.around)
    reached = wiring(subject).reached
    for pool in pools_of(subject):
        # Without a user the pool is not meant for a php-fpm that runs as root, and the socket belongs to whoever starts it.
        judged = pool.socket and pool.text("user") and not wrong_mode(pool)
        if judged and pool.name in reached and _may_connect(pool, worker, subject.around) is False:
            who = f"nginx's user {worker.user}" if worker.user else "nginx"
            message = f"{who} may not open the socket of pool {pool.name} ({_rights(pool)})"
            hint = f"set listen.owner and listen.group to {worker.user or 'its user'}"
            yield finding("pair-socket-permission", message, _blamed(pool, worker), hint)


def _worker(config: NginxConfig, around: Surroundings) -> _Worker:
    directives = config.root.find("user")
    args = directives[-1].args if directives else ()
    user = args[0] if args else ""
    known = around.groups_of.get(user) if around.groups_of is not None else None
    return _Worker(user, frozenset((args[1] if len(args) > 1 else user,)) | (known or frozenset()), known is not None)


def _may_connect(pool: Pool, worker: _Worker, around: Surroundings) -> Optional[bool]:
    """By the rules of Linux: the owner's bits for the owner, the group's for its members, else the others'. None: unknown."""
    if worker.user == "root":
        return True
    if _acl(pool):
        return _by_acl(pool, worker)
    owner, group = pool.text("listen.owner") or "root", _group(pool, around)
    if owner.isdigit() and int(owner):
        return None
    mode = pool.number("listen.mode")
    if worker.user and owner == worker.user:
        return bool(mode & 0o200)
    member = _member(group, worker)
    if member is None and bool(mode & 0o020) != bool(mode & 0o002):
        return None
    return bool(mode & (0o020 if member else 0o002))


def _acl(pool: Pool) -> bool:
    return bool(pool.text("listen.acl_users") or pool.text("listen.acl_groups"))


def _by_acl(pool: Pool, worker: _Worker) -> Optional[bool]:
    if not worker.user:
        return None
    if worker.user in pool.text("listen.acl_users").split(",") or pool.number("listen.mode") & 0o002:
        return True
    groups = [group for group in pool.text("listen.acl_groups").split(",") if group]
    members = [_member(group, worker) for group in groups]
    return True if True in members else None if None in members else False


def _group(pool: Pool, around: Surroundings) -> Optional[str]:
    """The socket's group: as set, else the main group of listen.owner, which most often has its name. None: unknown."""
    group, owner = pool.text("listen.group"), pool.text("listen.owner")
    if group:
        return None if group.isdigit() and int(group) else "root" if group.isdigit() else group
    if owner in ("", "0", "root"):
        return "root"
    groups = around.groups_of.get(owner) if around.groups_of is not None else None
    return None if groups is None or len(groups) != 1 else next(iter(groups))


def _member(group: Optional[str], worker: _Worker) -> Optional[bool]:
    if group is None or (not worker.user and group != "root"):
        return None
    if group in worker.groups:
        return True
    # Nobody puts nginx into root's group; of other groups one must know.
    return False if worker.certain or group == "root" else None


def _rights(pool: Pool) -> str:
    if _acl(pool):
        return "listen.acl_users and listen.acl_groups do not name it"
    owner = pool.text("listen.owner") or "root"
    group = pool.text("listen.group") or (f"{owner}'s group" if pool.text("listen.owner") else "root")
    return f"{owner}:{group}, mode {pool.number('listen.mode'):04o}"


def _blamed(pool: Pool, worker: _Worker) -> Location:
    """The mode where the owner or the group is right, else what names the owner, else the socket itself."""
    keys: Tuple[str, ...] = ("listen.owner", "listen.group")
    if _acl(pool):
        keys = ("listen.acl_users", "listen.acl_groups")
    elif worker.user and (pool.text("listen.owner") == worker.user or pool.text("listen.group") in worker.groups):
        keys = ("listen.mode",)
    entry = next((entry for entry in map(pool.entry, (*keys, "listen")) if entry), None)
    return entry.at if entry else pool.at


@rule(
    "pair-allowed-clients",
    "error",
    bad=Example(
        nginx=a_site(socket="127.0.0.1:9000"), fpm=a_pool("listen = 127.0.0.1:9000", "listen.allowed_clients = 10.0.0.5")
    ),
    good=Example(
        nginx=a_site(socket="127.0.0.1:9000"), fpm=a_pool("listen = 127.0.0.1:9000", "listen.allowed_clients = 127.0.0.1")
    ),
)
def allowed_clients(subject: Subject) -> Found:
    """listen.allowed_clients does not let nginx in.

    php-fpm resets the connection, nothing is in its log, and nginx answers 502. Over the loopback nginx comes from 127.0.0.1
    (or ::1). Add that address to the list.
    """
    said: Set[Location] = set()
    for link in wiring(subject).links:
        for pool in link.pools:
            entry = pool.entry("listen.allowed_clients")
            if entry is None or link.address.socket or entry.at in said or wrong_client(entry) is not None:
                continue
            comes_from = list(_sources(link.address, subject.around))
            if comes_from and not set(comes_from) & set(entry.value.split(",")):
                said.add(entry.at)
                message = f"pool {pool.name} lets in {entry.value}, and nginx comes from {' or '.join(comes_from)}"
                yield finding("pair-allowed-clients", message, entry.at, f"add {comes_from[0]} to the list")


def _sources(address: Address, around: Surroundings) -> Iterator[str]:
    """From which address nginx comes where it connects to a place of this machine: from that same address."""
    for host in sorted(address.hosts):
        if host.startswith("127."):
            yield "127.0.0.1"
        elif host == "::1" or host in (around.addresses or ()):
            yield host
