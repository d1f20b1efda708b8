"""What the parts of a real cluster make of manifests before istiod sees them.

The API server fills in defaults and addresses; controllers make pods and EndpointSlices.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
Schemas = Mapping[tuple[str, str], Mapping[str, Any]]

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")


def schemas(folder: Path) -> Schemas:
    """The schemas of the CustomResourceDefinitions in a folder, by apiVersion and kind."""
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            if document and document.get("kind") == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                    found[key] = version["schema"]["openAPIV3Schema"]
    return found


def with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value with the defaults that a structural schema states."""
    if isinstance(value, list):
        return [with_defaults(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name, inner in schema.get("properties", {}).items():
        if name not in found and "default" in inner:
            found[name] = inner["default"]
        if name in found:
            found[name] = with_defaults(found[name], inner)
    return found


def cluster(objects: list[Object], found: Schemas, secrets: Mapping[str, str]) -> Iterator[Object]:
    """The objects of a cluster to which manifests were applied.

    `secrets` is the data of every Secret that says nothing itself.
    """
    pods = [json.loads(json.dumps(pod)) for one in objects for pod in _pods(one)]
    for number, pod in enumerate(pods, 1):
        pod["status"] = _running(f"127.1.0.{number}")
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", ()):
                port.setdefault("protocol", "TCP")
    yield from pods
    for number, one in enumerate(objects, 1):
        key = (one["apiVersion"], one["kind"])
        made = with_defaults(one, found[key]) if key in found else dict(one)
        if one["kind"] == "Service":
            made["spec"] = _service(one["spec"], number)
            yield from _slices(made, pods)
        elif one["kind"] == "Secret" and "data" not in one:
            encoded = {k: base64.b64encode(v.encode()).decode() for k, v in secrets.items()}
            made["data"] = encoded
        if one["kind"] == "Endpoints":
            yield from _mirrored(one)
        elif one["kind"] != "Pod":
            yield made


def _service(spec: Object, number: int) -> Object:
    found = {"type": "ClusterIP", "sessionAffinity": "None", **spec}
    if found["type"] != "ExternalName":
        found.setdefault("clusterIP", f"127.20.0.{number}")
        found["clusterIPs"] = [found["clusterIP"]]
    found["ports"] = [
        {"protocol": "TCP", "targetPort": port["port"], **port} for port in spec.get("ports", [])
    ]
    return found


def pod(namespace: str, name: str, labels: Mapping[str, str], address: str) -> Object:
    """A pod that runs."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {"containers": [{"name": "app"}], "serviceAccountName": "default"},
        "status": _running(address),
    }


def _pods(one: Object) -> Iterator[Object]:
    metadata = one["metadata"]
    base = {"apiVersion": "v1", "kind": "Pod"}
    if one["kind"] == "Pod":
        yield {**one, "spec": {"serviceAccountName": "default", **one["spec"]}}
    if one["kind"] in _WORKLOADS and one["spec"].get("replicas") != 0:
        makes = one["spec"].get("jobTemplate", one)["spec"]
        template = makes["template"]
        name = f"{metadata['name']}-1"
        yield {
            **base,
            "metadata": {
                **template["metadata"],
                "name": name,
                "namespace": metadata["namespace"],
            },
            "spec": {"serviceAccountName": "default", **template["spec"]},
        }


def _running(address: str) -> Object:
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }


def _slices(service: Object, pods: list[Object]) -> Iterator[Object]:
    """The EndpointSlices of a Service that selects: one for each set of ports of the pods."""
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    selector = service["spec"].get("selector")
    if not selector or service["spec"]["type"] == "ExternalName":
        return
    for number, one in enumerate(pods):
        labels = one["metadata"].get("labels", {})
        inside = one["metadata"]["namespace"] == namespace
        if not inside or any(labels.get(key) != value for key, value in selector.items()):
            continue
        ports = [
            {"name": port.get("name", ""), "port": _target(port, one), "protocol": "TCP"}
            for port in service["spec"]["ports"]
            if port["protocol"] == "TCP"
        ]
        reference = {"kind": "Pod", "name": one["metadata"]["name"], "namespace": namespace}
        endpoint = {
            "addresses": [one["status"]["podIP"]],
            "conditions": {"ready": True, "serving": True},
            "targetRef": reference,
        }
        yield _slice(namespace, name, str(number), [p for p in ports if p["port"]], [endpoint])


def _slice(
    namespace: str, service: str, suffix: str, ports: list[Object], endpoints: list[Object]
) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-made-{suffix}",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": endpoints,
    }


def _target(port: Object, found: Object) -> int | None:
    target = port["targetPort"]
    if isinstance(target, int):
        return target
    named = {
        entry.get("name"): entry["containerPort"]
        for container in found["spec"]["containers"]
        for entry in container.get("ports", [])
    }
    return named.get(target)


def _mirrored(one: Object) -> Iterator[Object]:
    """The EndpointSlices that are made of Endpoints written by hand."""
    namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
    for number, subset in enumerate(one["subsets"]):
        ports = [{"protocol": "TCP", **port} for port in subset["ports"]]
        endpoints = [
            {"addresses": [found["ip"]], "conditions": {"ready": True}}
            for found in subset["addresses"]
        ]
        yield _slice(namespace, name, str(number), ports, endpoints)
