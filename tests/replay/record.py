"""Record what a real gateway answers in hand-written states, as `tests/data/oracle` has them.

    cd tests/replay
    python record.py PILOT_DISCOVERY ENVOY states.yaml > ../data/oracle/gateway-rare.jsonl
    python record.py PILOT_DISCOVERY ENVOY states-l4.yaml > ../data/oracle/gateway-l4.jsonl

The states are what random ones leave out.
"""

import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.meshes import with_versions
from support.real_mesh import RealMesh

PORTS = (19101, 19102)
#: Of the applications that speak TLS themselves.
SECURE = (19103, 19104)
TIMES = 5


class Backend(BaseHTTPRequestHandler):
    """Says what it got."""

    protocol_version = "HTTP/1.1"

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

    do_POST = do_OPTIONS = do_GET  # noqa: N815 - the names that the server looks for

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    """Print a line for each state."""
    with tempfile.TemporaryDirectory() as folder:
        _serve(Path(folder))
        mesh = RealMesh(Path(folder), sys.argv[1], sys.argv[2])
        mesh.log_format = {
            "probe": "%REQ(X-PROBE)%",
            "flag": "%RESPONSE_FLAGS%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "cluster": "%UPSTREAM_CLUSTER%",
        }
        try:
            mesh.start()
            for state in yaml.safe_load_all(Path(sys.argv[3]).read_text()):
                print(json.dumps(_record(mesh, state), separators=(",", ":")))
        finally:
            mesh.close()


def _serve(folder: Path) -> None:
    """Starts the applications."""
    names = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=any"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    for port in (*PORTS, *SECURE):
        server = ThreadingHTTPServer(("127.0.0.1", port), Backend)
        if port in SECURE:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()


def _record(mesh: RealMesh, state: dict[str, Any]) -> dict[str, Any]:
    objects = list(yaml.safe_load_all(with_versions(state["objects"].strip())))
    bound = json.loads(json.dumps(objects))
    for one in bound:
        if one["kind"] == "Gateway":
            for server in one["spec"]["servers"]:
                server["bind"] = mesh.gateway
    for path in mesh.config.iterdir():
        path.unlink()
    time.sleep(1)
    for one in bound:
        mesh.put(one)
    time.sleep(2.5)
    observations = []
    for request in state["requests"]:
        ask = _connect if request.get("scheme") in ("tcp", "tls") else _ask
        answers = [ask(mesh, request) for _ in range(TIMES)]
        distinct = [one for n, one in enumerate(answers) if one not in answers[:n]]
        observations.append({"request": request, "answers": distinct})
    proxy = {"type": "router", "namespace": "edge", "labels": {"istio": "ingressgateway"}}
    return {"state": objects, "proxy": {**proxy, "port": 18080}, "observations": observations}


_probes = iter(range(1_000_000))


def _ask(mesh: RealMesh, request: dict[str, Any]) -> dict[str, Any]:
    probe = str(next(_probes))
    connection = mesh.connect()
    headers = {"host": request["host"], "x-probe": probe, **request.get("headers", {})}
    connection.request(request.get("method", "GET"), request.get("path", "/"), headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    found = {"status": answer.status, **mesh.logged(probe)}
    if location := answer.getheader("location"):
        found["location"] = location
    if answer.status == 200 and body.startswith(b"{"):
        found.update(json.loads(body))
    return found


def _connect(mesh: RealMesh, request: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a connection of which the gateway reads nothing but the server name."""
    log = mesh.root / "access.log"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    connection = http.client.HTTPConnection(mesh.gateway, request["port"], timeout=5)
    found: dict[str, Any] = {"status": None}
    try:
        connection.connect()
        if request["scheme"] == "tls":
            context = ssl._create_unverified_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=request["sni"])
        headers = {"host": request["host"], "connection": "close"}
        connection.request("GET", request.get("path", "/"), headers=headers)
        answer = connection.getresponse()
        found = {"status": answer.status, **json.loads(answer.read())}
    except (OSError, http.client.HTTPException) as error:
        found["error"] = type(error).__name__
    connection.close()
    for _ in range(100):
        lines = log.read_text().splitlines()[before:] if log.exists() else []
        if lines:
            logged = json.loads(lines[-1])
            return found | {name: logged[name] or "-" for name in ("flag", "details", "cluster")}
        time.sleep(0.05)
    return found | {"flag": "-", "details": "-", "cluster": "-"}


if __name__ == "__main__":
    main()
