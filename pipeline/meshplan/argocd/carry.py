"""Carry out waves in a cluster, with their gates; resume where an earlier run has stopped.

Every state between two waves is a safe place to stop, so whatever fails ends the run there.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from meshplan.argocd.application import ArgoError
from meshplan.argocd.kubernetes import Kubernetes
from meshplan.argocd.manifests import LAST_APPLIED, contains
from meshplan.argocd.prelude import State
from meshplan.dataclass import dataclass
from meshplan.delivery.http import Clock
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Remove, Step, Wave
from meshplan.resource import Manifest, Resource

_POLL_SECONDS = 2.0
_TRACKING = ("app.kubernetes.io/instance", "argocd.argoproj.io/tracking-id")


@dataclass(frozen=True, slots=True)
class Waits:
    """How long gates take."""

    #: Until proxies have taken over what was written.
    settle: float = 15.0
    #: For what the cluster itself can tell: rollouts, deletions.
    longest: float = 600.0


@dataclass(frozen=True, slots=True)
class Carrier:
    """Whoever carries out waves."""

    cluster: Kubernetes
    clock: Clock
    waits: Waits
    say: Callable[[str], None]

    def carry_out(self, waves: Sequence[Wave], passed: Sequence[State]) -> None:
        """Carry out the waves that the cluster does not have yet.

        `passed` are the states before each wave and after the last. Raises ArgoError where the
        cluster is in none of them, or refuses something.
        """
        versions = {step.id: _version(step) for wave in waves for step in wave.steps}
        begun = self._position(passed, versions)
        if begun:
            self.say(f"an earlier run has carried out {begun} of {len(waves)} waves")
            self._wait(waves[begun - 1].gate, versions)
        for number, wave in enumerate(waves[begun:], begun + 1):
            for step in wave.steps:
                self._do(step)
                self.say(f"wave {number} of {len(waves)}: {_told(step)}")
            self._wait(wave.gate, versions)

    def _do(self, step: Step) -> None:
        match step:
            case Apply(resource):
                self.cluster.write(resource.id, resource.api_version, resource.manifest)
            case Remove(id_, api_version):
                self.cluster.delete(id_, api_version)
            case _:
                assert_never(step)

    def _position(self, passed: Sequence[State], versions: Mapping[ResourceId, str]) -> int:
        """The last of the states that the cluster is in."""
        live = {id_: self.cluster.get(id_, version) for id_, version in versions.items()}
        wrong: ResourceId | None = None
        for number in range(len(passed) - 1, -1, -1):
            differ = [i for i, r in passed[number].items() if not _is(live[i], r)]
            if not differ:
                return number
            wrong = min(differ)
        raise ArgoError(
            f"the cluster is not in the state that the plan begins with: {wrong} differs",
            hint="somebody has changed it since the last sync; --before live plans from what is there",
        )

    # Gates

    def _wait(self, gate: Gate, versions: Mapping[ResourceId, str]) -> None:
        match gate.kind:
            case GateKind.NONE:
                return
            case GateKind.GONE:
                self._until(gate, versions, lambda live: live is None)
            case GateKind.READY | GateKind.ESTABLISHED:
                self._until(gate, versions, is_ready)
            case GateKind.PROXIES | GateKind.DRAINED | GateKind.ASSUMED:
                self._until(gate, versions, lambda live: live is None or is_ready(live))
                self.say(f"waiting {self.waits.settle:g} s: {gate.why}")
                self.clock.sleep(self.waits.settle)
            case _:
                assert_never(gate.kind)

    def _until(
        self,
        gate: Gate,
        versions: Mapping[ResourceId, str],
        holds: Callable[[Manifest | None], bool],
    ) -> None:
        """Wait until something holds of all objects of a gate that were touched."""
        end = self.clock.now() + self.waits.longest
        left = [id_ for id_ in gate.ids if id_ in versions]
        while left := [id_ for id_ in left if not holds(self.cluster.get(id_, versions[id_]))]:
            if self.clock.now() >= end:
                raise ArgoError(f"{left[0]} was waited for in vain: {gate.why}")
            self.say(f"waiting for {left[0]}")
            self.clock.sleep(_POLL_SECONDS)


def _version(step: Step) -> str:
    return step.api_version if isinstance(step, Remove) else step.resource.api_version


def _told(step: Step) -> str:
    word = "wrote" if isinstance(step, Apply) else "deleted"
    return f"{word} {step.id}" + (" (a bridge)" if step.bridge else "")


def _is(live: Manifest | None, resource: Resource | None) -> bool:
    """Whether a live object is what was written, exactly as far as that can be told."""
    if live is None or resource is None:
        return live is None and resource is None
    wanted = resource.manifest
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if isinstance(text, str):
        try:
            return bool(_plain(json.loads(text)) == _plain(wanted))
        except (ValueError, AttributeError):
            return False
    spec = {k: v for k, v in wanted.items() if k not in ("metadata", "apiVersion", "status")}
    if str(wanted.get("apiVersion", "")).partition("/")[0].endswith((".istio.io", ".k8s.io")):
        # Custom resources have few defaults: what is more than is wanted was written by somebody.
        return all(live.get(name) == value for name, value in spec.items())
    return contains(live, spec)


def _plain(manifest: Any) -> Any:
    """A manifest without what tells who manages it."""
    metadata = dict(manifest.get("metadata") or {})
    for part in ("labels", "annotations"):
        kept = {k: v for k, v in (metadata.get(part) or {}).items() if k not in _TRACKING}
        metadata.pop(part, None)
        if kept:
            metadata[part] = kept
    metadata.pop("namespace", None)
    return {**manifest, "metadata": metadata}


def is_ready(live: Manifest | None) -> bool:
    """Whether the cluster has done what an object asks for; of kinds without a status, that it is."""
    if live is None:
        return False
    status, spec = live.get("status") or {}, live.get("spec") or {}
    generation = (live.get("metadata") or {}).get("generation", 0)
    match live.get("kind"):
        case "Deployment" | "StatefulSet" | "ReplicaSet":
            wanted = spec.get("replicas", 1)
            done = (status.get("updatedReplicas", wanted), status.get("readyReplicas", 0))
            return bool(status.get("observedGeneration", 0) >= generation and min(done) >= wanted)
        case "DaemonSet":
            wanted = status.get("desiredNumberScheduled", 0)
            ready = min(status.get("updatedNumberScheduled", 0), status.get("numberReady", 0))
            return bool(status.get("observedGeneration", 0) >= generation and ready >= wanted)
        case "Job":
            return _has_condition(status, "Complete")
        case "Pod":
            return _has_condition(status, "Ready")
        case "CustomResourceDefinition":
            return _has_condition(status, "Established")
        case "Namespace":
            return bool(status.get("phase", "Active") == "Active")
        case _:
            return True


def _has_condition(status: Mapping[str, Any], name: str) -> bool:
    conditions = status.get("conditions") or ()
    return any(c.get("type") == name and c.get("status") == "True" for c in conditions)
