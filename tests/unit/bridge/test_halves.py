"""A VirtualService for sidecars and gateways, one half from one version and one from another."""

from typing import Any

import pytest

from meshplan.bridge.choice import Choice
from meshplan.bridge.halves import halves
from meshplan.resource import Resource
from support.snapshots import resource

MESH, EDGE = {"gateways": ["mesh"]}, {"gateways": ["edge/gw"]}


def virtual(gateways: list[str] | None, host: str = "a.com", **rules: object) -> Resource:
    spec = {"hosts": [host], **rules} | ({"gateways": gateways} if gateways else {})
    meta = {"name": "v", "namespace": "shop"}
    kind = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    return resource({**kind, "metadata": meta, "spec": spec})


def to(name: str, *matches: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"route": [{"destination": {"host": name}}]}
    return {**rule, "match": list(matches)} if matches else rule


def found(old: Resource | None, new: Resource | None) -> list[dict[str, Any]]:
    id_ = next(one.id for one in (old, new) if one)
    return [dict(one.spec) for one in halves(Choice(id_, old, new))]


BOTH = virtual(["mesh", "edge/gw"], http=[to("near", MESH), to("far", EDGE), to("all")])
OF_GATEWAYS = [to("far", EDGE), to("all", EDGE)]


@pytest.mark.parametrize(("old", "new"), [(None, BOTH), (BOTH, None)])
def test_the_gateways_half_alone(old: Resource | None, new: Resource | None) -> None:
    assert found(old, new) == [{"hosts": ["a.com"], "gateways": ["edge/gw"], "http": OF_GATEWAYS}]


def test_the_old_half_of_one_and_the_new_half_of_the_other() -> None:
    old = virtual(["mesh", "edge/gw"], http=[to("old", {"uri": {"prefix": "/x"}})])
    whole = {"hosts": ["a.com"], "gateways": ["mesh", "edge/gw"]}
    x = {"uri": {"prefix": "/x"}}
    assert found(old, BOTH) == [
        whole | {"http": [*OF_GATEWAYS, to("old", x | MESH)]},
        whole | {"http": [to("old", x | EDGE), to("near", MESH), to("all", MESH)]},
    ]


def test_sidecars_that_went_another_way_before() -> None:
    for bound in (None, ["mesh"]):
        (one,) = found(virtual(bound, http=[to("old")]), BOTH)
        assert one["gateways"] == ["mesh", "edge/gw"]
        assert one["http"] == [*OF_GATEWAYS, to("old", MESH)]


def test_every_family_of_rules() -> None:
    sni = {"sniHosts": ["a.com"], "port": 443}
    new = virtual(["mesh", "edge/gw"], tls=[to("tls", sni)], tcp=[to("tcp")])
    assert found(None, new) == [
        {
            "hosts": ["a.com"],
            "gateways": ["edge/gw"],
            "tls": [to("tls", sni | EDGE)],
            "tcp": [to("tcp", EDGE)],
        }
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, virtual(["mesh"], http=[to("a")])),
        (None, virtual(["edge/gw"], http=[to("a")])),
        (virtual(None, http=[to("a")]), virtual(["edge/gw"], http=[to("a")])),
    ],
)
def test_what_is_for_one_of_them_alone_has_no_halves(old: Resource | None, new: Resource) -> None:
    assert found(old, new) == []


def test_hosts_are_not_mixed() -> None:
    assert found(virtual(["mesh"], "b.com", http=[to("a")]), BOTH) == []
