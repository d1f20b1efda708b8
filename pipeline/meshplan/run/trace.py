"""What becomes of requests: the model asked at one state of the manifests, or at two."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from meshplan.errors import SourceError, UsageError
from meshplan.identity import ResourceId
from meshplan.location import Location, Side
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.resource import Snapshot
from meshplan.result.trace import Answer, Because, Peer, Trace, Traced, Vantage
from meshplan.run.request import Progress, Request, load, mesh_of, settings_for
from meshplan.run.subject import Subject, open_subject
from meshplan.schema.wording import did_you_mean
from meshplan.source.load import Loaded, LoadedTarget
from meshplan.traffic import Outcome, Server, admit, route, transport_of
from meshplan.traffic import Request as Asked

#: Groups whose objects steer requests; with Services they tell a target that can be asked.
_MESH_GROUPS = ("networking.istio.io", "security.istio.io", "gateway.networking.k8s.io")


def trace_requests(
    request: Request, vantage: Vantage, asked: Sequence[Asked], progress: Progress
) -> Trace:
    """What becomes of requests. `request.revisions` names a revision, a range, or a path.

    Raises UsageError where it is not certain which target is meant.
    """
    progress("opening the revision")
    subject = open_subject(request.directory, request.revisions)
    settings, _ = settings_for(request, subject.base, subject.head)
    if subject.is_file:
        settings = settings.with_(targets=())
    progress("reading manifests")
    loaded = load(request, subject.base, subject.head, settings, subject.urls)
    target = _chosen(loaded, subject)
    head, _ = mesh_of(target.head, settings)
    base, _ = mesh_of(target.base, settings) if subject.base is not None else (None, ())
    progress("asking")
    traced = tuple(
        Traced(
            one,
            _answer(head, vantage, one, Side.HEAD),
            _answer(base, vantage, one, Side.BASE) if base is not None else None,
        )
        for one in asked
    )
    names = [revision.name for revision in (subject.base, subject.head) if revision]
    about = " → ".join(names) + (f" ({target.name})" if len(loaded.targets) > 1 else "")
    return Trace(vantage, traced, about, tuple(_notes(loaded, head, vantage)))


def _chosen(loaded: Loaded, subject: Subject) -> LoadedTarget:
    """The one target that is meant."""
    targets = _within(loaded.targets, subject.within)
    if not targets:
        unread = [f"{entry.path}: {entry.why}" for entry in loaded.coverage if entry.why]
        broken = [*unread, *(found.message for found in loaded.findings)]
        said = f": {broken[0]}" if broken else ""
        raise SourceError(f"no manifests found in {subject.within or subject.head.name}{said}")
    for narrowed in (targets, [t for t in targets if _steers(t)]):
        if len(narrowed) == 1:
            return narrowed[0]
        everything = {id_ for target in narrowed for id_ in _ids(target)}
        whole = [target for target in narrowed if len(_ids(target)) == len(everything)]
        if whole and all(_is_alike(whole[0], other) for other in whole[1:]):
            return whole[0]
    names = ", ".join(target.name for target in targets[:6])
    more = f" and {len(targets) - 6} more" if len(targets) > 6 else ""
    raise UsageError(
        f"there are {len(targets)} targets: {names}{more}", hint="name one with --target"
    )


def _within(targets: Sequence[LoadedTarget], folder: str) -> list[LoadedTarget]:
    """The targets of a folder, and what others have in it."""
    named = [target for target in targets if folder and target.name == folder]
    if named or not folder:
        return named or list(targets)
    cut = [
        replace(target, base=_part(target.base, folder), head=_part(target.head, folder))
        for target in targets
    ]
    return [target for target in cut if _ids(target)]


def _part(snapshot: Snapshot, folder: str) -> Snapshot:
    return Snapshot(r for r in snapshot.values() if r.origin.path.startswith(f"{folder}/"))


def _ids(target: LoadedTarget) -> set[ResourceId]:
    return {*target.base, *target.head}


def _is_alike(one: LoadedTarget, other: LoadedTarget) -> bool:
    """Whether two targets hold the same objects: folders that they share, say."""
    return all(
        mine.get(id_) is theirs.get(id_)
        or (mine.get(id_) and theirs.get(id_) and mine[id_].manifest == theirs[id_].manifest)
        for mine, theirs in ((one.base, other.base), (one.head, other.head))
        for id_ in (*mine, *theirs)
    )


def _steers(target: LoadedTarget) -> bool:
    return any(
        id_.group in _MESH_GROUPS or (id_.group, id_.kind) == ("", "Service")
        for id_ in _ids(target)
    )


def _answer(mesh: Mesh, vantage: Vantage, asked: Asked, side: Side) -> Answer:
    outcome = _outcome(mesh, vantage, asked)
    why = [
        Because(reason.id, reason.text, _place(mesh.snapshot, reason.id, side))
        for reason in dict.fromkeys(outcome.why)
    ]
    return Answer(outcome, tuple(why))


def _outcome(mesh: Mesh, vantage: Vantage, asked: Asked) -> Outcome:
    server = vantage.server
    behind = _server(server, asked) if server is not None else None
    if vantage.client is None:
        assert behind is not None  # noqa: S101 - there is one of the two
        return admit(mesh, asked, behind, transport_of(asked))
    return route(mesh, asked, _proxy(mesh, vantage, vantage.client), behind)


def _server(server: Peer, asked: Asked) -> Server:
    port = asked.dialled_port if server.port is None else server.port
    return Server(server.namespace, dict(server.labels), port)


def _proxy(mesh: Mesh, vantage: Vantage, client: Peer) -> Proxy:
    """The proxy of a client; its service account is that of its workload, where one is there."""
    labels = dict(client.labels)
    found = {w.service_account for w in mesh.workloads_matching(client.namespace, labels)}
    account = found.pop() if len(found) == 1 and labels else "default"
    _, stated, name = vantage.principal.rpartition("/sa/")
    kind = ProxyKind.GATEWAY if vantage.is_gateway else ProxyKind.SIDECAR
    return Proxy(kind, client.namespace, labels, name if stated else account)


def _place(snapshot: Snapshot, id_: ResourceId | None, side: Side) -> Location | None:
    found = snapshot.get(id_) if id_ is not None else None
    return found.origin.location(side) if found is not None else None


def _notes(loaded: Loaded, mesh: Mesh, vantage: Vantage) -> Iterable[str]:
    """What makes an answer doubtful: unread files, and names that are nowhere."""
    spaces = {id_.namespace for id_ in mesh.snapshot} - {""}
    for peer in (vantage.client, vantage.server):
        if peer is not None and peer.namespace not in spaces:
            hint = did_you_mean(peer.namespace, spaces)
            if hint:
                yield f"nothing here is in the namespace {peer.namespace}{hint}"
    client = vantage.client
    if client is not None and vantage.is_gateway:
        proxy = _proxy(mesh, vantage, client)
        if not mesh.gateways_of(proxy):
            yield f"no Gateway here is for the pods {client}"
    yield from (f"{p.path}: {p.message}" if p.path else p.message for p in loaded.problems)
    for entry in loaded.coverage:
        if entry.status == "failed":
            yield f"{entry.path} could not be read: {entry.why}"
    for finding in loaded.findings:
        if finding.severity == "error" and finding.locations:
            yield f"{finding.locations[0]}: {finding.message}"
