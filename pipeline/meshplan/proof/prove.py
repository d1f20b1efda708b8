"""The proof: every request class in the footprint of a change, in every view of every wave."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.model import Mesh
from meshplan.mesh.views import Views
from meshplan.plan import Plan, Step
from meshplan.proof.collector import collector_held_back
from meshplan.proof.declared import known_by
from meshplan.proof.findings import Findings, crowd, kinds, renumbered, reported, thinned, together
from meshplan.proof.footprint import Footprint
from meshplan.proof.gateways import GatewayHosts
from meshplan.proof.index import Index, Tables
from meshplan.proof.meter import Meter
from meshplan.proof.moving import in_scope
from meshplan.proof.onward import onward
from meshplan.proof.opaque import opaque_changes
from meshplan.proof.retold import retold
from meshplan.proof.rivals import AGED
from meshplan.proof.sent_on import SentOn
from meshplan.proof.topics import TopicCases
from meshplan.proof.twins import Scripts, likeness_of
from meshplan.proof.types import (
    DEFAULT_BUDGET,
    Budget,
    BudgetError,
    CrowdError,
    Lost,
    Proof,
    RequestClass,
    Topic,
    TopicKind,
    Undecided,
)
from meshplan.proof.versions import HEAD, Differing, Versions
from meshplan.proof.views import Examination, Tally, WaveStates
from meshplan.proof.waves import Moving, moving_waves, version_of, wave_of
from meshplan.proof.words import names
from meshplan.resource import Resource


@dataclass(frozen=True, slots=True)
class _Shared:
    """What provers of the same two revisions have in common, in either direction."""

    differing: Differing
    meter: Meter
    views: Views
    #: By the domain of the cluster, which is one of the settings of the mesh.
    tables: dict[str, Tables] = field(default_factory=dict)
    scripts: Scripts = field(default_factory=dict)
    likenesses: dict[Hashable, int] = field(default_factory=dict)


class Prover:
    """Answers questions about plans for one change; what it works out is kept for the next.

    `extra_versions` are versions that plans may write besides those of base and head; others are
    taken up when they are met, which is slower.
    """

    def __init__(
        self,
        base: Mesh,
        head: Mesh,
        *,
        extra_versions: Iterable[Resource] = (),
        budget: Budget = DEFAULT_BUDGET,
        shared: "_Shared | None" = None,
    ):
        self.base = base
        self.head = head
        self.budget = budget
        known = (shared.differing, shared.views) if shared else ()
        self._versions = Versions(base.snapshot, head.snapshot, *known)
        #: The prover of the way there, which knows what this one would find out once more.
        self._there = self
        self._shared = shared or _Shared(
            self._versions.differing, Meter(budget.work), self._versions.views
        )
        for version in extra_versions:
            self._versions.number(version.id, version)
        self._forget()

    def _forget(self) -> None:
        """Start anew with all versions that are known by now."""
        domain = self.base.config.cluster_domain
        self._index = Index(self._versions, domain, self._shared.tables.setdefault(domain, {}))
        self._footprint = Footprint(self._index, self._versions, self.base.config.root_namespace)
        self._mesh = self.base.knowing(known_by(self._index, self._versions))
        self._topics: dict[ResourceId, tuple[Topic, ...]] = {}
        self._hosts = GatewayHosts(self._index, self._versions, self.base.config)
        #: For each topic about all gateways those about one of them.
        self._gateways: dict[Topic, tuple[Topic, ...]] = {}
        self._sent_on = SentOn(self._index, self._versions, self._footprint)
        #: For each topic of sidecars those of gateways that they may send on to, by their hosts.
        self._behind: dict[Topic, list[tuple[str, TopicCases]]] = {}
        self._cases: dict[Topic, TopicCases] = {}
        self._known: dict[tuple[Topic, tuple[WaveStates, ...], bool], Findings] = {}
        self._likenesses: dict[Topic, tuple[int | None, tuple[str, ...]]] = {}
        #: What was found about a twin, with its names; and which twins are safe.
        self._twins: dict[Hashable, tuple[Findings, tuple[str, ...]]] = {}
        self._safe: dict[Hashable, bool] = {}
        self._lost: tuple[Lost, ...] | None = None

    def with_versions(self, versions: Iterable[Resource]) -> "Prover":
        """A prover for plans that may write further versions; it keeps what they have no bearing on."""
        extra = tuple(versions)
        found = Prover(
            self.base, self.head, extra_versions=extra, budget=self.budget, shared=self._shared
        )
        if found._mesh.known == self._mesh.known:
            ids = {version.id for version in extra}
            # An object may have a say in more than it has a bearing on.
            touched = {t for t, cases in self._cases.items() if not ids.isdisjoint(cases.scope.ids)}
            touched.update(found.topics_of(ids))
            found._cases = {t: c for t, c in self._cases.items() if t not in touched}
            found._known = {key: f for key, f in self._known.items() if key[0] not in touched}
            found._twins = dict(self._twins)
            found._likenesses = {t: n for t, n in self._likenesses.items() if t not in touched}
        return found

    def back(self) -> "Prover":
        """A prover for plans that lead from the head to the base."""
        found = Prover(self.head, self.base, budget=self.budget, shared=self._shared)
        found._there = self
        return found

    @property
    def meter(self) -> Meter:
        """The work that this prover has done, together with those that it was made from."""
        return self._shared.meter

    def check(self, plan: Plan, *, proven: Plan | None = None) -> Proof:
        """Whether all waves of a plan are safe, every view of each.

        Raises WorkSpentError where that takes more work than the budget has.
        The plan may write versions that are in neither revision. It may be the way back of a
        `proven` one: the invariants are the same from both ends, so only that is looked at which
        does not look the same from both.
        """
        self._learn(plan.steps)
        waves = moving_waves(plan)
        ids = dict.fromkeys((*self._versions.changed, *(step.id for step in plan.steps)))
        # What a change has a bearing on, it has in either direction.
        topics = (self if proven is None else self._there).topics_of(ids)
        if proven is not None:
            there = moving_waves(proven, {i: self.head.snapshot.get(i) for i in ids})
            topics = tuple(t for t in topics if not self._is_mirrored(t, there, waves))
        with collector_held_back():
            found = self._examine(topics, waves, lost=proven is None)
        general = self._general(ids)
        return Proof(
            found.classes,
            found.views,
            thinned(found.counterexamples),
            (*general, *found.unknowns),
            thinned(found.warnings),
            found.lost,
        )

    def allows(self, before: Mapping[ResourceId, Resource | None], steps: Sequence[Step]) -> bool:
        """Whether one wave is safe, without saying why it is not.

        `before` tells the changed objects as they are when the wave begins (None for one that is
        not there); those it leaves out are as in the base. It has to tell those that
        `having_a_say` names. Only the request classes in the footprint of `steps` are looked at.
        What is broken without any of the steps is not their fault: it lies with the objects around,
        which may not be in their places yet, or with an earlier wave.
        """
        self._learn(steps, before)
        ids = [step.id for step in steps]
        if any(True for _ in self._general(ids)):
            return False
        waves = (wave_of(0, before, steps),)
        return all(self._is_safe(topic, waves) for topic in self.topics_of(ids))

    def having_a_say(self, ids: Iterable[ResourceId]) -> frozenset[ResourceId]:
        """The changed objects that may make a difference to what some of them have a bearing on."""
        topics = self.topics_of(ids)
        cases = [self.cases_of(topic) for topic in topics]
        cases += (far for topic in topics for _, far in self._gateways_behind(topic))
        return frozenset(id_ for found in cases for id_ in found.scope.ids)

    def lost(self) -> tuple[Lost, ...]:
        """Requests that the base serves and the head does not (I6)."""
        if self._lost is None:
            topics = self.topics_of(self._versions.changed)
            self._lost = self._examine(topics, (), lost=True).lost
        return self._lost

    def _is_mirrored(self, topic: Topic, there: Sequence[Moving], back: Sequence[Moving]) -> bool:
        """Whether the views of two plans are the same for a topic, in the opposite order.

        An object that is deleted on one way is created on the other, and is the youngest then.
        """
        scope = self._there.cases_of(topic).scope
        for id_ in scope.ids:
            was, becomes = self.base.snapshot.get(id_), self.head.snapshot.get(id_)
            if id_.kind in AGED and (was is None) != (becomes is None):
                return False
            if any(creation_time(version) for version in self._versions.all_of(id_)):
                return False
        one, other = (tuple(in_scope(scope, waves, self._versions)) for waves in (there, back))
        return len(one) == len(other) and all(
            (w.before, w.after, w.spans) == (v.after, v.before, v.spans)
            for w, v in zip(one, reversed(other), strict=True)
        )

    # Topics

    def topics_of(self, ids: Iterable[ResourceId]) -> tuple[Topic, ...]:
        """What some objects may have a bearing on."""
        found: dict[Topic, None] = {}
        for id_ in ids:
            if id_ not in self._topics:
                self._topics[id_] = tuple(self._parts(id_))
            found.update(dict.fromkeys(self._topics[id_]))
        return tuple(found)

    def _parts(self, id_: ResourceId) -> Iterator[Topic]:
        for topic in self._footprint.topics(id_):
            if topic.kind is not TopicKind.GATEWAY:
                yield topic
                continue
            yield from self._sent_on.senders(topic.host)
            if topic not in self._gateways:
                self._gateways[topic] = self.cases_of(topic).parts(self._hosts)
            for part in self._gateways[topic]:
                if id_ in self.cases_of(part).scope.positions:
                    yield part

    def cases_of(self, topic: Topic) -> TopicCases:
        """All that is known of a topic."""
        found = self._cases.get(topic)
        if found is None:
            found = TopicCases(topic, self._index, self._versions, self._mesh, self.meter)
            self._cases[topic] = found
        return found

    def _learn(
        self, steps: Iterable[Step], state: Mapping[ResourceId, Resource | None] | None = None
    ) -> None:
        """Take up versions that were not known before."""
        wanted = [(step.id, version_of(step)) for step in steps] + list((state or {}).items())
        new = [(i, version) for i, version in wanted if not self._versions.is_known(i, version)]
        for id_, version in new:
            self._versions.number(id_, version)
        if new:
            self._forget()

    # Looking

    def _examine(self, topics: Iterable[Topic], waves: Sequence[Moving], *, lost: bool) -> Findings:
        parts: list[Findings] = []
        classes, budget = 0, self.budget.total
        for topic in topics:
            parts.append(self._examined(topic, waves, lost=lost))
            classes += parts[-1].classes
            if classes > budget:
                why = f"more than {budget} request classes"
                parts.append(Findings(unknowns=(Undecided(why),)))
                break
        return together(parts)

    def _examined(self, topic: Topic, waves: Sequence[Moving], *, lost: bool) -> Findings:
        cases = self.cases_of(topic)
        states = tuple(in_scope(cases.scope, waves, self._versions))
        alike = tuple(replace(wave, number=number) for number, wave in enumerate(states))
        key = (topic, alike, lost)
        found = self._known.get(key)
        if found is None:
            found = Findings()
            if states or lost:
                found = self._twin_of(cases, alike, lost=lost)
            self._known[key] = found
        found = renumbered(found, [wave.number for wave in states])
        gateways = self._gateways_behind(topic) if waves else []
        further = onward(cases, gateways, waves, self._versions, self.budget)
        return together([found, further])

    def _gateways_behind(self, topic: Topic) -> list[tuple[str, TopicCases]]:
        """The gateways at which something changes for what clients may ask for there, by which host."""
        if topic.kind is not TopicKind.MESH:
            return []
        found = self._behind.get(topic)
        if found is None:
            found = self._behind[topic] = []
            for host in self._sent_on.hosts(topic.host):
                near = self.cases_of(topic).declared_in
                for part in self.cases_of(Topic(TopicKind.GATEWAY, host)).parts(self._hosts):
                    far = self.cases_of(part)
                    if far.scope.ids and not near.isdisjoint(far.homes):
                        found.append((host, far))
        return found

    def _twin_of(
        self, cases: TopicCases, states: tuple[WaveStates, ...], *, lost: bool
    ) -> Findings:
        """What there is to say, or was to say about a twin."""
        number, names = self._likeness_of(cases)
        key = (number, states, lost)
        known = self._twins.get(key)
        found = retold(*known, names) if known else None
        if found is None:
            found = self._looked_at(cases, states, lost=lost)
            if number is not None:
                self._twins.setdefault(key, (found, names))
        return found

    def _likeness_of(self, cases: TopicCases) -> tuple[int | None, tuple[str, ...]]:
        """A number that a topic has in common with its twins alone, or None; and its own names."""
        known = self._likenesses.get(cases.topic)
        if known is None:
            numbers = self._shared.likenesses
            # What a topic is unsure of need not be what its twins are unsure of.
            found = None if cases.unsure else likeness_of(cases, self._shared.scripts)
            number = None if found is None else numbers.setdefault(found.key, len(numbers))
            known = self._likenesses[cases.topic] = (number, found.names if found else ())
        return known

    def _is_safe(self, topic: Topic, waves: Sequence[Moving]) -> bool:
        """Whether nothing is broken that is the fault of the steps."""
        cases = self.cases_of(topic)
        states = tuple(in_scope(cases.scope, waves, self._versions))
        # Of a gateway that sends requests on its likeness tells nothing.
        number = None if self._gateways_behind(topic) else self._likeness_of(cases)[0]
        key = (number, states)
        known = self._safe.get(key) if number is not None else None
        if known is None:
            found = self._examined(topic, waves, lost=False)
            known = not found.unknowns and not any(one.visible for one in found.counterexamples)
            self._safe[key] = known
        return known

    def _looked_at(
        self, cases: TopicCases, states: Sequence[WaveStates], *, lost: bool
    ) -> Findings:
        found = self._in_order(cases, states, lost=lost, reverse=False)
        rivals = cases.rivals
        if not rivals:
            return found
        other = self._in_order(cases, states, lost=False, reverse=True)
        if kinds(found) == kinds(other):
            return found
        why = f"it depends on which is older of {names(rivals)}, which Git does not tell"
        witness = next(iter((*found.counterexamples, *other.counterexamples)), None)
        unknown = Undecided(
            why,
            witness.request if witness else None,
            witness.wave if witness else None,
            rivals,
            witness.culprits if witness else (),
        )
        return Findings(
            found.classes, found.views, (), (*found.unknowns, unknown), found.warnings, found.lost
        )

    def _in_order(
        self, cases: TopicCases, states: Sequence[WaveStates], *, lost: bool, reverse: bool
    ) -> Findings:
        scope = cases.scope_of(reverse=reverse)
        base = scope.state({})
        head = scope.state({}, HEAD)
        parts: list[Findings] = []
        #: Why something cannot be told, with the first request of which that is so.
        open_: dict[str, RequestClass | None] = {}
        crowds: dict[tuple[int, tuple[int, ...]], Undecided] = {}
        done: dict[Hashable, Tally] = {}
        for case in cases.cases(reverse=reverse):
            tally = Tally()
            try:
                examination = Examination(case, base, head, states, self.budget)
                twin = done.get(examination.likeness)
                if twin is None:
                    examination.run(tally, lost=lost)
                    done[examination.likeness] = tally
                else:
                    tally = twin
            except CrowdError as error:
                crowds.setdefault((error.wave, error.positions), crowd(scope, case, error))
            except BudgetError as error:
                open_.setdefault(str(error), RequestClass(case.client, case.base, case.server))
            parts.append(reported(scope, case, tally))
        if cases.undecided:
            open_.setdefault(cases.undecided, None)
        wave = states[0].number if len(states) == 1 else None
        culprits = tuple(scope.ids[p] for w in states for p, _ in w.moves)
        unknowns = [Undecided(why, asked, wave, (), culprits) for why, asked in open_.items()]
        return together([*parts, Findings(unknowns=(*crowds.values(), *unknowns))])

    def _general(self, ids: Iterable[ResourceId]) -> Iterator[Undecided]:
        """What cannot be decided for any request."""
        yield from opaque_changes(ids, self._versions)
        if self.base.config != self.head.config:
            yield Undecided("the settings of the mesh itself change, which reaches every request")
