"""How Istio and Kubernetes write the names of hosts and gateways in full."""

#: The cluster domain that Kubernetes has unless told otherwise.
CLUSTER_DOMAIN = "cluster.local"

#: The name that stands for the sidecars in `gateways` of a VirtualService.
MESH = "mesh"


def host_name(name: str, namespace: str, domain: str = CLUSTER_DOMAIN) -> str:
    """A host in full, as seen from `namespace`.

    Only a name without a dot is short for a Service of the namespace; `reviews.shop` is taken as it
    stands, and so are wildcards and addresses (istiod `ResolveShortnameToFQDN`).
    """
    if not name or "." in name or ":" in name or name.startswith("*"):
        return name.lower()
    return service_host(name, namespace, domain)


def service_host(name: str, namespace: str, domain: str = CLUSTER_DOMAIN) -> str:
    """The host of a Kubernetes Service."""
    return f"{name}.{namespace}.svc.{domain}"


def gateway_name(name: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of a Gateway, as a VirtualService of `namespace` writes it.

    `gw`, `./gw`, `ns/gw` and `gw.ns.svc.cluster.local` are the ways (istiod `resolveGatewayName`).
    """
    if "/" in name:
        where, _, rest = name.partition("/")
        return (namespace if where == "." else where), rest
    if "." in name:
        first, where, *_ = name.split(".")
        return where, first
    return namespace, name


def covers(pattern: str, host: str) -> bool:
    """Whether every name that `host` stands for is one of those that `pattern` stands for."""
    if pattern in (host, "*"):
        return True
    return pattern.startswith("*") and host.endswith(pattern[1:]) and len(host) >= len(pattern)


def overlap(one: str, other: str) -> bool:
    """Whether some name matches both of two hosts that may be wildcards."""
    return covers(one, other) or covers(other, one)


def wildcards_over(host: str) -> tuple[str, ...]:
    """The wildcards that cover a host, from the longest to `*`; the host itself is not among them."""
    labels = host.removeprefix("*.").split(".") if host != "*" else []
    start = 0 if host.startswith("*.") else 1
    found = [f"*.{'.'.join(labels[i:])}" for i in range(start, len(labels))]
    return tuple(pattern for pattern in [*found, "*"] if pattern != host)
