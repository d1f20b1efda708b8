"""A stand-in for the API server: it keeps objects and takes down in which order they are written.

Just enough for real clients (kubectl, helm) to believe in it: discovery, reading, listing by
labels, creating, patching and deleting. Nothing is validated and nobody is asked who they are.
Helm speaks protobuf about the Secrets in which it keeps its releases, and about nothing else.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]

_MAGIC = b"k8s\x00"
_DONE = {"kind": "Status", "apiVersion": "v1", "status": "Success"}


def plural(kind: str) -> str:
    """The name of a kind in paths."""
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith(("s", "x", "ch")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith(("cy", "ry", "ty")) else f"{name}s"


class ApiServer:
    """The objects of a cluster, and the writes to it: `+Kind/name`, `~Kind/name`, `-Kind/name`."""

    def __init__(self, kinds: Iterable[tuple[str, str, bool]], folder: Path):
        #: apiVersion, kind and whether it has namespaces, by path of the API and plural.
        self.kinds = {(version, plural(kind)): (kind, scoped) for version, kind, scoped in kinds}
        self.objects: dict[str, Object] = {}
        #: Secrets of Helm: their labels, and themselves in protobuf.
        self.releases: dict[str, tuple[Mapping[str, str], bytes]] = {}
        self.writes: list[str] = []
        self.kubeconfig = folder / "kubeconfig.yaml"

    def taken(self) -> list[str]:
        """The writes since the last time."""
        found, self.writes = self.writes, []
        return found

    def discovery(self, path: str) -> Object | None:
        """What there is, for a path of discovery; None for other paths."""
        groups = sorted({version for version, _ in self.kinds if "/" in version})
        match path.strip("/").split("/"):
            case ["version"]:
                return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
            case ["api"]:
                return {"kind": "APIVersions", "versions": ["v1"]}
            case ["apis"]:
                entries = [{"groupVersion": v, "version": v.partition("/")[2]} for v in groups]
                listed = [
                    {"name": e["groupVersion"].partition("/")[0], "versions": [e]} for e in entries
                ]
                for group in listed:
                    group["preferredVersion"] = group["versions"][0]
                return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
            case ["api", version]:
                return self._resources(version)
            case ["apis", group, version]:
                return self._resources(f"{group}/{version}")
            case _:
                return None

    def _resources(self, version: str) -> Object:
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": version,
            "resources": [
                {
                    "name": name,
                    "singularName": "",
                    "namespaced": scoped,
                    "kind": kind,
                    "verbs": verbs,
                }
                for (found, name), (kind, scoped) in self.kinds.items()
                if found == version
            ],
        }

    def kind_of(self, path: str) -> str:
        """The kind that a path is about."""
        parts = path.strip("/").split("/")
        version = parts[1] if parts[0] == "api" else "/".join(parts[1:3])
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            rest = rest[2:]
        kind, _ = self.kinds[version, rest[0]]
        return kind

    def note(self, sign: str, path: str) -> None:
        """Take down a write."""
        self.writes.append(f"{sign}{self.kind_of(path)}/{path.rpartition('/')[2]}")


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        api, url = self.server.api, urlsplit(self.path)
        if url.path == "/openapi/v2":
            # A schema without any type, so that nothing is validated.
            form = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            return self._send(200, form, _field(1, b"2.0"))
        found = api.discovery(url.path)
        if found is not None:
            return self._answer(200, found)
        if url.path in api.releases:
            return self._answer_protobuf(200, "Secret", api.releases[url.path][1])
        if url.path in api.objects:
            return self._answer(200, api.objects[url.path])
        try:
            kind = api.kind_of(url.path)
        except (KeyError, IndexError):
            return self._missing()
        if self._is_collection(url.path):
            wanted = parse_qs(url.query).get("labelSelector", [""])[0]
            if kind == "Secret":
                kept = [raw for labels, raw in api.releases.values() if _chosen(labels, wanted)]
                return self._answer_protobuf(
                    200, "SecretList", b"".join(_field(2, r) for r in kept)
                )
            items = [o for p, o in api.objects.items() if _inside(p, url.path) and _has(o, wanted)]
            version = next(v for (v, _), (k, _) in api.kinds.items() if k == kind)
            listed = {"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": items}
            return self._answer(200, listed)
        return self._missing()

    def do_POST(self) -> None:
        if self._is_protobuf():
            return self._keep(urlsplit(self.path).path, 201)
        value = self._body()
        path = f"{urlsplit(self.path).path}/{value['metadata']['name']}"
        value["metadata"] |= {"uid": path, "resourceVersion": "1"}
        self.server.api.objects[path] = value
        self.server.api.note("+", path)
        return self._answer(201, value)

    def do_PUT(self) -> None:
        path = urlsplit(self.path).path
        if self._is_protobuf():
            return self._keep(path.rpartition("/")[0], 200)
        self.server.api.objects[path] = value = self._body()
        self.server.api.note("~", path)
        return self._answer(200, value)

    def do_PATCH(self) -> None:
        api, path = self.server.api, urlsplit(self.path).path
        patch = self._body()
        if path not in api.objects:
            return self._missing()
        before = api.objects[path]
        api.objects[path] = _merged(before, patch)
        # Helm patches every custom resource, even with what it has.
        if api.objects[path] != before:
            api.note("~", path)
        return self._answer(200, api.objects[path])

    def do_DELETE(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        api, path = self.server.api, urlsplit(self.path).path
        if api.releases.pop(path, None) is not None:
            return self._answer(200, _DONE)
        if api.objects.pop(path, None) is None:
            return self._missing()
        api.note("-", path)
        return self._answer(200, _DONE)

    def _is_protobuf(self) -> bool:
        return "protobuf" in self.headers.get("Content-Type", "")

    def _keep(self, folder: str, status: int) -> None:
        """Keep a Secret as it comes, after the name and the labels in it."""
        text = self.rfile.read(int(self.headers["Content-Length"]))
        raw = _first(text.removeprefix(_MAGIC), 2)
        metadata = _first(raw, 1)
        name = _first(metadata, 1).decode()
        entries = [found for field, found in _fields(metadata) if field == 11]
        labels = {_first(entry, 1).decode(): _first(entry, 2).decode() for entry in entries}
        self.server.api.releases[f"{folder}/{name}"] = (labels, raw)
        self._answer_protobuf(status, "Secret", raw)

    def _answer_protobuf(self, status: int, kind: str, raw: bytes) -> None:
        about = _field(1, b"v1") + _field(2, kind.encode())
        text = _MAGIC + _field(1, about) + _field(2, raw)
        self._send(status, "application/vnd.kubernetes.protobuf", text)

    def _is_collection(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return any(name == listed for _, listed in self.server.api.kinds)

    def _body(self) -> Object:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        value: Object = json.loads(text) if text else {}
        return value

    def _missing(self) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound"}
        self._answer(404, status | {"code": 404, "message": f"{self.path} not found"})

    def _answer(self, status: int, value: Object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, form: str, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class _Server(ThreadingHTTPServer):
    api: ApiServer
    daemon_threads = True


def _inside(path: str, collection: str) -> bool:
    """Whether an object belongs to a collection, of one namespace or of all."""
    folder, _, _ = path.rpartition("/")
    if folder == collection:
        return True
    base, _, name = collection.rpartition("/")
    return folder.startswith(f"{base}/namespaces/") and folder.endswith(f"/{name}")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that are messages or texts, with their numbers."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        value, position = _varint(message, position)
        if tag & 7 == 2:
            yield tag >> 3, message[position : position + value]
            position += value


def _first(message: bytes, number: int) -> bytes:
    return next((found for field, found in _fields(message) if field == number), b"")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position


def _field(number: int, value: bytes) -> bytes:
    length, rest = bytearray(), len(value)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + value


def _has(found: Object, selector: str) -> bool:
    return _chosen(found["metadata"].get("labels") or {}, selector)


def _chosen(labels: Mapping[str, str], selector: str) -> bool:
    pairs = (term.partition("=")[::2] for term in selector.split(",") if "=" in term)
    return all(labels.get(key) == value.lstrip("=") for key, value in pairs)


def _merged(old: Any, patch: Any) -> Any:
    """A JSON merge patch, which is near enough to the other kinds of patches."""
    if not isinstance(patch, Mapping) or not isinstance(old, Mapping):
        return patch
    found = {**old, **{k: _merged(old.get(k), v) for k, v in patch.items()}}
    return {key: value for key, value in found.items() if value is not None}


@contextmanager
def running(kinds: Iterable[tuple[str, str, bool]], folder: Path) -> Iterator[ApiServer]:
    """An API server on a loopback port, with a kubeconfig that leads to it."""
    api = ApiServer(kinds, folder)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = api
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        ],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    api.kubeconfig.write_text(json.dumps(config))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
