"""Manifests and what the model says about them, as the data that compiled rules read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshplan.errors import SourceError, UsageError
from meshplan.policy import ir, program
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.judge import ModelWorld
from meshplan.policy.rego.bundle import inventory
from meshplan.resource import Resource
from meshplan.run.request import Request, load, mesh_of, settings_for
from meshplan.source.alone import open_alone


def data_of(request: Request, manifests: Path, rules: Sequence[program.Rule]) -> dict[str, Any]:
    """`inventory`, and `facts`: the answers to what rules ask about it.

    Raises UsageError where the manifests are of several targets.
    """
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
    world = ModelWorld(mesh)
    for rule in rules:
        if not rule.is_change:
            _ask(rule, world)
    objects = [resource.manifest for resource in mesh.snapshot.values()]
    return {"inventory": inventory(objects), "facts": world.facts.to_json()}


def _ask(rule: program.Rule, world: ModelWorld) -> None:
    """Run a rule for what it asks."""
    compiled = CompiledRule(rule)
    known: dict[ir.Variable, Any] = {}
    wanted = {(kind.group, kind.name) for kind in rule.kinds}
    for resource in world.snapshot.values():
        if not wanted or (resource.id.group, resource.id.kind) in wanted:
            compiled.run(resource.manifest, None, world, {}, known)


def _is_in(resource: Resource, place: str) -> bool:
    path = resource.origin.path
    return not place or path == place or path.startswith(f"{place}/")
