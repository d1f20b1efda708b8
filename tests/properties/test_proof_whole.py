"""What the prover looks at, a few objects and a few clients, stands for the whole mesh.

Each value of each object of a mesh with everything in it is changed or left out. Then, in every view
that proxies may have on the way:

- every request class fares in what the prover has collected as it does in the whole mesh;
- every request that the change has a bearing on, from any client, fares as some class does that is
  about the same host and port.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import Proxy, ProxyKind, gateway, sidecar
from meshplan.proof import Prover
from meshplan.proof.types import TopicKind
from meshplan.settings import World
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Transport
from meshplan.traffic.request import Request
from support.whole_mesh import Class, Edit, Fate, Whole, classes, declared, edits, full_name, world

TESTER = Proxy(ProxyKind.SIDECAR, "web", {"app": "tester"}, "tester")
BAD = Proxy(ProxyKind.SIDECAR, "web", {"app": "client"}, "bad")
#: How many changes of values are tried of each object, and how many classes of each case.
EDITS = 2
SOME = 3

SIDECARS = (
    sidecar("web", {"app": "client"}),
    TESTER,
    BAD,
    sidecar("shop", {"app": "reviews", "version": "v1"}),
    sidecar("shop", {"app": "ratings", "tier": "back"}),
    sidecar("far", {"app": "api"}),
    sidecar("nobody-names-it"),
)
INGRESS = gateway("edge", {"istio": "ingress", "zone": "a"})
API = gateway("edge", {"gateway.networking.k8s.io/gateway-name": "api"})
MANUAL = gateway("edge", {"istio": "manual"})
LONE = gateway("shop", {"istio": "nowhere"})


@dataclass(frozen=True)
class Probe:
    """Somebody's request: through a proxy, or at a server's door."""

    request: Request
    proxy: Proxy | None = None
    server: Server | None = None

    @property
    def transport(self) -> Transport:
        return Transport.MTLS if self.request.principal else Transport.PLAINTEXT

    def fate(self, whole: Whole) -> Fate | None:
        """None where nothing comes of the change."""
        if self.proxy is not None:
            asked = self.proxy, self.request
            return whole.fate(*asked) if whole.differs(*asked) else None
        assert self.server is not None
        fate = whole.fate_at(self.server, self.request, self.transport)
        return fate if fate[0] != fate[-1] else None


def mesh_probes() -> Iterator[Probe]:
    asked = {
        "reviews.shop": ("/", "/tests", "/part"),
        "reviews.shop.svc.cluster.local": ("/",),
        "ratings.shop": ("/", "/subset", "/other"),
        "headless.far": ("/",),
        "old.far": ("/",),
        "bare.far": ("/",),
        "older.far": ("/",),
        "api.far": ("/", "/mesh"),
        "reviews.example.com": ("/",),
        "a.wild.example.com": ("/",),
        "named.wild.example.com": ("/",),
        "api.example.com": ("/",),
        "static.example.com": ("/",),
        "outer.example.com": ("/",),
        "reviews": ("/",),
        "api": ("/",),
        "unheard.example.com": ("/",),
        "10.9.0.1": ("/",),
    }
    for proxy, (host, paths) in product(SIDECARS, asked.items()):
        for path in paths:
            yield Probe(Request(host, path=path, port=80), proxy)
    for proxy in SIDECARS:
        yield Probe(Request("reviews.shop", headers={"x-v": "2"}, port=80), proxy)
        yield Probe(Request("reviews.shop", method="POST", port=80), proxy)
        yield Probe(Request("reviews.shop", port=9000, scheme="tcp"), proxy)
        yield Probe(Request("reviews.shop", port=9000), proxy)
        yield Probe(Request("named.wild.example.com", port=8443, scheme="tls"), proxy)
        yield Probe(Request("b.wild.example.com", port=8443, scheme="tls"), proxy)


def edge_probes() -> Iterator[Probe]:
    hosts = ("a.example.org", "b.example.org", "c.example.com", "x.w.example.org", "other.org")
    for host, (port, scheme) in product(hosts, ((80, "http"), (443, "https"))):
        for path in ("/", "/go", "/only", "/part", "/second", "/secret"):
            if path in ("/", "/secret") or host in ("a.example.org", "c.example.com"):
                yield Probe(Request(host, path=path, port=port, scheme=scheme), INGRESS)
    yield Probe(Request("a.example.org", method="DELETE", port=80), INGRESS)
    yield Probe(Request("x", port=9000, scheme="tcp"), INGRESS)
    yield Probe(Request("p.example.org", port=9443, scheme="tls"), INGRESS)
    yield Probe(Request("lone.example.com", port=8080), LONE)


def api_probes() -> Iterator[Probe]:
    for path in ("/x", "/other", "/go", "/ext", "/", "/secret"):
        yield Probe(Request("a.example.net", path=path, headers={"x-v": "1"}, port=80), API)
    yield Probe(Request("b.example.net", port=80), API)
    yield Probe(Request("any.example.com", port=8080), API)
    yield Probe(Request("t.example.net", port=443, scheme="https"), API)
    yield Probe(Request("m.example.net", port=80), MANUAL)
    yield Probe(Request("g.example.net", path="/pkg.S/M", method="POST", port=80), API)
    yield Probe(Request("g.example.net", path="/pkg.S/N", method="POST", port=8080), API)
    yield Probe(Request("x", port=9000, scheme="tcp"), API)
    yield Probe(Request("s.example.net", port=9443, scheme="tls"), API)


def server_probes() -> Iterator[Probe]:
    accounts = (
        "web/sa/one",
        "web/sa/two",
        "job/sa/any",
        "x/sa/backup",
        "cron/sa/runner",
        "cron/sa/other",
        "team-a/sa/default",
        "team-bad/sa/default",
        "conditional/sa/yes",
        "conditional/sa/no",
    )
    principals = ("", *(f"cluster.local/ns/{account}" for account in accounts))
    paths = ("/", "/run", "/private/x", "/private/open", "/debug")
    reviews, ratings = {"app": "reviews", "version": "v1"}, {"app": "ratings"}
    for principal in principals:
        for port, path in product((8080, 9999, 7000), paths):
            if port == 8080 or path == "/":
                asked = Request("reviews.shop", path=path, port=port, principal=principal)
                yield Probe(asked, server=Server("shop", reviews, port))
        for asked in (
            Request("open.example.com", port=8080, principal=principal),
            Request("reviews.shop", "DELETE", port=8080, principal=principal),
            Request("reviews.shop", headers={"x-v": "1"}, port=8080, principal=principal),
            Request("reviews.shop", client_ip="192.168.1.1", port=8080, principal=principal),
        ):
            yield Probe(asked, server=Server("shop", reviews, 8080))
        asked = Request("ratings.shop", path="/debug", port=7070, principal=principal)
        yield Probe(asked, server=Server("shop", ratings, 7070))


PROBES: Mapping[str, Sequence[Probe]] = {
    "mesh": tuple(mesh_probes()),
    "edge": tuple(edge_probes()),
    "api": tuple(api_probes()),
    "servers": tuple(server_probes()),
}
NAMES = [(name, str(id_)) for name in PROBES for id_ in world(name)]


def unfaithful(cases: Sequence[Sequence[Class]], whole: Whole) -> Iterator[str]:
    """Classes that fare in another way in the whole mesh; of a case with many some are asked."""
    for found in cases:
        for one in found[:: len(found) // SOME + 1]:
            proxy, request = one.case.client.proxy, one.request
            if proxy is not None:
                fate = whole.fate(proxy, request)
            else:
                assert one.case.server is not None
                fate = whole.fate_at(one.case.server, request, one.case.transport)
            if fate != one.fate and "unknown" not in (*fate, *one.fate):
                yield f"{one.case.client} {request}: {one.fate} in the whole mesh {fate}"


def unaccounted(
    probes: Sequence[Probe], cases: Sequence[Sequence[Class]], whole: Whole
) -> Iterator[str]:
    """Requests that a change has a bearing on, and that fare as none of the classes does."""
    for probe in probes:
        fate = probe.fate(whole)
        if fate is None or "unknown" in fate:
            continue
        about = (one for found in cases if is_about(found[0], probe) for one in found)
        if not any(one.fate == fate for one in about):
            yield f"{probe}: {fate}"


def is_about(one: Class, probe: Probe) -> bool:
    """Whether a class is about the host and port of a request, and comes in where it does."""
    topic, asked = one.case.scope.topic, probe.request
    if one.request.dialled_port != asked.dialled_port or one.request.scheme != asked.scheme:
        return False
    if probe.proxy is None:
        return topic.kind is TopicKind.SERVER
    if one.case.client.is_gateway != (probe.proxy.kind is ProxyKind.GATEWAY):
        return False
    host = topic.host
    if host.startswith("*"):
        return asked.host_name.endswith(host[1:])
    return full_name(asked.host_name, probe.proxy) == host or asked.host_name == host


def some(found: Iterator[Edit], name: str) -> Iterator[Edit]:
    """The object deleted and created, and some of its values changed."""
    deleted, created, *others = found
    yield from (deleted, created)
    yield from Random(name).sample(others, min(len(others), EDITS))


@pytest.mark.parametrize(("name", "object_"), NAMES)
def test_what_the_prover_looks_at_stands_for_the_whole(name: str, object_: str) -> None:
    (id_,) = (found for found in world(name) if str(found) == object_)
    wrong = []
    for edit in some(edits(name, id_), object_):
        whole, cases = Whole(edit), [found for found in classes(edit) if found]
        found = [*unfaithful(cases, whole), *unaccounted(PROBES[name], cases, whole)]
        wrong += [f"{edit.where}: {line}" for line in found]
    assert wrong == []


@pytest.mark.parametrize("name", ["mesh", "edge"])
def test_what_the_tree_has_for_its_own(name: str) -> None:
    """Hosts that come or go, and those of which the pods do, are the tree's in every state."""
    for id_ in world(name):
        for edit in some(edits(name, id_), str(id_)):
            sides = [Mesh.of(side, MeshConfig(), World.OPEN) for side in (edit.base, edit.head)]
            known = Prover(*sides)._mesh.known
            one, other = (declared(side) for side in sides)
            both = declared(*sides)
            assert one.hosts ^ other.hosts <= known.hosts <= both.hosts, (id_, edit.where)
            assert one.populated ^ other.populated <= known.populated <= both.populated, id_


def test_objects_of_every_kind_matter_to_some_request() -> None:
    """Otherwise nothing would be asked about them; what tokens are good is not known."""
    kinds, matter = set(), set()
    for name, probes in PROBES.items():
        for id_ in world(name):
            kinds.add(id_.kind)
            whole = Whole(next(edits(name, id_)))
            if id_.kind not in matter and any(probe.fate(whole) for probe in probes):
                matter.add(id_.kind)
    assert kinds - matter == {"RequestAuthentication"}
