"""Record what a real gateway answers in hand-written states, as `tests/data/oracle` has them.

    python tests/replay/record.py PILOT_DISCOVERY ENVOY > tests/data/oracle/gateway-rare.jsonl

The states are `states.yaml` beside this file: what random states leave out.
"""

import json
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
    for port in PORTS:
        server = ThreadingHTTPServer(("127.0.0.1", port), Backend)
        Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        mesh = RealMesh(Path(folder), sys.argv[1], sys.argv[2])
        mesh.log_format = {
            "probe": "%REQ(X-PROBE)%",
            "flag": "%RESPONSE_FLAGS%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "cluster": "%UPSTREAM_CLUSTER%",
        }
        try:
            mesh.start()
            for state in yaml.safe_load_all(Path(__file__).with_name("states.yaml").read_text()):
                print(json.dumps(_record(mesh, state), separators=(",", ":")))
        finally:
            mesh.close()


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
        answers = [_ask(mesh, request) for _ in range(TIMES)]
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


if __name__ == "__main__":
    main()
