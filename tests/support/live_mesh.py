"""A real istiod on a Kubernetes API of our own, and a real Envoy that it configures.

All addresses are of the loopback network. What clients send to services, or to the pod of a server,
is redirected to Envoy by the kernel, as in a pod.
"""

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support.live_api import Key, LiveApi, key_of
from support.live_bootstrap import ADMIN, SECURE, bootstrap
from support.live_cluster import Object, Schemas, cluster, pod
from support.live_secrets import Secrets

#: How long a change takes to be in force, in seconds.
SETTLED = 2.0
NAMESPACES = ("istio-system", "default", "edge", "web", "shop", "other")
_NETWORKING = (
    *("virtualservices", "destinationrules", "gateways", "serviceentries", "sidecars"),
    *("workloadentries", "workloadgroups", "envoyfilters", "proxyconfigs"),
)
_SECURITY = ("authorizationpolicies", "peerauthentications", "requestauthentications")
_GATEWAY_API = (
    *("gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "tcproutes"),
    *("referencegrants", "backendtlspolicies"),
)
DEFINITIONS = (
    *(f"{name}.networking.istio.io" for name in _NETWORKING),
    *(f"{name}.security.istio.io" for name in _SECURITY),
    *(f"{name}.gateway.networking.k8s.io" for name in _GATEWAY_API),
    "telemetries.telemetry.istio.io",
    "wasmplugins.extensions.istio.io",
)
#: Addresses of pods, of services, of ServiceEntries, and of the world outside.
SERVICES = ("127.1.0.0/16", "127.20.0.0/16", "127.30.0.0/16", "127.40.0.0/16")
OUTSIDE = "127.40.0.1"
#: The address of the proxy's pod.
POD = "127.0.0.10"
#: Whose connections are not redirected.
_ENVOY_USER = 1337
_OUTBOUND, _INBOUND = 15001, 15006
_XDS, _WEB, _MONITORING = 15010, 15080, 15014


@dataclass
class LiveMesh:
    """One istiod, and one Envoy after the other; ports and redirection are fixed, so it needs
    a network of its own (`unshare --net`).
    """

    root: Path
    api: LiveApi
    istiod: str
    envoy: str
    schemas: Schemas
    log_format: Mapping[str, str]
    #: The data of Secrets: a certificate that is good for any name.
    secret: dict[str, str] = field(default_factory=dict)
    _keys: list[Key] = field(default_factory=list)
    _control: subprocess.Popen[bytes] | None = None
    _secrets: Secrets | None = None
    _proxy: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts istiod."""
        self.root.chmod(0o777)
        _redirect()
        for name in NAMESPACES:
            self.api.put(namespace(name))
        self._configure({})
        listening = {
            "--httpAddr": f"127.0.0.1:{_WEB}",
            "--httpsAddr": "",
            "--secureGRPCAddr": f"127.0.0.1:{SECURE}",
            "--grpcAddr": f"127.0.0.1:{_XDS}",
            "--monitoringAddr": f"127.0.0.1:{_MONITORING}",
            "--ctrlz_port": "0",
            "--kubeconfig": str(self.api.kubeconfig),
            "--tlsCertFile": str(self.root / "istiod.pem"),
            "--tlsKeyFile": str(self.root / "istiod.key"),
            "--caCertFile": str(self.root / "ca.pem"),
        }
        more = {
            "PILOT_CERT_PROVIDER": "none",
            "ENABLE_CA_SERVER": "false",
            "POD_NAMESPACE": "istio-system",
            "POD_NAME": "istiod-1",
            "PILOT_ENABLE_METADATA_EXCHANGE": "false",
            "PILOT_ENABLE_ALPN_FILTER": "false",
            "PILOT_ENABLE_ALPHA_GATEWAY_API": "true",
            "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
            "PILOT_ENABLE_GATEWAY_API_STATUS": "false",
            "PILOT_ENABLE_IP_AUTOALLOCATE": "false",
        }
        options = [part for pair in listening.items() for part in pair]
        self._control = self._run("istiod", [self.istiod, "discovery", *options], more)
        until(lambda: _listens(SECURE), "istiod does not listen")

    def close(self) -> None:
        """Ends everything that was started."""
        for process in (self._proxy, self._control):
            if process is not None:
                process.terminate()
                process.wait(timeout=30)

    def become(self, objects: list[Object], beside: list[Object], proxy: Mapping[str, Any]) -> None:
        """The cluster holds these objects alone, and a fresh proxy serves them.

        `beside` are objects that no manifest holds: what controllers of Istio make.
        """
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.wait(timeout=30)
        for key in self._keys:
            self.api.delete(key)
        self._keys = []
        self._configure(_mesh_config(objects))
        labels, where = proxy["labels"], proxy["namespace"]
        made = list(cluster([*objects, *beside], self.schemas, self.secret))
        own = pod(where, "proxy-1", labels, POD)
        for one in made:
            # The proxy is in a pod of the workload that has its labels.
            metadata = one["metadata"]
            if (metadata.get("namespace"), metadata.get("labels")) == (where, dict(labels)):
                own["spec"] = one["spec"] if one["kind"] == "Pod" else own["spec"]
        for one in (own, *made):
            if not (one["kind"] == "ConfigMap" and one["metadata"]["name"] == "istio"):
                self.api.put(one)
                self._keys.append(key_of(one))
        time.sleep(SETTLED / 2)
        self._proxy = self._started(proxy)
        # A listener whose certificate is nowhere keeps Envoy waiting for a while.
        until(_is_ready, "Envoy does not become ready")
        time.sleep(SETTLED / 2)

    def logged(self, probe: str, least: int = 0, seconds: float = 1.5) -> dict[str, str]:
        """What the access log says of the request with this X-Probe, or of the newest line."""
        log = self.root / "access.log"
        found: list[dict[str, str]] = []
        end = time.monotonic() + seconds
        while not found and time.monotonic() < end:
            text = log.read_text() if log.exists() else ""
            lines = [json.loads(x) for x in text.splitlines(keepends=True) if x.endswith("\n")]
            named = [one for one in lines if one.get("probe") == probe]
            found = named if probe else lines[least:]
            time.sleep(0.02)
        if not found:
            return {}
        return {k: v or "-" for k, v in found[-1].items() if k != "probe"}

    def lines(self) -> int:
        """How many lines the access log has."""
        log = self.root / "access.log"
        return log.read_text().count("\n") if log.exists() else 0

    def _configure(self, more: Mapping[str, Any]) -> None:
        settings = {
            "enableAutoMtls": False,
            "enablePrometheusMerge": False,
            "accessLogFile": str(self.root / "access.log"),
            "accessLogEncoding": "JSON",
            "accessLogFormat": json.dumps(dict(self.log_format)),
            **more,
        }
        self.api.put(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "istio", "namespace": "istio-system"},
                "data": {"mesh": yaml.safe_dump(settings)},
            }
        )

    def _started(self, proxy: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        """A proxy that knows where istiod is, and has the certificate of its account."""
        where, account = proxy["namespace"], proxy.get("account", "default")
        kind = "router" if proxy["type"] == "router" else "sidecar"
        metadata = {
            "LABELS": dict(proxy["labels"]),
            "NAMESPACE": where,
            "SERVICE_ACCOUNT": account,
            "ISTIO_VERSION": "1.29.1",
            "CLUSTER_ID": "Kubernetes",
            "INTERCEPTION_MODE": "REDIRECT",
        }
        identity = self.root / f"{where}.{account}"
        made = bootstrap(f"{kind}~{POD}~proxy-1.{where}", metadata, identity)
        self._secrets = self._secrets or Secrets()
        self._secrets.identity = identity
        path = self.root / "envoy.json"
        path.write_text(json.dumps(made))
        (self.root / "access.log").unlink(missing_ok=True)
        command = [self.envoy, "-c", str(path), "--concurrency", "1", "--disable-hot-restart"]
        options = ["--log-level", "warning", "--file-flush-interval-msec", "20"]
        return self._run("envoy", [*command, *options], {}, _ENVOY_USER)

    def _run(
        self, name: str, command: list[str], more: Mapping[str, str], user: int | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.root / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command, env={**os.environ, **more}, stdout=log, stderr=log, user=user
            )


def _redirect() -> None:
    """What `istio-iptables` sets up in a pod."""
    rules = [["-m", "owner", "--uid-owner", str(_ENVOY_USER), "-j", "RETURN"]]
    places = [*((found, _OUTBOUND) for found in SERVICES), (POD, _INBOUND)]
    rules += [["-d", to, "-j", "REDIRECT", "--to-ports", str(port)] for to, port in places]
    for rule in rules:
        command = ["iptables", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", *rule]
        subprocess.run(command, check=True, capture_output=True)


def namespace(name: str) -> Object:
    """A Namespace as the API server has it."""
    labels = {"kubernetes.io/metadata.name": name}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


def certificates(folder: Path) -> dict[str, str]:
    """Files for istiod and its proxies; what comes back is the data of a Secret."""
    _openssl(folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", *_SUBJECT)
    accounts = [*((n, "default") for n in NAMESPACES), ("edge", "gw-istio")]
    names = {"istiod": "DNS:istiod", "secret": "DNS:*"}
    names |= {f"{n}.{a}": f"URI:spiffe://cluster.local/ns/{n}/sa/{a}" for n, a in accounts}
    for name, value in names.items():
        certificate(folder, name, value)
    files = {"tls.crt": "secret.pem", "tls.key": "secret.key", "ca.crt": "ca.pem"}
    return {name: (folder / path).read_text() for name, path in files.items()}


def certificate(folder: Path, name: str, value: str) -> Path:
    """A certificate for somebody, signed with the mesh's; the key is beside it."""
    path = folder / f"{name}.pem"
    if not path.exists():
        _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", *_SUBJECT)
        (folder / f"{name}.ext").write_text(f"subjectAltName={value}\n")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        extended = ("-extfile", f"{name}.ext", "-out", f"{name}.pem")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, *extended)
        (folder / f"{name}.key").chmod(0o644)
    return path


_KEY = ("-newkey", "rsa:2048", "-nodes")
_SUBJECT = ("-subj", "/O=test")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def until(holds: Callable[[], bool], complaint: str, seconds: float = 40) -> None:
    """Waits."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(complaint)
        time.sleep(0.05)


def _mesh_config(objects: list[Object]) -> Mapping[str, Any]:
    for one in objects:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "istio":
            found: Mapping[str, Any] = yaml.safe_load(one["data"]["mesh"])
            return found
    return {}


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN}/ready", timeout=1) as answer:
            return bool(answer.read().startswith(b"LIVE"))
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0
