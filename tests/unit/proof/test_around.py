"""Which objects are collected around a host: each says in the tables whether it has a say."""

import pytest

from support.around import SERVICE, around, behind, having_a_say, named, surroundings


@pytest.mark.parametrize(
    "rules",
    [
        "http: [{route: [{destination: {host: =b}}]}]",
        "http: [{route: [{destination: {host: B.shop}}]}, {redirect: {uri: /}}]",
        "http: [{route: [{destination: {host: =a}}], mirror: {host: =b}}]",
        "http: [{route: [{destination: {host: =a}}], mirrors: [{destination: {host: =b}}]}]",
        "tls: [{match: [{sniHosts: [=a]}], route: [{destination: {host: =b}}]}]",
        "tcp: [{route: [{destination: {host: =a}}, {destination: {host: =b}}]}]",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("bound", "who"),
    [
        ("", "mesh"),
        ("gateways: [mesh], ", "mesh"),
        ("gateways: [edge/gw], ", "edge"),
        ("gateways: [mesh, edge/gw], ", "both"),
    ],
)
def test_what_routes_lead_to(rules: str, bound: str, who: str) -> None:
    if "B.shop" in rules:
        rules = rules.replace("B.shop", "B.shop.svc.cluster.local")
    gateway = "{selector: {istio: x}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}]}"
    around(
        f"""{SERVICE}
        {who} VirtualService web/r {{hosts: [=a], {bound}{rules}}}
        none VirtualService web/other {{hosts: [=d], {bound}{rules}}}
        edge Gateway edge/gw {gateway}
        {behind(who)}"""
    )


@pytest.mark.parametrize(
    ("hosts", "who"),
    [
        ("[=a]", "mesh"),
        ("[a]", "mesh"),
        ("[A.shop.svc.cluster.local]", "mesh"),
        ("[x.example.com, =a]", "mesh"),
        ("['*.shop.svc.cluster.local']", "mesh"),
        ("['*']", "mesh"),
        ("['*.web.svc.cluster.local']", "none"),
        ("[aa]", "none"),
        ("[a.web.svc.cluster.local]", "none"),
    ],
)
def test_whose_routes_a_host_has(hosts: str, who: str) -> None:
    around(
        f"""{SERVICE}
        {who} VirtualService shop/r {{hosts: {hosts}, http: [{{redirect: {{uri: /}}}}]}}"""
    )


@pytest.mark.parametrize(
    ("delegate", "other"), [("{name: d, namespace: far}", "web/d"), ("{name: d}", "far/d")]
)
def test_delegates(delegate: str, other: str) -> None:
    right = "far/d" if other == "web/d" else "web/d"
    around(
        f"""{SERVICE}
        mesh VirtualService web/r {{hosts: [=a], http: [{{redirect: {{uri: /}}}}, {{delegate: {delegate}}}]}}
        mesh VirtualService {right} {{http: [{{route: [{{destination: {{host: =b}}}}]}}]}}
        none VirtualService {other} {{http: [{{route: [{{destination: {{host: =c}}}}]}}]}}
        {behind("mesh")}"""
    )


def test_ports_of_the_other_hosts_of_a_route() -> None:
    """They say on which ports it counts; of a wildcard only sidecars know which hosts it has."""
    entry = (
        "{hosts: [x.example.com], resolution: DNS, ports: [{number: 80, name: h, protocol: HTTP}]}"
    )
    for bound, who, under in (("", "mesh", "mesh"), ("gateways: [edge/gw], ", "edge", "none")):
        around(
            f"""{SERVICE}
            {who} VirtualService web/r {{hosts: [=a, =b, '*.example.com'], {bound}http: [{{redirect: {{uri: /}}}}]}}
            {who} Service shop/b {{ports: [{{name: http, port: 80}}]}}
            none DestinationRule shop/b {{host: b}}
            {under} ServiceEntry far/x {entry}
            none ServiceEntry far/y {entry.replace("x.example.com", "x.example.org")}"""
        )


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        ("{host: =a}", "both"),
        ("{host: '*.shop.svc.cluster.local'}", "both"),
        ("{host: '*.cluster.local'}", "both"),
        ("{host: A.shop.svc.cluster.local}", "both"),
        ("{host: a}", "none"),
        ("{host: '*.web.svc.cluster.local'}", "none"),
    ],
)
def test_rules_of_a_host(rule: str, who: str) -> None:
    around(f"{SERVICE}\n{who} DestinationRule web/r {rule}")


POD = "{template: {metadata: {labels: {app: a, v: '1'}}, spec: {containers: [{name: c}]}}}"


