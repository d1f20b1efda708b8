"""How istiod writes, matches and ranks the names of hosts and gateways."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import TypeVar

_V = TypeVar("_V")


def resolve_short_name(host: str, namespace: str, domain: str) -> str:
    """A host in full, as an object of `namespace` means it (`ResolveShortnameToFQDN`).

    Only a name without any dot is short for a Service of the namespace: `reviews.shop` stays as it
    is, and so do `*` and addresses.
    """
    if not host or "." in host or host == "*" or (":" in host and _is_address(host)):
        return host
    return f"{host}.{namespace}.svc.{domain}"


def resolve_gateway_name(name: str, namespace: str) -> str:
    """A Gateway as `namespace/name` (`resolveGatewayName`); `mesh` is left as it is.

    The ways to write one: `gw`, `./gw`, `ns/gw`, `gw.ns`, `gw.ns.svc.cluster.local`.
    """
    if name == "mesh":
        return name
    if "/" in name:
        where, _, rest = name.partition("/")
        return f"{namespace}/{rest}" if where == "." else name
    if "." in name:
        first, where, *_ = name.split(".")
        return f"{where}/{first}"
    return f"{namespace}/{name}"


def is_wildcard(host: str) -> bool:
    """Whether a host stands for many."""
    return host.startswith("*")


def matches(one: str, other: str) -> bool:
    """Whether some name is meant by both hosts (`Name.Matches`): one is part of the other then."""
    return subset_of(one, other) or subset_of(other, one)


def subset_of(host: str, pattern: str) -> bool:
    """Whether every name meant by `host` is meant by `pattern` (`Name.SubsetOf`)."""
    return host.endswith(pattern[1:]) if is_wildcard(pattern) else host == pattern


def wildcards_above(host: str) -> Iterable[str]:
    """All wildcards that could match a host, the most specific first (`MoreSpecific`: the longest).

    For `*.example.com` the first is itself. A wildcard may stand in the middle of a label
    (`*-v1.example.com`), so all suffixes count.
    """
    start = 1 if is_wildcard(host) else 0
    for index in range(start, len(host) + 1):
        yield "*" + host[index:]


def most_specific(host: str, table: Mapping[str, _V]) -> _V | None:
    """The entry of the most specific host of `table` that covers `host` (`MostSpecificHostMatch`)."""
    if host in table:
        return table[host]
    longest = max((len(key) for key in table if is_wildcard(key)), default=0)
    if not longest:
        return None
    for pattern in wildcards_above(host):
        if len(pattern) <= longest and pattern in table:
            return table[pattern]
    return None


def namespace_of(host: str, domain: str) -> str:
    """The namespace of a Kubernetes Service, read from its host; "" for any other host."""
    stem, found, _ = host.partition(f".svc.{domain}")
    labels = stem.split(".")
    return labels[1] if found and len(labels) == 2 else ""


def short_forms(host: str, domain: str) -> tuple[str, ...]:
    """Other ways to write the host of a Kubernetes Service (`GenerateAltVirtualHosts`).

    The Service has a domain for each, so that no wildcard covers them; the first is for clients of
    its own namespace.
    """
    namespace = namespace_of(host, domain)
    if not namespace or is_wildcard(host):
        return ()
    name = host.partition(".")[0]
    return (name, f"{name}.{namespace}", f"{name}.{namespace}.svc")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
