"""What the prover does not look at twice: with and without the shortcut it says the same."""

import json
import re
import sys
from dataclasses import replace
from random import Random

import pytest

from meshplan.bridge import bridges
from meshplan.diff import diff
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Apply, Plan, Step, Wave, simulate
from meshplan.planner.reverse import reversed_plan
from meshplan.proof import Proof, Prover
from meshplan.proof.outcomes import Asked, Outcomes, Triple
from meshplan.proof.surroundings import Surroundings
from meshplan.resource import Snapshot
from meshplan.settings import World
from meshplan.traffic.outcome import Outcome
from support.proofs import SETTLED, steps_of
from support.random_meshes import NETWORKING, SECURITY, Pair, pair, plan, resource
from support.scenarios import SCENARIOS, Scenario, scenario_snapshots
from support.whole_mesh import world


def said(proof: Proof) -> object:
    """What a proof says, whatever it has counted."""
    return (
        [(c.wave, c.invariant, c.sentence) for c in proof.counterexamples],
        [(u.wave, u.why, str(u.request)) for u in proof.unknowns],
    )


def same_on_the_way_back(base: Mesh, head: Mesh, there: Plan) -> bool:
    """Whether the way back of a proven plan is judged alike with and without knowing the plan."""
    forth = Prover(base, head)
    if not forth.check(there).is_safe:
        return False
    back = reversed_plan(there, base.snapshot)
    full = Prover(head, base).check(back)
    for prover in (Prover(head, base), forth.back()):
        short = prover.check(back, proven=there)
        assert said(short) == said(full)
        assert short.views <= full.views
    return True


@pytest.mark.parametrize("first", range(0, 240, 40))
def test_the_way_back_of_random_plans(first: int) -> None:
    proven = 0
    for seed in range(first, first + 40):
        random = Random(seed)
        found = pair(random, 1 + seed % 4)
        steps = plan(random, found.steps)
        base = Mesh.of(found.base, MeshConfig(), World.OPEN)
        head = Mesh.of(found.head, MeshConfig(), World.OPEN)
        proven += same_on_the_way_back(base, head, steps)
    assert proven > 5


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_versions_in_between_change_nothing_elsewhere(scenario: Scenario) -> None:
    snapshots = scenario_snapshots(scenario.name)
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in snapshots)
    versions = [v for choice in bridges(diff(*snapshots), base, head) for v in choice.between]
    random = Random(scenario.name)
    for _ in range(3):
        found = plan(random, list(steps_of(*snapshots)))
        first = Prover(base, head)
        first.check(found)
        full = Prover(base, head, extra_versions=versions)
        assert said(first.with_versions(versions).check(found)) == said(full.check(found))


def test_versions_in_between_of_what_only_sends_somewhere() -> None:
    """A ServiceEntry that a route brings along has a say in hosts that it has no bearing on."""
    base = world("mesh")
    entry = base[ResourceId(NETWORKING, "ServiceEntry", "far", "wild")]
    policy = base[ResourceId(SECURITY, "AuthorizationPolicy", "istio-system", "deny")]
    imports = base[ResourceId(NETWORKING, "Sidecar", "shop", "default")]
    old, *others = (
        replace(entry, manifest={**entry.manifest, "spec": {**entry.spec, "resolution": found}})
        for found in ("NONE", "DNS", "DYNAMIC_DNS")
    )
    head = base.with_(others[0]).without(policy.id).without(imports.id)
    first = Prover(*(Mesh.of(side, MeshConfig(), World.OPEN) for side in (base, head)))
    steps = list(steps_of(base, head))
    first.check(Plan((Wave(tuple(steps), SETTLED),)))
    further = Wave((Apply(others[1], ""), *(s for s in steps if s.id != entry.id)), SETTLED)
    found = Plan((further, Wave(tuple(s for s in steps if s.id == entry.id), SETTLED)))
    full = Prover(first.base, first.head, extra_versions=others[1:])
    assert said(first.with_versions(others[1:]).check(found)) == said(full.check(found))
    assert old.spec == entry.spec


def kinds_of(proof: Proof) -> object:
    """What a proof says, without the clients that it names: there may be several alike."""
    return (
        proof.verdict,
        {(c.wave, c.invariant, c.request.request.host) for c in proof.counterexamples},
    )


