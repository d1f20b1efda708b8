"""Why a step is where it is, in a sentence made from its edges."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.graph import Cycle, DependencyGraph, Edge
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step
from meshplan.resource import Snapshot

#: How many objects a sentence names before it counts the rest.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Block:
    """A wave of objects for which a way was searched."""

    ids: frozenset[ResourceId]
    #: Those that are written, in some version, in earlier waves, and those in later ones.
    earlier: frozenset[ResourceId]
    later: frozenset[ResourceId]
    #: What becomes of a request in another order.
    instead: str = ""


#: Of objects that wait for each other: before the proof, and where it finds nothing lost.
_UNSAFE = "as no order of them is safe"
_HARMLESS = "as each leads to the other, and no request is lost in any order"


def harmless(plan: Plan) -> Plan:
    """The same plan, proven, without the fear that objects which share a wave are not safe."""
    return Plan(
        tuple(
            replace(wave, steps=tuple(_reassured(step) for step in wave.steps))
            for wave in plan.waves
        )
    )


def _reassured(step: Step) -> Step:
    return replace(step, why=step.why.replace(_UNSAFE, _HARMLESS)) if step.why else step


class Words:
    """The sentences of the steps of one plan."""

    def __init__(
        self,
        graph: DependencyGraph,
        base: Snapshot,
        head: Snapshot,
        removed: Collection[ResourceId],
    ):
        self._base = base
        self._head = head
        self._removed = removed
        self._cycle: dict[ResourceId, Cycle] = {}
        self._later: dict[ResourceId, list[Edge]] = {}
        self._earlier: dict[ResourceId, list[Edge]] = {}
        for cycle in graph.cycles:
            self._cycle.update(dict.fromkeys(cycle.ids, cycle))
        for edge in graph.edges:
            self._later.setdefault(edge.first, []).append(edge)
            self._earlier.setdefault(edge.then, []).append(edge)

    def applied(self, subject: ResourceId) -> str:
        """Why an object is written where it is."""
        return "; ".join(self._reasons(subject)) or "nothing else in this change depends on it"

    def removed(self, subject: ResourceId, block: Block | None = None) -> str:
        """Why an object is removed where it is, and what goes with it."""
        reasons = [*self._reasons(subject, block), *self._along(subject)]
        return "; ".join(reasons) or "last, as nothing else in this change depends on it"

    def replaced(self, subject: ResourceId) -> str:
        """Why an object that stays has to be removed for a moment."""
        return (
            f"a field that cannot be changed differs: {subject} has to be deleted and created again"
            "; under another name the new one could be created first"
        )

    def placed(self, subject: ResourceId, block: Block) -> str:
        """Why an object is written where it is among others for which a way was searched."""
        reasons = list(self._reasons(subject, block))
        if not reasons and block.instead:
            return f"where a safe way needs it; elsewhere {block.instead}"
        return "; ".join(reasons) or "where the search for a safe way has put it"

    def _reasons(self, subject: ResourceId, block: Block | None = None) -> Iterable[str]:
        if block is not None:
            rest = block.ids - {subject}
            yield from self._edges(subject, rest - block.later, rest - block.earlier)
            return
        cycle = self._cycle.get(subject)
        members: Collection[ResourceId] = cycle.ids if cycle else ()
        if cycle:
            others = listed([str(member) for member in cycle.ids if member != subject])
            yield f"together with {others}, {_UNSAFE}"
        yield from self._edges(subject, members, members)

    def _edges(
        self,
        subject: ResourceId,
        not_before: Collection[ResourceId],
        not_after: Collection[ResourceId],
    ) -> Iterable[str]:
        """What an object comes before and after, without those objects that are named."""
        later = [e for e in self._later.get(subject, ()) if e.then not in not_before]
        if later:
            edge, others = later[0], _more(e.then for e in later)
            yield f"before {edge.then}{others}: {_short(edge)}"
        earlier = [e for e in self._earlier.get(subject, ()) if e.first not in not_after]
        if earlier:
            edge, others = earlier[0], _more(e.first for e in earlier)
            yield f"after {edge.first}{others}: {_short(edge)}"

    def _along(self, subject: ResourceId) -> Iterable[str]:
        """What the API server deletes together with a namespace or the definition of a kind."""
        contents = _contents(subject, self._base)
        if not contents:
            return
        kept = [found for found in contents if found in self._head]
        gone = [
            found for found in contents if found not in self._head and found not in self._removed
        ]
        if gone:
            yield f"with it goes {listed([str(found) for found in gone])}"
        if kept:
            yield (
                f"attention: with it goes {listed([str(found) for found in kept])}, "
                "which the head still has"
            )


def _contents(subject: ResourceId, snapshot: Snapshot) -> Sequence[ResourceId]:
    if (subject.group, subject.kind) == ("", "Namespace"):
        return sorted(found for found in snapshot if found.namespace == subject.name)
    if subject.kind == "CustomResourceDefinition":
        spec = snapshot[subject].spec if subject in snapshot else {}
        names = spec.get("names")
        kind = names.get("kind") if isinstance(names, dict) else None
        return sorted(f for f in snapshot if (f.group, f.kind) == (spec.get("group"), kind))
    return ()


def _short(edge: Edge) -> str:
    """The reason of an edge in a sentence that has named both its ends already."""
    return edge.why.replace(f" of {edge.first} ", " ", 1).replace(f" of {edge.then} ", " ", 1)


def _more(ids: Iterable[ResourceId]) -> str:
    count = len(set(ids)) - 1
    return f" and {count} more" if count else ""


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them: "a, b and c"; of many the rest is counted."""
    if len(words) > _NAMED + 1:
        return f"{', '.join(words[:_NAMED])} and {len(words) - _NAMED} more"
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
