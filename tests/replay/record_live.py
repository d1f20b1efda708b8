"""Record what real proxies do in states of a whole cluster, as `tests/data/oracle` has them.

    cd tests/replay
    unshare --net sh -c 'ip link set lo up; python record_live.py PILOT_DISCOVERY ENVOY CRDS live/FILE.yaml' > ../data/oracle/FILE.jsonl

CRDS is a folder with the CustomResourceDefinitions of the Gateway API. A state says which proxy is
asked, what the cluster holds (`use` names texts under `parts`; `beside` one of
what controllers make, which no manifest holds), and the requests; `@jwks@` stands for the keys that are good, and a
request's `token` for the claims of a token, signed with another key where `forged` is true. Where
a request's `port` is null, the client dials the one in the host, or that of the scheme. One with a
`principal` goes to a server's sidecar over mutual TLS.
"""

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.live_api import living
from support.live_cluster import schemas
from support.live_mesh import DEFINITIONS, OUTSIDE, POD, LiveMesh, certificate, certificates
from support.meshes import with_versions

PORTS = tuple(range(19101, 19113))
#: Of an application that knows no TLS.
PLAIN = 19113
TIMES = 5
LOG = {
    "probe": "%REQ(X-PROBE)%",
    "flag": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "cluster": "%UPSTREAM_CLUSTER%",
}


_HANDSHAKE = b"\x16"
#: What no proxy takes for HTTP or TLS.
_RAW = b"\x01hello\n"


class Server(ThreadingHTTPServer):
    """An application."""

    daemon_threads = True
    context: ssl.SSLContext

    def handle_error(self, *_: object) -> None:
        """Nothing: proxies close connections as they like."""


class Backend(BaseHTTPRequestHandler):
    """Says what it got: of a request, with or without TLS, or of a connection with other bytes."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Looks at the first byte."""
        first = self.request.recv(1, socket.MSG_PEEK)
        if first == _HANDSHAKE and self.server.server_address[1] != PLAIN:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self._is_raw = first == _RAW[:1]

    def handle(self) -> None:
        """Answers."""
        if not self._is_raw:
            return super().handle()
        self.rfile.readline()
        self.wfile.write(json.dumps({"port": self.server.server_address[1]}).encode() + b"\n")
        return None

    def do_GET(self) -> None:
        """Answers any request."""
        seen = {
            "port": self.server.server_address[1],
            "path": self.path,
            "host": self.headers["host"],
        }
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - looked for by name

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    """Print a line for each state."""
    istiod, envoy, definitions, states = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as name, living(DEFINITIONS, Path(name)) as api:
        folder = Path(name)
        secret = certificates(folder)
        _serve(folder)
        kinds = schemas(Path(definitions))
        mesh = LiveMesh(folder, api, istiod, envoy, kinds, LOG, secret)
        try:
            mesh.start()
            known = yaml.safe_load(Path(states).read_text())
            parts = known.get("parts", {})
            for state in known["states"]:
                state["beside"] = parts.get(state.get("beside", ""), "")
                used = [parts[name].strip() for name in state.get("use", ())]
                state["objects"] = "\n---\n".join([*used, state.get("objects", "").strip()])
                print(json.dumps(_record(mesh, state), separators=(",", ":")), flush=True)
                print(state.get("about", ""), file=sys.stderr)
        finally:
            mesh.close()


