"""Policies for pods that are not in the tree: whom they may be for, and that requests show it."""

from collections.abc import Iterable, Mapping

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.proof import Prover
from meshplan.proof.index import Index
from meshplan.proof.types import Topic
from meshplan.proof.unseen import Unseen, unsure_of_mutual_tls
from meshplan.proof.versions import Versions
from meshplan.settings import World
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Denied
from support.around import DOMAIN, HOST, snapshot, surroundings

# Against the whole mesh

SERVICES = """
    both Service shop/a {selector: {app: a}, ports: [{name: http, port: 80}]}
    both Service shop/b {selector: {app: b}, ports: [{name: http, port: 80}]}
    both ServiceEntry shop/vm {hosts: [vm.example.net], resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {labels: {app: vm}}, ports: [{number: 80, name: http, protocol: HTTP}]}
"""
OPEN = "servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['x.example.com']}]"
REDIRECT = "both VirtualService edge/r {hosts: [x.example.com], gateways: [gw], http: [{redirect: {uri: /}}]}"
GATEWAY = f"{REDIRECT}\nboth Gateway edge/gw {{selector: {{istio: x}}, {OPEN}}}\n"
OF_ALL = f"{REDIRECT}\nboth Gateway edge/gw {{{OPEN}}}\n"
API = """
    both API edge/api {gatewayClassName: istio, %slisteners: [{name: h, port: 80, protocol: HTTP}]}
    both HTTPRoute edge/r {parentRefs: [{name: api}], hostnames: [x.example.com], rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: y.com}}]}]}
    both Service edge/in {selector: {app: in}, ports: [{name: http, port: 80}]}
"""
MANUAL = API % f"addresses: [{{type: Hostname, value: in.edge.{DOMAIN}}}], "


def pods(where: str, labels: str) -> str:
    template = f"{{metadata: {{labels: {{{labels}}}}}, spec: {{containers: [{{name: c}}]}}}}"
    return f"\nboth Deployment {where} {{template: {template}}}\n"


AT_WEB = sidecar("web", {})


@pytest.mark.parametrize(
    ("text", "selector", "host", "proxy"),
    [
        (SERVICES, "", f"a.shop.{DOMAIN}", AT_WEB),
        (SERVICES, "", "vm.example.net", AT_WEB),
        (SERVICES, "app: vm", "vm.example.net", AT_WEB),
        # Those of another Service are in the tree.
        (SERVICES + pods("shop/b", "app: b"), "", f"a.shop.{DOMAIN}", AT_WEB),
        (SERVICES.replace("{app: a}", "{app: a, tier: x}") + pods("shop/b", "app: b, tier: x"), "tier: x", f"a.shop.{DOMAIN}", AT_WEB),
        (GATEWAY, "", "x.example.com", gateway("edge", {"istio": "x"})),
        (GATEWAY + pods("edge/o", "app: o"), "", "x.example.com", gateway("edge", {"istio": "x"})),
        (GATEWAY + pods("edge/o", "app: o, istio: y"), "istio: x", "x.example.com", gateway("edge", {"istio": "x"})),
        (OF_ALL + pods("edge/o", "app: o"), "", "x.example.com", gateway("edge", {})),
        (API % "" + pods("edge/o", "app: o"), "", "x.example.com", gateway("edge", {GATEWAY_NAME_LABEL: "api"})),
        # Pods that are the user's own.
        (MANUAL, "app: in", "x.example.com", gateway("edge", {"app": "in"})),
        (MANUAL + pods("edge/in", "app: in"), "app: in", "x.example.com", gateway("edge", {"app": "in"})),
        (MANUAL + pods("edge/o", "app: o"), "", "x.example.com", gateway("edge", {"app": "in"})),
    ],
)  # fmt: skip
def test_requests_that_a_policy_denies(text: str, selector: str, host: str, proxy: Proxy) -> None:
    """What is denied in the whole mesh from then on is found to be lost."""
    namespace = "shop" if "shop/" in text else "edge"
    chosen = f"{{selector: {{matchLabels: {{{selector}}}}}}}" if selector else "{}"
    head = f"{text}\nboth AuthorizationPolicy {namespace}/deny {chosen}"
    meshes = [Mesh.of(snapshot(one)[1], MeshConfig(), World.OPEN) for one in (text, head)]
    before, after = (route(mesh, Request(host), proxy) for mesh in meshes)
    assert isinstance(after, Denied)
    assert not isinstance(before, Denied)
    lost = {(one.request.request.host, str(one.request.client)) for one in Prover(*meshes).lost()}
    at_gateway = [client for found, client in lost if found == host]
    assert any(client.startswith("gateway ") == (proxy is not AT_WEB) for client in at_gateway)


