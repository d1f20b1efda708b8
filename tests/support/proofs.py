"""Small proofs for tests: two texts of YAML, the writes between them in some order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshplan.diff import Create, Delete, Rename, Replace, Update, diff
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.proof import Proof, Prover
from meshplan.resource import Snapshot
from meshplan.settings import World
from support.snapshots import snapshot

#: Waits for everything.
SETTLED = Gate(GateKind.DRAINED, "")


@dataclass(frozen=True)
class Change:
    """Two revisions with a prover for what is between them."""

    base: Snapshot
    head: Snapshot
    prover: Prover

    @property
    def steps(self) -> list[Step]:
        """The writes, in the order of the ids of their objects."""
        return list(steps_of(self.base, self.head))

    def named(self, *names: str) -> list[Step]:
        """Writes by kind and name, as in `VirtualService a`, or with `-` for a deletion."""
        known = {_name(step): step for step in self.steps}
        return [known[name] for name in names]

    def one_by_one(self, *names: str) -> Proof:
        """The proof of single writes, each in force everywhere before the next."""
        return self.prover.check(plan([[step] for step in self.named(*names)]))

    def together(self, *names: str) -> Proof:
        """The proof of one wave of all writes, or some."""
        return self.prover.check(plan([self.named(*names) if names else self.steps]))


def change(before: str, after: str, *, world: World = World.OPEN, **config: object) -> Change:
    """A change from texts."""
    base, head = snapshot(before), snapshot(after)
    settings = MeshConfig(**config)  # type: ignore[arg-type]
    meshes = (Mesh.of(base, settings, world), Mesh.of(head, settings, world))
    return Change(base, head, Prover(*meshes))


def steps_of(base: Snapshot, head: Snapshot) -> Iterable[Step]:
    """A write for each change; two for one that replaces an object."""
    for found in diff(base, head):
        match found:
            case Create(after) | Update(_, after):
                yield Apply(after, "")
            case Delete(before):
                yield Remove(before.id, before.api_version, "")
            case Rename(before, after):
                yield Apply(after, "")
                yield Remove(before.id, before.api_version, "")
            case Replace(before, after):
                yield Remove(before.id, before.api_version, "")
                yield Apply(after, "")


def plan(waves: Sequence[Sequence[Step]], gate: Gate = SETTLED) -> Plan:
    """Waves with one gate for all."""
    return Plan(tuple(Wave(tuple(steps), gate) for steps in waves))


def sentences(proof: Proof) -> list[str]:
    """What is broken, with the number of the wave before it."""
    return [f"{found.wave}: {found.sentence}" for found in proof.counterexamples]


def _name(step: Step) -> str:
    sign = "-" if isinstance(step, Remove) else ""
    return f"{sign}{step.id.kind} {step.id.name}"
