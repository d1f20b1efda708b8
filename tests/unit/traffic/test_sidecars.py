"""Requests that leave through a client's sidecar."""

import pytest

from meshplan.mesh.proxy import sidecar
from meshplan.settings import World
from meshplan.traffic import outcome_to_json
from meshplan.traffic.outcome import (
    Denied,
    Direct,
    Failed,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from support.meshes import ask, endpoints, failure, mesh

#: A Service of namespace shop with two versions of pods; mTLS is off where a test does not want it.
SHOP = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: a}]}}}
---
kind: Deployment
metadata: {name: reviews-v2, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: [{name: a}]}}}
"""
V1, V2 = "Deployment shop/reviews-v1:8080", "Deployment shop/reviews-v2:8080"
RULE = """
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}, {name: none, labels: {version: v9}}]
"""


def route(body: str, name: str = "reviews", namespace: str = "shop", hosts: str = "reviews") -> str:
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{hosts}]
  http:
  - {body}
"""


TO_V1 = "route: [{destination: {host: reviews, subset: v1}}]"


def test_a_service_without_rules_serves_from_all_its_pods() -> None:
    assert endpoints(ask(mesh(SHOP), "http://reviews.shop.svc.cluster.local/")) == [V1, V2]


@pytest.mark.parametrize(
    ("host", "namespace", "known"),
    [
        ("reviews", "shop", True),
        ("reviews", "web", False),
        ("reviews.shop", "web", True),
        ("reviews.shop.svc", "web", True),
        ("reviews.shop.svc.cluster.local.", "web", True),
        ("REVIEWS.shop", "web", True),
        ("reviews.shop:80", "web", True),
        ("reviews.web", "web", False),
    ],
)
def test_short_names_depend_on_the_clients_namespace(
    host: str, namespace: str, known: bool
) -> None:
    outcome = ask(mesh(SHOP), f"http://{host}/", sidecar(namespace))
    assert isinstance(outcome, Served if known else Passthrough)


def test_a_route_to_a_subset_that_nobody_defines_is_503_nc() -> None:
    assert failure(ask(mesh(f"{SHOP}---{route(TO_V1)}"), "http://reviews.shop/")) == (503, "NC")


def test_a_subset_without_pods_is_503_uh() -> None:
    empty = TO_V1.replace("v1", "none")
    state = mesh("---".join((SHOP, RULE, route(empty))))
    assert failure(ask(state, "http://reviews.shop/")) == (503, "UH")


def test_a_subset_leads_to_its_pods() -> None:
    state = mesh("---".join((SHOP, RULE, route(TO_V1))))
    assert endpoints(ask(state, "http://reviews.shop/")) == [V1]


def test_weights_spread_requests_and_failures_among_them_show() -> None:
    body = """route:
    - {destination: {host: reviews, subset: v1}, weight: 90}
    - {destination: {host: reviews, subset: gone}, weight: 10}
    - {destination: {host: reviews, subset: none}, weight: 0}"""
    outcome = ask(mesh("---".join((SHOP, RULE, route(body)))), "http://reviews.shop/")
    assert isinstance(outcome, Served)
    assert not outcome.wholly
    assert [(b.kind, b.flag, b.weight) for b in outcome.backends] == [
        ("served", "-", 90),
        ("error", "NC", 10),
    ]


def test_the_first_of_two_rules_for_a_host_has_it_alone() -> None:
    first = route("{match: [{uri: {prefix: /a}}], directResponse: {status: 418}}", "a")
    second = route("{match: [{uri: {prefix: /b}}], directResponse: {status: 200}}", "b")
    state = mesh("---".join((SHOP, first, second)))
    assert ask(state, "http://reviews.shop/a") == Direct(418)
    # The paths of the second are not added to the first.
    assert failure(ask(state, "http://reviews.shop/b")) == (404, "NR")


