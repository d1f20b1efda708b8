"""The two states of a sync as snapshots: from Argo CD, which renders as it will, or from Git."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meshplan.argocd.application import Application, ArgoError
from meshplan.dataclass import dataclass
from meshplan.resource import Document, Origin, Snapshot
from meshplan.run.request import Request, load
from meshplan.settings import Settings, TargetSettings
from meshplan.source.compose import Composer, defined_scopes
from meshplan.source.git import open_revisions

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TIMEOUT_SECONDS = 300
#: What the API server adds to an object.
_SERVER_FIELDS = frozenset(
    {
        *("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
        *("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"),
    }
)


@dataclass(frozen=True, slots=True)
class States:
    """What is there before a sync and after it."""

    before: Snapshot
    after: Snapshot
    #: Where `before` comes from, in words.
    told: str


def snapshot_of(values: Sequence[Any], namespace: str, name: str) -> Snapshot:
    """Objects in their JSON form as a snapshot."""
    documents = tuple(
        Document(value, Origin(name, document=number)) for number, value in enumerate(values)
    )
    composer = Composer(defined_scopes(documents))
    found = composer.objects(documents, namespace or "default")
    if found.findings:
        raise ArgoError(f"{name}: {found.findings[0].message}")
    return Snapshot(found.resources)


def live_snapshot(values: Iterable[Any], after: Snapshot, namespace: str) -> Snapshot:
    """Live objects as they were last applied, and without what the API server adds.

    An object that has everything its next version says counts as being that version: what is more
    are defaults.
    """
    written = [_as_applied(value) for value in values if isinstance(value, Mapping)]
    found = snapshot_of(written, namespace, "the live objects")
    same = {
        id_: after[id_]
        for id_, resource in found.items()
        if id_ in after and contains(resource.manifest, after[id_].manifest)
    }
    return found.with_(*same.values())


def _as_applied(value: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    annotations = metadata.get("annotations")
    annotations = annotations if isinstance(annotations, Mapping) else {}
    applied = annotations.get(LAST_APPLIED)
    if isinstance(applied, str):
        try:
            found = json.loads(applied)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, Mapping):
            return found
    kept = {name: item for name, item in metadata.items() if name not in _SERVER_FIELDS}
    return {**{k: v for k, v in value.items() if k != "status"}, "metadata": kept}


def contains(live: Any, wanted: Any) -> bool:
    """Whether a live value says all that is wanted; mappings may say more."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            name in live and contains(live[name], item) for name, item in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(contains(one, other) for one, other in zip(live, wanted, strict=True))
        )
    return bool(live == wanted)


def states_from_git(
    found: Application, before: str, after: str, settings: Settings, url: str = ""
) -> States:
    """Both revisions, fetched as objects only and read as `meshplan diff` reads them."""
    source = found.source
    with TemporaryDirectory(prefix="meshplan-") as folder:
        _fetch(Path(folder), url or source.url, (before, after))
        target = _target(found)
        settings = settings.with_(targets=(target,))
        opened = open_revisions(Path(folder), f"{before}..{after}")
        request = Request(Path(folder), "", targets=(target.name,), cached=False)
        loaded = load(request, opened.base, opened.head, settings, ())
    unread = [e for e in loaded.coverage if str(e.status) != "rendered"]
    if unread or len(loaded.targets) != 1:
        why = f": {unread[0].why}" if unread else ""
        raise ArgoError(
            f"the manifests of {found.name} cannot be read from Git{why}",
            hint="with --server, Argo CD renders them",
        )
    [one] = loaded.targets
    return States(one.base, one.head, f"the last sync, {before[:9]}")


def _target(found: Application) -> TargetSettings:
    """The source as a target. Raises ArgoError for options that only Argo CD can render."""
    source = found.source
    if source.chart or source.value.get("plugin") is not None:
        raise ArgoError(f"{found.name} does not come from a folder in Git", hint=_RENDER)
    kind = next((name for name in ("helm", "kustomize") if source.value.get(name)), None)
    options = source.value.get(kind) if kind else None
    known = {"valueFiles", "releaseName"} if kind == "helm" else set()
    if isinstance(options, Mapping) and set(options) - known:
        raise ArgoError(f"{found.name} has options that only Argo CD can render", hint=_RENDER)
    helm = options if kind == "helm" and isinstance(options, Mapping) else {}
    values = tuple(str(name) for name in helm.get("valueFiles") or ())
    release = str(helm.get("releaseName") or found.name)
    return TargetSettings(
        found.name, (source.path,), kind, found.destination_namespace or None, values, release
    )


_RENDER = "with --server, Argo CD renders the manifests"


def _fetch(folder: Path, url: str, commits: Iterable[str]) -> None:
    """Get commits by their ids into an empty repository without a working tree."""
    if url.startswith("-"):
        raise ArgoError(f"{url!r} is no address of a repository")
    _git(folder, "init", "--quiet", "--bare")
    for commit in dict.fromkeys(commits):
        status = _git(
            folder,
            *("-c", "protocol.ext.allow=never", "fetch", "--quiet", "--no-tags", "--depth=1"),
            *("--no-recurse-submodules", "--", url, commit),
        )
        if status != 0:
            raise ArgoError(
                f"commit {commit[:9]} cannot be fetched from the repository of the Application",
                hint="the Job needs access to it, or --server: then Argo CD renders the manifests",
            )


def _git(folder: Path, *arguments: str) -> int:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = [shutil.which("git") or "git", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise ArgoError(f"git cannot be run: {(error.strerror or '').lower()}") from error
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode
