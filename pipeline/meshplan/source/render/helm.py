"""Helm: `helm template` over a chart of the repository, with everything it needs vendored."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import RenderError
from meshplan.resource import Document, Origin
from meshplan.settings import RenderSettings
from meshplan.source.documents import Manifests
from meshplan.source.reading import Limits
from meshplan.source.render.process import Tool, run
from meshplan.source.render.workspace import Workspace
from meshplan.source.tree import Tree, is_below, joined
from meshplan.source.units import Chart
from meshplan.source.yaml import read

_SOURCE = re.compile(rb"^---[ \t]*\n# Source: (.+)\n", re.MULTILINE)
#: As Helm has it; a word that begins with "-" would be an option.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_MAX_DEPTH = 8


@dataclass(slots=True)
class ChartFiles:
    """What a chart is made of."""

    files: set[str] = field(default_factory=set)
    #: Charts of the repository that go under `charts/` of another: where they go, where they are.
    copies: dict[str, str] = field(default_factory=dict)
    #: Why the chart is not rendered; "" if it is.
    why: str = ""
    own_fault: bool = False


def files_of(recipe: Chart, tree: Tree, manifests: Manifests) -> ChartFiles:
    """The files of a chart with its local dependencies and its values files."""
    found = ChartFiles()
    if f"{recipe.path}/Chart.yaml".lstrip("/") not in tree.files:
        found.why, found.own_fault = f"there is no Chart.yaml in {recipe.path or '.'}", True
        return found
    for word in (recipe.release, recipe.namespace):
        if word and not _NAME.fullmatch(word):
            found.why, found.own_fault = f"{word!r} is no name that Kubernetes allows", True
    _collect(found, recipe.path, recipe.path, tree, manifests, 0)
    for path in recipe.files:
        if path in tree.files:
            found.files.add(path)
        elif not recipe.ignore_missing and not found.why:
            found.why, found.own_fault = f"its values file {path} is not there", True
    return found


def _collect(
    found: ChartFiles, chart: str, place: str, tree: Tree, manifests: Manifests, depth: int
) -> None:
    """Add a chart, to be put at `place`, and the charts of the repository that it depends on."""
    own = set(tree.below(chart))
    found.files |= own
    if depth > _MAX_DEPTH:
        found.why, found.own_fault = f"the dependencies of {chart} go in a circle", True
        return
    for entry in _dependencies(chart, tree, manifests):
        name, repository = str(entry.get("name")), str(entry.get("repository") or "")
        vendored = posixpath.join(chart, "charts", name)
        if any(p.startswith((f"{vendored}/", f"{vendored}-")) for p in own):
            continue
        local = joined(chart, repository[7:]) if repository.startswith("file://") else None
        if local is not None and posixpath.join(local, "Chart.yaml") in tree.files:
            target = posixpath.join(place, "charts", name)
            found.copies[target] = local
            _collect(found, local, target, tree, manifests, depth + 1)
        elif not found.why:
            where = f" from {repository}" if repository else ""
            found.why = f"its dependency {name}{where} is not vendored in {chart}/charts"


def _dependencies(chart: str, tree: Tree, manifests: Manifests) -> Iterator[Mapping[str, Any]]:
    for name in ("Chart.yaml", "requirements.yaml"):
        path = posixpath.join(chart, name)
        for content in manifests.content(tree, path) if path in tree.files else ():
            listed = content.get("dependencies") if isinstance(content, Mapping) else None
            for entry in listed if isinstance(listed, list) else ():
                if isinstance(entry, Mapping):
                    yield entry


@dataclass(frozen=True, slots=True)
class Release:
    """One run of `helm template`."""

    recipe: Chart
    workspace: Workspace
    copies: Mapping[str, str]
    kubernetes_version: str
    #: Tells this run's values from those of others in the same workspace.
    number: int


def template(release: Release, tool: Tool, limits: RenderSettings) -> tuple[Document, ...]:
    """Run Helm and lead its objects back to their templates. Raises RenderError."""
    space, recipe = release.workspace, release.recipe
    for target, source in sorted(release.copies.items()):
        _copy(space, source, target)
    arguments = [*_options(release), "--", recipe.release or "release", str(space.at(recipe.path))]
    try:
        output = run(tool, arguments, home=space.home, limits=limits)
    except RenderError as error:
        for prefix in (f"{space.folder.resolve()}/", f"{space.folder}/"):
            error.message = error.message.replace(prefix, "")
        error.message = error.message.replace(" Use --debug flag to render out invalid YAML", "")
        raise
    return tuple(_documents(output, release))


def _options(release: Release) -> Iterator[str]:
    space, recipe = release.workspace, release.recipe
    yield f"--namespace={recipe.namespace or 'default'}"
    yield "--skip-tests"
    if not recipe.skip_crds:
        yield "--include-crds"
    if release.kubernetes_version:
        yield f"--kube-version={release.kubernetes_version}"
    # Helm splits what it is given at commas, so a file goes by a name of ours.
    texts = [space.at(path).read_bytes() for path in recipe.files if path in space.tree.files]
    if recipe.values:
        texts.append(recipe.values.encode("utf-8", "surrogateescape"))
    for number, text in enumerate(texts):
        place = space.beside(f"values-{release.number}-{number}.yaml")
        yield f"--values={space.write(place, text)}"
    for name, value, is_string in recipe.parameters:
        escaped = re.sub(r"(?<!\\),", r"\\,", value)
        yield f"--set{'-string' if is_string else ''}={name}={escaped}"


def _copy(space: Workspace, source: str, target: str) -> None:
    """Put a chart of the repository under `charts/` of the chart that depends on it."""
    for path in space.tree.below(source):
        place = f"{target}{path[len(source) :]}"
        if not is_below(path, target) and not is_below(target, path):
            space.write(space.at(place), space.at(path).read_bytes())


def _documents(output: bytes, release: Release) -> Iterator[Document]:
    """The documents of the output, each with the template that its comment names."""
    pieces = _SOURCE.split(output)
    via = f"helm {release.recipe.path or '.'}"
    limits = Limits(file_bytes=len(output) + 1, document_bytes=len(output) + 1)
    texts = [(b"", pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
    for source, text in texts:
        reading = read(text, limits)
        for problem in reading.problems:
            raise RenderError(f"what {source.decode()} renders cannot be read: {problem.message}")
        path = _path(source.decode("utf-8", "surrogateescape"), release)
        for found in reading.documents:
            if isinstance(found.value, Mapping):
                line = _line(path, found.value, release.workspace)
                yield Document(found.value, Origin(path, line, found.index, "", via))


def _path(source: str, release: Release) -> str:
    """The file of the repository behind `chart/charts/sub/templates/x.yaml`."""
    inside = posixpath.join(release.recipe.path, source.partition("/")[2])
    for target, origin in release.copies.items():
        if is_below(inside, target):
            inside = f"{origin}{inside[len(target) :]}"
    known = inside in release.workspace.tree.files
    return inside if known else posixpath.join(release.recipe.path, "Chart.yaml")


def _line(path: str, value: Mapping[str, Any], space: Workspace) -> int | None:
    """Where a template writes the kind of an object, if it does so once."""
    try:
        lines = space.at(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    kind = f"kind: {value.get('kind')}"
    found = [number for number, line in enumerate(lines, 1) if line.rstrip() == kind]
    if len(found) != 1:
        return None
    above = found[0] - 1
    return above if above and lines[above - 1].startswith("apiVersion:") else found[0]