def test_no_rule_for_this_client_leaves_the_services_own_route() -> None:
    body = "{match: [{sourceLabels: {app: other}}], directResponse: {status: 418}}"
    state = mesh(f"{SHOP}---{route(body)}")
    assert endpoints(ask(state, "http://reviews.shop/")) == [V1, V2]
    assert ask(state, "http://reviews.shop/", sidecar("web", {"app": "other"})) == Direct(418)


def test_a_hidden_rule_counts_for_its_own_namespace() -> None:
    text = route("directResponse: {status: 418}").replace("hosts:", "exportTo: ['.']\n  hosts:")
    state = mesh(f"{SHOP}---{text}")
    assert endpoints(ask(state, "http://reviews.shop/")) == [V1, V2]
    assert ask(state, "http://reviews/", sidecar("shop")) == Direct(418)


def test_a_rule_of_a_gateway_is_not_for_sidecars() -> None:
    text = route("directResponse: {status: 418}").replace("hosts:", "gateways: [gw]\n  hosts:")
    assert endpoints(ask(mesh(f"{SHOP}---{text}"), "http://reviews.shop/")) == [V1, V2]


def test_the_most_specific_host_of_several_rules_counts() -> None:
    wide = route("directResponse: {status: 418}", "a", hosts="'*.shop.svc.cluster.local'")
    own = route(TO_V1, "b")
    state = mesh("---".join((SHOP, RULE, wide, own)))
    assert endpoints(ask(state, "http://reviews.shop/")) == [V1]
    assert ask(mesh(f"{SHOP}---{wide}"), "http://reviews.shop/") == Direct(418)


def test_on_port_80_rules_count_for_hosts_that_nobody_declares() -> None:
    text = route("redirect: {authority: new.example.com}", hosts="old.example.com")
    state = mesh(f"{SHOP}---{text}")
    assert ask(state, "http://old.example.com/x") == Redirect(301, "http://new.example.com/x")
    assert isinstance(ask(state, "http://old.example.com:81/x"), Passthrough)


SIDECAR = """
kind: Sidecar
metadata: {{name: default, namespace: web}}
spec:
  egress: [{{hosts: [{hosts}]}}]
  outboundTrafficPolicy: {{mode: {mode}}}
"""


@pytest.mark.parametrize(
    ("hosts", "imported"),
    [
        ("'*/*'", True),
        ("'shop/*'", True),
        ("'shop/reviews.shop.svc.cluster.local'", True),
        ("'*/*.shop.svc.cluster.local'", True),
        ("'./*'", False),
        ("'~/*'", False),
        ("'shop/other.shop.svc.cluster.local'", False),
    ],
)
def test_a_sidecar_imports_hosts_and_the_rest_is_unknown(hosts: str, imported: bool) -> None:
    state = mesh(f"{SHOP}---{SIDECAR.format(hosts=hosts, mode='REGISTRY_ONLY')}")
    outcome = ask(state, "http://reviews.shop/")
    if imported:
        assert endpoints(outcome) == [V1, V2]
    else:
        assert failure(outcome) == (502, "-")


def test_the_destination_of_an_imported_rule_is_imported_with_it() -> None:
    rule = route(
        "route: [{destination: {host: reviews.shop.svc.cluster.local}}]",
        namespace="web",
        hosts="api",
    )
    api = """
kind: Service
metadata: {name: api, namespace: web}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
"""
    state = mesh("---".join((SHOP, rule, api, SIDECAR.format(hosts="'./*'", mode="REGISTRY_ONLY"))))
    assert endpoints(ask(state, "http://api/")) == [V1, V2]
    assert failure(ask(state, "http://reviews.shop/")) == (502, "-")


def test_a_host_that_nobody_declares_passes_or_is_blocked() -> None:
    url = "http://www.example.org/"
    assert ask(mesh(SHOP), url) == Passthrough("www.example.org", 80)
    blocked = mesh(SHOP, outbound_traffic_policy="REGISTRY_ONLY")
    assert failure(ask(blocked, url)) == (502, "-")


