"""A server on loopback that answers as Argo CD's API does, and as Kubernetes' does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.kube_api import FakeCluster

TOKEN = "argo-token"


def application(
    before: str,
    after: str,
    *,
    name: str = "shop",
    url: str = "https://git.example/shop.git",
    path: str = ".",
    **state: Any,
) -> dict[str, Any]:
    """An Application in the middle of a sync from one commit to another."""
    source = {"repoURL": url, "path": path, "targetRevision": "main"}
    operation = {
        "operation": {"sync": {"prune": True, "revision": after}},
        "phase": "Running",
        "startedAt": "2026-11-20T10:00:00Z",
        "syncResult": {"revision": after, "source": source},
        **state,
    }
    history = (
        [{"id": 3, "revision": before, "deployedAt": "2026-11-19T10:00:00Z"}] if before else []
    )
    older = [{"id": 2, "revision": "f" * 40, "deployedAt": "2026-11-18T10:00:00Z"}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "syncPolicy": {"automated": {"prune": True}},
        },
        "status": {
            "history": [*history, *older] if before else [],
            "operationState": operation,
            "sync": {"status": "OutOfSync", "revision": after},
        },
    }


@dataclass
class FakeArgo:
    """The Application, its manifests by revision, and what is in the cluster."""

    url: str = ""
    application: Any = None
    #: What the Application is at each later request; the last stays.
    later: list[Any] = field(default_factory=list)
    manifests: dict[str, list[Any]] = field(default_factory=dict)
    live: list[Any] = field(default_factory=list)
    #: Answers in the place of the real ones, by a part of the path.
    instead: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: The cluster behind the same address.
    cluster: FakeCluster = field(default_factory=FakeCluster)

    def answer(self, target: str, token: str) -> tuple[int, Any]:
        parts = urlsplit(target)
        self.asked.append(target)
        for part, found in self.instead.items():
            if part in parts.path:
                return found
        if token != f"Bearer {TOKEN}":
            return 401, {"error": "invalid session", "message": "invalid session", "code": 16}
        name = self.application["metadata"]["name"] if isinstance(self.application, dict) else "x"
        api = f"/api/v1/applications/{name}"
        if parts.path in (
            api,
            f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}",
        ):
            found = self.application
            if self.later:
                self.application = self.later.pop(0)
            return 200, found
        if parts.path == f"{api}/manifests":
            revision = parse_qs(parts.query)["revision"][0]
            if revision not in self.manifests:
                return 500, {"message": f"unable to resolve '{revision}' to a commit SHA"}
            texts = [json.dumps(value) for value in self.manifests[revision]]
            return 200, {"manifests": texts, "revision": revision}
        if parts.path == f"{api}/managed-resources":
            items = [{"kind": v["kind"], "liveState": json.dumps(v)} for v in self.live]
            return 200, {"items": [*items, {"kind": "ConfigMap", "liveState": "null"}]}
        return 404, {"message": f'applications.argoproj.io "{parts.path}" not found'}


@contextmanager
def argo_server() -> Iterator[FakeArgo]:
    """A running server and its state."""
    fake = FakeArgo()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "")
            if self.path.startswith(("/api/v1/applications", "/apis/argoproj.io")):
                status, body = fake.answer(self.path, token)
            elif token != f"Bearer {TOKEN}":
                status, body = 401, {"message": "Unauthorized"}
            else:
                kind = self.headers.get("Content-Type", "")
                status, body = fake.cluster.answer(self.command, self.path, sent, kind)
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            kind = "text/html" if isinstance(body, str) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
