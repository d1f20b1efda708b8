"""A small Kubernetes API: objects in memory, discovery, create, patch, delete, and a journal.

It applies merge patches as RFC 7386 says. Server-side apply replaces what the manifest says,
which is what it comes to with one manager.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: Kinds by API version, with their plural.
KINDS = {
    "v1": {"Service": "services", "Namespace": "namespaces", "Secret": "secrets", "ConfigMap": "configmaps"},
    "apps/v1": {"Deployment": "deployments"},
    "networking.istio.io/v1": {
        "DestinationRule": "destinationrules",
        "VirtualService": "virtualservices",
        "ServiceEntry": "serviceentries",
        "Sidecar": "sidecars",
        "Gateway": "gateways",
    },
    "security.istio.io/v1": {
        "AuthorizationPolicy": "authorizationpolicies",
        "PeerAuthentication": "peerauthentications",
    },
}  # fmt: skip


@dataclass
class FakeCluster:
    """Objects by path, and everything that was written."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What was done, in order: (verb, kind, name).
    journal: list[tuple[str, str, str]] = field(default_factory=list)
    #: Raised in the place of the answer when it says so: status and message.
    refuse: Callable[[str, str], tuple[int, dict[str, Any]] | None] = lambda *_: None

    def seed(self, value: dict[str, Any], *, applied: bool = True, tracked: bool = True) -> None:
        """An object as Argo CD has applied it."""
        made = copy.deepcopy(value)
        metadata = made["metadata"]
        if tracked:
            metadata.setdefault("labels", {})["app.kubernetes.io/instance"] = "shop"
        if applied:
            text = json.dumps(made)
            metadata.setdefault("annotations", {})[
                "kubectl.kubernetes.io/last-applied-configuration"
            ] = text
        metadata["resourceVersion"] = "1"
        made["status"] = {"observedGeneration": 1, "readyReplicas": 9}
        self.objects[self.path(value)] = made

    def path(self, value: dict[str, Any]) -> str:
        version, kind, metadata = value["apiVersion"], value["kind"], value["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        inside = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
        return f"{root}{inside}/{KINDS[version][kind]}/{metadata['name']}"

    def answer(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, Any]:
        path = path.partition("?")[0]
        refused = self.refuse(method, path)
        if refused:
            return refused
        for version, kinds in KINDS.items():
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            if path == root:
                names = [{"kind": k, "name": n, "namespaced": True} for k, n in kinds.items()]
                return 200, {"resources": [*names, {"kind": "Scale", "name": "deployments/scale"}]}
        value = json.loads(body) if body else None
        if method == "POST":
            path = f"{path}/{value['metadata']['name']}"
            if path in self.objects:
                return 409, {"message": "already exists"}
            return 201, self._put("create", path, value)
        there = self.objects.get(path)
        if method == "PATCH" and kind == "application/apply-patch+yaml":
            return 200, self._put("apply", path, value)
        if there is None:
            return 404, {"message": f"{path} not found"}
        if method == "PATCH":
            return 200, self._put("patch", path, merged(there, value))
        if method == "DELETE":
            del self.objects[path]
            self.journal.append(("delete", there["kind"], there["metadata"]["name"]))
        return 200, there

    def _put(self, verb: str, path: str, value: dict[str, Any]) -> dict[str, Any]:
        value.setdefault("status", {"observedGeneration": 1, "readyReplicas": 9})
        self.objects[path] = value
        self.journal.append((verb, value["kind"], value["metadata"]["name"]))
        return value


def merged(there: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    found = dict(there) if isinstance(there, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
