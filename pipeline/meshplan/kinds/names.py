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
    if not name or "." in name or ":" in name or name == "*":
        return name
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
