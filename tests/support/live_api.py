"""A Kubernetes API that a real istiod can live on: objects in memory, listed and watched.

Nothing is validated, so an EndpointSlice may hold loopback addresses. Whoever asks may do
everything, and all objects are of the same instant unless they say when they were made.
"""

import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.apiserver import plural

Object = dict[str, Any]
#: Group and plural.
Collection = tuple[str, str]
#: Collection, namespace and name.
Key = tuple[Collection, str, str]

#: Kinds of the resources that istiod looks at.
_KINDS = (
    *("Namespace", "Service", "Secret", "ConfigMap", "Pod", "Node", "ServiceAccount", "Endpoints"),
    *("EndpointSlice", "Ingress", "IngressClass", "Lease", "Deployment", "PodDisruptionBudget"),
    *("HorizontalPodAutoscaler", "CustomResourceDefinition", "ServiceImport"),
    *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    *("GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"),
    *("ReferenceGrant", "BackendTLSPolicy", "XListenerSet", "InferencePool"),
    *("VirtualService", "DestinationRule", "ServiceEntry", "Sidecar", "WorkloadEntry"),
    *("WorkloadGroup", "EnvoyFilter", "ProxyConfig", "WasmPlugin", "Telemetry"),
    *("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"),
)
_BY_PLURAL = {plural(kind): kind for kind in _KINDS}
_BOOKMARK = {"k8s.io/initial-events-end": "true"}
_BUNDLE = {"gateway.networking.k8s.io/bundle-version": "v1.4.0"}
#: When objects were made that do not say it: all in the same instant.
OLDEST = "1970-01-01T00:00:01Z"
_METADATA = "meta.k8s.io/v1"


