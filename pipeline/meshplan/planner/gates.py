"""What to wait for between two waves, from the edges that cross the line."""

from collections.abc import Iterable, Mapping, Sequence

from meshplan.graph import DependencyGraph, Edge
from meshplan.identity import ResourceId
from meshplan.plan import Gate, GateKind, Remove, Step
from meshplan.planner.words import listed

#: From the weakest to the strongest; a gate takes the strongest kind that one of its objects needs.
_STRENGTH = (
    GateKind.NONE,
    GateKind.ESTABLISHED,
    GateKind.GONE,
    GateKind.READY,
    GateKind.PROXIES,
    GateKind.DRAINED,
)

_WORKLOADS = frozenset(
    {
        ("", "Pod"),
        ("", "ReplicationController"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("argoproj.io", "Rollout"),
        ("batch", "Job"),
    }
)

#: Objects of these groups become part of what istiod sends to the proxies.
_MESH_GROUPS = frozenset(
    {
        "extensions.istio.io",
        "gateway.networking.k8s.io",
        "networking.istio.io",
        "networking.x-k8s.io",
        "security.istio.io",
        "telemetry.istio.io",
    }
)
_MESH_KINDS = frozenset({("", "Service"), ("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")})

#: What a controller makes other objects from.
_MADE_BY = frozenset({"cert-manager.io", "external-secrets.io", "bitnami.com"})

_SENTENCES: Mapping[GateKind, str] = {
    GateKind.ESTABLISHED: "the API server has to have {ids}",
    GateKind.GONE: "{ids} has to be gone from the API server",
    GateKind.READY: "{ids} has to be rolled out and ready",
    GateKind.PROXIES: "the proxies have to have taken over {ids}",
    GateKind.DRAINED: (
        "the proxies have to have taken over {ids}, and requests under way on the old routes to end"
    ),
}


def gate_after(number: int, waves: Sequence[Sequence[Step]], graph: DependencyGraph) -> Gate:
    """The gate after wave `number`: for each step that a later wave depends on, that it is in force.

    Its kind is the strongest that any of its objects needs; the sentence names them all.
    """
    if number == len(waves) - 1:
        return Gate(GateKind.NONE, "nothing follows")
    here = {step.id: step for step in waves[number]}
    later = {step.id for wave in waves[number + 1 :] for step in wave}
    kinds: dict[ResourceId, GateKind] = {}
    for edge in graph.edges:
        if edge.first in here and edge.then in later and edge.then not in here:
            kind = _kind(here[edge.first], edge)
            kinds[edge.first] = max(kinds.get(edge.first, GateKind.NONE), kind, key=_strength)
    for found, step in here.items():
        if isinstance(step, Remove) and found in later:
            kinds[found] = GateKind.GONE
    strongest = max(kinds.values(), key=_strength, default=GateKind.NONE)
    ids = tuple(sorted(kinds))
    return Gate(strongest, "; ".join(_sentences(kinds)), ids)


def gate_for(steps: Iterable[Step], gate: Gate | None = None) -> Gate:
    """A gate that waits until some steps are in force everywhere, besides for what another one does."""
    kinds: dict[ResourceId, GateKind] = {}
    for step in steps:
        kind = GateKind.DRAINED if isinstance(step, Remove) else GateKind.PROXIES
        is_workload = (step.id.group, step.id.kind) in _WORKLOADS
        kinds[step.id] = GateKind.READY if is_workload else kind
    known = gate or Gate(GateKind.NONE, "")
    fresh = {id_: kind for id_, kind in kinds.items() if id_ not in known.ids}
    reasons = "; ".join(reason for reason in (known.why, *_sentences(fresh)) if reason)
    strongest = max((known.kind, *kinds.values()), key=_strength)
    return Gate(strongest, reasons, tuple(sorted({*known.ids, *kinds})))


def _strength(kind: GateKind) -> int:
    return _STRENGTH.index(kind)


def _kind(step: Step, edge: Edge) -> GateKind:
    """When what `step` does is in force for the object that waits for it."""
    kind = (step.id.group, step.id.kind)
    meshed = step.id.group in _MESH_GROUPS or kind in _MESH_KINDS
    if isinstance(step, Remove):
        return GateKind.DRAINED if meshed else GateKind.GONE
    if kind in _WORKLOADS or step.id.group in _MADE_BY:
        return GateKind.READY
    if kind == ("", "Secret") and edge.then.group in _MESH_GROUPS:
        # A gateway gets its certificate as it gets its listeners.
        return GateKind.PROXIES
    if meshed:
        return GateKind.DRAINED if edge.retires else GateKind.PROXIES
    return GateKind.ESTABLISHED


def _sentences(kinds: Mapping[ResourceId, GateKind]) -> list[str]:
    sentences = []
    for kind in _STRENGTH[1:]:
        ids = [str(found) for found in sorted(kinds) if kinds[found] is kind]
        if ids:
            text = _SENTENCES[kind].format(ids=listed(ids))
            sentences.append(text if len(ids) == 1 else text.replace(" has to be ", " have to be "))
    return sentences
