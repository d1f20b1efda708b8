"""A plan is data: waves of steps with gates between them. Simulating it is one of its readers."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, assert_never

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.resource import Manifest, Resource, Snapshot


@dataclass(frozen=True, slots=True)
class Apply:
    """Write one version of one object."""

    resource: Resource
    why: str
    #: Whether this version is in neither revision.
    bridge: bool = False

    @property
    def id(self) -> ResourceId:
        """The object written."""
        return self.resource.id


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete one object."""

    id: ResourceId
    api_version: str
    why: str
    bridge: bool = False


Step = Apply | Remove


class GateKind(StrEnum):
    """What has to be true before the next wave may begin."""

    #: The API server serves a new kind (CRD Established) or has a namespace Active.
    ESTABLISHED = "established"
    #: Workloads have rolled out and their endpoints are ready.
    READY = "ready"
    #: Every affected proxy has taken over the configuration.
    PROXIES = "proxies"
    #: As `proxies`, and requests in flight on what is about to go have ended.
    DRAINED = "drained"
    #: The removed objects are gone from the API server.
    GONE = "gone"
    #: Nothing is waited for, and in the favour of whoever carries out the plan it is assumed that
    #: the wave is in force everywhere all the same.
    ASSUMED = "assumed"
    #: Nothing is waited for: nothing follows, or the next wave does not depend on this one.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Gate:
    """What to wait for after a wave, and why."""

    kind: GateKind
    why: str
    #: The objects the gate looks at.
    ids: tuple[ResourceId, ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """Steps between two gates; any subset of them may be visible at any time."""

    steps: tuple[Step, ...]
    gate: Gate


@dataclass(frozen=True, slots=True)
class Plan:
    """Waves, in order. An empty plan has none."""

    waves: tuple[Wave, ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        """All steps in order."""
        return (step for wave in self.waves for step in wave.steps)

    @property
    def bridges(self) -> int:
        """How many steps write or remove something that is in neither revision."""
        return sum(step.bridge for step in self.steps)

    @property
    def digest(self) -> str:
        """`sha256:` over the canonical JSON of the waves."""
        waves = [wave_to_json(wave) for wave in self.waves]
        return "sha256:" + hashlib.sha256(canonical_json(waves)).hexdigest()


def simulate(steps: Iterable[Step], snapshot: Snapshot) -> Snapshot:
    """The snapshot after carrying out `steps` in order."""
    state = dict(snapshot)
    for step in steps:
        match step:
            case Apply(resource):
                state[resource.id] = resource
            case Remove(gone):
                state.pop(gone, None)
            case _:
                assert_never(step)
    return Snapshot(state.values())


def canonical_json(value: Any) -> bytes:
    """One byte string for one value: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def hash_of(manifest: Manifest) -> str:
    """`sha256:` over the canonical JSON of a manifest."""
    return "sha256:" + hashlib.sha256(canonical_json(manifest)).hexdigest()


def step_to_json(step: Step) -> dict[str, Any]:
    """A step as the result document writes it. The value of a Secret stays in the revision."""
    base = {"id": step.id.to_json(), "bridge": step.bridge, "why": step.why}
    match step:
        case Apply(resource):
            return base | {
                "action": "apply",
                "apiVersion": resource.api_version,
                "hash": hash_of(resource.manifest),
                "manifest": None if resource.is_secret else resource.manifest,
            }
        case Remove(api_version=api_version):
            return base | {
                "action": "remove",
                "apiVersion": api_version,
                "hash": None,
                "manifest": None,
            }
        case _:
            assert_never(step)


def wave_to_json(wave: Wave) -> dict[str, Any]:
    """A wave as the result document writes it."""
    return {
        "steps": [step_to_json(step) for step in wave.steps],
        "gate": {
            "kind": str(wave.gate.kind),
            "why": wave.gate.why,
            "ids": [found.to_json() for found in wave.gate.ids],
        },
    }
