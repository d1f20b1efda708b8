"""Objects that say themselves whether they have a say, and what is collected around a host."""

from collections.abc import Callable, Iterable
from typing import Any

import yaml

from meshplan.proof.index import Index
from meshplan.proof.surroundings import Surroundings
from meshplan.proof.versions import Versions
from meshplan.resource import Resource, Snapshot
from support.meshes import VERSIONS
from support.snapshots import of_values

DOMAIN = "svc.cluster.local"
HOST = f"a.shop.{DOMAIN}"
MORE_VERSIONS = {
    "Endpoints": "v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "API": "gateway.networking.k8s.io/v1",
    "SealedSecret": "bitnami.com/v1alpha1",
}


def objects(text: str) -> Iterable[tuple[str, Any]]:
    """Of each line who the object has a say for, and the object; hosts `a.` are Services of `shop`.

    A line is `both|mesh|edge|none Kind namespace/name {spec}`; labels may stand in the spec as well.
    """
    for line in filter(None, map(str.strip, text.splitlines())):
        for_, kind, where, spec = line.split(maxsplit=3)
        namespace, _, name = where.rpartition("/")
        for letter in "abcd":
            spec = spec.replace(f"={letter}", f"{letter}.shop.{DOMAIN}")
        content = yaml.safe_load(spec)
        metadata = {"name": name, **content.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        version = (VERSIONS | MORE_VERSIONS)[kind]
        kind = "Gateway" if kind == "API" else kind
        yield for_, {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": content}


def snapshot(text: str) -> tuple[list[str], Snapshot]:
    found = list(objects(text))
    return [for_ for for_, _ in found], of_values(*(value for _, value in found))


def surroundings(
    text: str,
    *,
    in_mesh: bool,
    after: str = "",
    opens: Callable[[Resource], bool] | None = None,
    private: bool = False,
) -> Surroundings:
    _, base = snapshot(text)
    versions = Versions(base, snapshot(after or text)[1])
    index = Index(versions, "cluster.local")
    return Surroundings(
        index, versions, "istio-system", in_mesh=in_mesh, opens=opens, private=private
    )


def named(ids: Iterable[object]) -> set[str]:
    return {str(one) for one in ids}


def having_a_say(text: str, who: str) -> set[str]:
    """The objects that have a say, as the lines tell it."""
    sayings, found = snapshot(text)
    return {str(id_) for for_, id_ in zip(sayings, found, strict=True) if for_ in ("both", who)}


def around(text: str, host: str = HOST, after: str = "") -> None:
    """Holds what is collected against what the lines say, for sidecars and for gateways."""
    for who in ("mesh", "edge"):
        found = surroundings(text, in_mesh=who == "mesh", after=after)
        found.host(host)
        assert named(found.ids) == having_a_say(text, who), who


SERVICE = "both Service shop/a {selector: {app: a}, ports: [{name: http, port: 80}]}"
#: What a route leads to, and what it does not lead to.
BEHIND = """
    %s Service shop/b {selector: {app: b}, ports: [{name: http, port: 80}]}
    %s DestinationRule web/b {host: =b}
    %s Deployment shop/b {template: {metadata: {labels: {app: b}}, spec: {containers: [{name: c}]}}}
    %s AuthorizationPolicy shop/b {selector: {matchLabels: {app: b}}}
    none Service shop/c {selector: {app: c}, ports: [{name: http, port: 80}]}
    none DestinationRule web/c {host: =c}
    none Deployment shop/c {template: {metadata: {labels: {app: c}}, spec: {containers: [{name: c}]}}}
    none AuthorizationPolicy shop/c {selector: {matchLabels: {app: c}}}
"""


def behind(who: str) -> str:
    return BEHIND % (who, who, who, who)