ENTRY = """
kind: ServiceEntry
metadata: {{name: api, namespace: web}}
spec: {{hosts: [api.example.com], resolution: {resolution}, ports: [{port}]{extra}}}
"""
HTTP = "{number: 80, name: http, protocol: HTTP, targetPort: 443}"


@pytest.mark.parametrize(
    ("resolution", "extra", "expected"),
    [
        ("DNS", "", ["api.example.com:443"]),
        ("DNS", ", endpoints: [{address: eu.example.com}]", ["eu.example.com:443"]),
        ("STATIC", ", endpoints: [{address: 10.0.0.1, ports: {http: 90}}]", ["10.0.0.1:90"]),
        ("STATIC", "", (503, "UH")),
        ("NONE", "", None),
    ],
)
def test_entries_are_resolved_as_they_say(
    resolution: str, extra: str, expected: list[str] | tuple[int, str] | None
) -> None:
    state = mesh(ENTRY.format(resolution=resolution, port=HTTP, extra=extra))
    outcome = ask(state, "http://api.example.com/")
    if expected is None:
        assert outcome == Passthrough("api.example.com", 80, declared=True)
    elif isinstance(expected, list):
        assert endpoints(outcome) == expected
    else:
        assert failure(outcome) == expected


def test_a_dns_cluster_without_endpoints_does_not_exist() -> None:
    rule = """
kind: DestinationRule
metadata: {name: api, namespace: web}
spec: {host: api.example.com, subsets: [{name: us, labels: {region: us}}]}
"""
    body = "route: [{destination: {host: api.example.com, subset: us}}]"
    state = mesh(
        "---".join(
            (
                ENTRY.format(resolution="DNS", port=HTTP, extra=""),
                rule,
                route(body, namespace="web", hosts="api.example.com"),
            )
        )
    )
    assert failure(ask(state, "http://api.example.com/")) == (503, "NC")


def test_a_missing_port_of_the_destination_is_503_nc() -> None:
    body = "route: [{destination: {host: reviews, port: {number: 81}}}]"
    outcome = ask(mesh(f"{SHOP}---{route(body)}"), "http://reviews.shop/")
    assert failure(outcome) == (503, "NC")
    assert any("has no port 81" in reason.text for reason in outcome.why)


def test_rewrites_show_in_the_backends() -> None:
    body = "{match: [{uri: {prefix: /x}}], rewrite: {uri: /y, authority: b.com}, route: [{destination: {host: reviews}}]}"
    outcome = ask(mesh(f"{SHOP}---{route(body)}"), "http://reviews.shop/x/1?q")
    assert isinstance(outcome, Served)
    assert {(b.path, b.authority) for b in outcome.backends} == {("/y/1?q", "b.com")}


def test_headers_set_the_authority_too() -> None:
    body = "{headers: {request: {set: {Host: c.com}}}, route: [{destination: {host: reviews}}]}"
    outcome = ask(mesh(f"{SHOP}---{route(body)}"), "http://reviews.shop/")
    assert isinstance(outcome, Served)
    assert {backend.authority for backend in outcome.backends} == {"c.com"}


def test_faults_take_the_place_of_backends() -> None:
    body = "{fault: {abort: {httpStatus: 503, percentage: {value: %s}}}, route: [{destination: {host: reviews}}]}"
    always = ask(mesh(f"{SHOP}---{route(body % 100)}"), "http://reviews.shop/")
    assert failure(always) == (503, "FI")
    sometimes = ask(mesh(f"{SHOP}---{route(body % 10)}"), "http://reviews.shop/")
    assert isinstance(sometimes, Served)
    assert [backend.flag for backend in sometimes.backends] == ["-", "-", "FI"]


def test_preflights_are_answered_by_the_proxy() -> None:
    body = "{corsPolicy: {allowOrigins: [{exact: 'https://a.com'}]}, route: [{destination: {host: reviews}}]}"
    state = mesh(f"{SHOP}---{route(body)}")
    asked = {"access_control_request_method": "PUT"}
    allowed = ask(state, "http://reviews.shop/", None, "OPTIONS", origin="https://a.com", **asked)
    assert allowed == Direct(200)
    other = ask(state, "http://reviews.shop/", None, "OPTIONS", origin="https://b.com", **asked)
    assert isinstance(other, Served)


