"""Changes about whose effect on requests nothing is known."""

from collections.abc import Iterable, Iterator

from meshplan.identity import ResourceId
from meshplan.mesh.read import mappings, text
from meshplan.proof.index import EXTENSIONS, NETWORKING
from meshplan.proof.types import Undecided
from meshplan.proof.versions import Versions

#: Kinds that change what proxies do in ways that are not modelled, and what they do.
_OPAQUE = {
    (NETWORKING, "EnvoyFilter"): "patches the proxies' configuration",
    (EXTENSIONS, "WasmPlugin"): "puts code into the proxies",
    (EXTENSIONS, "TrafficExtension"): "puts code into the proxies",
}


def opaque_changes(ids: Iterable[ResourceId], versions: Versions) -> Iterator[Undecided]:
    """One for each changed object whose meaning is not modelled."""
    for id_ in ids:
        what = _OPAQUE.get((id_.group, id_.kind))
        if what and id_ in versions.changed and not _is_harmless(id_, versions):
            yield Undecided(f"{id_} {what}, which is not modelled", ids=(id_,), culprits=(id_,))


def _is_harmless(id_: ResourceId, versions: Versions) -> bool:
    """Whether an EnvoyFilter never touches a request."""
    patches = [
        patch
        for version in versions.all_of(id_)
        for patch in mappings(version.spec.get("configPatches"))
    ]
    return id_.kind == "EnvoyFilter" and all(
        text(patch.get("applyTo")) == "BOOTSTRAP" for patch in patches
    )
