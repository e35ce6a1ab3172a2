"""Filters for IP addresses and networks, as authors know them from Ansible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, Optional, Union

from deploykit.templating.values import FilterError, defined, text_of

if TYPE_CHECKING:
    from ipaddress import IPv4Interface, IPv6Interface

    Interface = Union[IPv4Interface, IPv6Interface]


def ipaddr(value: object, query: str = "") -> object:
    """``ipaddr``: the value when it is an IP address or network, else false; of a list, those that are.

    query: address, network, netmask, prefix, broadcast, net (only of a network), host (only of a host): that
    part of it, or false where it has none. False cannot be printed, so a wrong address never gets into a file.
    """
    if query and query not in _QUERIES:
        raise FilterError(f'ipaddr knows no query "{query}"', "one of " + ", ".join(_QUERIES))
    if isinstance(value, (list, tuple)):
        answers = [ipaddr(one, query) for one in value]
        return [answer for answer in answers if answer is not False]
    defined(value)
    interface = _interface(value)
    if interface is None:
        return False
    return _QUERIES[query](interface) if query else value


def _interface(value: object) -> Optional[Interface]:
    import ipaddress

    try:
        return ipaddress.ip_interface(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _single(interface: Interface) -> bool:
    return interface.network.num_addresses == 1


def _names_host(interface: Interface) -> bool:
    return _single(interface) or interface.ip != interface.network.network_address


def _broadcast(interface: Interface) -> object:
    if interface.version == 6 or interface.network.num_addresses <= 2:
        return False
    return str(interface.network.broadcast_address)


def ipwrap(value: object) -> object:
    """``ipwrap``: brackets round an IPv6 address, as URLs and ``listen`` want it; anything else is left as it is."""
    if isinstance(value, (list, tuple)):
        return [ipwrap(one) for one in value]
    text = text_of(value, "ipwrap")
    interface = _interface(text)
    if interface is None or interface.version == 4:
        return text
    address, slash, length = text.partition("/")
    return f"[{address}]{slash}{length}"


_QUERIES: Dict[str, Callable[[Interface], object]] = {
    "address": lambda interface: _names_host(interface) and str(interface.ip),
    "network": lambda interface: str(interface.network.network_address),
    "netmask": lambda interface: str(interface.netmask),
    "prefix": lambda interface: interface.network.prefixlen,
    "broadcast": _broadcast,
    "net": lambda interface: not _names_host(interface) and str(interface),
    "host": lambda interface: _names_host(interface) and str(interface),
}

FILTERS: Dict[str, Callable[..., object]] = {"ipaddr": ipaddr, "ipwrap": ipwrap}
