"""Every construct of the language, so that engines can be compared over it."""

import re

from meshplan.policy import (
    Change,
    Findings,
    Mesh,
    Resource,
    at,
    deny,
    fqdn,
    host_matches,
    image_ref,
)
from meshplan.policy.istio import DestinationRule, TrafficPolicy, VirtualService
from meshplan.policy.k8s import Container, Deployment, Service, StatefulSet

LIMITS = {"cpu": "2", "memory": "4Gi", "é": "😀"}
BANNED = frozenset({"v1", "team", "web"})
PAIRS = {("web", 80), ("shop", 443)}
WORDS = ["b", "a", "B", "é"]
PREFIX = "a" + "-"
TOO_MANY = -3


def short(host: str) -> str:
    if "." not in host:
        return host
    if host.startswith("*"):
        rest = host.removeprefix("*")
        if rest == "":
            return "any"
        return f"any{rest}"
    return host.removesuffix(".svc.cluster.local")


def risky(name: str, labels: dict[str, str]) -> bool:
    return name in BANNED or any(k in BANNED and v != "" for k, v in labels.items())


def silent(policy: TrafficPolicy) -> bool:
    return bool(policy) and policy.tls.mode is None


def biggest(numbers: list[int], least: int) -> int:
    return max(numbers, default=least)


def image_of(container: Container, mesh: Mesh) -> str:
    image = image_ref(container.image or "")
    known = len(mesh.services)
    return f"{image.registry}|{image.repository}|{image.tag or '-'}|{image.digest or '-'}|{known}"


@deny("ALL-001")
def texts(vs: VirtualService) -> Findings:
    """Texts: order, length, case, parts."""
    for host in vs.spec.hosts:
        yield at(
            host,
            f"{len(host)}|{host.lower()}|{host.upper()}|{short(host)}|{'/'.join(host.split('.'))}",
        )
        yield at(
            host,
            f"{host.replace('e', '%')}|{host.strip('*.')}|{host.lstrip('ab')}|{host.rstrip('c ')}|%d 100%",
        )
        if host < "r" and host > "é":
            yield f"'{host}' sorts between"
        if re.search(r"[A-Z\d]+|\w\.\w", host):
            yield f"'{host}' matches"
        if not re.match(r"[^\s.]+$", host):
            yield f"'{host}' has a dot, a space or nothing"
        if re.fullmatch(r"(?:[a-z]{1,3}|\*)(\.[a-z-]+)*?$", host) is not None:
            yield at(host, "looks like a host", fix=host + ".")
        found = re.search(r"(^|-)web(\n|$)", host)
        if found or host.endswith((".local", "web")):
            yield at(host, "web")
        if fqdn(host, vs.metadata.namespace) != host and not host_matches("*b", host):
            yield at(host, fqdn(host, vs.metadata.namespace))
        if host_matches(host, "web.shop") and "w" in host and host not in WORDS:
            yield at(host, "matches web.shop")


@deny("ALL-002")
def absent(app: Deployment | StatefulSet) -> Findings:
    """Absent, null, default, empty."""
    if not app.spec:
        yield "no spec"
        return
    pod = app.spec.template.spec
    if not pod.containers:
        yield at(app.spec.template, "no containers")
    elif (
        app.spec.template.metadata.labels.get("team", "nobody") == "nobody"
        and not app.metadata.labels
    ):
        yield "nobody owns this"
    else:
        yield at(
            pod.containers,
            f"{len(pod.containers)} of a {app.kind or '?'}, {app.spec.replicas} times",
        )
    for c in pod.containers + pod.initContainers:
        probe = c.readinessProbe
        slow = bool(probe) and probe.timeoutSeconds >= 10
        if slow and (c.image is None or c.image.startswith("nginx")):
            yield f"{c.name or 'anonymous'} is slow, image {c.image or 'none'}"
        if not (slow or c.image is None) or risky(c.name, c.resources.limits):
            yield at(c.name, f"{c.name}: fine or risky, not both")
        if (
            c.image is not None
            and (":" not in c.image or c.image.endswith(":latest"))
            and not c.image.startswith("quay.io")
        ):
            yield f"image '{c.image}' floats"
        for key, limit in c.resources.limits.items():
            yield at(limit, f"{key}={limit}")
        port = c.livenessProbe.httpGet.port or "none"
        yield at(c.livenessProbe, f"port {port} {'quiet' if c.stdin else 'loud'}")
        if c.securityContext.runAsUser == 0 or c.securityContext.privileged:
            yield at(c.securityContext.runAsUser, "root", fix=1000)