def test_an_external_name_leads_to_what_it_stands_for() -> None:
    alias = """
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: reviews.shop.svc.cluster.local, ports: [{name: http, port: 80}]}
"""
    body = "route: [{destination: {host: old.shop.svc.cluster.local}}]"
    state = mesh("---".join((SHOP, alias, route(body, namespace="web", hosts="api.example.com"))))
    assert endpoints(ask(state, "http://old.shop/")) == [V1, V2]
    assert endpoints(ask(state, "http://api.example.com/")) == [V1, V2]


def test_a_sniffed_port_takes_the_virtual_host_of_its_service() -> None:
    text = SHOP.replace("name: http, port: 80", "name: web, port: 80")
    state = mesh("---".join((text, RULE, route(TO_V1))))
    assert endpoints(ask(state, "http://reviews.shop/")) == [V1]


def test_plain_tcp_is_routed_by_its_port() -> None:
    text = SHOP.replace("name: http, port: 80", "name: tcp, port: 80")
    rule = """
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  tcp:
  - match: [{port: 81}]
    route: [{destination: {host: nowhere}}]
  - match: [{port: 80, sourceLabels: {app: client}}]
    route: [{destination: {host: reviews, subset: v1}}]
"""
    state = mesh("---".join((text, RULE, rule)))
    assert endpoints(ask(state, "tcp://reviews.shop:80")) == [V1]
    assert endpoints(ask(state, "tcp://reviews.shop:80", sidecar("web"))) == [V1, V2]


def test_tls_is_routed_by_its_name() -> None:
    entry = ENTRY.format(resolution="DNS", port="{number: 443, name: tls, protocol: TLS}", extra="")
    rule = """
kind: VirtualService
metadata: {name: api, namespace: web}
spec:
  hosts: [api.example.com]
  tls:
  - match: [{port: 443, sniHosts: [api.example.com]}]
    route: [{destination: {host: reviews.shop.svc.cluster.local, port: {number: 80}}}]
"""
    assert endpoints(ask(mesh(entry), "tls://api.example.com")) == ["api.example.com:443"]
    assert endpoints(ask(mesh("---".join((SHOP, entry, rule))), "tls://api.example.com")) == [
        V1,
        V2,
    ]


def test_headless_services_are_reached_by_their_pods() -> None:
    text = SHOP.replace("selector: {app: reviews}", "clusterIP: None, selector: {app: reviews}")
    dialled = [f"{pod.rpartition(':')[0]}:80" for pod in (V1, V2)]
    assert endpoints(ask(mesh(text), "http://reviews.shop/")) == dialled


# What lies outside of the tree.


def test_in_an_open_world_an_unknown_destination_is_somebody_elses() -> None:
    body = "route: [{destination: {host: reviews, subset: v1}}]"
    open_ = mesh(route(body), world=World.OPEN)
    outcome = ask(open_, "http://reviews.shop.svc.cluster.local/")
    assert isinstance(outcome, Served)
    assert outcome.backends[0].endpoint == "reviews.shop.svc.cluster.local:80,subset=v1"


def test_in_an_open_world_a_known_rule_without_the_subset_is_still_503_nc() -> None:
    body = "route: [{destination: {host: reviews, subset: v2}}]"
    open_ = mesh(f"{route(body)}---{RULE}", world=World.OPEN)
    assert failure(ask(open_, "http://reviews.shop.svc.cluster.local/")) == (503, "NC")


