"""Random pairs of small mesh revisions for property tests."""

from typing import Any

from hypothesis import strategies as st

from meshplan.resource import Snapshot
from support.plans import resource

Manifest = dict[str, Any]

_ISTIO = "networking.istio.io/v1"
NAMESPACES = ("a", "b")
HOSTS = ("x.a.svc.cluster.local", "y.b.svc.cluster.local", "z.example.com")


def _object(api: str, kind: str, namespace: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


@st.composite
def _destination(draw: st.DrawFn) -> Manifest:
    destination: Manifest = {"host": draw(st.sampled_from(HOSTS)), "port": {"number": 80}}
    subset = draw(st.sampled_from((None, "one", "two")))
    return {"destination": destination | ({"subset": subset} if subset else {})}


@st.composite
def virtual_service(draw: st.DrawFn) -> Manifest:
    """A VirtualService of either namespace for a Service or a host of its own."""
    namespace = draw(st.sampled_from(NAMESPACES))
    routes = draw(st.lists(_destination(), min_size=1, max_size=2))
    export = draw(st.sampled_from((None, ["."], ["*"])))
    spec: Manifest = {"hosts": [draw(st.sampled_from((*HOSTS, "own.example.com")))]}
    spec["http"] = [{"route": [route]} for route in routes[:1]]
    if len(routes) == 2:
        spec["http"].insert(0, {"match": [{"uri": {"prefix": "/two"}}], "route": [routes[1]]})
    spec |= {"exportTo": export} if export else {}
    return _object(_ISTIO, "VirtualService", namespace, draw(st.sampled_from(("r", "s"))), spec)


@st.composite
def destination_rule(draw: st.DrawFn) -> Manifest:
    """A DestinationRule with some of two subsets, which may be hidden from other namespaces."""
    names = draw(st.sampled_from(((), ("one",), ("two",), ("one", "two"))))
    host = draw(st.sampled_from((*HOSTS, "*.svc.cluster.local")))
    spec: Manifest = {"host": host}
    spec["subsets"] = [
        {"name": name, "labels": {"version": draw(st.sampled_from(("v1", "v2")))}} for name in names
    ]
    export = draw(st.sampled_from((None, ["."], ["*"])))
    spec |= {"exportTo": export} if export else {}
    namespace = draw(st.sampled_from((*NAMESPACES, "istio-system")))
    return _object(_ISTIO, "DestinationRule", namespace, draw(st.sampled_from(("d", "e"))), spec)


@st.composite
def service(draw: st.DrawFn) -> Manifest:
    """The Service of one of the hosts, sometimes without the port."""
    name, namespace = draw(st.sampled_from((("x", "a"), ("y", "b"))))
    port = draw(st.sampled_from((80, 80, 8080)))
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]}
    return _object("v1", "Service", namespace, name, spec)


@st.composite
def service_entry(draw: st.DrawFn) -> Manifest:
    """A ServiceEntry for the host outside."""
    spec = {
        "hosts": [draw(st.sampled_from(("z.example.com", "*.example.com")))],
        "ports": [
            {"number": draw(st.sampled_from((80, 80, 443))), "name": "http", "protocol": "HTTP"}
        ],
        "resolution": "DNS",
        "exportTo": draw(st.sampled_from((["*"], ["."]))),
    }
    if spec["hosts"] == ["*.example.com"]:
        spec["resolution"] = "NONE"
    namespace = draw(st.sampled_from(NAMESPACES))
    return _object(_ISTIO, "ServiceEntry", namespace, draw(st.sampled_from(("e", "f"))), spec)


@st.composite
def deployment(draw: st.DrawFn) -> Manifest:
    """Pods behind one of the Services."""
    name, namespace = draw(st.sampled_from((("x", "a"), ("y", "b"))))
    labels = {"app": name, "version": draw(st.sampled_from(("v1", "v2")))}
    spec = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": labels}},
    }
    return _object("apps/v1", "Deployment", namespace, f"{name}{draw(st.integers(1, 2))}", spec)


OBJECTS = st.one_of(
    virtual_service(),
    virtual_service(),
    destination_rule(),
    destination_rule(),
    service(),
    service_entry(),
    deployment(),
)


@st.composite
def revisions(draw: st.DrawFn, *, changes: int = 4) -> tuple[Snapshot, Snapshot]:
    """Two snapshots that differ in a few objects."""
    common = [resource(found) for found in draw(st.lists(OBJECTS, max_size=7))]
    old = [resource(found) for found in draw(st.lists(OBJECTS, max_size=changes))]
    new = [resource(found) for found in draw(st.lists(OBJECTS, max_size=changes))]
    shared = Snapshot(common)
    kept = draw(st.sets(st.sampled_from(sorted(shared)), max_size=len(shared))) if common else set()
    base = Snapshot([*common, *old])
    head = Snapshot([*(shared[found] for found in shared if found in kept), *new])
    # What both have anyway, so that few objects change.
    rest = [found for found in base.values() if found.id not in head]
    for extra in rest[changes:]:
        head = head.with_(extra)
    return base, head


def shown(base: Snapshot, head: Snapshot) -> str:
    """Both revisions, one object a line, for the report of a failure."""
    lines = [f"  base {found}: {base[found].spec}" for found in sorted(base)]
    lines += [f"  head {found}: {head[found].spec}" for found in sorted(head)]
    return "\n".join(lines)
