"""Kustomize: `kustomize build` or `kubectl kustomize`, run on a copy that holds only its inputs."""

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import RenderError
from meshplan.resource import Document, Origin
from meshplan.settings import RenderSettings
from meshplan.source.reading import Limits, Read
from meshplan.source.render.process import Tool, run
from meshplan.source.render.workspace import REPOSITORY, Workspace
from meshplan.source.units import Kustomization
from meshplan.source.yaml import read

_ORIGIN = "config.kubernetes.io/origin"

#: From the folder of a build to the copy of the repository.
_COPY = f"../{REPOSITORY}"

#: Finds the line and document of an object: path, kind, name.
Locate = Callable[[str, str, str], Origin]


@dataclass(frozen=True, slots=True)
class Build:
    """One run of Kustomize: what to build, and where its files were put."""

    recipe: Kustomization
    workspace: Workspace
    #: Relative resources of the generated kustomization; () to build the folder as it is.
    generated: tuple[str, ...]
    #: `buildMetadata` of the folder's own kustomization.
    metadata: tuple[str, ...]
    #: Tells this build's wrapper from those of others in the same workspace.
    number: int
    #: Whether the build may, and has to, read files beside a kustomization's own folder.
    unrestricted: bool = False


def build(job: Build, tool: Tool, limits: RenderSettings, locate: Locate) -> tuple[Document, ...]:
    """Run Kustomize and lead its objects back to the files they are from. Raises RenderError."""
    space = job.workspace
    recipe = job.recipe
    if job.generated:
        named = [posixpath.relpath(path, recipe.path or ".") for path in job.generated]
        place = space.at(_path(recipe.path, "kustomization.yaml"))
        space.write(place, _json({"resources": named}))
    wrapper = space.beside(f"build-{job.number}")
    options = ["--load-restrictor=LoadRestrictionsNone"] if job.unrestricted else []
    space.write(wrapper / "kustomization.yaml", _json(_wrapped(job)))
    try:
        output = run(tool, [*options, str(wrapper)], home=space.home, limits=limits)
    except RenderError as error:
        error.message = _without_paths(error.message, wrapper)
        raise
    keep = "originAnnotations" in job.metadata
    return tuple(_documents(output, recipe, locate, keep=keep))


def is_plain(documents: Sequence[Document]) -> bool:
    """Whether Kustomize would give these documents as they are, were they only listed.

    It does so with named objects, each there once, of which none is a list, empty, or marked
    with an annotation that means something to Kustomize.
    """
    known: set[tuple[str, ...]] = set()
    for document in documents:
        identity = _identity(document.value)
        if identity is None or identity in known:
            return False
        known.add(identity)
    return True


def _identity(value: Any) -> tuple[str, ...] | None:
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        return None
    api, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api, str) or not isinstance(kind, str) or kind.endswith("List"):
        return None
    annotations = metadata.get("annotations")
    if annotations is not None and not isinstance(annotations, Mapping):
        return None
    if any("config.k" in str(name) for name in annotations or ()):
        return None
    group = api.rpartition("/")[0]
    return (group, kind, str(metadata.get("namespace") or ""), metadata["name"])


def as_listed(documents: Sequence[Document], via: str) -> tuple[Document, ...]:
    """Documents of files as what Kustomize gives for them."""
    return tuple(Document(d.value, replace(d.origin, via=via)) for d in documents)


def _wrapped(job: Build) -> Mapping[str, Any]:
    """A kustomization over the folder that asks for the origin of every object.

    Whatever the folder's own kustomization wants in `buildMetadata` only counts at the top.
    """
    overlay = json.loads(job.recipe.overlay) if job.recipe.overlay else {}
    components = [f"{_COPY}/{path}" for path in overlay.pop("components", ())]
    return {
        **overlay,
        **({"components": components} if components else {}),
        "resources": [_path(_COPY, job.recipe.path).rstrip("/")],
        "buildMetadata": sorted({*job.metadata, "originAnnotations"}),
    }


def _documents(
    output: bytes, recipe: Kustomization, locate: Locate, *, keep: bool
) -> Iterator[Document]:
    for found in _read(output):
        if not isinstance(found.value, Mapping):
            continue
        value, told = _split(found.value, keep=keep)
        metadata = found.value.get("metadata")
        name = str(metadata.get("name")) if isinstance(metadata, Mapping) else ""
        path = _source(told) or _path(recipe.path, "kustomization.yaml")
        place = locate(path, str(found.value.get("kind")), name)
        via = f"kustomize {recipe.path or '.'}"
        yield Document(value, Origin(place.path, place.line, place.document, place.pointer, via))


def _read(output: bytes) -> Sequence[Read]:
    reading = read(output, Limits(file_bytes=len(output) + 1, document_bytes=len(output) + 1))
    for problem in reading.problems:
        raise RenderError(f"the output of Kustomize cannot be read: {problem.message}")
    return reading.documents


def _split(value: Mapping[str, Any], *, keep: bool) -> tuple[Mapping[str, Any], str]:
    """An object without the annotation that tells its origin, and what that says."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(annotations, Mapping):
        return value, ""
    told = str(annotations.get(_ORIGIN, ""))
    if keep:
        return value, told
    rest = {key: text for key, text in annotations.items() if key != _ORIGIN}
    others = {key: item for key, item in metadata.items() if key != "annotations"}
    slim = {**others, "annotations": rest} if rest else others
    return {**value, "metadata": slim}, told


def _source(told: str) -> str:
    """The path in an origin annotation: of the object's file, or of what generated it."""
    fields = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    path = posixpath.normpath(fields.get("path") or fields.get("configuredIn") or "")
    return path.removeprefix(f"{_COPY}/") if path.startswith(f"{_COPY}/") else ""


def _without_paths(message: str, wrapper: Path) -> str:
    """The message with paths of the repository instead of those of the temporary copy."""
    for folder in {str(wrapper.parent), str(wrapper.parent.resolve())}:
        message = message.replace(f"{folder}/{REPOSITORY}/", "").replace(
            f"{folder}/{REPOSITORY}", "."
        )
        message = message.replace(f"{folder}/{wrapper.name}", "the build")
    return message.replace(f"{_COPY}/", "")


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
