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
from functools import partial
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.live_api import living
from support.live_cluster import schemas
from support.live_mesh import DEFINITIONS, OUTSIDE, POD, LiveMesh, certificate, certificates
from support.meshes import with_versions
from support.recorded_apps import LOG, RAW, answered, distinct, serve, unique

PORTS = tuple(range(19101, 19113))
#: Of an application that knows no TLS.
PLAIN = 19113


def main() -> None:
    """Print a line for each state."""
    istiod, envoy, definitions, states = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as name, living(DEFINITIONS, Path(name)) as api:
        folder = Path(name)
        secret = certificates(folder)
        serve((folder / "secret.pem", folder / "secret.key"), PORTS, (PLAIN,))
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
        answers = distinct(partial(_ask, mesh, request, where, port))
        observations.append({"request": request, "answers": answers})
    record: dict[str, Any] = {"state": objects, "proxy": state["proxy"]}
    if state["proxy"]["type"] == "inbound":
        record["client"] = {"address": "127.0.0.1", "mtls": False}
        for found in observations:
            kept = ("status", "flag", "details")
            found["answers"] = unique({k: one[k] for k in kept} for one in found["answers"])
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
            connection.sock.sendall(RAW)
            answer = connection.sock.makefile().readline()
            found |= {"status": 200, **json.loads(answer)} if answer else {"error": "closed"}
        else:
            found |= answered(connection, request, probe)
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
