"""The form of a plan: whether its steps are what they say they are and lead from base to head."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff import Delete, Rename, diff
from meshplan.identity import ResourceId
from meshplan.kinds import home_group
from meshplan.resource import Origin, Resource, Snapshot
from meshplan.verify.names import WORKLOADS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One step as it was read: the version that it writes, None for a deletion."""

    id: ResourceId
    resource: Resource | None


@dataclass(frozen=True, slots=True)
class Stage:
    """Writes of which any subset may be visible: those of a wave, and those before it for which no
    gate has waited.
    """

    #: Number of the wave, from 0.
    wave: int
    writes: tuple[Write, ...]
    #: Those that are in force everywhere at its end.
    settled: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """The stages of a plan, and what is wrong with its form."""

    stages: tuple[Stage, ...]
    faults: tuple[str, ...]


def replayed(plan: Json, base: Snapshot, head: Snapshot) -> Replayed:
    """The stages of a plan as the result document has it."""
    faults: list[str] = []
    waves: list[list[Write]] = []
    for number, wave in enumerate(plan["waves"]):
        found = []
        for step in wave["steps"]:
            write, fault = read_write(step, head)
            faults += [f"wave {number + 1}: {fault}"] if fault else []
            found += [write] if write else []
        waves.append(found)
    if plan["digest"] != "sha256:" + _sha256(plan["waves"]):
        faults.append("the digest is not that of the waves")
    faults += _wrong_order(waves, base)
    faults += _wrong_end(waves, base, head)
    return Replayed(tuple(_stages(plan["waves"], waves)), tuple(faults))


def read_write(step: Json, head: Snapshot) -> tuple[Write | None, str]:
    """A step as a write, or what is wrong with it."""
    id_ = ResourceId.from_json(step["id"])
    if step["action"] == "remove":
        return Write(id_, None), ""
    manifest = step["manifest"]
    if manifest is None:
        # The value of a Secret is not in the document; it is that of the head.
        if id_ not in head:
            return None, f"{id_} has no manifest and is not in the head"
        manifest = head[id_].manifest
    if step["hash"] != "sha256:" + _sha256(manifest):
        return None, f"the hash of {id_} is not that of its manifest"
    metadata = manifest.get("metadata") or {}
    group, _, _ = str(manifest.get("apiVersion", "")).rpartition("/")
    kind = str(manifest.get("kind"))
    # Named as every object is: a Deployment of `extensions` is one of `apps`.
    name = metadata.get("name") or f"{metadata.get('generateName')}*"
    named = (home_group(group, kind), kind, name)
    if named != (id_.group, id_.kind, id_.name):
        return None, f"the manifest of {id_} is another object"
    origin = head[id_].origin if id_ in head else Origin("")
    return Write(id_, Resource(id_, str(manifest["apiVersion"]), manifest, origin)), ""


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _wrong_order(waves: Sequence[Sequence[Write]], base: Snapshot) -> Iterator[str]:
    """Steps that do nothing, and two steps for one object that race with each other."""
    state = {id_: found.manifest for id_, found in base.items()}
    for number, wave in enumerate(waves):
        ids = [write.id for write in wave]
        for write in wave:
            if ids.count(write.id) > 1:
                yield f"wave {number + 1}: {write.id} is written twice"
            elif write.resource is None and write.id not in state:
                yield f"wave {number + 1}: {write.id} is removed and is not there"
            elif write.resource is not None and state.get(write.id) == write.resource.manifest:
                yield f"wave {number + 1}: {write.id} is written again as it is"
        for write in wave:
            if write.resource is None:
                state.pop(write.id, None)
            else:
                state[write.id] = write.resource.manifest


def _wrong_end(waves: Sequence[Sequence[Write]], base: Snapshot, head: Snapshot) -> Iterator[str]:
    """Where the plan does not lead to the head: an object left over, missing, or different.

    An object that no step writes may differ in what has no meaning: formatting, defaults.
    """
    written = {write.id: write.resource for wave in waves for write in wave}
    for id_, last in sorted(written.items()):
        if last is None and id_ in head:
            yield f"{id_} is removed, and the head has it"
        elif last is not None and id_ not in head:
            yield f"{id_} is left over: the head does not have it"
        elif last is not None and last.manifest != head[id_].manifest:
            yield f"the last version of {id_} is not that of the head"
    for change in diff(base, head):
        gone = change.before if isinstance(change, Delete | Rename) else None
        if gone is not None and gone.id not in written:
            yield f"{gone.id} is not in the head, and no step removes it"
        if not isinstance(change, Delete) and change.after.id not in written:
            yield f"{change.after.id} changes, and no step writes it"


def _stages(waves: Sequence[Json], writes: Sequence[Sequence[Write]]) -> Iterator[Stage]:
    """Waves with what is still on its way to the proxies from the waves before."""
    pending = list[Write]()
    for number, (wave, found) in enumerate(zip(waves, writes, strict=True)):
        pending += found
        kind = wave["gate"]["kind"]
        is_last = number == len(waves) - 1
        settled = [w for w in pending if is_last or _settles(kind, w)]
        if settled:
            yield Stage(number, tuple(pending), tuple(settled))
            pending = [write for write in pending if write not in settled]


def _settles(gate: str, write: Write) -> bool:
    """Whether a write is in force everywhere after a gate; proxies hear of few things otherwise."""
    if gate == "ready":
        return (write.id.group, write.id.kind) in WORKLOADS
    return gate in ("proxies", "drained", "assumed")
