"""What is told to be impossible: only that to which no object with a say could make a difference."""

from itertools import permutations

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.planner.solve import Solution, solve
from support.meshes import with_versions
from support.proofs import Change, change, plan

SERVICE = """
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: b}, ports: [{name: http, port: 8080}]}
---
"""
#: Whom the Sidecar of the namespace does not want any more would have that of the root namespace,
#: which goes as well.
BEFORE = """
kind: Sidecar
metadata: {name: default, namespace: istio-system}
spec: {egress: [{hosts: [web/*]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
kind: Sidecar
metadata: {name: own, namespace: web}
spec: {egress: [{hosts: [web/*]}]}
---
kind: VirtualService
metadata: {name: v, namespace: web}
spec: {hosts: [other.test], gateways: [mesh, edge/gw], http: [{route: [{destination: {host: a.shop.svc.cluster.local}}]}]}
"""
#: Routes of the mesh change as well, so that the two are written in different waves.
AFTER = """
kind: VirtualService
metadata: {name: w, namespace: shop}
spec: {hosts: ["*.test"], http: [{route: [{destination: {host: a}}]}]}
---
kind: VirtualService
metadata: {name: v, namespace: web}
spec: {hosts: [other.test], gateways: [edge/gw], http: [{route: [{destination: {host: a.shop.svc.cluster.local}}]}]}
---
kind: Sidecar
metadata: {name: own, namespace: web}
spec: {workloadSelector: {labels: {app: b}}, egress: [{hosts: ["~/*"]}]}
"""


def solved(found: Change) -> Solution:
    base, head = found.prover.base, found.prover.head
    changes = diff(found.base, found.head)
    return solve(changes, dependency_graph(changes, base, head), base, head)


def test_objects_without_an_edge_between_them_may_have_to_wait_for_each_other() -> None:
    sides = (with_versions((SERVICE + side).strip()) for side in (BEFORE, AFTER))
    found = change(*sides)
    orders = permutations(found.steps)
    verdicts = {found.prover.check(plan([[step] for step in order])).verdict for order in orders}
    assert verdicts == {"safe", "unsafe"}
    told = solved(found)
    assert (told.impossible, told.tried, told.proof.verdict) == (None, "", "safe")
