"""Cycles that the graph alone knows of: pods whose account changes, and policies that name it."""

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import GateKind, Plan, simulate
from meshplan.planner.solve import Solution, solve
from meshplan.resource import Snapshot
from meshplan.settings import World
from support.snapshots import snapshot

MESH = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template: {metadata: {labels: {app: reviews}}, spec: {containers: [{name: a, image: a}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: client, namespace: web}
spec:
  selector: {matchLabels: {app: client}}
  template:
    metadata: {labels: {app: client}}
    spec: {serviceAccountName: ACCOUNT, containers: [{name: a, image: a}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: clients, namespace: shop}
spec:
  action: ACTION
  rules: [{from: [{source: {FIELD: [cluster.local/ns/web/sa/ACCOUNT]}}]}]
"""


def mesh(account: str, action: str = "ALLOW", field: str = "principals") -> Snapshot:
    text = MESH.replace("ACCOUNT", account).replace("ACTION", action).replace("FIELD", field)
    return snapshot(text)


def solved(base: Snapshot, head: Snapshot) -> Solution:
    before = Mesh.of(base, MeshConfig(), World.CLOSED)
    after = before.at(head)
    changes = diff(base, head)
    return solve(changes, dependency_graph(changes, before, after), before, after)


def named(plan: Plan) -> list[list[tuple[str, bool]]]:
    return [[(step.id.name, step.bridge) for step in wave.steps] for wave in plan.waves]


def admitted(state: Snapshot) -> set[str]:
    """Who is let in, read from the policy by hand."""
    (policy,) = state.of_kind("security.istio.io", "AuthorizationPolicy")
    return {
        principal.rpartition("/")[2]
        for rule in policy.spec["rules"]
        for source in rule["from"]
        for principal in source["source"]["principals"]
    }


def test_both_accounts_are_admitted_while_the_pods_are_replaced() -> None:
    base, head = mesh("old"), mesh("new")
    found = solved(base, head)
    assert found.proof.verdict == "safe"
    assert named(found.plan) == [[("clients", True)], [("client", False)], [("clients", False)]]
    assert [wave.gate.kind for wave in found.plan.waves] == [
        GateKind.PROXIES,
        GateKind.READY,
        GateKind.NONE,
    ]
    states = [base]
    for wave in found.plan.waves:
        states.append(simulate(wave.steps, states[-1]))
    assert [admitted(state) for state in states] == [
        {"old"},
        {"old", "new"},
        {"old", "new"},
        {"new"},
    ]
    assert states[-1] == head


@pytest.mark.parametrize("other", ["new", "old"])
def test_no_version_in_between_where_one_end_admits_both(other: str) -> None:
    both = "old, cluster.local/ns/web/sa/new"
    wide = mesh("old").with_(mesh(both)[next(i for i in mesh(both) if i.name == "clients")])
    base, head = (mesh("old"), wide) if other == "old" else (wide, mesh("new"))
    found = solved(base, head)
    assert found.plan.bridges == 0
    assert found.proof.verdict == "safe"