# By hand


def unseen(text: str) -> Unseen:
    _, found = snapshot(text)
    versions = Versions(found, found)
    return Unseen(Index(versions, "cluster.local"), versions, "istio-system")


@pytest.mark.parametrize(
    ("where", "selector", "names"),
    [
        ("shop", {}, "a b e"),
        ("shop", {"app": "a"}, "a"),
        ("shop", {"tier": "x"}, "a b e"),
        ("shop", {"tier": "y"}, "a e"),
        ("shop", {"app": "b", "tier": "x"}, "b"),
        ("shop", {"app": "e"}, "e"),
        ("shop", {"zone": "q", "app": "c"}, ""),
        ("", {"app": "a"}, "a z"),
        ("", {}, "a b e z"),
        ("far", {}, ""),
    ],
)
def test_services_of_pods_with_labels(where: str, selector: dict[str, str], names: str) -> None:
    """Those whose selectors ask for nothing else; there has to be a selector."""
    found = unseen(
        """both Service shop/a {selector: {app: a}}
        both Service shop/b {selector: {app: b, tier: x}}
        both Service shop/c {}
        both ServiceEntry shop/d {hosts: [d.net]}
        both ServiceEntry shop/e {hosts: [e.net], workloadSelector: {labels: {app: e}}}
        both Service web/z {selector: {app: a}}"""
    )
    assert sorted(one.id.name for one in found.services(where, selector)) == names.split()


@pytest.mark.parametrize(
    ("where", "selector", "names"),
    [
        ("edge", {}, "api cert x y"),
        ("far", {}, "all other"),
        ("vault", {}, "cert"),
        ("", {}, "all api cert other x y"),
        ("web", {}, ""),
        # Pods may have the labels of several.
        ("edge", {"istio": "x"}, "x y"),
        ("edge", {"istio": "x", "role": "y"}, "x y"),
        ("edge", {"role": "y"}, "cert x y"),
        # Who writes a policy for such pods says that there are some.
        ("edge", {"istio": "x", "role": "z"}, "x"),
        ("edge", {"istio": "known"}, ""),
        ("far", {"istio": "x"}, "all x"),
        ("edge", {GATEWAY_NAME_LABEL: "api"}, "api"),
        ("far", {GATEWAY_NAME_LABEL: "other"}, "other"),
        ("far", {GATEWAY_NAME_LABEL: "api"}, ""),
        ("", {GATEWAY_NAME_LABEL: "api"}, "api"),
    ],
)
def test_gateways_of_pods_with_labels(where: str, selector: dict[str, str], names: str) -> None:
    found = unseen(
        f"""both Gateway edge/x {{selector: {{istio: x}}}}
        both Gateway edge/y {{selector: {{role: y}}}}
        both Gateway edge/known {{selector: {{istio: known}}}}
        {pods("web/known", "istio: known")}
        both Gateway far/all {{}}
        both Gateway edge/cert {{selector: {{istio: c}}, servers: [{{tls: {{credentialName: s}}}}]}}
        both Secret vault/s {{}}
        both Secret web/t {{}}
        both API edge/api {{}}
        both API far/other {{}}"""
    )
    assert sorted(one.id.name for one in found.gateways(where, selector)) == names.split()


POLICIES = """
    both AuthorizationPolicy shop/a {selector: {matchLabels: {app: a}}}
    both PeerAuthentication shop/x {selector: {matchLabels: {tier: x}}}
    both RequestAuthentication web/b {selector: {matchLabels: {app: b}}}
    both AuthorizationPolicy istio-system/r {selector: {matchLabels: {zone: r}}}
    both AuthorizationPolicy edge/t {targetRefs: [{kind: Gateway, name: gw}]}
    both AuthorizationPolicy istio-system/u {targetRefs: [{kind: Gateway, name: root}]}
    both EnvoyFilter shop/z {workloadSelector: {labels: {app: z}}}
"""
GW, ROOT = f"edge/{GATEWAY_NAME_LABEL}=gw", f"istio-system/{GATEWAY_NAME_LABEL}=root"


def shown(topics: Iterable[Topic]) -> set[str]:
    return {f"{t.namespace}/{','.join(f'{k}={v}' for k, v in t.labels)}" for t in topics}


