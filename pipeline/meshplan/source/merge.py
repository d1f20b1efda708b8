"""From the objects of a target to its snapshots, and which of several definitions counts.

An object that is defined more than once is a finding. The definition that counts is the last one
in the order of the files, as with `kubectl apply`, except where the change itself brings a new
one: somebody who adds `reviews-v3.yaml` beside `reviews-v1.yaml`, or edits one of the two, means
that definition to be applied, whatever its name. Then the base has what was in that file, or else
the last definition it had.
"""

from collections.abc import Iterable, Mapping, Sequence

from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.location import Role, Side
from meshplan.resource import Resource, Snapshot

Definitions = dict[ResourceId, list[Resource]]


def merge(
    sides: Mapping[Side, Sequence[Iterable[Resource]]],
) -> tuple[Mapping[Side, Snapshot], Mapping[Side, tuple[Finding, ...]]]:
    """The snapshot of each revision, and the objects that are defined more than once there."""
    defined = {side: _by_id(parts) for side, parts in sides.items()}
    chosen = {side: {i: own[-1] for i, own in found.items()} for side, found in defined.items()}
    contested = {i for found in defined.values() for i, own in found.items() if len(own) > 1}
    for identity in contested:
        base = defined.get(Side.BASE, {}).get(identity, [])
        head = defined[Side.HEAD].get(identity, [])
        if base and head:
            chosen[Side.BASE][identity], chosen[Side.HEAD][identity] = _counting(base, head)
    findings = {
        side: tuple(
            _duplicate(found[identity], chosen[side][identity])
            for identity in sorted(contested & found.keys())
            if len(found[identity]) > 1
        )
        for side, found in defined.items()
    }
    return {side: Snapshot(found.values()) for side, found in chosen.items()}, findings


def _by_id(parts: Iterable[Iterable[Resource]]) -> Definitions:
    found: Definitions = {}
    for part in parts:
        for resource in part:
            found.setdefault(resource.id, []).append(resource)
    return found


def _counting(base: Sequence[Resource], head: Sequence[Resource]) -> tuple[Resource, Resource]:
    """The definition that counts at each revision."""
    known = [resource.manifest for resource in base]
    new = [resource for resource in head if resource.manifest not in known]
    if not new:
        return base[-1], head[-1]
    before = {resource.origin.path: resource for resource in base}
    added = [resource for resource in new if resource.origin.path not in before]
    winner = (added or new)[-1]
    return before.get(winner.origin.path, base[-1]), winner


def _duplicate(defined: Sequence[Resource], winner: Resource) -> Finding:
    others = [resource for resource in defined if resource is not winner]
    same = all(other.manifest == winner.manifest for other in others)
    # Paths and lines are left to the locations: they change while the problem stays the same.
    if same:
        message = f"{winner.id} is defined {len(defined)} times in one target, each time the same"
        advice = "delete all definitions but one"
    else:
        message = (
            f"{winner.id} is defined {len(defined)} times in one target, with different content; "
            "what counts is what the change brings, else the last in the order of the files"
        )
        advice = (
            "delete all definitions but one, or keep the variants in folders of their own; "
            "`targets` in .meshplan.yaml says which files belong together"
        )
    return Finding(
        "duplicate-object",
        Severity.INFO if same else Severity.ERROR,
        message,
        (
            winner.origin.location(),
            *(other.origin.location(role=Role.RELATED) for other in others),
        ),
        id=winner.id,
        help=advice,
        key="equal" if same else "different",
    )