def test_in_an_open_world_pods_may_be_elsewhere() -> None:
    service = SHOP.partition("---")[0]
    url = "http://reviews.shop/"
    assert failure(ask(mesh(service), url)) == (503, "UH")
    found = ask(mesh(service, world=World.OPEN), url)
    assert endpoints(found) == ["pods shop/app=reviews:8080"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", Transport.MTLS),
        ("kind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}", Transport.MTLS),
        (
            "kind: Namespace\nmetadata: {name: shop, labels: {istio-injection: disabled}}",
            Transport.PLAINTEXT,
        ),
        (
            ("kind: PeerAuthentication\nmetadata: {name: p, namespace: shop}\n"
            "spec: {selector: {matchLabels: {app: reviews}}, mtls: {mode: DISABLE}}"),
            Transport.PLAINTEXT,
        ),
    ],
)  # fmt: skip
def test_pods_that_are_elsewhere_have_sidecars_as_those_here(
    more: str, expected: Transport
) -> None:
    text = SHOP.partition("---")[0] + (f"---\n{more}\n" if more else "")
    found = ask(mesh(text, world=World.OPEN), "http://reviews.shop/")
    assert isinstance(found, Served)
    assert [backend.transport for backend in found.backends] == [expected]


@pytest.mark.parametrize(("injection", "is_let_in"), [("enabled", False), ("disabled", True)])
def test_policies_are_for_pods_that_are_elsewhere(injection: str, *, is_let_in: bool) -> None:
    policy = "kind: AuthorizationPolicy\nmetadata: {name: none, namespace: shop}\nspec: {}\n"
    space = f"kind: Namespace\nmetadata: {{name: shop, labels: {{istio-injection: {injection}}}}}"
    text = "---\n".join((SHOP.partition("---")[0], policy, space))
    found = ask(mesh(text, world=World.OPEN), "http://reviews.shop/")
    assert isinstance(found, Served if is_let_in else Denied)


# TLS between proxies.


@pytest.mark.parametrize(
    ("rule", "peer", "expected"),
    [
        ("", "", Transport.MTLS),
        ("", "DISABLE", Transport.PLAINTEXT),
        ("", "STRICT", Transport.MTLS),
        ("DISABLE", "", Transport.PLAINTEXT),
        ("DISABLE", "STRICT", (503, "UC")),
        ("ISTIO_MUTUAL", "DISABLE", (503, "URX,UF")),
        ("SIMPLE", "", (503, "URX,UF")),
    ],
)
def test_clients_and_servers_have_to_agree_about_tls(
    rule: str, peer: str, expected: Transport | tuple[int, str]
) -> None:
    parts = [SHOP]
    if rule:
        parts.append(f"""
kind: DestinationRule
metadata: {{name: reviews, namespace: shop}}
spec: {{host: reviews, trafficPolicy: {{tls: {{mode: {rule}}}}}}}
""")
    if peer:
        parts.append(f"""
kind: PeerAuthentication
metadata: {{name: default, namespace: shop}}
spec: {{mtls: {{mode: {peer}}}}}
""")
    outcome = ask(mesh("---".join(parts)), "http://reviews.shop/")
    if isinstance(expected, tuple):
        assert failure(outcome) == expected
    else:
        assert isinstance(outcome, Served)
        assert {backend.transport for backend in outcome.backends} == {expected}


def test_without_retries_a_failed_connection_says_so() -> None:
    state = mesh(
        f"""{SHOP}
---
kind: PeerAuthentication
metadata: {{name: default, namespace: shop}}
spec: {{mtls: {{mode: DISABLE}}}}
---
kind: DestinationRule
metadata: {{name: reviews, namespace: shop}}
spec: {{host: reviews, trafficPolicy: {{tls: {{mode: ISTIO_MUTUAL}}}}}}
---
{route("{retries: {attempts: 0}, route: [{destination: {host: reviews}}]}").strip()}"""
    )
    assert failure(ask(state, "http://reviews.shop/")) == (503, "UF")


