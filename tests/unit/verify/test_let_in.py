"""Policies that ask for what no request shows: what is behind them is looked at all the same."""

import pytest

from meshplan.diff import Delete, diff
from meshplan.plan import Apply, Gate, GateKind, Plan, Wave, wave_to_json
from meshplan.settings import World
from meshplan.verify import Verification, verify
from support.meshes import mesh

#: A gateway that takes requests with a token, and a Service with subsets behind it.
BASE = """kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web, version: v1}}, spec: {containers: [{name: c}]}}}
---
kind: Deployment
metadata: {name: web-2, namespace: shop}
spec: {template: {metadata: {labels: {app: web, version: v2}}, spec: {containers: [{name: c}]}}}
---
kind: Deployment
metadata: {name: gate, namespace: edge}
spec: {template: {metadata: {labels: {istio: gate}}, spec: {containers: [{name: c}]}}}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gate, namespace: edge}
spec:
  selector: {istio: gate}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
kind: RequestAuthentication
metadata: {name: tokens, namespace: edge}
spec: {selector: {matchLabels: {istio: gate}}, jwtRules: [{issuer: a, jwksUri: "https://a/"}]}
---
kind: AuthorizationPolicy
metadata: {name: tokens, namespace: edge}
spec:
  selector: {matchLabels: {istio: gate}}
  rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]
---
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec: {host: web.shop.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.example.com]
  gateways: [edge/gate]
  http: [{route: [{destination: {host: web.shop.svc.cluster.local, subset: v1}}]}]"""
ADDED = "{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}"
HEAD = BASE.replace("{name: v1, labels: {version: v1}}", ADDED).replace(
    "subset: v1}", "subset: v2}"
)
TOKEN = '{requestPrincipals: ["*"]}'


def verified(base: str, head: str, *kinds: tuple[str, ...]) -> Verification:
    """The verdict on a plan whose waves write the objects of some kinds each."""
    before = mesh(base, world=World.CLOSED)
    after = before.at(mesh(head).snapshot)
    steps = [
        Apply(c.after, "")
        for c in diff(before.snapshot, after.snapshot)
        if not isinstance(c, Delete)
    ]
    waves = [[step for step in steps if step.id.kind in some] for some in kinds]
    assert sum(map(len, waves)) == len(steps)
    plan = Plan(tuple(Wave(tuple(wave), Gate(GateKind.PROXIES, "", ())) for wave in waves))
    written = {"digest": plan.digest, "waves": [wave_to_json(wave) for wave in plan.waves]}
    return verify(written, before, after)


RULE, ROUTE = ("DestinationRule",), ("VirtualService",)


def test_a_plan_in_a_safe_order_is_confirmed() -> None:
    found = verified(BASE, HEAD, RULE, ROUTE)
    assert (found.verdict, found.gaps) == ("confirmed", ())


@pytest.mark.parametrize("kinds", [(ROUTE, RULE), (RULE + ROUTE,)])
def test_a_subset_that_is_used_too_early_is_seen_behind_a_policy(
    kinds: tuple[tuple[str, ...], ...],
) -> None:
    # Whether any token is valid nobody knows: so that it is no refutation.
    found = verified(BASE, HEAD, *kinds)
    assert found.verdict == "unknown"
    assert any("503 NC" in gap for gap in found.gaps)
    # Without the policies it is one.
    without = [
        text.replace("RequestAuthentication", "PeerAuthentication")
        .replace(TOKEN, "{}")
        .replace('jwtRules: [{issuer: a, jwksUri: "https://a/"}]', "mtls: {mode: PERMISSIVE}")
        for text in (BASE, HEAD)
    ]
    assert verified(without[0], without[1], *kinds).verdict == "refuted"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TOKEN, '{requestPrincipals: ["a/*"]}'),
        ("issuer: a", "issuer: b"),
        (TOKEN, '{ipBlocks: ["10.0.0.0/8"]}'),
        ("rules: [{from", "action: CUSTOM\n  provider: {name: ask}\n  rules: [{from"),
    ],
)
def test_policies_that_change_leave_it_open(old: str, new: str) -> None:
    assert old in BASE
    access = ("RequestAuthentication", "AuthorizationPolicy")
    assert verified(BASE, BASE.replace(old, new), access).verdict == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("{istio: gate}}, spec", "{istio: gate, x: y}}, spec", "Deployment"),
        ("name: http, port: 80}", "name: tcp, port: 80}", "Service"),
    ],
)
def test_pods_that_policies_may_choose_otherwise_leave_it_open(
    old: str, new: str, kind: str
) -> None:
    # At the servers now, of which the gateway is one.
    base = BASE.replace(
        "namespace: edge}\nspec: {selector: {matchLabels: {istio: gate}}, jwt",
        "namespace: shop}\nspec: {jwt",
    )
    base = base.replace("  selector: {matchLabels: {istio: gate}}\n  rules", "  rules")
    assert old in base
    found = verified(base, base.replace(old, new, 1), (kind,))
    assert found.verdict == "unknown"
    assert any("more than" in gap for gap in found.gaps)


def test_an_image_is_nobodys_business() -> None:
    found = verified(BASE, BASE.replace("{name: c}", "{name: c, image: new}"), ("Deployment",))
    assert (found.verdict, found.requests) == ("confirmed", 0)


FILTER = """
---
kind: EnvoyFilter
metadata: {name: filter, namespace: elsewhere}
spec: {%s}"""


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [
        ("configPatches: [{applyTo: HTTP_FILTER, match: {context: GATEWAY}}]", "unknown"),
        # It never touches a request; and the fields of old versions are read no more.
        ("configPatches: [{applyTo: BOOTSTRAP}]", "confirmed"),
        ("filters: [{filterName: envoy.ext_authz}]", "confirmed"),
    ],
)
def test_a_filter_that_changes_is_not_confirmed_whoever_has_it(spec: str, verdict: str) -> None:
    found = verified(BASE, BASE + FILTER % spec, ("EnvoyFilter",))
    assert found.verdict == verdict


def test_settings_of_the_mesh_that_change_are_not_confirmed() -> None:
    before = mesh(BASE)
    after = mesh(BASE, outbound_traffic_policy="REGISTRY_ONLY")
    empty: dict[str, object] = {"waves": [], "digest": Plan(()).digest}
    assert verify(empty, before, before).verdict == "confirmed"
    assert verify(empty, before, after).verdict == "unknown"
