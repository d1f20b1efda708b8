"""One target as Argo CD will sync it, and what is proven of that."""

from meshplan.argocd.order import Sync, disorder, favourable, sync_of
from meshplan.dataclass import dataclass
from meshplan.deployers import Options
from meshplan.diff import ChangeSet, diff
from meshplan.graph import dependency_graph
from meshplan.proof import Proof
from meshplan.resource import Snapshot
from meshplan.result import TargetResult, Verdict
from meshplan.run.plan import Difference, with_plan
from meshplan.run.prove import proven
from meshplan.run.request import mesh_of
from meshplan.settings import Settings


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a sync does to requests."""

    changes: ChangeSet
    sync: Sync
    proof: Proof
    #: What is written before what it needs, where no request tells.
    disorder: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether it is proven that no request is lost."""
        return self.proof.is_safe and not self.sync.unclear and not self.disorder

    @property
    def why(self) -> str:
        """Why it is not proven, in one sentence; "" where it is."""
        if self.sync.unclear:
            return self.sync.unclear
        if self.proof.counterexamples:
            return self.proof.counterexamples[0].sentence
        if self.proof.unknowns:
            first = self.proof.unknowns[0]
            asked = f": {first.request}" if first.request else ""
            return f"not decided: {first.why}{asked}"
        return self.disorder


def difference_of(base: Snapshot, head: Snapshot, settings: Settings) -> Difference:
    """Two snapshots of a target, and what depends on what."""
    before, _ = mesh_of(base, settings)
    after, _ = mesh_of(head, settings)
    changes = diff(base, head)
    return Difference(changes, dependency_graph(changes, before, after), before, after)


def assessed(difference: Difference, options: Options, settings: Settings) -> Assessment:
    """The sync with nothing assumed in its favour."""
    base, head = difference.base.snapshot, difference.head.snapshot
    sync = sync_of(difference.changes, base, head, options)
    wrong = disorder(difference.changes, base, options, difference.graph.edges)
    return Assessment(difference.changes, sync, proven(difference, sync.plan, settings), wrong)


def is_safe_if_settled(difference: Difference, options: Options, settings: Settings) -> bool:
    """Whether the sync were safe if each group of writes were in force before the next one."""
    base = difference.base.snapshot
    if disorder(difference.changes, base, options, difference.graph.edges):
        return False
    plan = favourable(difference.changes, base, options)
    return proven(difference, plan, settings).is_safe


def planned(name: str, difference: Difference, settings: Settings) -> TargetResult:
    """The plan of meshplan's own, and its verdict."""
    return with_plan(TargetResult(name, Verdict.UNKNOWN), difference, settings.with_(deployers=()))
