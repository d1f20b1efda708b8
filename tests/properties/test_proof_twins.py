"""Services from one template, of which one differs in one value: what is said of twins is true of all.

With and without the shortcut for twins the prover says the same, whatever the difference is.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan, Wave
from meshplan.proof import Proof, Prover
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from support.edits import edited
from support.meshes import with_versions
from support.proofs import SETTLED, steps_of
from support.snapshots import snapshot

NUMBERS = ("001", "002", "003")
TEMPLATE = """
kind: Service
metadata: {name: svc-@, namespace: shop}
spec: {selector: {app: svc-@}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Deployment
metadata: {name: svc-@, namespace: shop}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: svc-@, version: old}}
    spec: {serviceAccountName: svc-@, containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]}
---
kind: VirtualService
metadata: {name: svc-@, namespace: shop}
spec:
  hosts: [svc-@, svc-@.example.org]
  gateways: [mesh, shop/svc-@]
  http:
  - {match: [{uri: {prefix: /a}}], timeout: 1s, route: [{destination: {host: svc-@, subset: SIDE}}]}
  - {route: [{destination: {host: svc-@}}]}
---
kind: DestinationRule
metadata: {name: svc-@, namespace: shop}
spec: {host: svc-@, subsets: [{name: SIDE, labels: {version: old}}]}
---
kind: Gateway
metadata: {name: svc-@, namespace: shop}
spec: {selector: {istio: svc-@}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [svc-@.example.org]}]}
---
kind: AuthorizationPolicy
metadata: {name: svc-@, namespace: shop}
spec:
  selector: {matchLabels: {app: svc-@}}
  rules: [{from: [{source: {principals: [cluster.local/ns/web/sa/svc-@]}}], to: [{operation: {paths: [/a*]}}]}]
---
kind: PeerAuthentication
metadata: {name: svc-@, namespace: shop}
spec: {selector: {matchLabels: {app: svc-@}}, mtls: {mode: PERMISSIVE}}
"""


@cache
def objects(number: str, side: str) -> tuple[Resource, ...]:
    text = with_versions(TEMPLATE.strip().replace("@", number).replace("SIDE", side))
    return tuple(snapshot(text).values())


@dataclass(frozen=True)
class Difference:
    """A value of one object of the second service that is another one."""

    position: int
    where: str
    manifests: tuple[dict[str, Any], dict[str, Any]]
    #: Whether it is so in both revisions, or at the head alone.
    both: bool

    def sides(self) -> tuple[Snapshot, Snapshot]:
        found = []
        for side, name in enumerate(("one", "two")):
            resources = [one for number in NUMBERS for one in objects(number, name)]
            if side or self.both:
                place = len(objects("001", name)) + self.position
                resources[place] = replace(resources[place], manifest=self.manifests[side])
            found.append(Snapshot(resources))
        return found[0], found[1]


def differences(position: int) -> Iterator[Difference]:
    old, new = (objects("002", side)[position].manifest for side in ("one", "two"))
    for number, ((where, before), (_, after)) in enumerate(
        zip(edited(old), edited(new), strict=True)
    ):
        yield Difference(position, where, (before, after), both=number % 3 > 0)


def waves(base: Snapshot, head: Snapshot) -> Plan:
    """First all rules, then all else."""
    steps = list(steps_of(base, head))
    rules = tuple(step for step in steps if step.id.kind == "DestinationRule")
    others = tuple(step for step in steps if step.id.kind != "DestinationRule")
    return Plan(tuple(Wave(one, SETTLED) for one in (rules, others) if one))


def said(proof: Proof) -> object:
    return (
        [(c.wave, c.invariant, c.sentence) for c in proof.counterexamples],
        [(u.wave, u.why, str(u.request)) for u in proof.unknowns],
        [c.sentence for c in proof.warnings],
        [one.sentence for one in proof.lost],
        (proof.classes, proof.views),
    )


def answers(base: Snapshot, head: Snapshot) -> tuple[object, int]:
    """All that a prover says, and the work that it took."""
    before = Mesh.of(base, MeshConfig(), World.OPEN)
    prover = Prover(before, before.at(head))
    steps = list(steps_of(base, head))
    told = [said(prover.check(waves(base, head)))]
    told += [prover.allows({}, [step]) for step in steps]
    told += [said(prover.check(Plan(waves(base, head).waves[::-1])))]
    return told, prover.meter.spent


@pytest.mark.parametrize("position", range(7), ids=lambda n: objects("002", "one")[n].id.kind)
def test_one_value_is_another(position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in differences(position):
        sides = one.sides()
        short, _ = answers(*sides)
        with monkeypatch.context() as patched:
            patched.setattr(sys.modules[Prover.__module__], "likeness_of", lambda *_: None)
            full, _ = answers(*sides)
        assert short == full, one.where


def test_without_a_difference_there_is_less_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    same = [objects("002", side)[0].manifest for side in ("one", "two")]
    sides = Difference(0, "", (dict(same[0]), dict(same[1])), both=True).sides()
    short, less = answers(*sides)
    monkeypatch.setattr(sys.modules[Prover.__module__], "likeness_of", lambda *_: None)
    full, more = answers(*sides)
    assert short == full
    assert less < more
