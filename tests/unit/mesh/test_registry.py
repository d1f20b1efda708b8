"""Which of several services for one host counts, and to whom (istiod 1.29.1, pilot/pkg/model)."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.registry import add_service, one_namespace_per_host, services_by_pattern
from meshplan.mesh.service import MeshService
from support.meshes import mesh


def service(name: str, namespace: str, export_to: str = "", created: str = "") -> str:
    """A Kubernetes Service."""
    noted = f", annotations: {{networking.istio.io/exportTo: '{export_to}'}}" if export_to else ""
    time = f", creationTimestamp: '{created}'" if created else ""
    return f"""
kind: Service
metadata: {{name: {name}, namespace: {namespace}{noted}{time}}}
spec: {{ports: [{{name: http, port: 80}}]}}
"""


def entry(
    name: str,
    namespace: str,
    host: str = "a.com",
    *,
    export_to: str = "",
    ports: str = "80",
    more: str = "",
    labels: str = "",
    created: str = "",
) -> str:
    """A ServiceEntry."""
    listed = ", ".join(
        f"{{number: {port}, name: p{port}, protocol: HTTP}}" for port in ports.split()
    )
    time = f", creationTimestamp: '{created}'" if created else ""
    return f"""
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}{time}}}
spec: {{hosts: ['{host}'], resolution: STATIC, ports: [{listed}], exportTo: [{export_to}]{more}}}
"""


def state(*objects: str, **config: object) -> Mesh:
    return mesh("---".join(objects), **config)


def named(found: tuple[MeshService, ...]) -> list[str]:
    return [f"{one.namespace}/{one.id.name}" for one in found]


@pytest.mark.parametrize(
    ("export_to", "default", "ranks"),
    [
        # How near a service of shop is to shop, web and edge (`initServiceRegistry`).
        ("", "*", (2, 2, 2)),
        ("", ".", (0, None, None)),
        ("'*'", ".", (2, 2, 2)),
        ("'*', shop", "*", (2, 2, 2)),
        ("'.'", "*", (0, None, None)),
        ("shop", "*", (0, None, None)),
        ("web", "*", (None, 1, None)),
        ("'.', web", "*", (0, 1, None)),
        ("'~'", "*", (None, None, None)),
        ("'~', web", "*", (None, None, None)),
        ("'~', '*'", "*", (2, 2, 2)),
    ],
)
def test_a_service_is_private_exported_or_public(
    export_to: str, default: str, ranks: tuple[int | None, ...]
) -> None:
    found = state(entry("a", "shop", export_to=export_to), default_service_export_to=(default,))
    (one,) = found.registry.services
    assert tuple(found.registry.rank(one, n) for n in ("shop", "web", "edge")) == ranks


def test_private_services_come_first_then_exported_then_public_ones() -> None:
    """`servicesExportedToNamespace`; among equals the oldest, then by name."""
    found = state(
        entry("public", "a", export_to="'*'"),
        entry("exported", "b", export_to="web", created="2024-01-02T00:00:00Z"),
        entry("older", "c", export_to="web", created="2024-01-01T00:00:00Z"),
        entry("private", "web", export_to="'.'"),
        entry("hidden", "d", export_to="'.'"),
        entry("other", "web", "b.com"),
    )
    nearest = ["web/private", "c/older", "b/exported", "a/public"]
    assert named(found.registry.visible("web")) == [*nearest, "web/other"]
    assert named(found.registry.named("a.com", "web")) == nearest
    assert found.registry.named("x.com", "web") == ()
    assert found.registry.namespaces("a.com") == ("a", "b", "c", "d", "web")
    assert found.registry.namespaces("x.com") == ()


KUBERNETES = "s.x.svc.cluster.local"


@pytest.mark.parametrize(
    ("order", "chosen"),
    [
        # `selectServices`: the client's namespace, else Kubernetes, else the first.
        (["b", "c"], ["b/e"]),
        (["c", "b"], ["c/e"]),
        (["b", "web"], ["web/e"]),
        (["web", "b"], ["web/e"]),
        (["b", "x"], ["x/s"]),
        (["x", "b"], ["x/s"]),
        (["web", "x"], ["web/e"]),
        (["x", "web"], ["web/e"]),
        (["b", "b2", "c"], ["b/e", "b/f"]),
    ],
)
def test_of_one_host_the_services_of_one_namespace_count(
    order: list[str], chosen: list[str]
) -> None:
    found = state(
        *(entry("e", namespace, KUBERNETES) for namespace in ("b", "c", "web")),
        entry("f", "b", KUBERNETES, ports="81"),
        service("s", "x"),
    )
    by_key = {("b2" if s.id.name == "f" else s.namespace): s for s in found.registry.services}
    listed = tuple(by_key[key] for key in order)
    assert named(one_namespace_per_host(listed, "web")) == chosen


def test_hosts_are_chosen_independently() -> None:
    found = state(entry("e", "b"), entry("e", "c", "b.com"), entry("f", "c"))
    assert named(one_namespace_per_host(found.registry.services, "web")) == ["b/e", "c/e"]


@pytest.mark.parametrize(
    ("first", "second", "kept", "ports", "merged"),
    [
        # `appendSidecarServices`, `canMergeServices`.
        (entry("e", "b"), entry("f", "b", ports="81"), "b/e", [80, 81], ["f"]),
        (entry("e", "b"), entry("f", "b", ports="80 81"), "b/e", [80, 81], ["f"]),
        (entry("e", "b"), entry("f", "b"), "b/e", [80], []),
        (entry("e", "b"), entry("f", "c", ports="81"), "b/e", [80], []),
        (entry("e", "b"), entry("f", "b", ports="81", labels="a: b"), "b/e", [80], []),
        (
            entry("e", "b"),
            entry("f", "b", ports="81", more=", workloadSelector: {labels: {a: b}}"),
            "b/e",
            [80],
            [],
        ),
        (entry("e", "b"), entry("f", "b", ports="81", export_to="'*'"), "b/e", [80], []),
        (
            entry("e", "b"),
            entry("f", "b", ports="81").replace("STATIC", "DNS"),
            "b/e",
            [80],
            [],
        ),
        (entry("e", "b", KUBERNETES, ports="81"), service("s", "x"), "x/s", [80], []),
        (service("s", "x"), entry("e", "x", KUBERNETES, ports="81"), "x/s", [80], []),
    ],
)
def test_ports_of_equal_services_are_put_together(
    first: str, second: str, kept: str, ports: list[int], merged: list[str]
) -> None:
    found = state(first, second)
    by_name = {s.id.name: s for s in found.registry.services}
    order = [text.partition("name: ")[2].partition(",")[0] for text in (first, second)]
    scope: dict[str, MeshService] = {}
    for name in (*order, order[0]):
        add_service(scope, by_name[name])
    (only,) = scope.values()
    assert named((only,)) == [kept]
    assert [port.number for port in only.ports] == ports
    assert [id_.name for id_ in only.merged] == merged


def test_a_service_of_one_namespace_is_that_of_kubernetes_or_the_oldest() -> None:
    """`HostnameAndNamespace`."""
    found = state(
        entry("e", "x", KUBERNETES, created="2024-01-01T00:00:00Z"),
        service("s", "x", created="2024-01-02T00:00:00Z"),
        entry("young", "b", created="2024-01-02T00:00:00Z"),
        entry("old", "b", created="2024-01-01T00:00:00Z"),
    ).registry
    chosen = [found.in_namespace(KUBERNETES, "x"), found.in_namespace("a.com", "b")]
    assert [one.id.name for one in chosen if one] == ["s", "old"]
    assert found.in_namespace("a.com", "x") is None


def alias(name: str, target: str, namespace: str = "shop") -> str:
    return f"""
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{type: ExternalName, externalName: {target}, ports: [{{name: http, port: 80}}]}}
"""


def test_names_of_names_are_followed_to_the_end() -> None:
    """`resolveServiceAliases`: several steps, sorted by namespace and host; a circle is nothing."""

    def full(name: str, namespace: str = "shop") -> str:
        return f"{name}.{namespace}.svc.cluster.local"

    found = state(
        service("s", "shop"),
        alias("a", full("s")),
        alias("b", full("a")),
        alias("c", full("b"), "edge"),
        alias("u", full("v")),
        alias("v", full("u")),
        alias("z", full("z")),
        alias("out", "example.com"),
        entry("e", "shop", "example.com"),
    ).registry
    aliases = {one.host: one.aliases for one in found.services if one.aliases}
    assert aliases == {
        full("s"): (full("c", "edge"), full("a"), full("b")),
        "example.com": (full("out"),),
    }
    assert found.by_alias == {
        full("c", "edge"): [full("s")],
        full("a"): [full("s")],
        full("b"): [full("s")],
        full("out"): ["example.com"],
    }


def test_addresses_lead_to_hosts() -> None:
    found = state(
        entry("e", "shop", more=", addresses: [10.0.0.1, 10.0.0.2]"),
        entry("f", "web", "b.com", more=", addresses: [10.0.0.2]"),
    ).registry
    assert found.by_address == {"10.0.0.1": ["a.com"], "10.0.0.2": ["a.com", "b.com"]}


def test_a_pattern_means_the_hosts_below_it() -> None:
    found = state(entry("e", "shop", "x.a.com"), entry("f", "shop", "*.a.com"), entry("g", "shop"))
    below = services_by_pattern(found.registry.services, "*.a.com")
    assert [one.host for one in below] == ["*.a.com", "x.a.com"]


# The mesh as clients of a namespace see it.


def test_clients_see_one_service_for_each_host() -> None:
    found = state(
        entry("e", "b"),
        entry("f", "b", ports="81"),
        entry("g", "c"),
        entry("mine", "web", "b.com", export_to="'.'"),
        entry("other", "c", "b.com"),
        entry("hidden", "c", "c.com", export_to="'.'"),
    )
    seen = {one.host: (named((one,))[0], len(one.ports)) for one in found.services("web")}
    assert seen == {"a.com": ("b/e", 2), "b.com": ("web/mine", 1)}
    for host, (name, ports) in seen.items():
        one = found.service(host, "web")
        assert one is not None
        assert (named((one,)), len(one.ports)) == ([name], ports)
    assert found.service("c.com", "web") is None
    assert found.service("x.com", "web") is None
    assert named(found.services_matching("*.com", "web")) == ["web/mine", "b/e"]
    assert named(found.services_matching("b.com", "web")) == ["web/mine"]
    assert found.services_matching("c.com", "web") == ()
    assert named(tuple(found.services_in("c"))) == ["c/g", "c/other", "c/hidden"]
    assert found.services_in("nowhere") == ()