def in_full(found: Outcome) -> str:
    """An outcome with the words about it."""
    return repr(found)


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_outcomes_that_were_worked_out_for_another_view(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = 0
    known = Outcomes.of

    def both(self: Outcomes, triple: Triple, asked: Asked) -> Outcome:
        nonlocal checked
        found = known(self, triple, asked)
        assert in_full(found) == in_full(self.worked_out(triple, asked))
        checked += 1
        return found

    monkeypatch.setattr(Outcomes, "of", both)
    for seed in range(first, first + 40):
        random = Random(seed)
        found = pair(random, 2 + seed % 4)
        base, head = meshes_of(found)
        prover = Prover(base, head)
        for _ in range(2):
            prover.check(plan(random, found.steps))
    assert checked > 2000


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_what_is_bound_elsewhere_has_no_say(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + 50):
        random = Random(seed)
        found = pair(random, 2 + seed % 4)
        base, head = meshes_of(found)
        steps = plan(random, found.steps)
        short = Prover(base, head).check(steps)
        with monkeypatch.context() as patched:
            everything_has_a_say(patched)
            full = Prover(base, head).check(steps)
        assert kinds_of(short) == kinds_of(full), seed


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_nor_in_scenarios(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots = scenario_snapshots(scenario.name)
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in snapshots)
    random = Random(scenario.name)
    for _ in range(2):
        steps = plan(random, list(steps_of(*snapshots)))
        short = Prover(base, head).check(steps)
        with monkeypatch.context() as patched:
            everything_has_a_say(patched)
            full = Prover(base, head).check(steps)
        assert kinds_of(short) == kinds_of(full)


def everything_has_a_say(patched: pytest.MonkeyPatch) -> None:
    """Follow all routes, whatever they are bound to, as sidecars and as gateways do."""
    made, of_host = Surroundings.__init__, Surroundings._host

    def init(self: Surroundings, *args: object, **named: object) -> None:
        made(self, *args, **{**named, "in_mesh": False})  # type: ignore[arg-type]

    def both(self: Surroundings, host: str) -> None:
        of_host(self, host)
        self._beside(host)

    patched.setattr(Surroundings, "__init__", init)
    patched.setattr(Surroundings, "_host", both)
    patched.setattr(Surroundings, "_is_bound", lambda *_: True)
    patched.setattr(Surroundings, "_is_attached", lambda *_: True)


def meshes_of(found: Pair) -> tuple[Mesh, Mesh]:
    """Both revisions."""
    base = Mesh.of(found.base, MeshConfig(), World.OPEN)
    return base, base.at(found.head)


def renamed(found: Snapshot, number: int) -> Snapshot:
    """The same objects in other namespaces, with other hosts."""
    out = []
    for one in found.values():
        if one.id.namespace == "istio-system" or one.id.name == "istio-system":
            continue
        shown = re.sub(r"\b(shop|web|out)\b", rf"\1-q{number}", json.dumps(one.manifest))
        out.append(resource(json.loads(shown)))
    return Snapshot(out)


def copies(random: Random, changes: int) -> tuple[Pair, Plan]:
    """A change three times under other names, the last with a small difference; and its plan."""
    found = pair(random, changes)
    sides = [[renamed(side, n) for n in (1, 2, 3)] for side in (found.base, found.head)]
    if random.random() < 0.7:
        both = sorted({*sides[0][2]} & {*sides[1][2]})
        gone = random.choice(both)
        sides = [[*side[:2], side[2].without(gone)] for side in sides]
    shared = [
        [one for one in side.values() if one.id.namespace == "istio-system"]
        for side in (found.base, found.head)
    ]
    base, head = (
        Snapshot([*own, *(one for part in side for one in part.values())])
        for own, side in zip(shared, sides, strict=True)
    )
    pairs = Pair(base, head)
    waves: list[list[Step]] = [[] for _ in range(3)]
    places: dict[object, int] = {}
    for step in pairs.steps:
        stem = step.id.kind, re.sub(r"-q\d", "", step.id.namespace), step.id.name
        waves[places.setdefault(stem, random.randrange(3))].append(step)
    made = tuple(Wave(tuple(steps), SETTLED) for steps in waves if steps)
    return pairs, Plan(made)


@pytest.mark.parametrize("first", range(0, 90, 30))
def test_twins(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    met = 0
    for seed in range(first, first + 30):
        random = Random(seed)
        found, steps = copies(random, 1 + seed % 3)
        base, head = meshes_of(found)
        short, full = Prover(base, head), Prover(base, head)
        said_shortly, told = short.check(steps), probes(random, short, found)
        with monkeypatch.context() as patched:
            patched.setattr(sys.modules[Prover.__module__], "likeness_of", lambda *_: None)
            random = Random(seed)
            copies(random, 1 + seed % 3)
            proof = full.check(steps)
            assert said(said_shortly) == said(proof), seed
            assert [c.sentence for c in said_shortly.warnings] == [
                c.sentence for c in proof.warnings
            ]
            assert [c.sentence for c in said_shortly.lost] == [c.sentence for c in proof.lost]
            assert (said_shortly.classes, said_shortly.views) == (proof.classes, proof.views)
            assert told == probes(random, full, found), seed
        met += short.meter.spent < full.meter.spent
    assert met > 10


def probes(random: Random, prover: Prover, found: Pair) -> list[bool]:
    """Whether single steps and pairs of them are allowed, in some states on the way."""
    told = []
    steps = found.steps
    random.shuffle(steps)
    state = found.base
    for number, step in enumerate(steps[:6]):
        before = {i: state.get(i) for i in {*found.base, *found.head}}
        told.append(prover.allows(before, [step]))
        told.append(prover.allows(before, steps[number : number + 2]))
        state = simulate([step], state)
    return told
