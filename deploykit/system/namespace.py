"""Private namespaces, by the kernel's own calls.

``os.unshare`` exists from Python 3.12 only and ``os.mount`` never, so the C library is called by ctypes. All of it runs in a
forked child: nothing here may be called in the program's own process.
"""

from __future__ import annotations

import errno
import os
import select
import signal
from typing import Any, Callable

from deploykit.system import loopback
from deploykit.system.child import Channel

NEW_MOUNTS, NEW_USER, NEW_PIDS, NEW_NETWORK = 0x20000, 0x10000000, 0x20000000, 0x40000000  # linux/sched.h
NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18  # linux/mount.h
DETACH = 2  # MNT_DETACH
SET_PARENT_DEATH_SIGNAL, CAP_AMBIENT, AMBIENT_RAISE, CAP_NET_BIND_SERVICE = 1, 47, 2, 10  # linux/prctl.h, capability.h
CAPABILITY_VERSION_3 = 0x20080522


class Kernel:
    """The calls that make a private world. Each raises ``OSError`` with the call's name as the file name."""

    def __init__(self) -> None:
        self._library: Any = None

    def unshare(self, flags: int) -> None:
        """Leave the namespaces named by ``flags``."""
        self._call("unshare", self._libc().unshare(flags))

    def mount(self, source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
        """mount(2); an empty ``kind`` means a bind mount or a change of propagation."""
        raw = [os.fsencode(text) if text else None for text in (source, target, kind, options)]
        done = self._libc().mount(raw[0], raw[1], raw[2], self._long(flags), raw[3])
        self._call(f"mount {kind or 'bind'} on {target}", done)

    def detach(self, target: str) -> None:
        """Take the topmost mount off ``target``, lazily."""
        self._call(f"umount {target}", self._libc().umount2(os.fsencode(target), DETACH))

    def die_with_parent(self) -> None:
        """Have the kernel kill this process when the one that forked it ends. To be called again after rights were gained."""
        self._prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)

    def keep_low_ports(self) -> None:
        """Hand CAP_NET_BIND_SERVICE on over exec, so that a plain user's nginx may bind port 80 of its own network."""
        words = (self._ctypes().c_uint32 * 6)()  # effective, permitted, inheritable; each in two halves
        header = (self._ctypes().c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        self._call("capget", self._libc().capget(header, words))
        words[2] |= 1 << CAP_NET_BIND_SERVICE
        self._call("capset", self._libc().capset(header, words))
        self._prctl(CAP_AMBIENT, AMBIENT_RAISE, CAP_NET_BIND_SERVICE)

    def _prctl(self, option: int, *arguments: int) -> None:
        padded = (*arguments, 0, 0, 0, 0)[:4]
        self._call("prctl", self._libc().prctl(option, *[self._long(number) for number in padded]))

    def _call(self, what: str, result: int) -> None:
        if result != 0:
            number = self._ctypes().get_errno()
            raise OSError(number, os.strerror(number), what)

    def _libc(self) -> Any:
        if self._library is None:
            self._library = self._ctypes().CDLL(None, use_errno=True)
        return self._library

    def _long(self, number: int) -> Any:
        return self._ctypes().c_ulong(number)

    @staticmethod
    def _ctypes() -> Any:
        import ctypes  # several milliseconds: only a trial's child pays them

        return ctypes


def enter_as_root(kernel: Kernel, channel: Channel) -> bool:
    """Go into private mount, network and PID namespaces (the PIDs: from the next child on). False: only tests are possible.

    Without a network or a PID namespace of our own a started service would be seen, or would stay: then nothing is started.
    """
    network = loopback.look()
    alone = True
    try:
        kernel.unshare(NEW_MOUNTS | NEW_NETWORK)
    except OSError as why:
        kernel.unshare(NEW_MOUNTS)
        channel.tell("note", f"no private network ({short(why)}): the configuration was tested, not rehearsed")
        alone = False
    kernel.mount("none", "/", "", RECURSIVE | PRIVATE)
    if not alone:
        return False
    loopback.bring_up(network)
    return _private_pids(kernel, channel)


def enter_as_user(kernel: Kernel, channel: Channel) -> bool:
    """The same below a user namespace: every number stays what it is, and what is not ours cannot be given away.

    Mapped to root instead, nginx would fail when it gives its temporary folders to the workers' account (EINVAL).
    """
    network = loopback.look()
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(NEW_USER)
    kernel.die_with_parent()
    if uid == 0:
        problem = channel.ask("map", os.getpid())
        if problem:
            raise OSError(errno.EPERM, problem, "uid_map")
    else:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            _write(f"/proc/self/{name}", text)
    kernel.unshare(NEW_MOUNTS | NEW_NETWORK)
    kernel.mount("none", "/", "", RECURSIVE | PRIVATE)
    loopback.bring_up(network)
    return _private_pids(kernel, channel)


def map_everybody(pid: int) -> str:
    """Give the user namespace of ``pid`` all our accounts, each as itself; ``""`` or why not. Only one outside may."""
    try:
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/self/{name}", encoding="utf-8") as ours:
                extents = [line.split() for line in ours]
            _write(f"/proc/{pid}/{name}", "".join(f"{first} {first} {count}\n" for first, _, count in extents))
    except OSError as why:
        return short(why)
    return ""


def as_first(kernel: Kernel, channel: Channel, work: Callable[[], None]) -> None:
    """Run ``work`` in a child: PID 1 of the new PID namespace. With it, or with us, ends everything that was started in there.

    This must be the first child after ``unshare``: any other would be PID 1, and after its end every fork fails with ENOMEM.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        channel.guard(lambda: _bound(kernel, read_end, write_end, work))
    channel.tell("first", pid)
    os.waitpid(pid, 0)
    os.close(write_end)  # held until now: it tells the child that we are there


def short(why: OSError) -> str:
    """An error of the operating system in one phrase: call, symbol and words."""
    symbol = errno.errorcode.get(why.errno or 0, "error")
    return f"{why.filename}: {symbol}, {why.strerror}" if why.filename else f"{symbol}, {why.strerror}"


def _bound(kernel: Kernel, read_end: int, write_end: int, work: Callable[[], None]) -> None:
    os.close(write_end)
    kernel.die_with_parent()
    if select.select([read_end], [], [], 0)[0]:
        return  # the one that forked us ended before the line above
    work()


def _private_pids(kernel: Kernel, channel: Channel) -> bool:
    try:
        kernel.unshare(NEW_PIDS)
    except OSError as why:
        channel.tell("note", f"no private PID namespace ({short(why)}): the configuration was tested, not rehearsed")
        return False
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
