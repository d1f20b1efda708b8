"""What the rules in force find in a state of a target, and in a change of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from meshplan.finding import Finding, Fix, Severity
from meshplan.location import Location, Side
from meshplan.mesh import Mesh
from meshplan.policy import ir, program
from meshplan.policy.compare import words
from meshplan.policy.evaluate import BUDGET, BudgetError, CompiledRule, Hit, World
from meshplan.policy.facts.answers import Facts
from meshplan.policy.levels import is_off, with_levels
from meshplan.policy.places import place_of, pointer_of
from meshplan.policy.shapes import Shapes
from meshplan.resource import Resource, Snapshot
from meshplan.settings import RuleSettings

_SEVERITIES = {"deny": Severity.ERROR, "warn": Severity.WARNING, "info": Severity.INFO}


#: A fact, what it was asked about, and the answer.
_Answer = tuple[str, Sequence[str | int], Any]
#: What a rule has asked about an object, and what it found then.
_Earlier = tuple[Sequence[_Answer], Sequence[Hit]]


class ModelWorld(World):
    """A mesh, as rules look at it."""

    def __init__(self, mesh: Mesh):
        self.snapshot = mesh.snapshot
        self.facts = Facts(mesh)
        self._objects: dict[tuple[str, str], Sequence[Any]] = {}
        self._asked: list[_Answer] | None = []

    def listen(self) -> None:
        """Begin to note down what is asked."""
        self._asked = []

    def heard(self) -> Sequence[_Answer] | None:
        """What has been asked since then, with the answers; None if it was too much to note."""
        return self._asked

    def objects(self, group: str, kind: str) -> Sequence[Any]:
        """All objects of a kind; of all kinds where both are empty."""
        self._asked = None
        found = self._objects.get((group, kind))
        if found is None:
            anything = not group and not kind
            resources = self.snapshot.values() if anything else self.snapshot.of_kind(group, kind)
            found = self._objects[group, kind] = [r.manifest for r in resources]
        return found

    def ask(self, fact: str, arguments: Sequence[str | int]) -> Any:
        """What the model of the mesh says."""
        answer = self.facts.ask(fact, *arguments)
        if self._asked is not None:
            self._asked.append((fact, arguments, answer))
        return answer


class Judge:
    """Some rules with the settings for them."""

    def __init__(self, rules: Sequence[CompiledRule], settings: RuleSettings, budget: int = BUDGET):
        self.rules = [rule for rule in rules if not is_off(rule.rule.id, settings.levels)]
        self.settings = settings
        self.budget = budget
        self._earlier: dict[str, dict[int, _Earlier]] = {}
        self._shapes: dict[tuple[str, str], Shapes] = {}
        self._sound: dict[int, tuple[Mapping[str, Any], bool]] = {}

    @cached_property
    def always(self) -> "Judge":
        """The rules that have to hold in every state of a plan."""
        return Judge(
            [rule for rule in self.rules if rule.rule.holds == "always"], self.settings, self.budget
        )

    def state(self, mesh: Mesh, target: str, side: Side = Side.HEAD) -> tuple[Finding, ...]:
        """What is wrong in a state."""
        world = ModelWorld(mesh)
        found = (
            finding
            for rule in self.rules
            if not rule.rule.is_change
            for finding in self._state(rule, world, side)
        )
        return self._finished(found, target)

    def change(self, base: Mesh, head: Mesh, target: str) -> tuple[Finding, ...]:
        """What is wrong with a change; the rules look at the mesh as it is to be."""
        world = ModelWorld(head)
        found = (
            finding
            for rule in self.rules
            if rule.rule.is_change
            for finding in self._change(rule, world, base.snapshot, head.snapshot)
        )
        return self._finished(found, target)

    def _state(self, rule: CompiledRule, world: ModelWorld, side: Side) -> Iterator[Finding]:
        run = self._runner(rule, world)
        for resource in _subjects(rule.rule, world.snapshot):
            try:
                hits = run(resource)
            except BudgetError:
                yield _too_long(rule.rule, resource, side)
                continue
            for hit in hits:
                yield _finding(rule.rule, hit, resource, side)

    def _runner(self, rule: CompiledRule, world: ModelWorld) -> Callable[[Resource], Sequence[Hit]]:
        """What a rule finds in an object; what another state had as well is not run again.

        A rule is a function of the object and of the answers it gets. Most objects are the same at
        both ends of a change, and so are most answers.
        """
        given, ask = self._given(rule), world.facts.ask
        known: dict[ir.Variable, Any] = {}
        earlier = self._earlier.setdefault(rule.rule.id, {})
        prepared = rule.prepared(world, given, known, self.budget)

        def run(resource: Resource) -> Sequence[Hit]:
            manifest = resource.manifest
            before = earlier.get(id(manifest))
            if before is not None:
                asked, hits = before
                for fact, arguments, answer in asked:
                    if ask(fact, *arguments) != answer:
                        break
                else:
                    return hits
            world.listen()
            if self._is_sound(resource):
                hits = prepared(manifest, None)
            else:
                hits = rule.run(manifest, None, world, given, known, self.budget)
            # What does not depend on the object is worked out once for a state, and asks no more.
            heard = world.heard()
            if heard is not None and not known:
                earlier[id(manifest)] = (heard, hits)
            return hits

        return run

    def _is_sound(self, resource: Resource) -> bool:
        """Whether everything in an object has the types that all rules for its kind expect."""
        manifest = resource.manifest
        known = self._sound.get(id(manifest))
        if known is None:
            kind = (resource.id.group, resource.id.kind)
            shapes = self._shapes.get(kind)
            if shapes is None:
                shapes = self._shapes[kind] = Shapes(_expected(self.rules, kind))
            # The manifest is kept, so that nothing else gets its identity.
            known = self._sound[id(manifest)] = (manifest, shapes.fit(manifest))
        return known[1]

    def _change(
        self, rule: CompiledRule, world: ModelWorld, base: Snapshot, head: Snapshot
    ) -> Iterator[Finding]:
        given = self._given(rule)
        known: dict[ir.Variable, Any] = {}
        ids = {r.id for side in (base, head) for r in _subjects(rule.rule, side)}
        for id_ in sorted(ids):
            old, new = base.get(id_), head.get(id_)
            before, after = (None if r is None else r.manifest for r in (old, new))
            if before == after:
                continue
            try:
                hits = rule.run(after, before, world, given, known, self.budget)
            except BudgetError:
                yield _too_long(rule.rule, *_either(old, new))
                continue
            for hit in hits:
                found, side = (old, Side.BASE) if hit.old else (new, Side.HEAD)
                yield _finding(
                    rule.rule, hit, *(_either(old, new) if found is None else (found, side))
                )

    def _given(self, rule: CompiledRule) -> Mapping[str, Any]:
        return self.settings.parameters.get(rule.rule.id, {})

    def _finished(self, found: Iterator[Finding], target: str) -> tuple[Finding, ...]:
        """The findings of a target at their levels; what several rules say alike is said once."""
        told: dict[tuple[object, ...], Finding] = {}
        for finding in with_levels((f.with_(target=target) for f in found), self.settings.levels):
            told.setdefault((finding.id, finding.locations, finding.message), finding)
        return tuple(told.values())


def _subjects(rule: program.Rule, snapshot: Snapshot) -> Iterator[Resource]:
    if not rule.kinds:
        yield from snapshot.values()
    for kind in rule.kinds:
        yield from snapshot.of_kind(kind.group, kind.name)


def _expected(rules: Sequence[CompiledRule], kind: tuple[str, str]) -> Iterator[program.Shape]:
    """What the rules for a kind read of its objects."""
    for rule in rules:
        if not rule.rule.kinds or kind in {(k.group, k.name) for k in rule.rule.kinds}:
            yield rule.rule.new


def _either(old: Resource | None, new: Resource | None) -> tuple[Resource, Side]:
    """The object as it is to be, else as it was."""
    if new is not None:
        return new, Side.HEAD
    if old is not None:
        return old, Side.BASE
    raise ValueError("an object that is in neither state")


def _finding(rule: program.Rule, hit: Hit, resource: Resource, side: Side) -> Finding:
    pointer = pointer_of(hit.steps)
    origin = resource.origin
    return Finding(
        rule=rule.id,
        severity=_SEVERITIES[rule.level],
        message=hit.message,
        locations=(
            Location(origin.path, origin.line, pointer=origin.pointer + pointer, side=side),
        ),
        id=resource.id,
        help=_remedy(rule),
        refs=rule.refs,
        key=words(hit.message),
        place=place_of(resource.id, resource.manifest, hit.steps),
        fix=None if hit.fix is None else Fix(pointer, hit.fix),
    )


def _remedy(rule: program.Rule) -> str:
    """The first sentence of the remedy."""
    first, dot, _ = rule.page.fix.partition(". ")
    return first + dot.strip()


def _too_long(rule: program.Rule, resource: Resource, side: Side) -> Finding:
    message = (
        f"rule {rule.id} takes too many steps for {resource.id}, so nobody knows whether it holds"
    )
    return Finding(
        "rule-budget", Severity.ERROR, message, (resource.origin.location(side),), id=resource.id
    )