@pytest.mark.parametrize(
    ("where", "selector", "met", "expected"),
    [
        ("shop", {"app": "a"}, "", {"shop/app=a", "shop/app=a,tier=x", "shop/app=a,zone=r"}),
        ("shop", {"app": "c"}, "", {"shop/app=c", "shop/app=c,tier=x", "shop/app=c,zone=r"}),
        ("shop", {"z": "c", "a": "d"}, "", {"shop/a=d,z=c", "shop/a=d,app=a,z=c", "shop/a=d,tier=x,z=c", "shop/a=d,z=c,zone=r"}),
        ("shop", {"app": "a"}, "shop", set()),
        ("shop", {}, "", {"shop/", "shop/app=a", "shop/tier=x", "shop/zone=r"}),
        ("shop", {}, "shop", set()),
        ("far", {}, "", {"far/", "far/zone=r"}),
        # Gateways have pods of their own, whatever else is in the namespace.
        ("edge", {}, "", {"edge/", "edge/zone=r", GW}),
        ("edge", {}, "edge", {GW}),
        ("edge", {"a": "b"}, "", {"edge/a=b", "edge/a=b,zone=r"}),
        # Those of the root namespace are for all namespaces.
        ("", {}, "", {"istio-system/", "istio-system/zone=r", "shop/app=a", "shop/tier=x", "web/app=b", "edge/", GW, ROOT}),
        ("", {}, "shop", {"web/app=b", "edge/", GW, ROOT}),
        ("", {"app": "a"}, "", {"istio-system/app=a", "istio-system/app=a,zone=r", "shop/app=a", "shop/app=a,tier=x", "edge/app=a"}),
        ("", {"app": "a"}, "shop", {"edge/app=a"}),
    ],
)  # fmt: skip
def test_labels_of_pods(
    where: str, selector: Mapping[str, str], met: str, expected: set[str]
) -> None:
    """Those of the policy, alone and with those of each other one that agrees with it."""
    found = unseen(POLICIES).pods(where, selector, {met} if met else set())
    assert shown(found) == expected


@pytest.mark.parametrize(
    ("where", "selector", "met", "expected"),
    [
        ("shop", {}, "shop", {"shop/app=s", "shop/app=vm"}),
        ("shop", {"tier": "x"}, "shop", {"shop/app=s,tier=x", "shop/app=vm,tier=x"}),
        ("shop", {"app": "s"}, "shop", {"shop/app=s"}),
        ("", {}, "shop", {"shop/app=s", "shop/app=vm"}),
        ("", {}, "web", set()),
        ("shop", {}, "", {"shop/"}),
    ],
)
def test_labels_of_pods_beside_some_that_are_there(
    where: str, selector: Mapping[str, str], met: str, expected: set[str]
) -> None:
    """Services of the namespace whose pods are elsewhere."""
    found = unseen(
        f"""both Service shop/s {{selector: {{app: s}}}}
        both Service shop/p {{selector: {{app: p}}}}
        both ServiceEntry shop/vm {{hosts: [vm.net], workloadSelector: {{labels: {{app: vm}}}}}}
        {pods("shop/p", "app: p")}
        {pods("web/s", "app: s")}"""
    )
    assert shown(found.pods(where, selector, {met} if met else set())) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Service shop/a {selector: {app: a}}", "v: w"),
        ("Service shop/a {selector: {app: a}}", "app: a, v: w"),
        ("ServiceEntry shop/a {hosts: [=a], workloadSelector: {labels: {app: a}}}", "v: w"),
        # It is not for them, or it is; or there are no pods, or others.
        ("Service shop/a {selector: {app: a}}", "!app: b, v: w"),
        ("Service shop/a {selector: {app: a, v: w}}", "!v: w"),
        ("Service shop/a {selector: {app: a}}", "!"),
        ("Service shop/a {}", "!v: w"),
        ("Service web/a {selector: {app: a}}", "!v: w"),
        ("Service shop/a {selector: {app: a}}" + pods("shop/p", "app: a"), "!v: w"),
    ],
)  # fmt: skip
def test_modes_of_pods_that_nobody_knows(text: str, told: str) -> None:
    """A policy that asks for another label than the Service may be for some of its pods."""
    labels = told.removeprefix("!")
    kind = text.partition(" ")[0]
    whole = f"""both {text}
        both PeerAuthentication shop/p {{selector: {{matchLabels: {{{labels}}}}}}}
        both DestinationRule shop/r {{host: =a, selector: {{app: a}}}}"""
    found = surroundings(whole, in_mesh=True)
    found.host(f"a.web.{DOMAIN}" if "web/" in text else HOST)
    assert found.ids
    _, there = snapshot(whole)
    index = Index(Versions(there, there), "cluster.local")
    why = f"whether PeerAuthentication shop/p is for pods of {kind} shop/a is not known, as they are not in the tree"
    assert unsure_of_mutual_tls(found, index, World.OPEN) == ("" if told[:1] == "!" else why)
    assert unsure_of_mutual_tls(found, index, World.CLOSED) == ""
