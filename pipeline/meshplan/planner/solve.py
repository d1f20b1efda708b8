"""Order, prove, learn: until the plan is proven, shown to be impossible, or the budget is spent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from meshplan.bridge import Choice, bridges
from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet
from meshplan.graph import DependencyGraph
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.plan import Apply, Plan, Step
from meshplan.planner.cycles import bridged_cycles
from meshplan.planner.order import Solved, order
from meshplan.planner.reverse import irreversible, reversed_plan
from meshplan.planner.search import NoPath, Path, State, search
from meshplan.planner.spread import SIZES, crowds, spread
from meshplan.planner.standing import Predicate, with_edges_for
from meshplan.planner.words import harmless
from meshplan.proof import Budget, Counterexample, Lost, Proof, Prover, WorkSpentError
from meshplan.proof.collector import collector_held_back
from meshplan.proof.types import DEFAULT_BUDGET

_Ids = frozenset[ResourceId]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard is tried before the answer is `unknown`; counts, so that runs are repeatable."""

    #: Rounds of proof and repair.
    rounds: int = 6
    #: Writes that one search puts to the prover.
    probes: int = 4000
    #: Objects that one search takes on.
    objects: int = 9


DEFAULT_EFFORT = Effort()


@dataclass(frozen=True, slots=True)
class Solution:
    """The best plan that was found, and what is known of it."""

    plan: Plan
    proof: Proof
    #: A request that every order loses, with or without bridges; None where there may be one.
    impossible: Counterexample | None = None
    #: What was tried where neither a plan nor an impossibility was found.
    tried: str = ""
    #: Why there is no safe way back; empty where the reversed plan is proven.
    irreversible: str = ""
    lost: tuple[Lost, ...] = ()


def solve(
    changes: ChangeSet,
    graph: DependencyGraph,
    base: Mesh,
    head: Mesh,
    *,
    holding: Predicate | None = None,
    effort: Effort = DEFAULT_EFFORT,
    budget: Budget = DEFAULT_BUDGET,
) -> Solution:
    """A proven plan from `base` to `head`, with bridges where no order of the two is safe.

    Of the safe plans it looks for one in whose every state holds what `holding` asks for. Raises
    WorkSpentError where all that takes more work than the budget has.
    """
    with collector_held_back():
        prover = Prover(base, head, budget=budget)
        found = _solved(changes, graph, prover, effort)
        for _ in range(effort.rounds if holding is not None else 0):
            assert holding is not None  # noqa: S101 - there is no round without it
            wider = with_edges_for(holding, found.plan, graph, base.snapshot, head.snapshot)
            if wider is graph:
                break
            other = _solved(changes, wider, prover, effort)
            if other.proof.verdict != found.proof.verdict:
                break
            found, graph = other, wider
    # What the edges fear, the proof may have found harmless.
    return found if found.proof.counterexamples else replace(found, plan=harmless(found.plan))


def _solved(changes: ChangeSet, graph: DependencyGraph, prover: Prover, effort: Effort) -> Solution:
    base, head = prover.base, prover.head
    plan, proof = _checked(order(changes, graph, base, head), prover)
    if not proof.counterexamples:
        return _without_cycles(_finished(plan, proof, prover), changes, graph, prover)
    repair = _Repair(changes, graph, base, head, effort, prover)
    best = plan, proof
    for _ in range(effort.rounds):
        if not repair.learn(plan, proof.counterexamples):
            break
        plan, proof = _checked(repair.plan(), repair.prover)
        # What mends one thing may break others.
        best = min(best, (plan, proof), key=lambda tried: len(tried[1].counterexamples))
        if not proof.counterexamples:
            break
    found = _finished(*best, repair.prover)
    witness = repair.witness if found.proof.counterexamples else None
    tried = "" if witness or not found.proof.counterexamples else repair.tried
    return Solution(found.plan, found.proof, witness, tried, found.irreversible, found.lost)


