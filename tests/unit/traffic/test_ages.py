"""What depends on which of two objects is older, where nobody knows that."""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import Outcome, Request, route_at_any_age
from meshplan.traffic.ages import rivals, with_ages
from meshplan.traffic.outcome import Direct, Unknown
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client"})
EDGE = gateway("edge", {"istio": "ingress"})
EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
SERVICE = "\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {selector: {app: a}, ports: [{name: http, port: 80}]}\n"
PODS = """
kind: Deployment
metadata: {name: %s, namespace: shop}
spec: {template: {metadata: {labels: {app: a, version: %s}}, spec: {containers: [{name: c}]}}}
"""


def made(kind: str, name: str, spec: str, time: str = "", namespace: str = "shop") -> str:
    created = f", creationTimestamp: '{time}'" if time else ""
    return f"\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}{created}}}\nspec: {spec}\n"


def virtual(
    name: str, status: int, time: str = "", gateways: str = "mesh", hosts: str = "a"
) -> str:
    spec = f"{{hosts: [{hosts}], gateways: [{gateways}], http: [{{directResponse: {{status: {status}}}}}]}}"
    return made("VirtualService", name, spec, time)


def asked(
    *texts: str, world: World = World.OPEN, client: Proxy = CLIENT, host: str = "a.shop"
) -> Outcome:
    return route_at_any_age(mesh("---".join(texts), world=world), Request(host), client)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([virtual("v", 201), virtual("w", 202)], None),
        ([virtual("v", 201, EARLY), virtual("w", 202, LATE)], 201),
        ([virtual("v", 201, LATE), virtual("w", 202, EARLY)], 202),
        # One whose time is known may still be older than one whose is not.
        ([virtual("v", 201, EARLY), virtual("w", 202)], None),
        ([virtual("v", 201), virtual("w", 202, EARLY)], None),
        # What they would all do is certain.
        ([virtual("v", 201), virtual("w", 201)], 201),
        ([virtual("v", 201)], 201),
        ([virtual("v", 201), virtual("w", 202, hosts="b")], 201),
    ],
)
def test_of_two_rules_of_unknown_age_none_is_the_first(
    texts: list[str], expected: int | None
) -> None:
    outcome = asked(SERVICE, *texts)
    if expected:
        assert outcome == Direct(expected)
    else:
        assert isinstance(outcome, Unknown)
        # Those without a time come first.
        first, second = "wv" if "2024" in texts[0] else "vw"
        assert outcome.reason == (
            "it depends on which is the oldest of "
            f"VirtualService shop/{first} and VirtualService shop/{second}"
        )
        assert isinstance(outcome.otherwise, Direct)
        assert outcome.why == outcome.otherwise.why


def test_in_a_closed_world_all_are_equally_old() -> None:
    texts = (SERVICE, virtual("v", 201), virtual("w", 202))
    assert asked(*texts, world=World.CLOSED) == Direct(201)


SERVERS = made(
    "Gateway",
    "gw",
    "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}",
    namespace="edge",
)


@pytest.mark.parametrize(
    ("times", "expected"),
    [(("", ""), None), ((EARLY, LATE), 201), ((LATE, EARLY), 202), ((EARLY, ""), None)],
)
def test_rules_of_a_gateway_compete_too(times: tuple[str, str], expected: int | None) -> None:
    texts = [
        virtual(name, status, time, "edge/gw", "a.com")
        for name, status, time in zip("vw", (201, 202), times, strict=True)
    ]
    outcome = asked(SERVERS, *texts, client=EDGE, host="a.com")
    assert outcome == Direct(expected) if expected else isinstance(outcome, Unknown)


def names(*texts: str, client: Proxy = CLIENT, host: str = "a.shop") -> list[list[str]]:
    found = rivals(mesh("---".join(texts), world=World.OPEN), Request(host), client)
    return [sorted(id_.name for id_ in group) for group in found]


def rule(name: str, version: str, time: str = "") -> str:
    return made(
        "DestinationRule",
        name,
        f"{{host: a, subsets: [{{name: s, labels: {{version: {version}}}}}]}}",
        time,
    )


