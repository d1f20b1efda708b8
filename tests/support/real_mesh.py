"""A real istiod without Kubernetes and a real Envoy as its gateway, on loopback, under load."""

import http.client
import json
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

Object = Mapping[str, Any]
Requests = Sequence[tuple[str, str]]

#: How long it takes until a write is in force everywhere, in seconds: what a gate waits for.
SETTLED = 1.5
#: Between two files of an apply that waits for nothing.
BETWEEN = 0.4
_PORT = 18080
_BOOTSTRAP = """
node:
  id: router~127.0.0.1~gw-1.edge~edge.svc.cluster.local
  cluster: gw.edge
  metadata: {{LABELS: {{istio: ingressgateway}}, NAMESPACE: edge, ISTIO_VERSION: 1.29.1, CLUSTER_ID: Kubernetes}}
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
dynamic_resources:
  ads_config:
    api_type: GRPC
    transport_api_version: V3
    set_node_on_first_message_only: true
    grpc_services: [{{envoy_grpc: {{cluster_name: istiod}}}}]
  cds_config: {{ads: {{}}, resource_api_version: V3}}
  lds_config: {{ads: {{}}, resource_api_version: V3}}
static_resources:
  clusters:
  - name: istiod
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: istiod
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {xds}}}}}}}}}]}}]
"""


class _Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class RealMesh:
    """istiod reads a folder of manifests, Envoy is the gateway of namespace `edge`."""

    root: Path
    istiod: str
    envoy: str
    network: str = field(default_factory=lambda: f"127.{random.randint(10, 250)}.9")
    #: What the access log says of each request; {} for no log.
    log_format: Mapping[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _servers: list[ThreadingHTTPServer] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        """The address that the server of the Gateway has to bind."""
        return f"{self.network}.200"

    @property
    def config(self) -> Path:
        """What istiod reads."""
        return self.root / "config"

    def start(self) -> None:
        """Starts two applications, istiod and Envoy."""
        for number in (1, 2):
            address = (f"{self.network}.{number}", 8080)
            server = ThreadingHTTPServer(address, _Application)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self._servers.append(server)
        self.config.mkdir()
        xds, web, monitoring, admin = _free_ports(4)
        settings: dict[str, Any] = {"enableAutoMtls": False, "enablePrometheusMerge": False}
        if self.log_format:
            settings["accessLogFile"] = str(self.root / "access.log")
            settings["accessLogEncoding"] = "JSON"
            settings["accessLogFormat"] = json.dumps(dict(self.log_format))
        (self.root / "mesh.yaml").write_text(yaml.safe_dump(settings))
        (self.root / "envoy.yaml").write_text(_BOOTSTRAP.format(admin=admin, xds=xds))
        listening = {
            "--httpAddr": f"127.0.0.1:{web}",
            "--httpsAddr": "",
            "--secureGRPCAddr": "",
            "--grpcAddr": f"127.0.0.1:{xds}",
            "--monitoringAddr": f"127.0.0.1:{monitoring}",
            "--ctrlz_port": "0",
            "--registries": "",
            "--configDir": str(self.config),
            "--meshConfig": str(self.root / "mesh.yaml"),
        }
        options = [part for pair in listening.items() for part in pair]
        self._run("istiod", [self.istiod, "discovery", *options])
        _until(lambda: _listens(xds), "istiod does not listen")
        command = [self.envoy, "-c", str(self.root / "envoy.yaml"), "--concurrency", "1"]
        self._run(
            "envoy",
            [
                *command,
                "--disable-hot-restart",
                "--log-level",
                "warning",
                "--file-flush-interval-msec",
                "20",
            ],
        )
        _until(lambda: _listens(admin), "Envoy does not listen")

    def close(self) -> None:
        """Ends everything that was started."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(timeout=30)
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def reset(self, objects: Sequence[Object], requests: Requests) -> None:
        """The mesh holds these objects alone, and serves the requests."""
        for path in self.config.iterdir():
            path.unlink()
        time.sleep(BETWEEN)
        for one in objects:
            self.put(one)
        _until(lambda: self._serves(requests), "the mesh does not serve what it should")
        time.sleep(SETTLED)

    def put(self, found: Object) -> None:
        """Writes one object, in one instant."""
        metadata = found["metadata"]
        temporary = self.root / "temporary.yaml"
        temporary.write_text(yaml.safe_dump(found))
        temporary.replace(self._path(found["kind"], metadata["namespace"], metadata["name"]))

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Removes one object."""
        self._path(kind, namespace, name).unlink()

    def get(self, address: tuple[str, str], connection: http.client.HTTPConnection) -> int:
        """The status of a request for a host and a path."""
        host, path = address
        connection.request("GET", path, headers={"host": host})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def logged(self, probe: str) -> dict[str, str]:
        """What the access log says of the request with this X-Probe."""
        found: list[dict[str, str]] = []

        def is_there() -> bool:
            log = self.root / "access.log"
            lines = log.read_text().splitlines(keepends=True) if log.exists() else []
            entries = (json.loads(line) for line in lines if line.endswith("\n"))
            found.extend(entry for entry in entries if entry.get("probe") == probe)
            return bool(found)

        _until(is_there, "Envoy logs nothing", every=0.02)
        return {k: v or "-" for k, v in found[0].items() if k != "probe"}

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the gateway."""
        return http.client.HTTPConnection(self.gateway, _PORT, timeout=5)

    def _serves(self, requests: Requests) -> bool:
        connection = self.connect()
        try:
            return all(self.get(one, connection) == 200 for one in requests)
        except OSError:
            return False
        finally:
            connection.close()

    def _path(self, kind: str, namespace: str, name: str) -> Path:
        return self.config / f"{kind}-{namespace}-{name}.yaml".lower()

    def _run(self, name: str, command: list[str]) -> None:
        more = {
            "PILOT_ENABLE_METADATA_EXCHANGE": "false",
            "PILOT_ENABLE_ALPN_FILTER": "false",
            "PILOT_CERT_PROVIDER": "none",
            "ENABLE_CA_SERVER": "false",
            "POD_NAMESPACE": "istio-system",
        }
        with (self.root / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(command, env={**os.environ, **more}, stdout=log, stderr=log)
            )


class Load:
    """Requests without pause, on a few connections, counted by what came back."""

    def __init__(self, mesh: RealMesh, requests: Requests, connections: int = 2):
        self._mesh = mesh
        self._requests = requests
        self._stop = threading.Event()
        self._counts = [Counter[str]() for _ in range(connections)]
        self._threads = [threading.Thread(target=self._send, args=(c,)) for c in self._counts]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return sum(count.total() for count in self._counts)

    @property
    def lost(self) -> dict[str, int]:
        """What was not answered with 200, by status or error."""
        total: Counter[str] = sum(self._counts, Counter())
        return {what: number for what, number in sorted(total.items()) if what != "200"}

    def _send(self, count: Counter[str]) -> None:
        connection = self._mesh.connect()
        while not self._stop.is_set():
            for request in self._requests:
                try:
                    count[str(self._mesh.get(request, connection))] += 1
                except (OSError, http.client.HTTPException) as error:
                    count[type(error).__name__] += 1
                    connection.close()
                    connection = self._mesh.connect()
        connection.close()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _until(holds: Any, complaint: str, every: float = 0.2) -> None:
    end = time.monotonic() + 40
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(complaint)
        time.sleep(every)
