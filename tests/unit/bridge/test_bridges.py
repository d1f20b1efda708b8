"""Versions in between: what they hold, and that none is offered where none can help."""

from typing import Any

import pytest

from meshplan.bridge import TEMPORARY_PREFIX, Choice, bridges
from meshplan.diff import diff
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.resource import Origin, Resource, Snapshot
from meshplan.settings import World
from support.scenarios import SCENARIOS, scenario_snapshots


def offered(name: str) -> dict[str, Choice]:
    base, head = scenario_snapshots(name)
    return offered_between(base, head)


def offered_between(base: Snapshot, head: Snapshot) -> dict[str, Choice]:
    meshes = [Mesh.of(s, MeshConfig(), World.CLOSED) for s in (base, head)]
    found = bridges(diff(base, head), *meshes)
    return {f"{choice.id.kind}/{choice.id.name}": choice for choice in found}


def specs(choice: Choice) -> list[Any]:
    return [version.manifest["spec"] for version in choice.between]


def test_a_renamed_subset_has_both_names_in_between() -> None:
    rule = offered("subset-renamed")["DestinationRule/reviews"]
    assert {"v1", "blue"} in [{s["name"] for s in spec["subsets"]} for spec in specs(rule)]


def test_swapped_labels_get_temporary_names_that_the_route_uses() -> None:
    found = offered("subset-labels-swapped")
    subsets = [
        {s["name"]: s["labels"]["version"] for s in spec["subsets"]}
        for spec in specs(found["DestinationRule/reviews"])
    ]
    wanted = {"blue-next": "v2", "green-next": "v1"}
    assert {"blue": "v1", "green": "v2", **wanted} in subsets
    assert {"blue": "v2", "green": "v1", **wanted} in subsets
    routes = specs(found["VirtualService/reviews"])
    assert "green-next" in [s["http"][0]["route"][0]["destination"]["subset"] for s in routes]


def test_a_pin_stands_for_hosts_without_a_rule() -> None:
    found = offered("mtls-auto-strict")
    modes = [s["mtls"]["mode"] for s in specs(found["PeerAuthentication/default"])]
    assert modes == ["PERMISSIVE"]
    (pin,) = [choice for choice in found.values() if choice.temporary]
    assert pin.id.name.startswith(TEMPORARY_PREFIX)
    assert [s["trafficPolicy"]["tls"]["mode"] for s in specs(pin)] == ["DISABLE", "ISTIO_MUTUAL"]
    assert {s["host"] for s in specs(pin)} == {"reviews.shop.svc.cluster.local"}


def test_first_allow_policies_get_a_shadow_that_allows_everybody() -> None:
    (shadow,) = [choice for choice in offered("first-allow-in-two").values() if choice.temporary]
    assert specs(shadow) == [
        {"action": "ALLOW", "rules": [{}], "selector": {"matchLabels": {"app": "reviews"}}}
    ]


@pytest.mark.parametrize(
    ("name", "key", "field", "wanted"),
    [
        ("hosts-swapped", "VirtualService/one", "hosts", {"a.example.com", "b.example.com"}),
        ("https-gateway-renamed", "VirtualService/shop", "gateways", {"edge/edge", "edge/front"}),
    ],
)
def test_a_route_may_be_bound_to_old_and_new(
    name: str, key: str, field: str, wanted: set[str]
) -> None:
    assert wanted in [set(spec[field]) for spec in specs(offered(name)[key])]


def test_a_sidecar_may_import_old_and_new() -> None:
    (spec,) = [
        s for s in specs(offered("sidecar-flip")["Sidecar/default"]) if len(s["egress"]) == 1
    ][:1]
    assert {"shop/*", "shop2/*"} <= set(spec["egress"][0]["hosts"])


def test_a_service_may_have_both_ports_under_names_of_their_own() -> None:
    for spec in specs(offered("service-port-renumbered")["Service/details"]):
        assert {port["port"] for port in spec["ports"]} == {80, 8080}
        assert len({port["name"] for port in spec["ports"]}) == 2


@pytest.mark.parametrize("name", [s.name for s in SCENARIOS if s.expect == "bridge"])
def test_every_change_that_needs_a_bridge_is_offered_one(name: str) -> None:
    assert any(choice.between for choice in offered(name).values())


@pytest.mark.parametrize("name", [s.name for s in SCENARIOS])
def test_no_version_in_between_is_one_of_the_ends(name: str) -> None:
    base, head = scenario_snapshots(name)
    for choice in offered_between(base, head).values():
        ends = [v.manifest for v in (base.get(choice.id), head.get(choice.id)) if v]
        assert not [v for v in choice.between if v.manifest in ends]
        assert {version.id for version in choice.between} <= {choice.id}


def test_endpoints_follow_a_port_that_has_to_be_renamed() -> None:
    def entry(number: int) -> Resource:
        ports = [{"number": number, "name": "http", "protocol": "HTTP"}]
        endpoints = [{"address": "127.0.0.1", "ports": {"http": 19081}}]
        spec = {"hosts": ["a.example"], "resolution": "STATIC", "ports": ports}
        id_ = ResourceId("networking.istio.io", "ServiceEntry", "shop", "a")
        manifest = {"metadata": {"name": "a"}, "spec": spec | {"endpoints": endpoints}}
        return Resource(id_, "networking.istio.io/v1", manifest, Origin("a.yaml"))

    found = offered_between(Snapshot([entry(9080)]), Snapshot([entry(9090)]))
    for spec in specs(found["ServiceEntry/a"]):
        names = {port["name"] for port in spec["ports"]}
        assert spec["endpoints"] == [{"address": "127.0.0.1", "ports": dict.fromkeys(names, 19081)}]
        assert len(names) == 2