TO_S = made(
    "VirtualService", "v", "{hosts: [a], http: [{route: [{destination: {host: a, subset: s}}]}]}"
)


def test_rules_that_define_a_subset_twice_compete() -> None:
    texts = (SERVICE, PODS % ("one", "v1"), PODS % ("two", "v2"), TO_S)
    assert names(*texts, rule("d", "v1"), rule("e", "v2")) == [["d", "e"]]
    assert isinstance(asked(*texts, rule("d", "v1"), rule("e", "v2")), Unknown)
    known = (rule("d", "v1", EARLY), rule("e", "v2", LATE))
    assert names(*texts, *known) == []
    assert not isinstance(asked(*texts, *known), Unknown)


def test_services_for_one_host_compete() -> None:
    def entry(name: str, address: str) -> str:
        spec = f"{{hosts: [x.com], resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{{address: {address}}}]}}"
        return made("ServiceEntry", name, spec, namespace=name)

    texts = (entry("b", "10.0.0.1"), entry("c", "10.0.0.2"))
    assert names(*texts, host="x.com") == [["b", "c"]]
    # Each of three may be the oldest, the last one too, which alone leads elsewhere.
    for addresses in (("1", "1", "2"), ("1", "2", "1"), ("2", "1", "1")):
        three = [entry(n, f"10.0.0.{a}") for n, a in zip("bcd", addresses, strict=True)]
        assert isinstance(asked(*three, host="x.com"), Unknown), addresses


def test_sidecars_of_a_namespace_compete() -> None:
    def one(name: str, hosts: str, time: str = "") -> str:
        return made("Sidecar", name, f"{{egress: [{{hosts: ['{hosts}']}}]}}", time, "web")

    texts = (SERVICE, virtual("v", 201))
    assert names(*texts, one("s", "*/*"), one("t", "~/*")) == [["s", "t"]]
    assert isinstance(asked(*texts, one("s", "*/*"), one("t", "~/*")), Unknown)
    assert asked(*texts, one("s", "*/*", EARLY), one("t", "~/*", LATE)) == Direct(201)
    assert asked(*texts, one("s", "*/*"), one("t", "shop/*")) == Direct(201)


def test_routes_of_the_gateway_api_compete_one_by_one() -> None:
    def one(name: str, status: int) -> str:
        spec = f"{{parentRefs: [{{group: '', kind: Service, name: a}}], rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: {status}}}}}]}}]}}"
        return made("HTTPRoute", name, spec)

    assert names(SERVICE, one("r", 301), one("q", 302)) == [["q", "r"]]
    assert isinstance(asked(SERVICE, one("r", 301), one("q", 302)), Unknown)


def test_where_nothing_listens_nobody_competes() -> None:
    wanted = made(
        "Sidecar",
        "s",
        "{egress: [{port: {number: 81, name: p, protocol: HTTP}, hosts: ['*/*']}]}",
        namespace="web",
    )
    assert names(SERVICE, virtual("v", 201), virtual("w", 202), wanted) == []
    assert names(virtual("v", 201, "", "edge/gw", "a.com"), client=EDGE, host="a.com") == []
    assert names(SERVICE, host="nowhere.com") == []


def test_ages_may_be_known_from_elsewhere() -> None:
    state = mesh("---".join((SERVICE, virtual("v", 201), virtual("w", 202))), world=World.OPEN)
    ids = {id_.name: id_ for id_ in state.snapshot if id_.kind == "VirtualService"}
    aged = state.at(with_ages(state.snapshot, {ids["v"]: LATE, ids["w"]: EARLY}))
    assert route_at_any_age(aged, Request("a.shop"), CLIENT) == Direct(202)
    assert aged.snapshot[ids["v"]].metadata["creationTimestamp"] == LATE
    assert aged.snapshot[ids["v"]].metadata["name"] == "v"
    assert aged.snapshot[ids["v"]].spec == state.snapshot[ids["v"]].spec
    gone = type(ids["v"])("networking.istio.io", "VirtualService", "shop", "gone")
    assert len(with_ages(state.snapshot, {gone: EARLY})) == len(state.snapshot)
