"""What the user asks for, and the settings and targets that follow from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import UsageError
from meshplan.finding import Finding, Severity
from meshplan.mesh import Mesh
from meshplan.mesh.config import mesh_config
from meshplan.resource import Snapshot
from meshplan.schema import validate
from meshplan.schema.wording import did_you_mean
from meshplan.settings import Assumption, MeshSettings, Settings, World, settings_of
from meshplan.source.cache import Cache
from meshplan.source.load import Loaded, load_targets
from meshplan.source.revision import Revision
from meshplan.source.settings import changed_settings, file_settings, revision_settings
from meshplan.source.yaml import parse

#: Tells whoever waits what is being done.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user wants to know."""

    directory: Path
    #: The day that counts as today, as in 2026-11-20.
    as_of: str
    #: `BASE..HEAD` and its relatives; None compares the working tree with HEAD. To look at one
    #: revision alone, its name; None for the working tree.
    revisions: str | None = None
    #: Whether the index is compared, not the working tree.
    staged: bool = False
    #: A settings file in the place of the repository's.
    config: Path | None = None
    #: The targets to look at; empty for all.
    targets: tuple[str, ...] = ()
    closed: bool = False
    #: Facts of the mesh, each as `name=value`, in the place of what the settings say.
    mesh: tuple[str, ...] = ()
    fail_on: Severity | None = None
    #: Whether plans are proven; None for what the settings say.
    proof: bool | None = None
    #: Names of deployers whose order is to be examined, besides those in the settings.
    deployers: tuple[str, ...] = ()
    cached: bool = True


def settings_for(
    request: Request, base: Revision | None, head: Revision
) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings in force, and what the head would make of them.

    Between two commits those of the base hold, so that a change cannot approve itself.
    """
    noted: tuple[Finding, ...] = ()
    if request.config is not None:
        settings = file_settings(request.config)
    elif base is not None and head.commit is not None:
        settings, noted = revision_settings(base), changed_settings(base, head)
    else:
        settings = revision_settings(head)
    if request.closed:
        settings = settings.with_(world=World.CLOSED)
    if request.fail_on is not None:
        settings = settings.with_(fail_on=request.fail_on)
    if request.proof is not None:
        settings = settings.with_(proof=replace(settings.proof, enabled=request.proof))
    if request.mesh:
        settings = settings.with_(mesh=_overridden(settings.mesh, request.mesh))
    return settings, noted


def _overridden(mesh: MeshSettings, facts: Sequence[str]) -> MeshSettings:
    """The facts of the mesh with those that the command line states. Raises UsageError."""
    stated: dict[str, Any] = {}
    for fact in facts:
        name, found, text = fact.partition("=")
        if not found:
            raise UsageError(f"--mesh {fact} says no value", hint="as in enableAutoMtls=false")
        stated[name] = {"true": True, "false": False}.get(text.lower(), text)
    problems = validate("settings", {"mesh": stated})
    if problems:
        name = problems[0].pointer.rpartition("/")[2]
        said = "" if problems[0].message.startswith("unknown key") else f"{name}: "
        raise UsageError(f"--mesh: {said}{problems[0].message}")
    written = settings_of({"mesh": stated}, "").mesh
    named = {name: getattr(written, name) for name in MeshSettings.__dataclass_fields__}
    return replace(mesh, **{name: value for name, value in named.items() if value is not None})


def load(
    request: Request,
    base: Revision | None,
    head: Revision,
    settings: Settings,
    urls: tuple[str, ...],
) -> Loaded:
    """The targets of one or two revisions. Raises UsageError for a target that is not there."""
    cache = Cache.open(enabled=request.cached)
    only = request.targets
    loaded = load_targets(base, head, settings, repo_urls=urls, cache=cache, only=only)
    found = {target.name for target in loaded.targets} | {e.target for e in loaded.coverage}
    for name in only:
        if name not in found:
            raise UsageError(
                f'no target "{name}"{did_you_mean(name, found)}',
                hint="`meshplan targets` lists them",
            )
    return loaded


def mesh_of(snapshot: Snapshot, settings: Settings) -> tuple[Mesh, tuple[Assumption, ...]]:
    """The mesh that a snapshot describes, and the facts about it that had to be taken as given."""
    config, assumptions = mesh_config(snapshot, settings.mesh, _parse_text)
    return Mesh.of(snapshot, config, settings.world), assumptions


def _parse_text(text: str) -> Any:
    """The one document that a string inside a manifest holds; None if it holds none."""
    documents = parse(text.encode("utf-8", "surrogateescape"), "").documents
    return documents[0].value if len(documents) == 1 else None
