"""Manifests and what the model says about them, as the data that compiled rules read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshplan.errors import SourceError, UsageError
from meshplan.mesh import Mesh
from meshplan.policy import ir, program
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.judge import ModelWorld
from meshplan.policy.rego.bundle import inventory
from meshplan.resource import Resource, Snapshot
from meshplan.run.request import Request, load, mesh_of, settings_for
from meshplan.source.alone import open_alone


def data_of(
    request: Request, manifests: Path, before: Path | None, rules: Sequence[program.Rule]
) -> dict[str, Any]:
    """`inventory`, and `facts`: the answers to what rules ask about it; `inventory_before`.

    Raises UsageError where the manifests are of several targets.
    """
    mesh = _mesh(request, manifests)
    return shipped(rules, mesh, None if before is None else _mesh(request, before).snapshot)


def shipped(
    rules: Sequence[program.Rule], mesh: Mesh, before: Snapshot | None = None
) -> dict[str, Any]:
    """The same for a mesh that is at hand."""
    base = before if before is not None else Snapshot()
    world = ModelWorld(mesh)
    for rule in rules:
        _ask(rule, world, base)
    found = {"inventory": inventory(_manifests(mesh.snapshot)), "facts": world.facts.to_json()}
    return found | ({} if before is None else {"inventory_before": inventory(_manifests(base))})


def _mesh(request: Request, manifests: Path) -> Mesh:
    """What the one target describes that the manifests are of."""
    revision, wanted = open_alone(request.directory, None, [manifests])
    settings, _ = settings_for(request, None, revision)
    loaded = load(replace(request, revisions=None), None, revision, settings, ())
    inside = [t for t in loaded.targets if any(_is_in(r, wanted[0]) for r in t.head.values())]
    if not inside:
        raise SourceError(f"no manifests found in {manifests}")
    if len(inside) > 1:
        names = ", ".join(target.name for target in inside[:6])
        raise UsageError(
            f"{manifests} holds {len(inside)} targets: {names}", hint="name one with --target"
        )
    mesh, _ = mesh_of(inside[0].head, settings)
    return mesh


def _ask(rule: program.Rule, world: ModelWorld, base: Snapshot) -> None:
    """Run a rule for what it asks."""
    compiled = CompiledRule(rule)
    known: dict[ir.Variable, Any] = {}
    wanted = {(kind.group, kind.name) for kind in rule.kinds}
    head = world.snapshot
    for id_ in {*head, *base} if rule.is_change else head:
        if not wanted or (id_.group, id_.kind) in wanted:
            new, old = (r.manifest if (r := side.get(id_)) else None for side in (head, base))
            if not rule.is_change:
                compiled.run(new, None, world, {}, known)
            elif new != old:
                compiled.run(new, old, world, {}, known)


def _manifests(snapshot: Snapshot) -> list[Any]:
    return [resource.manifest for resource in snapshot.values()]


def _is_in(resource: Resource, place: str) -> bool:
    path = resource.origin.path
    return not place or path == place or path.startswith(f"{place}/")
