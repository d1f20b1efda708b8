"""A rule that is shown the manifests of a case: what it finds, and whether that is what is wanted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.mesh import Mesh
from meshplan.policy import ir, program
from meshplan.policy.evaluate import BudgetError, CompiledRule, Hit
from meshplan.policy.facts.answers import Facts
from meshplan.policy.places import place_of
from meshplan.policy.values import written
from meshplan.resource import Resource, Snapshot
from meshplan.run.policy.cases import Case, Expected
from meshplan.run.request import mesh_of

#: A name, a name in quotes, or what an item of a list is called by.
_STEP = re.compile(r'\.?([^.\[\]"]+)|\["([^"]*)"\]|\[([^\]]*)\]')


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a rule in a test."""

    rule: str
    message: str
    #: As in `spec.ports[0].name`, and with items called by their names.
    path: str
    place: str
    #: Kind/namespace/name, or Kind/name.
    resource: str
    fix: str | int | bool | None = None
    #: The way to the place, in the object that it is in.
    steps: tuple[str | int, ...] = field(default=(), repr=False)
    manifest: Any = field(default=None, repr=False, compare=False)

    def leads(self, path: str) -> bool:
        """Whether a path leads to the place.

        Items are called by their number, or by some of what is in them: `spec.ports[name=http]`.
        """
        value, steps = self.manifest, list(self.steps)
        for name, quoted, selector in _STEP.findall(path):
            if not steps:
                return False
            step = steps.pop(0)
            value = _below(value, step)
            if not _names(step, value, name or quoted, selector):
                return False
        return not steps

    def __str__(self) -> str:
        where = f" {self.path}" if self.path else ""
        return f'{self.resource}{where} "{self.message}"'


class Stage:
    """The world of a case, in which several copies of its rule can be run."""

    def __init__(self, case: Case):
        self.case = case
        self.mesh, _ = mesh_of(case.given, case.settings)
        self.world = _World(self.mesh)
        self.subjects = list(_subjects(case))

    def hits(self, compiled: CompiledRule, world: Any = None) -> list[list[Hit]]:
        """What a copy of the rule finds in each subject. Raises BudgetError."""
        known: dict[ir.Variable, Any] = {}
        given = self.case.parameters
        return [
            compiled.run(_manifest(new), _manifest(old), world or self.world, given, known)
            for old, new in self.subjects
        ]

    def found(self, hits: Sequence[Sequence[Hit]]) -> list[Found]:
        """Hits as findings."""
        return [
            self._found(hit, resource)
            for (old, new), ones in zip(self.subjects, hits, strict=True)
            for hit in ones
            for resource in [old if hit.old or new is None else new]
            if resource is not None
        ]

    def _found(self, hit: Hit, resource: Resource) -> Found:
        id_ = resource.id
        return Found(
            rule=self.case.rule.id,
            message=hit.message,
            path=written(hit.steps) if hit.steps else "",
            place=place_of(id_, resource.manifest, hit.steps),
            resource="/".join(part for part in (id_.kind, id_.namespace, id_.name) if part),
            fix=hit.fix,
            steps=tuple(hit.steps),
            manifest=resource.manifest,
        )


def problem(stage: Stage, compiled: CompiledRule) -> str:
    """Why a case does not hold; "" where it does."""
    try:
        return differs(stage.case, stage.found(stage.hits(compiled)))
    except BudgetError:
        return "it takes too many steps"


def differs(case: Case, found: Sequence[Found]) -> str:
    """How findings differ from those that are wanted; "" where they do not."""
    match case.expected:
        case True:
            return "" if found else "it finds nothing"
        case False:
            return f"it finds {'; '.join(map(str, found))}" if found else ""
        case wanted:
            return _difference(wanted, found)


def _difference(wanted: Sequence[Expected], found: Sequence[Found]) -> str:
    left = list(found)
    missing = []
    # Those that say most come first, so that one that says little does not take theirs.
    for one in sorted(wanted, key=_vagueness):
        fitting = next((f for f in left if _fits(one, f)), None)
        if fitting is None:
            missing.append(one)
        else:
            left.remove(fitting)
    parts = [
        *(["it does not find " + "; ".join(map(str, missing))] if missing else []),
        *(["it finds " + "; ".join(map(str, left))] if left else []),
    ]
    return ", and ".join(parts)


def _vagueness(one: Expected) -> int:
    said = (one.message, one.path, one.resource, one.fix)
    return sum(part is None for part in said) + ("*" in (one.message or ""))


def _fits(one: Expected, found: Found) -> bool:
    return (
        (one.message is None or fnmatchcase(found.message, _literal(one.message)))
        and (one.path is None or found.leads(one.path))
        and (one.resource is None or one.resource == found.resource)
        and (one.fix is None or (one.fix == found.fix and type(one.fix) is type(found.fix)))
    )


def _below(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    inside = isinstance(value, list) and isinstance(step, int) and step < len(value)
    return value[step] if inside else None


def _names(step: str | int, item: Any, name: str, selector: str) -> bool:
    """Whether a part of a path is the way to an item."""
    if isinstance(step, str):
        return step == name
    if "=" not in selector:
        return selector in (str(step), item)
    pairs = (pair.partition("=") for pair in selector.split(","))
    return isinstance(item, Mapping) and all(str(item.get(k)) == v for k, _, v in pairs)


def _literal(pattern: str) -> str:
    """A pattern in which nothing but `*` has a meaning."""
    return "".join(f"[{c}]" if c in "[?" else c for c in pattern)


class _World:
    """A mesh, as rules look at it."""

    def __init__(self, mesh: Mesh):
        self._snapshot = mesh.snapshot
        self.facts = Facts(mesh)

    def objects(self, group: str, kind: str) -> Sequence[Any]:
        snapshot = self._snapshot
        found = snapshot.of_kind(group, kind) if group or kind else snapshot.values()
        return [resource.manifest for resource in found]

    def ask(self, fact: str, arguments: Sequence[str | int]) -> Any:
        return self.facts.ask(fact, *arguments)


def _subjects(case: Case) -> list[tuple[Resource | None, Resource | None]]:
    """The objects that the rule is about: as they were and as they are to be."""
    after = _of_rule(case.rule, case.given)
    if not case.rule.is_change:
        return [(None, resource) for resource in after.values()]
    before = _of_rule(case.rule, case.before or Snapshot())
    pairs = [(before.get(id_), after.get(id_)) for id_ in sorted({*before, *after})]
    return [(old, new) for old, new in pairs if _manifest(old) != _manifest(new)]


def _of_rule(rule: program.Rule, snapshot: Snapshot) -> Mapping[Any, Resource]:
    kinds = {(kind.group, kind.name) for kind in rule.kinds}
    return {
        resource.id: resource
        for resource in snapshot.values()
        if not kinds or (resource.id.group, resource.id.kind) in kinds
    }


def _manifest(resource: Resource | None) -> Any:
    return None if resource is None else resource.manifest