@deny("ALL-003")
def numbers(
    svc: Service, *, low: int = 1, high: int = 1024, odd: bool = False, extra: list[int] = [8080]
) -> Findings:
    """Whole numbers: comparisons, chains, sums, extremes."""
    ports = [p.port for p in svc.spec.ports if p.port is not None]
    if max(ports, default=0) - min(ports, default=0) > high:
        yield f"ports span {max(ports, default=0) - min(ports, default=0)}"
    for i, p in enumerate(svc.spec.ports):
        n = p.port or 0
        if low <= n < high and n * 2 - 1 != 159:
            yield f"{i}: privileged port {n}, {-n}, {n * n * n}"
        if sum(q.port for q in svc.spec.ports if q.port is not None and q.port <= n) > 8000:
            yield at(p.port, f"running sum passes 8000 at {n}")
        if n in extra or (odd and n == TOO_MANY + 4):
            yield at(p.port, f"port {n} is among {len(extra)}", fix=8080)
        if p.nodePort == n or p.nodePort != 80:
            yield at(p.nodePort, f"{biggest([n, p.nodePort or 1], 3)} {biggest([], low)}")
    if len({p for p in ports}) != len(ports):
        yield "ports repeat: " + ", ".join(sorted({f"{p}" for p in ports}))
    if sorted(ports) == ports and ports != [1, 2]:
        yield f"sorted {len(sorted(ports))}"


@deny("ALL-004")
def collections(app: Deployment, mesh: Mesh, *, extra: dict[str, str] = {"a": "b"}) -> Findings:
    """Sets, mappings, tuples, comprehensions, all and any."""
    names = {s.metadata.name for s in mesh.services}
    pairs = {(p.name or "-", p.port or 0) for s in mesh.services for p in s.spec.ports}
    owners = {
        s.metadata.labels.get("team")
        for s in mesh.services
        if s.metadata.labels.get("team") is not None
    }
    several = len(mesh.services) > 1 and any(s.spec.type != "ClusterIP" for s in mesh.services)
    labels = set(app.metadata.labels.keys())
    if names & labels:
        yield "shared: " + ",".join(sorted(names & labels))
    if labels and not labels <= {"team", "owner", "cpu"}:
        yield at(
            app.metadata.labels, "extra: " + ",".join(sorted(labels - {"team", "owner", "cpu"}))
        )
    if labels < names or names > {"web"} or labels >= {"a", "b"}:
        yield "order of sets"
    for name, port in pairs | PAIRS:
        if name == "-":
            if port == 0:
                continue
            yield f"nameless {port}"
        elif port > 100:
            yield f"{name}:{port}"
    kept = {k: v for k, v in app.metadata.labels.items() if v not in BANNED}
    for key, value in kept.items():
        if key in LIMITS and LIMITS.get(key) != value:
            yield at(
                app.metadata.labels,
                f"{key} is '{value}', not '{LIMITS.get(key, '?')}' nor {extra.get(key, '-')}",
            )
    for key in app.metadata.labels:
        if several and (key, 1) not in {(k, len(v)) for k, v in kept.items()}:
            yield at(key, f"{key} of {','.join(app.metadata.labels.values())}")
    if all(c.image is not None for c in app.spec.template.spec.containers) and not any(
        c.readinessProbe for c in app.spec.template.spec.containers
    ):
        yield f"{len(owners)} owners, {len(names | labels)} names, {', '.join(sorted(c.name for c in app.spec.template.spec.containers))}"
    for c in app.spec.template.spec.containers:
        yield at(c.image, image_of(c, mesh))
        yield at(
            c, " ".join([e.value or e.name for e in c.env if not e.valueFrom] + c.args + WORDS)
        )


