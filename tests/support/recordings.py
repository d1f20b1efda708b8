"""Recorded states of real proxies as folders of manifests, and what their answers allow for."""

import json
from pathlib import Path
from typing import Any

import yaml

Record = dict[str, Any]
Written = dict[str, Any]


def write_state(record: Record, folder: Path) -> None:
    """A state as people keep it: a file an object, some of them JSON, and the mesh's settings."""
    folder.mkdir(parents=True)
    for number, manifest in enumerate(record["state"]):
        if number % 3 == 2:
            (folder / f"{number}.json").write_text(json.dumps(manifest), "utf-8")
        else:
            (folder / f"{number}.yaml").write_text(yaml.safe_dump(manifest), "utf-8")
    settings = {"mesh": {"enableAutoMtls": record.get("autoMtls", False)}}
    (folder / ".meshplan.yaml").write_text(yaml.safe_dump(settings), "utf-8")


def requests_of(record: Record) -> str:
    """The requests of a state as JSON lines."""
    return "".join(json.dumps(entry["request"]) + "\n" for entry in record["observations"])


def vantage_of(record: Record) -> tuple[str, ...]:
    """The options that say where the requests were sent from."""
    if "proxy" not in record:
        return "--from", _pods(record["client"]), "--port", "18090"
    proxy = record["proxy"]
    option = {"router": "--gateway", "sidecar": "--from", "inbound": "--to"}[proxy["type"]]
    asked = option, _pods(proxy), "--port", str(proxy["port"])
    is_inbound = proxy["type"] == "inbound"
    return (*asked, "--client-ip", str(record["client"]["address"])) if is_inbound else asked


def allows_for(outcome: Written, answer: Record) -> bool:
    """Whether an outcome as `trace -o json` writes it allows for an answer of the proxy."""
    seen = answer["status"], answer["flag"]
    match outcome["kind"]:
        case "served":
            return any(_is_from(answer, backend) for backend in outcome["backends"])
        case "passthrough":
            return bool(answer.get("cluster", "").startswith("PassthroughCluster"))
        case "redirect":
            wanted = outcome["status"], outcome["location"]
            return wanted == (answer["status"], answer.get("location"))
        case "direct":
            by_proxy = answer["details"] in ("direct_response", "cors_response")
            return bool(answer["status"] == outcome["status"] and by_proxy)
        case "denied":
            named = answer["details"].endswith(f"[{outcome['policy']}]")
            return bool(answer["status"] == outcome["status"] and named)
        case "error":
            return seen == (outcome["status"], outcome["flag"])
        case _:
            return False


def _is_from(answer: Record, backend: Written) -> bool:
    if backend["kind"] != "served":
        return bool(answer["status"] == backend["status"] and answer["flag"] == backend["flag"])
    if (answer["status"], answer["details"]) != (200, "via_upstream"):
        return False
    if "mtls" in answer:
        return bool(answer["mtls"] == (backend["tls"] == "mtls"))
    if "port" not in answer:
        return True
    reached = int(backend["endpoint"].rpartition(":")[2]), backend["path"], backend["authority"]
    cluster = f"outbound|{backend['port']}|{backend['subset']}|{backend['host']};"
    seen = answer["port"], answer["path"], answer["host"]
    return bool(seen == reached and answer["cluster"].startswith(cluster))


def _pods(found: Record) -> str:
    labels = ",".join(f"{key}={value}" for key, value in found["labels"].items())
    return f"{found['namespace']}/{labels}"
