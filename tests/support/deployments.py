"""A small mesh that changes under a deployer: Service `reviews` with pods of three versions, rules
with subsets, routes to one of them, and policies that deny everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshplan.identity import ResourceId
from meshplan.resource import Origin, Resource, Snapshot

HOST = "reviews.shop.svc.cluster.local"
Notes = Mapping[str, str]


def made(
    api: str, kind: str, name: str, spec: Any, notes: Notes | None = None, path: str = ""
) -> Resource:
    """An object of the namespace `shop`."""
    metadata = {"name": name, "namespace": "shop", "annotations": dict(notes or {})}
    manifest = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
    file, _, via = path.partition(" via ")
    origin = Origin(file or f"{kind}-{name}.yaml".lower(), via=via)
    return Resource(ResourceId(api.rpartition("/")[0], kind, "shop", name), api, manifest, origin)


def rule(*subsets: str, name: str = "rule", notes: Notes | None = None, path: str = "") -> Resource:
    """A DestinationRule with some versions as subsets."""
    listed = [{"name": subset, "labels": {"version": subset}} for subset in subsets]
    spec = {"host": HOST, "subsets": listed}
    return made("networking.istio.io/v1", "DestinationRule", name, spec, notes, path)


def route(subset: str, name: str = "route", notes: Notes | None = None, path: str = "") -> Resource:
    """A VirtualService that sends everything to one subset."""
    target = {"host": HOST, "subset": subset}
    spec = {"hosts": [HOST], "http": [{"route": [{"destination": target}]}]}
    return made("networking.istio.io/v1", "VirtualService", name, spec, notes, path)


def deny(name: str, notes: Notes | None = None) -> Resource:
    """An AuthorizationPolicy against everybody."""
    spec = {"action": "DENY", "rules": [{}]}
    return made("security.istio.io/v1", "AuthorizationPolicy", name, spec, notes)


def mesh(*objects: Resource) -> Snapshot:
    """The objects with the Service and its pods."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    service = made("v1", "Service", "reviews", {"selector": {"app": "reviews"}, "ports": ports})
    pods = []
    for version in ("v1", "v2", "v3"):
        labels = {"app": "reviews", "version": version}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app"}]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        pods.append(made("apps/v1", "Deployment", version, spec))
    return Snapshot((service, *pods, *objects))


@dataclass(frozen=True)
class Case:
    """A change, the steps that a deployer takes for it, and what the first bad one does."""

    deployer: str
    title: str
    before: Sequence[Resource]
    after: Sequence[Resource]
    #: `+rule` writes, `-rule` deletes; with a blank between them they go off together.
    steps: Sequence[str]
    #: Number of the first step that breaks something, from 1, and the invariant; none if safe.
    broken: tuple[int, str] | None = None
    #: What is said of it.
    says: str = ""
    prune_last: bool = False

    def __str__(self) -> str:
        return f"{self.deployer}: {self.title}"


#: A route to the whole Service.
PLAIN = {"hosts": [HOST], "http": [{"route": [{"destination": {"host": HOST}}]}]}


def colours(blue: str, green: str) -> Resource:
    """A DestinationRule with two subsets that are not named after their versions."""
    listed = [{"name": n, "labels": {"version": v}} for n, v in (("blue", blue), ("green", green))]
    spec = {"host": HOST, "subsets": listed}
    return made("networking.istio.io/v1", "DestinationRule", "rule", spec)
