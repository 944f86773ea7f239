"""Source of a request, as one thing to count: an IPv4 address, or the network of an IPv6 address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

IPV6_PREFIX = 64  # bits; one household or one counter holds 2**64 addresses of IPv6
LONGEST = 64  # letters of what is no address


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return what is counted as one source: of IPv6 the /64, as OpenSSH's PerSourceNetBlockSize does.

    Anything that is no address is returned as it is.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:LONGEST]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = ipaddress.IPv6Network((parsed, IPV6_PREFIX), strict=False)
    return str(network)