def _checked(plan: Plan, prover: Prover) -> tuple[Plan, Proof]:
    """A plan with its proof; in more waves where that is what it takes to know anything."""
    proof = prover.check(plan)
    try:
        for size in SIZES if crowds(proof) else ():
            wider, found = plan, proof
            while crowded := crowds(found):
                # A wave with too many hides those that come after it.
                before, wider = wider, spread(wider, crowded, size)
                if wider == before:
                    break
                found = prover.check(wider)
            else:
                return wider, found
    except WorkSpentError:
        pass
    return plan, proof


def _without_cycles(
    found: Solution, changes: ChangeSet, graph: DependencyGraph, prover: Prover
) -> Solution:
    """A plan for the same change with versions in between, where the graph alone asks for them."""
    if not graph.cycles:
        return found
    base, head = prover.base, prover.head
    choices = {choice.id: choice for choice in bridges(changes, base, head)}
    ways = tuple(bridged_cycles(graph.cycles, choices, base))
    if not ways:
        return found
    plan = order(changes, graph, base, head, ways)
    versions = [step.resource for step in plan.steps if isinstance(step, Apply) and step.bridge]
    wider = prover.with_versions(versions)
    proof = wider.check(plan)
    better = proof.verdict == found.proof.verdict and not proof.counterexamples
    return _finished(plan, proof, wider) if better else found


def _finished(plan: Plan, proof: Proof, prover: Prover) -> Solution:
    return Solution(plan, proof, irreversible=_no_way_back(plan, proof, prover), lost=proof.lost)


def _no_way_back(plan: Plan, proof: Proof, prover: Prover) -> str:
    if not proof.is_safe:
        return "the plan itself is not proven"
    reason = irreversible(plan)
    if reason:
        return reason
    way_back = reversed_plan(plan, prover.base.snapshot)
    back = prover.back().check(way_back, proven=plan)
    if back.counterexamples:
        return f"on the way back: {back.counterexamples[0].sentence}"
    return f"on the way back: {back.unknowns[0].why}" if back.unknowns else ""


