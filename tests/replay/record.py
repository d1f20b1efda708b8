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
from functools import partial
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.meshes import with_versions
from support.real_mesh import RealMesh
from support.recorded_apps import LOG, answered, distinct, serve

PORTS = tuple(range(19101, 19105))


def main() -> None:
    """Print a line for each state."""
    with tempfile.TemporaryDirectory() as folder:
        serve(_certificate(Path(folder)), PORTS)
        mesh = RealMesh(Path(folder), sys.argv[1], sys.argv[2])
        mesh.log_format = LOG
        try:
            mesh.start()
            for state in yaml.safe_load_all(Path(sys.argv[3]).read_text()):
                print(json.dumps(_record(mesh, state), separators=(",", ":")))
        finally:
            mesh.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate and key for the applications."""
    found = folder / "cert.pem", folder / "key.pem"
    names = ["-keyout", str(found[1]), "-out", str(found[0])]
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=any"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return found


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
        answers = distinct(partial(ask, mesh, request))
        observations.append({"request": request, "answers": answers})
    proxy = {"type": "router", "namespace": "edge", "labels": {"istio": "ingressgateway"}}
    return {"state": objects, "proxy": {**proxy, "port": 18080}, "observations": observations}


_probes = iter(range(1_000_000))


def _ask(mesh: RealMesh, request: dict[str, Any]) -> dict[str, Any]:
    probe = str(next(_probes))
    connection = mesh.connect()
    found = answered(connection, request, probe)
    connection.close()
    return found | mesh.logged(probe)


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