def _serve(folder: Path) -> None:
    """Starts the applications."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "secret.pem", folder / "secret.key")
    for port in (*PORTS, PLAIN):
        server = Server(("0.0.0.0", port), Backend)
        server.context = context
        Thread(target=server.serve_forever, daemon=True).start()


def _record(mesh: LiveMesh, state: dict[str, Any]) -> dict[str, Any]:
    text = state["objects"].removesuffix("\n---\n").replace("@jwks@", _keys(mesh.root))
    objects = list(yaml.safe_load_all(with_versions(text)))
    for one in objects:
        one["metadata"].setdefault("namespace", "")
        if not one["metadata"]["namespace"]:
            del one["metadata"]["namespace"]
    beside = state.get("beside", "").strip()
    more = list(yaml.safe_load_all(with_versions(beside))) if beside else []
    mesh.become(json.loads(json.dumps(objects)), more, state["proxy"])
    addresses = _addresses(mesh)
    observations = []
    for found in state["requests"]:
        request = _with_token(found, mesh.root)
        where = {"router": "127.0.0.1", "inbound": POD}.get(state["proxy"]["type"]) or (
            addresses.get(request["host"].partition(":")[0], OUTSIDE)
        )
        port = request.get("port", state["proxy"]["port"]) or _port_of(request)
        answers = [_ask(mesh, request, where, port) for _ in range(TIMES)]
        distinct = [one for n, one in enumerate(answers) if one not in answers[:n]]
        observations.append({"request": request, "answers": distinct})
    record: dict[str, Any] = {"state": objects, "proxy": state["proxy"]}
    if state["proxy"]["type"] == "inbound":
        record["client"] = {"address": "127.0.0.1", "mtls": False}
        for found in observations:
            kept = ("status", "flag", "details")
            answers = [{k: one[k] for k in kept} for one in found["answers"]]
            found["answers"] = [one for n, one in enumerate(answers) if one not in answers[:n]]
    return record | {"observations": observations}


def _port_of(request: dict[str, Any]) -> int:
    """The port that a client dials which knows the host and the scheme alone."""
    stated = request["host"].rpartition(":")[2]
    own = 443 if request.get("scheme") in ("tls", "https") else 80
    return int(stated) if stated.isdecimal() else own


def _addresses(mesh: LiveMesh) -> dict[str, str]:
    """Where clients find services that have an address."""
    found, aliases = {}, {}
    pods = mesh.api.listed(("", "pods"), "")[1]
    for one in mesh.api.listed(("", "services"), "")[1]:
        address = one["spec"].get("clusterIP", "None")
        name = f"{one['metadata']['name']}.{one['metadata']['namespace']}.svc.cluster.local"
        if one["spec"]["type"] == "ExternalName":
            aliases[name] = one["spec"]["externalName"]
        if address == "None":
            # The name of a headless Service leads to its pods.
            selected = (pod["status"]["podIP"] for pod in pods if _selects(one, pod))
            address = next(selected, OUTSIDE)
        found[name] = address
    for one in mesh.api.listed(("networking.istio.io", "serviceentries"), "")[1]:
        for host in one["spec"]["hosts"]:
            for address in one["spec"].get("addresses", ()):
                found[host] = address
    return found | {name: found.get(to, OUTSIDE) for name, to in aliases.items()}


def _selects(service: dict[str, Any], pod: dict[str, Any]) -> bool:
    labels = pod["metadata"].get("labels", {})
    wanted = service["spec"].get("selector", {"": ""})
    inside = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return inside and all(labels.get(key) == value for key, value in wanted.items())


_probes = iter(range(1_000_000))


def _ask(mesh: LiveMesh, request: dict[str, Any], where: str, port: int) -> dict[str, Any]:
    """What becomes of a request, or of a connection that no proxy reads."""
    scheme = request.get("scheme", "http")
    probe, before = str(next(_probes)), mesh.lines()
    connection = http.client.HTTPConnection(where, port, timeout=5)
    found: dict[str, Any] = {"status": None}
    try:
        connection.connect()
        if scheme in ("tls", "https") or "principal" in request:
            connection.sock = _secured(connection.sock, request, mesh.root)
        if scheme == "tcp":
            connection.sock.sendall(_RAW)
            answer = connection.sock.makefile().readline()
            found |= {"status": 200, **json.loads(answer)} if answer else {"error": "closed"}
        else:
            found |= _answer(connection, request, probe)
    except (OSError, ValueError, http.client.HTTPException) as error:
        found["error"] = type(error).__name__
    connection.close()
    if scheme in ("http", "https") and found["status"] is not None:
        logged = mesh.logged(probe)
        if logged:
            return found | logged
    # Of a connection that is not even taken there is no word.
    logged = mesh.logged("", before, 0.4 if found["status"] is None else 1.5)
    return found | (logged or {"flag": "-", "details": "-", "cluster": "-"})


def _secured(plain: socket.socket, request: dict[str, Any], folder: Path) -> ssl.SSLSocket:
    context = ssl._create_unverified_context()
    if principal := request.get("principal"):
        # As proxies of the mesh do.
        path = certificate(folder, f"{principal.replace('/', '.')}", f"URI:spiffe://{principal}")
        context.load_cert_chain(path, path.with_suffix(".key"))
        kind = ["istio"] if request.get("scheme") == "tcp" else ["istio-http/1.1"]
        context.set_alpn_protocols([*kind, "http/1.1"])
    elif request.get("certificate"):
        context.load_cert_chain(folder / "secret.pem", folder / "secret.key")
    name = request.get("sni") or request["host"].partition(":")[0]
    if name.startswith("outbound_"):
        # As proxies of the mesh say.
        context.set_alpn_protocols(["istio"])
    found = context.wrap_socket(plain, server_hostname=name)
    if "principal" in request and not _is_of_the_mesh(found):
        raise ssl.SSLError
    return found


def _is_of_the_mesh(found: ssl.SSLSocket) -> bool:
    """Whether the other side has a name of the mesh, which its proxies want to see."""
    presented = found.getpeercert(binary_form=True) or b""
    return b"spiffe://" in presented


def _answer(
    connection: http.client.HTTPConnection, request: dict[str, Any], probe: str
) -> dict[str, Any]:
    headers = {"host": request["host"], "x-probe": probe, "connection": "close"}
    connection.request(
        request.get("method", "GET"),
        request.get("path", "/"),
        headers=headers | request.get("headers", {}),
    )
    answer = connection.getresponse()
    body = answer.read()
    found: dict[str, Any] = {"status": answer.status}
    for name, header in (("location", "location"), ("grpc", "grpc-status")):
        if value := answer.getheader(header):
            found[name] = value
    if answer.status == 200 and body.startswith(b"{"):
        found.update(json.loads(body))
    return found


def _with_token(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A request with its token made out and signed."""
    found = {k: v for k, v in request.items() if k not in ("token", "forged")}
    if "token" in request:
        key = folder / ("ca.key" if request.get("forged") else "secret.key")
        head = _base64(json.dumps({"alg": "RS256", "kid": "k", "typ": "JWT"}).encode())
        signed = f"{head}.{_base64(json.dumps(request['token']).encode())}"
        command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
        done = subprocess.run(command, input=signed.encode(), capture_output=True, check=True)
        token = f"{signed}.{_base64(done.stdout)}"
        headers = found.get("headers") or {"authorization": "Bearer @token@"}
        found["headers"] = {k: v.replace("@token@", token) for k, v in headers.items()}
        if "@token@" in found.get("path", ""):
            found["path"] = found["path"].replace("@token@", token)
            found["headers"] = {k: v for k, v in found["headers"].items() if token not in v}
    return found


def _keys(folder: Path) -> str:
    """The public half of what tokens are signed with (RFC 7517)."""
    command = ["openssl", "rsa", "-in", str(folder / "secret.key"), "-noout", "-modulus"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    modulus = bytes.fromhex(done.stdout.strip().partition("=")[2])
    key = {"kty": "RSA", "kid": "k", "alg": "RS256", "e": "AQAB", "n": _base64(modulus)}
    return json.dumps({"keys": [key]})


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