@dataclass
class _Repair:
    """Sets of objects for which a way has been searched, and what was found."""

    changes: ChangeSet
    graph: DependencyGraph
    base: Mesh
    head: Mesh
    effort: Effort
    prover: Prover
    solved: dict[_Ids, Solved] = field(default_factory=dict)
    hopeless: dict[_Ids, NoPath] = field(default_factory=dict)
    witness: Counterexample | None = None
    #: The edges of the graph by their ends.
    after: dict[ResourceId, list[ResourceId]] = field(default_factory=dict)
    before: dict[ResourceId, list[ResourceId]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.choices: Mapping[ResourceId, Choice] = {
            choice.id: choice for choice in bridges(self.changes, self.base, self.head)
        }
        for edge in self.graph.edges:
            self.after.setdefault(edge.first, []).append(edge.then)
            self.before.setdefault(edge.then, []).append(edge.first)
        versions = [v for choice in self.choices.values() for v in choice.between]
        self.prover = self.prover.with_versions(versions)

    @property
    def tried(self) -> str:
        """What has been done in vain, in words."""
        probes = sum(found.probes for found in self.hopeless.values())
        ids = sorted({i for members in (*self.solved, *self.hopeless) for i in members})
        names = ", ".join(str(i) for i in ids[:6]) + (" and more" if len(ids) > 6 else "")
        return f"{probes} writes of {names} were put to the prover without finding a way"

    def plan(self) -> Plan:
        """The plan with all solved sets in their places."""
        return order(self.changes, self.graph, self.base, self.head, tuple(self.solved.values()))

    def learn(self, plan: Plan, counterexamples: Sequence[Counterexample]) -> bool:
        """Search a way for the objects behind counterexamples; False if nothing new was found."""
        fresh: set[ResourceId] = set()
        for members, witness in self._groups(plan, counterexamples):
            if members & fresh:  # whether the new way deals with them as well, the next proof tells
                continue
            found = self._search(members)
            if found is None:
                self.witness = self.witness or (witness if self._is_hopeless(members) else None)
                continue
            for other in [known for known in self.solved if known & found.ids]:
                del self.solved[other]
            self.solved[found.ids] = replace(found, instead=witness.sentence)
            fresh |= found.ids
        return bool(fresh)

    def _groups(
        self, plan: Plan, counterexamples: Iterable[Counterexample]
    ) -> Iterable[tuple[_Ids, Counterexample]]:
        """Counterexamples that share objects, or an object's known set, are one problem."""
        known = [*self.solved, *(frozenset(cycle.ids) for cycle in self.graph.cycles)]
        groups: list[tuple[set[ResourceId], Counterexample]] = []
        for found in counterexamples:
            members = set(found.culprits) or {s.id for s in plan.waves[found.wave].steps}
            for other in known:
                if other & members:
                    members |= other
            joined = [group for group in groups if group[0] & members]
            groups = [group for group in groups if not group[0] & members]
            witness = joined[0][1] if joined else found
            groups.append((members.union(*(group[0] for group in joined)), witness))
        # Not what is only there for a while: it has no place in a plan without what it is there for.
        changed = {choice.id for choice in self.choices.values() if not choice.temporary}
        return [(frozenset(members & changed), witness) for members, witness in groups]

    def _search(self, members: _Ids) -> Solved | None:
        """A way for the members; if there is none, with more and more of those around them."""
        tried: set[_Ids] = set(self.hopeless) | set(self.solved)
        for find in (frozenset, self._closed, self._component, self._everything):
            candidate = find(members)
            if candidate in tried or not self._few(candidate):
                continue
            tried.add(candidate)
            choices = [self.choices[i] for i in sorted(candidate)]
            choices += self._temporaries(candidate)
            around = self._around(candidate, choices)
            found = search(choices, around, self._probe, self.effort.probes)
            match found:
                case Path(waves):
                    return Solved(candidate, waves)
                case NoPath():
                    self.hopeless[candidate] = found
        return None

    def _few(self, candidate: _Ids) -> bool:
        return 0 < len(candidate) <= self.effort.objects

    def _is_hopeless(self, members: _Ids) -> bool:
        """Whether everything that touches the members was searched to the end."""
        found = self.hopeless.get(self._everything(members))
        return found is not None and found.exhausted

    def _temporaries(self, members: _Ids) -> list[Choice]:
        spaces = {member.namespace for member in members}
        kinds = {member.group for member in members}
        return [
            choice
            for choice in self.choices.values()
            if choice.temporary and choice.id.namespace in spaces and "security.istio.io" in kinds
        ]

    def _closed(self, members: _Ids) -> _Ids:
        """The members and what lies between them, so that they can be one block of the plan."""
        after, before = self._reach(members, forward=True), self._reach(members, forward=False)
        return members | (after & before)

    def _component(self, members: _Ids) -> _Ids:
        """Everything that is connected with the members."""
        found, edge_of = set(members), set(members)
        while edge_of:
            near = {i for found_at in edge_of for i in self.after.get(found_at, ())}
            near |= {i for found_at in edge_of for i in self.before.get(found_at, ())}
            edge_of = near - found
            found |= edge_of
        return frozenset(found)

    def _everything(self, members: _Ids) -> _Ids:
        """What is connected with the members, and whatever else their way may depend on."""
        found = self._component(members)
        while self._few(found):
            heard = (self.choices.get(i) for i in self.prover.having_a_say(sorted(found)))
            others = {choice.id for choice in heard if choice and not choice.temporary}
            if others <= found:
                break
            found = self._component(found | others)
        return found

    def _reach(self, members: _Ids, *, forward: bool) -> _Ids:
        pairs = self.after if forward else self.before
        found: set[ResourceId] = set()
        edge_of: set[ResourceId] | _Ids = members
        while edge_of:
            edge_of = {b for a in edge_of for b in pairs.get(a, ()) if b not in members} - found
            found |= edge_of
        return frozenset(found)

    def _around(self, members: _Ids, choices: Sequence[Choice]) -> State:
        """The other objects while the members are written: new if they come before, else old."""
        before = self._reach(members, forward=False)
        found = self.prover.having_a_say(choice.id for choice in choices)
        others = (self.choices[i] for i in sorted(found - members) if i in self.choices)
        return {
            choice.id: choice.new if choice.id in before else choice.old
            for choice in others
            if not choice.temporary
        }

    def _probe(self, state: State, steps: Sequence[Step]) -> bool:
        return self.prover.allows(state, steps)
