"""How far the traffic model agrees with recorded proxies.

    python bench/oracle.py [--show N] [FOLDER]

FOLDER holds the recordings, one file of JSON lines for each kind of proxy (default:
`../shared/oracle`, else the part of it that the tests carry). An answer that the model calls
impossible is a mismatch; `unknown` is counted by itself.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.config import mesh_config
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.resource import Origin, Resource, Snapshot
from meshplan.settings import MeshSettings, World
from meshplan.traffic import Server, admit, request_of, route, transport_of
from meshplan.traffic.inbound import TOKEN_FIRST
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT.parent / "shared" / "oracle", ROOT / "tests" / "data" / "oracle")

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observation:
    """One request, what a proxy answered, and what the model says."""

    file: str
    line: int
    request: dict[str, Any]
    answers: tuple[Answer, ...]
    outcome: Outcome

    @property
    def impossible(self) -> tuple[Answer, ...]:
        """The answers that the model does not allow for."""
        return tuple(a for a in self.answers if not is_possible(a, self.outcome))


def observations(path: Path) -> Iterator[Observation]:
    """All observations of a file."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield from observations_of(json.loads(line), path.name, number)


def observations_of(record: dict[str, Any], file: str, number: int) -> Iterator[Observation]:
    """The observations of one recorded state."""
    mesh = mesh_of(record)
    for entry in record["observations"]:
        outcome = ask(mesh, record, entry["request"])
        yield Observation(file, number, entry["request"], tuple(entry["answers"]), outcome)


def mesh_of(record: dict[str, Any]) -> Mesh:
    """The mesh of a recorded state; its world is closed."""
    snapshot = Snapshot(map(_resource, record["state"]))
    config, _ = mesh_config(snapshot, MeshSettings(), yaml.safe_load)
    config = replace(config, enable_auto_mtls=record.get("autoMtls", False))
    return Mesh.of(snapshot, config, World.CLOSED)


def ask(mesh: Mesh, record: dict[str, Any], request: dict[str, Any]) -> Outcome:
    """What the model says about one request."""
    if "proxy" not in record:
        client = sidecar(record["client"]["namespace"], record["client"]["labels"])
        found = record["server"]
        server = Server(found["namespace"], found["labels"], found["port"])
        return route(mesh, request_of(request, port=18090), client, server)
    proxy = record["proxy"]
    namespace, labels, port = proxy["namespace"], proxy["labels"], proxy["port"]
    if proxy["type"] == "inbound":
        asked = request_of(request, port=port, client_ip=record["client"]["address"])
        server = Server(namespace, labels, asked.dialled_port)
        return admit(mesh, asked, server, transport_of(asked))
    make = {"router": gateway, "sidecar": sidecar}[proxy["type"]]
    client: Proxy = make(namespace, labels)
    return route(mesh, request_of(request, port=port), client)


def is_possible(answer: Answer, outcome: Outcome) -> bool:
    """Whether the model allows for an answer."""
    status, flag = answer["status"], answer["flag"]
    if "grpc" in answer and answer["details"] != "via_upstream":
        # A proxy that answers gRPC itself always says 200, and the rest in a field of its own.
        status = getattr(outcome, "status", status)
    match outcome:
        case Served(backends):
            return any(_is_from(answer, backend) for backend in backends)
        case Passthrough():
            # Some of the recorded proxies had no original destination to go to.
            cluster = answer.get("cluster", "")
            own = outcome.declared and cluster.endswith(f"|{outcome.host};")
            return own or cluster.startswith("PassthroughCluster")
        case Redirect(wanted, location):
            return (status, answer.get("location")) == (wanted, location)
        case Direct(wanted):
            # A preflight is answered by the filter for CORS.
            return status == wanted and answer["details"] in ("direct_response", "cors_response")
        case Denied() if status is None:
            # A connection is closed without a word, not even in the log.
            return flag == "-" and "error" not in answer
        case Denied() if _is_about_token(answer):
            return any(reason.text == TOKEN_FIRST for reason in outcome.why)
        case Denied(wanted, policy):
            return status == wanted and answer["details"].endswith(f"[{policy}]")
        case Failed():
            passed = answer.get("cluster", "").startswith("PassthroughCluster")
            return (status, flag) == (outcome.status, outcome.flag) and not passed
        case Unknown():
            return True


def _is_about_token(answer: Answer) -> bool:
    """Whether a proxy refused a token."""
    return bool(answer["status"] == 401 and answer["details"].startswith("jwt_authn"))


def _is_from(answer: Answer, backend: Backend) -> bool:
    if backend.kind != "served":
        return (answer["status"], answer["flag"]) == (backend.status, backend.flag)
    # Of a connection that it does not read a proxy has nothing to say but where it went.
    if answer["details"] not in ("via_upstream", "-") or answer["status"] != 200:
        return False
    if "mtls" in answer:
        return bool(answer["mtls"]) == (backend.transport is Transport.MTLS)
    if "port" not in answer:
        return True
    expected = {
        "port": int(backend.endpoint.rpartition(":")[2]),
        "path": backend.path,
        "host": backend.authority,
    }
    # An application that gets a connection with other bytes than HTTP knows neither path nor host.
    seen = {name: answer[name] for name in expected if name in answer}
    parts = backend.port, backend.subset, backend.host
    # The second form is that of gateways for other networks.
    clusters = "outbound|{}|{}|{};".format(*parts), "outbound_.{}_.{}_.{};".format(*parts)
    return seen == {name: expected[name] for name in seen} and answer["cluster"] in clusters


def _resource(manifest: dict[str, Any]) -> Resource:
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    id_ = ResourceId(group, manifest["kind"], metadata.get("namespace", ""), metadata["name"])
    return Resource(id_, manifest["apiVersion"], manifest, Origin("state.yaml"))


def main() -> int:
    """Print the agreement of each file; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--show", type=int, default=5, help="how many mismatches to print")
    arguments = parser.parse_args()
    folder = arguments.folder or next((found for found in FOLDERS if found.is_dir()), FOLDERS[-1])
    print(
        f"{'file':20}{'states':>8}{'requests':>10}{'agree':>8}{'unknown':>9}{'differ':>8}{'s':>8}"
    )
    failed = 0
    for path in sorted(folder.glob("*.jsonl")):
        start = time.process_time()
        found = list(observations(path))
        spent = time.process_time() - start
        unknown = sum(isinstance(o.outcome, Unknown) for o in found)
        wrong = [o for o in found if o.impossible]
        states = len({o.line for o in found})
        agree = len(found) - unknown - len(wrong)
        print(
            f"{path.name:20}{states:8}{len(found):10}{agree:8}{unknown:9}{len(wrong):8}{spent:8.2f}"
        )
        for observation in wrong[: arguments.show]:
            print(f"  {observation.file}:{observation.line} {observation.request}")
            print(f"    seen  {observation.impossible}")
            print(f"    model {observation.outcome}")
        failed += len(wrong)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