def test_settings_of_a_port_inherit_nothing() -> None:
    rule = """
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy:
    tls: {mode: DISABLE}
    portLevelSettings: [{port: {number: 80}, tls: {mode: ISTIO_MUTUAL}}]
"""
    outcome = ask(mesh(f"{SHOP}---{rule}", enable_auto_mtls=False), "http://reviews.shop/")
    assert isinstance(outcome, Served)
    assert {backend.transport for backend in outcome.backends} == {Transport.MTLS}


def test_outcomes_have_a_json_form() -> None:
    outcome = ask(mesh("---".join((SHOP, RULE, route(TO_V1)))), "http://reviews.shop/")
    found = outcome_to_json(outcome)
    assert (found["kind"], found["status"], found["mtls"]) == ("served", 200, True)
    assert found["backends"][0]["endpoint"] == V1
    assert {"kind", "status", "flag", "location", "mtls", "backends"} <= found.keys()
    failed = outcome_to_json(Failed(None, "UH"))
    assert (failed["kind"], failed["status"]) == ("error", None)


# Odd ends.


def test_endpoints_may_be_written_by_hand() -> None:
    service = """
kind: Service
metadata: {name: db, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
"""
    by_hand = """
apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: shop}
subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{name: http, port: 8080}]}]
"""
    sliced = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: http, port: 8081}]
endpoints: [{addresses: [10.0.0.2]}, {addresses: [10.0.0.3], conditions: {ready: false}}]
"""
    url = "http://db.shop/"
    assert failure(ask(mesh(service), url)) == (503, "UH")
    assert endpoints(ask(mesh(f"{service}---{by_hand}"), url)) == ["10.0.0.1:8080"]
    assert endpoints(ask(mesh(f"{service}---{sliced}"), url)) == ["10.0.0.2:8081"]
    assert endpoints(ask(mesh(service, world=World.OPEN), url)) == [
        "endpoints of db.shop.svc.cluster.local:80"
    ]


def test_a_credential_is_not_for_sidecars() -> None:
    rule = """
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews, trafficPolicy: {tls: {mode: SIMPLE, credentialName: cert}}}
"""
    outcome = ask(mesh(f"{SHOP}---{rule}"), "http://reviews.shop/")
    assert isinstance(outcome, Served)
    assert {backend.transport for backend in outcome.backends} == {Transport.PLAINTEXT}


@pytest.mark.parametrize(
    "extra",
    [
        """
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: shop}
spec: {targetRefs: [{group: '', kind: Service, name: reviews}]}
""",
        """
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
""",
        """
kind: Sidecar
metadata: {name: default, namespace: web}
spec: {egress: [{port: {number: 80, name: p, protocol: HTTP_PROXY}, hosts: ['*/*']}]}
""",
    ],
)
def test_what_is_not_modelled_is_unknown(extra: str) -> None:
    assert isinstance(ask(mesh(f"{SHOP}---{extra}"), "http://reviews.shop/"), Unknown)


def test_a_reason_says_what_matched() -> None:
    body = (
        "{match: [{uri: {prefix: /x}, headers: {a: {exact: '1'}}}], directResponse: {status: 200}}"
    )
    outcome = ask(mesh(f"{SHOP}---{route(body)}"), "http://reviews.shop/x", a="1")
    assert outcome.why[0].text == "http[0].match[0] matches prefix /x and header a exact 1"


def test_tls_to_a_port_that_is_declared_as_http_is_let_pass() -> None:
    assert isinstance(ask(mesh(SHOP), "https://reviews.shop:80/"), Passthrough)


def test_settings_on_the_way_are_told() -> None:
    rule = RULE.replace("host: reviews", "host: reviews\n  trafficPolicy: {outlierDetection: {}}")
    body = "{timeout: 3s, route: [{destination: {host: reviews, subset: v1}}]}"
    outcome = ask(mesh("---".join((SHOP, rule, route(body)))), "http://reviews.shop/")
    assert isinstance(outcome, Served)
    assert outcome.policy == {
        "timeout": "3s",
        "outbound|80|v1|reviews.shop.svc.cluster.local": '{"outlierDetection":{}}',
    }
