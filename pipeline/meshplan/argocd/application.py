"""An Application of Argo CD: what it deploys, what it deployed last, and the sync that runs.

What was synced last is the newest entry of the history: a full sync that ended well (rollbacks of
which hooks know nothing and selective syncs are not in it). What is being synced is a concrete
commit only after Argo CD has compared: `status.operationState.syncResult.revision`.
"""

import re
from collections.abc import Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")


class ArgoError(MeshplanError):
    """What Argo CD says does not tell what it is going to do, or cannot be had."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the manifests of an Application come from."""

    url: str
    path: str
    chart: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """The sync that runs."""

    running: bool
    #: The commit that it syncs to; "" as long as that is not known.
    revision: str
    prune: bool
    #: Whether it syncs some objects only, or without hooks.
    partial: bool
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Application:
    """An Application as far as its syncs are concerned."""

    namespace: str
    name: str
    project: str
    destination_namespace: str
    sources: tuple[Source, ...]
    #: The commit of the last full sync that ended well; "" if there is none.
    synced: str
    operation: Operation | None
    options: frozenset[str]
    multiple: bool

    @property
    def sync_options(self) -> frozenset[str]:
        """The options of the sync that runs: its own, else those of the Application."""
        return self.operation.options if self.operation else self.options

    @property
    def source(self) -> Source:
        """The one source. Raises ArgoError where there are several, or may be."""
        if self.multiple and len(self.sources) == 1:
            raise ArgoError(
                f"Application {self.name} has its source in a list, and Argo CD writes down the "
                "revisions of such an Application in another way",
                hint="move the one entry of spec.sources to spec.source",
            )
        if self.multiple or len(self.sources) != 1:
            raise ArgoError(
                f"Application {self.name} has several sources, and a revision is that of one",
                hint="only Applications with one source can be gated",
            )
        return self.sources[0]


def application_of(value: Any) -> Application:
    """An Application from its JSON form. Raises ArgoError if it is none."""
    spec, status = _map(value, "spec"), _map(value, "status")
    metadata = _map(value, "metadata")
    if not spec or not metadata.get("name"):
        raise ArgoError("what Argo CD answers is no Application")
    several = spec.get("sources")
    stated = several if isinstance(several, list) and several else [spec.get("source")]
    options = frozenset(_texts(_map(spec, "syncPolicy").get("syncOptions")))
    history = [entry for entry in status.get("history") or () if isinstance(entry, Mapping)]
    newest = max(history, key=lambda entry: _int(entry.get("id")), default={})
    return Application(
        namespace=_text(metadata, "namespace"),
        name=_text(metadata, "name"),
        project=_text(spec, "project"),
        destination_namespace=_text(_map(spec, "destination"), "namespace"),
        sources=tuple(_source(one) for one in stated if isinstance(one, Mapping)),
        synced=_commit(newest.get("revision")),
        operation=_operation(status.get("operationState"), options),
        options=options,
        multiple=bool(several),
    )


def _source(value: Mapping[str, Any]) -> Source:
    path = _text(value, "path") or "."
    return Source(_text(value, "repoURL"), path, _text(value, "chart"), value)


def _operation(state: Any, of_application: frozenset[str]) -> Operation | None:
    if not isinstance(state, Mapping):
        return None
    sync = _map(_map(state, "operation"), "sync")
    result = _map(state, "syncResult")
    own = _texts(sync.get("syncOptions"))
    return Operation(
        running=state.get("phase") == "Running",
        revision=_commit(result.get("revision")) or _commit(sync.get("revision")),
        prune=sync.get("prune") is True,
        partial=bool(sync.get("resources")) or "apply" in _map(sync, "syncStrategy"),
        options=frozenset(own) or of_application,
    )


def _commit(value: Any) -> str:
    return value if isinstance(value, str) and _COMMIT.match(value) else ""


def _map(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _int(value: Any) -> int:
    return value if isinstance(value, int) else -1
