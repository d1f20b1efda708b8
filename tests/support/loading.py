"""Targets of repositories made for a test, and short ways to write manifests and to look at them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.resource import Snapshot
from meshplan.result import Coverage
from meshplan.settings import Settings
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.load import Loaded, LoadedTarget, load_targets
from support.git import Repository


def load(repository: Repository, spec: str = "r0..r1", **options: Any) -> Loaded:
    """The targets of a comparison; `spec` without dots loads one revision alone."""
    settings = options.pop("settings", None) or Settings()
    if ".." not in spec:
        return load_targets(None, open_revision(repository.path, spec), settings, **options)
    compared = open_revisions(repository.path, spec)
    return load_targets(compared.base, compared.head, settings, **options)


def names(snapshot: Snapshot) -> list[str]:
    """The objects of a snapshot as `Kind namespace/name`, sorted."""
    return sorted(str(found) for found in snapshot)


def heads(loaded: Loaded) -> Mapping[str, list[str]]:
    """The objects of each target at the head."""
    return {target.name: names(target.head) for target in loaded.targets}


def only_target(loaded: Loaded) -> LoadedTarget:
    """The one target there is."""
    (target,) = loaded.targets
    return target


def told(loaded: Loaded, path: str) -> Coverage:
    """The one coverage entry for a path or unit."""
    (entry,) = [entry for entry in loaded.coverage if entry.path == path]
    return entry


def changed(target: LoadedTarget) -> list[str]:
    """The objects of a target whose manifests differ between the revisions, in words."""
    found = []
    for identity in sorted({*target.base, *target.head}):
        before, after = target.base.get(identity), target.head.get(identity)
        if before is None:
            found.append(f"+ {identity}")
        elif after is None:
            found.append(f"- {identity}")
        elif before.manifest != after.manifest:
            found.append(f"~ {identity}")
    return found


def config_map(name: str, namespace: str = "", **data: str) -> str:
    """A ConfigMap."""
    where = f", namespace: {namespace}" if namespace else ""
    values = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in data.items())
    body = f"data:\n{values}" if values else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{where}}}\n{body}"


def service(name: str, port: int = 80) -> str:
    """A Service."""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec: {{ports: [{{port: {port}}}]}}\n"
    )


def virtual_service(name: str, host: str, subset: str = "v1") -> str:
    """A VirtualService that routes a host to one of its subsets."""
    return (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}}}\nspec:\n  hosts: [{host}]\n  http:\n"
        f"  - route: [{{destination: {{host: {host}, subset: {subset}}}}}]\n"
    )


def destination_rule(name: str, host: str, subsets: Sequence[str] = ("v1",)) -> str:
    """A DestinationRule with subsets by version."""
    listed = ", ".join(f"{{name: {s}, labels: {{version: {s}}}}}" for s in subsets)
    return (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: {name}}}\nspec: {{host: {host}, subsets: [{listed}]}}\n"
    )


def kustomization(*resources: str, **fields: str) -> str:
    """A kustomization; further fields as YAML text."""
    listed = "".join(f"- {resource}\n" for resource in resources)
    more = "".join(f"{key}: {value}\n" for key, value in fields.items())
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    return head + (f"resources:\n{listed}" if listed else "") + more