@dataclass
class LiveApi:
    """The objects of a cluster, and everything that became of them."""

    #: Names of CustomResourceDefinitions: `plural.group`.
    definitions: tuple[str, ...] = ()
    kubeconfig: Path = Path()
    _objects: dict[Key, Object] = field(default_factory=dict)
    #: Everything that was written: the version, what happened, and to what.
    _events: list[tuple[int, str, Key, Object]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    stopped: bool = False

    def __post_init__(self) -> None:
        for name in self.definitions:
            definition = {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": name, "annotations": dict(_BUNDLE)},
            }
            self.put(definition)

    def put(self, value: Mapping[str, Any]) -> None:
        """Writes an object; one that is there already keeps what makes it that one."""
        found: Object = json.loads(json.dumps(value))
        metadata = found["metadata"]
        with self._changed:
            key = key_of(found)
            before = self._objects.get(key)
            version = len(self._events) + 1
            old = before["metadata"] if before else {}
            metadata["uid"] = old.get("uid") or str(uuid.uuid4())
            metadata.setdefault("creationTimestamp", OLDEST)
            metadata["resourceVersion"] = str(version)
            metadata.setdefault("generation", version)
            self._objects[key] = found
            self._events.append((version, "MODIFIED" if before else "ADDED", key, found))
            self._changed.notify_all()

    def delete(self, key: Key) -> None:
        """Removes an object."""
        with self._changed:
            found = self._objects.pop(key)
            version = len(self._events) + 1
            found = {**found, "metadata": {**found["metadata"], "resourceVersion": str(version)}}
            self._events.append((version, "DELETED", key, found))
            self._changed.notify_all()

    def get(self, key: Key) -> Object | None:
        """One object."""
        return self._objects.get(key)

    def listed(self, collection: Collection, namespace: str) -> tuple[int, list[Object]]:
        """The objects of a collection, in one namespace or in all, and the version of that."""
        with self._changed:
            found = [
                one
                for (where, inside, _), one in self._objects.items()
                if where == collection and namespace in ("", inside)
            ]
            return len(self._events), found

    def events(
        self, collection: Collection, namespace: str, after: int
    ) -> Iterator[tuple[str, Object] | None]:
        """What becomes of the objects of a collection; None where nothing does for a while."""
        while not self.stopped:
            with self._changed:
                if len(self._events) <= after:
                    self._changed.wait(1)
                news = self._events[after:]
                after = len(self._events)
            for _, what, (where, inside, _), one in news:
                if where == collection and namespace in ("", inside):
                    yield what, one
            if not news:
                yield None


def key_of(found: Mapping[str, Any]) -> Key:
    """Where an object is kept."""
    metadata = found["metadata"]
    group = found["apiVersion"].rpartition("/")[0]
    return (group, plural(found["kind"])), metadata.get("namespace", ""), metadata["name"]


@dataclass(frozen=True)
class _Asked:
    """What a path is about."""

    version: str
    collection: Collection
    namespace: str
    name: str

    @classmethod
    def of(cls, path: str) -> "_Asked | None":
        parts = path.strip("/").split("/")
        size = 2 if parts[0] == "api" else 3
        version, rest = "/".join(parts[1:size]), parts[size:]
        if parts[0] not in ("api", "apis") or not rest:
            return None
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        name = rest[1] if len(rest) > 1 else ""
        return cls(version, (version.rpartition("/")[0], rest[0]), namespace, name)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/version":
            return self._answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        asked = _Asked.of(url.path)
        if asked is None:
            return self._missing()
        if asked.name:
            found = self.server.api.get((asked.collection, asked.namespace, asked.name))
            return self._answer(200, found) if found else self._missing()
        query = parse_qs(url.query)
        if query.get("watch", [""])[0] in ("true", "1"):
            return self._watch(asked, query)
        version, items = self.server.api.listed(asked.collection, asked.namespace)
        items = [self._shaped(one, asked) for one in items if _has(one, query)]
        return self._answer(
            200,
            {
                "kind": "PartialObjectMetadataList"
                if self._metadata_only()
                else f"{_kind_of(asked.collection)}List",
                "apiVersion": _METADATA if self._metadata_only() else asked.version,
                "metadata": {"resourceVersion": str(version)},
                "items": items,
            },
        )

    def _watch(self, asked: _Asked, query: Mapping[str, list[str]]) -> None:
        api = self.server.api
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        after = int(query.get("resourceVersion", ["0"])[0] or 0)
        if query.get("sendInitialEvents", [""])[0] == "true":
            after, items = api.listed(asked.collection, asked.namespace)
            for one in items:
                if _has(one, query):
                    self._event("ADDED", self._shaped(one, asked))
            metadata = {"resourceVersion": str(after), "annotations": _BOOKMARK}
            kind = _kind_of(asked.collection)
            mark = {"kind": kind, "apiVersion": asked.version, "metadata": metadata}
            self._event("BOOKMARK", self._shaped(mark, asked))
        try:
            for found in api.events(asked.collection, asked.namespace, after):
                if found is not None and _has(found[1], query):
                    self._event(found[0], self._shaped(found[1], asked))
        except OSError:
            pass
        self.close_connection = True

    def _event(self, what: str, found: Object) -> None:
        text = json.dumps({"type": what, "object": found}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.flush()

    def _metadata_only(self) -> bool:
        return "as=PartialObjectMetadata" in self.headers.get("Accept", "")

    def _shaped(self, found: Object, asked: _Asked) -> Object:
        if self._metadata_only():
            kind = {"kind": "PartialObjectMetadata", "apiVersion": _METADATA}
            return {**kind, "metadata": found["metadata"]}
        return {**found, "apiVersion": asked.version}

    def do_POST(self) -> None:
        asked, value = _Asked.of(urlsplit(self.path).path), self._body()
        if asked is None:
            return self._missing()
        if asked.collection[1] == "subjectaccessreviews":
            return self._answer(201, {**value, "status": {"allowed": True}})
        value["metadata"].setdefault("namespace", asked.namespace)
        value.setdefault("apiVersion", asked.version)
        value.setdefault("kind", _kind_of(asked.collection))
        self.server.api.put(value)
        return self._answer(201, value)

    def do_PUT(self) -> None:
        asked, value = _Asked.of(urlsplit(self.path).path), self._body()
        # What istiod thinks of objects is taken note of and not kept.
        if asked is not None and not self.path.endswith("/status"):
            value.setdefault("apiVersion", asked.version)
            value.setdefault("kind", _kind_of(asked.collection))
            self.server.api.put(value)
        self._answer(200, value)

    def do_PATCH(self) -> None:
        self._answer(200, self._body())

    def do_DELETE(self) -> None:
        self._body()
        self._answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _body(self) -> Object:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        value: Object = json.loads(text) if text else {}
        return value

    def _missing(self) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound"}
        self._answer(404, status | {"code": 404, "message": f"{self.path} not found"})

    def _answer(self, status: int, value: Object) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class _Server(ThreadingHTTPServer):
    api: LiveApi
    daemon_threads = True
    request_queue_size = 256


def _kind_of(collection: Collection) -> str:
    return _BY_PLURAL.get(collection[1], collection[1].title())


def _has(found: Object, query: Mapping[str, list[str]]) -> bool:
    """Whether an object is chosen by equality of labels, and by its name."""
    labels = found["metadata"].get("labels") or {}
    for term in ",".join(query.get("labelSelector", [])).split(","):
        key, equal, value = term.partition("=")
        if equal and not key.endswith("!") and labels.get(key) != value.lstrip("="):
            return False
    for term in ",".join(query.get("fieldSelector", [])).split(","):
        key, _, value = term.partition("=")
        if key == "metadata.name" and found["metadata"]["name"] != value:
            return False
    return True


@contextmanager
def living(definitions: tuple[str, ...], folder: Path) -> Iterator[LiveApi]:
    """An API server on a loopback port, with a kubeconfig that leads to it."""
    api = LiveApi(definitions, folder / "kubeconfig.yaml")
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = api
    cluster = {"server": f"http://127.0.0.1:{server.server_port}"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": cluster}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    api.kubeconfig.write_text(json.dumps(config))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        api.stopped = True
        server.shutdown()
        server.server_close()