@pytest.mark.parametrize(
    "kind", ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"]
)
def test_policies_of_the_pods(kind: str) -> None:
    around(
        f"""{SERVICE}
        both Deployment shop/a {POD}
        both {kind} shop/all {{}}
        both {kind} shop/a {{selector: {{matchLabels: {{app: a}}}}}}
        both {kind} shop/v {{selector: {{matchLabels: {{v: '1'}}}}}}
        none {kind} shop/b {{selector: {{matchLabels: {{app: b}}}}}}
        both {kind} istio-system/all {{}}
        both {kind} istio-system/a {{selector: {{matchLabels: {{app: a}}}}}}
        none {kind} istio-system/b {{selector: {{matchLabels: {{app: b}}}}}}
        none {kind} web/all {{}}
        none {kind} web/a {{selector: {{matchLabels: {{app: a}}}}}}"""
    )


def test_what_patches_the_pods() -> None:
    around(
        f"""{SERVICE}
        both EnvoyFilter shop/a {{workloadSelector: {{labels: {{app: a}}}}}}
        none EnvoyFilter shop/b {{workloadSelector: {{labels: {{app: b}}}}}}
        both WasmPlugin istio-system/all {{}}
        both Sidecar shop/a {{workloadSelector: {{labels: {{app: a}}}}}}
        none Sidecar web/a {{}}"""
    )


def test_who_is_not_in_the_tree_has_policies() -> None:
    """Pods that a Service selects and that nobody declares."""
    around(
        f"""{SERVICE}
        both AuthorizationPolicy shop/a {{selector: {{matchLabels: {{app: a}}}}}}
        none AuthorizationPolicy shop/b {{selector: {{matchLabels: {{app: b}}}}}}"""
    )


def test_what_is_behind_a_service() -> None:
    around(
        f"""{SERVICE}
        both Namespace shop {{}}
        none Namespace web {{}}
        both Deployment shop/a {POD}
        none Deployment web/a {POD}
        both Endpoints shop/a {{}}
        none Endpoints shop/b {{}}
        none Endpoints web/a {{}}
        both EndpointSlice shop/x {{metadata: {{labels: {{kubernetes.io/service-name: a}}}}}}
        none EndpointSlice shop/y {{metadata: {{labels: {{kubernetes.io/service-name: b}}}}}}
        both Service shop/same {{selector: {{v: '1'}}, ports: [{{name: tcp, port: 80}}]}}
        none Service shop/other {{selector: {{v: '2'}}, ports: [{{name: tcp, port: 80}}]}}
        none Service web/a {{selector: {{app: a}}, ports: [{{name: tcp, port: 80}}]}}"""
    )


ENTRY = "ports: [{number: 80, name: http, protocol: HTTP}]"


def test_what_is_behind_an_entry() -> None:
    around(
        f"""both ServiceEntry web/e {{hosts: [E.example.com], resolution: STATIC, {ENTRY}, workloadSelector: {{labels: {{app: vm}}}}}}
        both Namespace web {{}}
        none Namespace shop {{}}
        both WorkloadEntry web/vm {{address: 10.0.0.1, labels: {{app: vm}}}}
        none WorkloadEntry web/other {{address: 10.0.0.2, labels: {{app: other}}}}
        none WorkloadEntry shop/vm {{address: 10.0.0.1, labels: {{app: vm}}}}
        both PeerAuthentication web/vm {{selector: {{matchLabels: {{app: vm}}}}}}
        none PeerAuthentication web/other {{selector: {{matchLabels: {{app: other}}}}}}""",
        "e.example.com",
    )
    around(
        f"""both ServiceEntry web/e {{hosts: ['*.example.com'], resolution: STATIC, {ENTRY}, endpoints: [{{address: 10.0.0.1}}, {{address: 10.0.0.2, labels: {{app: vm}}}}]}}
        both PeerAuthentication web/vm {{selector: {{matchLabels: {{app: vm}}}}}}
        none PeerAuthentication web/other {{selector: {{matchLabels: {{app: other}}}}}}
        none PeerAuthentication shop/vm {{selector: {{matchLabels: {{app: vm}}}}}}
        none ServiceEntry web/f {{hosts: [example.com], resolution: NONE, {ENTRY}}}""",
        "e.example.com",
    )


def test_what_a_service_stands_for() -> None:
    """Sidecars take the routes of the other host, gateways only what is behind it."""
    around(
        f"""both Service shop/a {{type: ExternalName, externalName: =b, ports: [{{name: http, port: 80}}]}}
        mesh VirtualService web/b {{hosts: [=b], http: [{{route: [{{destination: {{host: =d}}}}]}}]}}
        mesh Service shop/d {{selector: {{app: d}}, ports: [{{name: http, port: 80}}]}}
        {behind("both")}"""
    )
    around(
        f"""both Service shop/a {{type: ClusterIP, externalName: =b, ports: [{{name: http, port: 80}}]}}
        {behind("none")}"""
    )


