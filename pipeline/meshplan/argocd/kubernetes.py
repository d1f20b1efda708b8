"""Kubernetes' API as far as a plan is carried out with it: read, write, delete, wait.

Objects are written as whoever manages them writes them, so that the sync that follows owns what it
finds: by server-side apply in the name of Argo CD where the Application says so, else by a patch
computed from what was applied last, as `kubectl apply` does.
"""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import quote

from meshplan.argocd.application import ArgoError
from meshplan.argocd.manifests import LAST_APPLIED
from meshplan.argocd.server import answered
from meshplan.dataclass import dataclass
from meshplan.delivery.http import Http
from meshplan.identity import ResourceId
from meshplan.resource import Manifest

#: In whose name Argo CD applies.
MANAGER = "argocd-controller"
_TRACKING_LABEL = "app.kubernetes.io/instance"
_TRACKING_ANNOTATION = "argocd.argoproj.io/tracking-id"


@dataclass
class Kubernetes:
    """A cluster in which objects are written."""

    http: Http
    server_side: bool = False
    _plurals: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def get(self, id_: ResourceId, api_version: str) -> Manifest | None:
        """The live object; None where there is none."""
        answer = self.http.send("GET", self._path(id_, api_version))
        if answer.status == 404:
            return None
        value = answered(answer, str(id_), "Kubernetes")
        if not isinstance(value, Mapping):
            raise ArgoError(f"Kubernetes describes {id_} in a form that is not known")
        return value

    def write(self, id_: ResourceId, api_version: str, manifest: Manifest) -> None:
        """Make the live object what the manifest says."""
        path = self._path(id_, api_version)
        live = self.get(id_, api_version)
        wanted = _tracked(manifest, live)
        if self.server_side:
            query = f"?fieldManager={MANAGER}&force=true"
            kind = "application/apply-patch+yaml"
            answer = self.http.send("PATCH", path + query, wanted, kind=kind)
        elif live is None:
            folder = path.rpartition("/")[0]
            answer = self.http.send("POST", folder, _annotated(wanted))
        else:
            patch = merge_patch(_last_applied(live), _annotated(wanted), live)
            if not patch:
                return
            kind = "application/merge-patch+json"
            answer = self.http.send("PATCH", path, patch, kind=kind)
        answered(answer, str(id_), "Kubernetes")

    def delete(self, id_: ResourceId, api_version: str) -> None:
        """Delete the object; one that is gone is no error."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
        answer = self.http.send("DELETE", self._path(id_, api_version), body)
        if answer.status != 404:
            answered(answer, str(id_), "Kubernetes")

    def _path(self, id_: ResourceId, api_version: str) -> str:
        root = f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
        names = self._plurals.get(api_version)
        if names is None:
            names = self._plurals[api_version] = self._discovered(root, api_version)
        if id_.kind not in names:
            raise ArgoError(f"the cluster has no kind {id_.kind} in {api_version}")
        inside = f"/namespaces/{quote(id_.namespace, safe='')}" if id_.namespace else ""
        return f"{root}{inside}/{names[id_.kind]}/{quote(id_.name, safe='')}"

    def _discovered(self, root: str, api_version: str) -> Mapping[str, str]:
        """The plural of each kind of an API version."""
        value = answered(self.http.send("GET", root), f"API {api_version}", "Kubernetes")
        found = value.get("resources") if isinstance(value, Mapping) else None
        return {
            str(entry.get("kind")): str(entry.get("name"))
            for entry in found or ()
            if isinstance(entry, Mapping) and "/" not in str(entry.get("name"))
        }


def _tracked(manifest: Manifest, live: Manifest | None) -> dict[str, Any]:
    """The manifest with what tells Argo CD that the live object is its own."""
    if live is None:
        return dict(manifest)
    metadata = dict(manifest.get("metadata") or {})
    there = live.get("metadata") or {}
    for part, name in (("labels", _TRACKING_LABEL), ("annotations", _TRACKING_ANNOTATION)):
        known = (there.get(part) or {}).get(name)
        if known is not None and name not in (metadata.get(part) or {}):
            metadata[part] = {**(metadata.get(part) or {}), name: known}
    return {**manifest, "metadata": metadata}


def _annotated(manifest: Manifest) -> dict[str, Any]:
    """The manifest with itself in the annotation that `kubectl apply` compares with."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    metadata = dict(manifest.get("metadata") or {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), LAST_APPLIED: text}
    return {**manifest, "metadata": metadata}


def _last_applied(live: Manifest) -> Mapping[str, Any]:
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, Mapping) else {}


def merge_patch(
    original: Mapping[str, Any], modified: Mapping[str, Any], current: Mapping[str, Any]
) -> dict[str, Any]:
    """A JSON merge patch that makes `current` say what `modified` says.

    What `original` had and `modified` lacks goes; what only `current` has stays. Lists are replaced.
    """
    patch: dict[str, Any] = {}
    for name, value in modified.items():
        there = current.get(name)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            before = original.get(name)
            inner = merge_patch(before if isinstance(before, Mapping) else {}, value, there)
            if inner:
                patch[name] = inner
        elif name not in current or there != value:
            patch[name] = value
    patch.update({name: None for name in original if name not in modified and name in current})
    return patch