@deny("ALL-005")
def changes(svc: Change[Service], mesh: Mesh) -> Findings:
    """Old, new and operation."""
    others = [s for s in mesh.services if s.spec.type == "NodePort"]
    if svc.op == "DELETE":
        yield at(svc.old.metadata.name, f"{svc.old.metadata.name} goes, {len(others)} stay")
        return
    if not svc.old:
        yield f"{svc.new.metadata.name} comes"
    else:
        gone = {p.name for p in svc.old.spec.ports if p.name is not None} - {
            p.name for p in svc.new.spec.ports if p.name is not None
        }
        for p in svc.old.spec.ports:
            if p.name is not None and p.name in gone:
                yield at(p, f"port '{p.name}' is removed")
        if svc.old.spec.type != svc.new.spec.type:
            yield at(
                svc.new.spec.type,
                f"type changes from {svc.old.spec.type} to {svc.new.spec.type}",
                fix=svc.old.spec.type,
            )
    if svc.new.spec.clusterIP == svc.old.spec.clusterIP:
        if svc.new.spec.clusterIP is None:
            if svc.op != "UPDATE":
                return
            yield "no address"
        elif svc.new.spec.clusterIP == "None":
            return
    yield at(svc.new.spec.clusterIP, f"{svc.op} {svc.new.spec.clusterIP or '-'}")


@deny("ALL-006")
def anything(r: Resource, *, kinds: list[str] = ["ConfigMap"]) -> Findings:
    """Objects of which nothing is known.

    Bad:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: web, namespace: shop}
        data:
          on: true
          items:
          - {n: 1, xs: [a, b], deep: {er: {}, xs: [{}, {}]}}
          - {xs: [c], deep: {}}
          - {}
    """
    kind = r.text("kind") or ""
    if kind not in kinds:
        return
    flag = r.boolean("data", "on")
    for item in r.items("data", "items"):
        count = item.integer("n")
        if count is None and flag is not None:
            yield at(item, f"no number {'on' if flag else 'off'}")
            continue
        yield at(
            item.entry("deep", "er"),
            f"{count or 0}{' '.join(item.texts('xs'))}{len(item.entry('deep').items('xs'))}",
        )
    if r.entry("data") and not r.entry("data", "none"):
        yield at(r.text("metadata", "name"), r.text("metadata", "name") or "?")


@deny("ALL-007")
def rules_of_hosts(dr: DestinationRule, mesh: Mesh) -> Findings:
    """What the model says; decimals; nested loops with ways to leave."""
    known = mesh.config()
    host = mesh.host(dr.spec.host or "", dr.metadata.namespace)
    if host.missing and known.closed:
        yield at(dr.spec.host, f"{host.full} is missing, Istio 1.{known.istioMinor}")
    for port in host.ports:
        met = mesh.connection(dr.spec.host or "", port.number, "", dr.metadata.namespace)
        if met.works != "yes":
            yield f"{port.number} {port.protocol.lower()} {met.client}-{met.server}"
    for subset in dr.spec.subsets:
        policy = subset.trafficPolicy or dr.spec.trafficPolicy
        if silent(policy) or silent(subset.trafficPolicy):
            yield at(subset.trafficPolicy, f"{subset.name or '?'} is silent")
        if subset.name is None:
            if policy.tls:
                continue
            yield at(subset, "nameless")
        for entry in subset.trafficPolicy.portLevelSettings:
            if entry.port.number is None or entry.port.number < 1:
                continue
            if (
                entry.tls.mode == "DISABLE"
                and mesh.gateway_serves("a", "b", subset.name or "") == "yes"
            ):
                yield at(entry.tls.mode, "off", fix="ISTIO_MUTUAL")
            yield at(
                entry.port.number,
                f"{entry.port.number} {'deep' if entry.connectionPool else 'flat'}",
            )
    share = dr.spec.trafficPolicy.loadBalancer.warmup.minimumPercent
    if share is not None and 0.1 < share <= 33.3:
        yield at(share, "a small share")
    sharp = dr.spec.trafficPolicy.loadBalancer.warmup.aggression
    if sharp is not None and sharp != 1.5:
        yield at(sharp, "sharp")