@pytest.mark.parametrize("given", ["clusterIP: 10.9.0.1", "addresses: [10.9.0.1]"])
def test_who_has_an_address(given: str) -> None:
    """Routes, services and pods of a host are those of its address."""
    declared = (
        f"both Service shop/a {{{given}, selector: {{app: a}}, ports: [{{name: http, port: 80}}]}}"
        if "IP" in given
        else f"both ServiceEntry shop/a {{hosts: [=a], {given}, resolution: STATIC, {ENTRY}, workloadSelector: {{labels: {{app: a}}}}}}"
    )
    around(
        f"""{declared}
        both Deployment shop/a {POD}
        both AuthorizationPolicy shop/a {{selector: {{matchLabels: {{app: a}}}}}}
        both VirtualService web/r {{hosts: [=a], http: [{{redirect: {{uri: /}}}}]}}
        none VirtualService web/s {{hosts: [=b], http: [{{redirect: {{uri: /}}}}]}}
        none Service shop/b {{clusterIP: 10.9.0.2, ports: [{{name: http, port: 80}}]}}""",
        "10.9.0.1",
    )
    around(
        f"""{declared}
        both Deployment shop/a {POD}
        none Deployment shop/b {POD.replace("app: a", "app: b")}""",
        "10.9.0.1",
    )


def test_a_host_without_service_has_no_namespace() -> None:
    around(
        """none Namespace shop {}
        both DestinationRule web/a {host: =a}"""
    )


def test_a_service_without_selector_has_a_namespace() -> None:
    """It may say by which proxies the service is reached."""
    around(
        """both Service shop/a {ports: [{name: http, port: 80}]}
        both Namespace shop {}"""
    )


def test_all_of_a_wildcard() -> None:
    """Sidecars know the entries for it; at a gateway only a route leads there."""
    around(
        f"""mesh ServiceEntry web/e {{hosts: ['*.example.com'], resolution: NONE, {ENTRY}}}
        mesh ServiceEntry web/f {{hosts: [x.example.com], resolution: DNS, {ENTRY}}}
        mesh DestinationRule web/r {{host: '*.example.com'}}
        none ServiceEntry web/g {{hosts: [x.example.org], resolution: DNS, {ENTRY}}}""",
        "*.example.com",
    )


def test_services_that_stand_for_each_other() -> None:
    around(
        """both Service shop/a {type: ExternalName, externalName: =b, ports: [{name: http, port: 80}]}
        both Service shop/b {type: ExternalName, externalName: =a, ports: [{name: http, port: 80}]}
        none Service shop/c {type: ExternalName, externalName: =a, ports: [{name: http, port: 80}]}"""
    )


@pytest.mark.parametrize(
    ("declared", "pods"),
    [
        (SERVICE, "app: a"),
        (SERVICE.replace("{selector: {app: a}, ", "{"), ""),
        (f"both ServiceEntry shop/a {{hosts: [=a], resolution: STATIC, {ENTRY}, workloadSelector: {{labels: {{app: a}}}}}}", "app: a"),
        (f"both ServiceEntry shop/a {{hosts: ['*.cluster.local'], resolution: STATIC, {ENTRY}, workloadSelector: {{labels: {{app: a}}}}}}", "app: a"),
    ],
)  # fmt: skip
def test_pods_of_subsets_need_not_be_there(declared: str, pods: str) -> None:
    """They have the labels of the subset; of what selects no pods there are none."""
    who = "both" if pods else "none"
    around(
        f"""{declared}
        both DestinationRule web/r {{host: =a, subsets: [{{name: v1, labels: {{v: '1'}}}}, {{name: v2, labels: {{v: '2'}}}}]}}
        {who} AuthorizationPolicy shop/v1 {{selector: {{matchLabels: {{v: '1'}}}}}}
        {who} PeerAuthentication shop/v2 {{selector: {{matchLabels: {{v: '2'}}}}}}
        {who} AuthorizationPolicy shop/a {{selector: {{matchLabels: {{app: a}}}}}}
        none AuthorizationPolicy shop/v3 {{selector: {{matchLabels: {{v: '3'}}}}}}
        none AuthorizationPolicy web/v1 {{selector: {{matchLabels: {{v: '1'}}}}}}"""
    )


def test_what_applies_to_pods_comes_in_order() -> None:
    """Not in that of the hashes of their labels, which are others in each process."""
    names = list("hcgbfade")
    text = "\n".join(
        f"both AuthorizationPolicy shop/{name} {{selector: {{matchLabels: {{{name}: x}}}}}}"
        for name in names
    )
    found = surroundings(text, in_mesh=True)
    found.pods_with("shop", dict.fromkeys(names, "x"))
    assert [id_.name for id_ in found.ids] == sorted(names)


def test_what_applies_to_pods() -> None:
    text = """both Namespace shop {}
        both AuthorizationPolicy shop/all {}
        both PeerAuthentication shop/a {selector: {matchLabels: {app: a}}}
        none PeerAuthentication shop/b {selector: {matchLabels: {app: b}}}
        both RequestAuthentication istio-system/all {}
        both Sidecar shop/a {workloadSelector: {labels: {app: a}}}
        both Service shop/x {selector: {app: a}, ports: [{name: http, port: 80}]}
        none Service shop/y {selector: {app: b}, ports: [{name: http, port: 80}]}
        none Service web/x {selector: {app: a}, ports: [{name: http, port: 80}]}
        none Namespace web {}"""
    found = surroundings(text, in_mesh=True)
    found.pods_with("shop", {"app": "a"})
    assert named(found.ids) == having_a_say(text, "both")


@pytest.mark.parametrize(
    ("kind", "in_mesh", "at_edge"),
    [
        ("VirtualService", "{hosts: [=a], gateways: [mesh]}", "{hosts: [=a], gateways: [edge/gw]}"),
        (
            "HTTPRoute",
            "{parentRefs: [{group: '', kind: Service, name: a, namespace: shop}]}",
            "{parentRefs: [{name: gw, namespace: edge}], hostnames: [=a]}",
        ),
    ],
)
def test_a_version_is_enough(kind: str, in_mesh: str, at_edge: str) -> None:
    for before, after in ((in_mesh, at_edge), (at_edge, in_mesh)):
        text = f"{SERVICE}\nboth {kind} web/r %s"
        around(text % before, after=text % after)


ROUTE = "rules: [{backendRefs: [{name: b, namespace: shop, port: 80}]}]"


@pytest.mark.parametrize(
    ("parents", "who"),
    [
        ("[{group: '', kind: Service, name: a, namespace: shop}]", "mesh"),
        ("[{name: api, namespace: edge}]", "edge"),
        ("[{kind: Gateway, name: api, namespace: edge}]", "edge"),
        ("[{name: api, namespace: edge}, {group: '', kind: Service, name: a, namespace: shop}]", "both"),
        ("[{group: '', kind: Service, name: d, namespace: shop}]", "none"),
        ("[{group: '', kind: Service, name: a}]", "none"),
    ],
)  # fmt: skip
def test_routes_of_the_gateway_api(parents: str, who: str) -> None:
    around(
        f"""{SERVICE}
        {who} HTTPRoute web/r {{parentRefs: {parents}, hostnames: [=a], {ROUTE}}}
        edge API edge/api {{gatewayClassName: istio, listeners: [{{name: h, port: 80, protocol: HTTP}}]}}
        edge GatewayClass istio {{}}
        none GatewayClass other {{}}
        {who} ReferenceGrant shop/g {{from: [], to: []}}
        {who} ReferenceGrant web/g {{from: [], to: []}}
        none ReferenceGrant far/g {{from: [], to: []}}
        {who} Namespace web {{}}
        none Namespace far {{}}
        {behind(who)}"""
    )


def test_routes_of_an_entry() -> None:
    around(
        f"""both ServiceEntry web/e {{hosts: [e.example.com], resolution: DNS, {ENTRY}}}
        mesh HTTPRoute web/r {{parentRefs: [{{group: networking.istio.io, kind: ServiceEntry, name: e}}], {ROUTE}}}
        {behind("mesh")}""",
        "e.example.com",
    )


def test_routes_name_the_hosts_of_the_parent() -> None:
    """Another Service that a route is for has its ports; no Service of another namespace."""
    around(
        f"""{SERVICE}
        mesh HTTPRoute shop/r {{parentRefs: [{{group: '', kind: Service, name: a}}, {{group: '', kind: Service, name: d, namespace: far}}], {ROUTE}}}
        mesh Service far/d {{selector: {{app: d}}, ports: [{{name: http, port: 80}}]}}
        none Service shop/d {{selector: {{app: d}}, ports: [{{name: http, port: 80}}]}}
        {behind("mesh")}"""
    )


def test_a_route_has_its_parents() -> None:
    around(
        f"""{SERVICE}
        edge HTTPRoute edge/r {{parentRefs: [{{name: api}}, {{name: more, namespace: far}}], hostnames: [=a], {ROUTE}}}
        edge API edge/api {{gatewayClassName: istio, listeners: [{{name: h, port: 80, protocol: HTTP, hostname: y.example.com}}]}}
        none API far/api {{gatewayClassName: istio, listeners: [{{name: h, port: 80, protocol: HTTP, hostname: y.example.com}}]}}
        edge API far/more {{gatewayClassName: istio, listeners: [{{name: h, port: 80, protocol: HTTP, hostname: y.example.com}}]}}
        {behind("edge")}"""
    )
