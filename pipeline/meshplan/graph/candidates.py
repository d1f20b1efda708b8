"""Which of the objects that change can bear on whether a need is met."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from meshplan.graph.gateways import exposed_keys, listening_keys
from meshplan.graph.keys import Key, pod_labels
from meshplan.graph.state import Index, View
from meshplan.graph.traffic import host_keys
from meshplan.identity import ResourceId
from meshplan.kinds.need import (
    Admitted,
    Attachment,
    Bindings,
    Credential,
    Delegate,
    Endpoints,
    ExposedPort,
    ExtensionProvider,
    Grant,
    Host,
    Labels,
    Object,
    Pods,
    Served,
    Subset,
    TokenRule,
    What,
    labels_of,
)
from meshplan.kinds.needs.read import at, items, text


def candidates(what: What, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level of a need may depend on; some come twice."""
    match what:
        case Object(subject):
            yield from _object(subject, index)
        case Served(group, _, kind):
            yield from index.touched(("served", group, kind), ("served", group, "*"))
        case Host() | Subset():
            yield from index.touched(*host_keys(what.host))
        case Endpoints():
            yield from index.touched(*host_keys(what.host))
            yield from _behind(what, index)
        case Pods(namespace, labels):
            yield from _selected(namespace, labels, index)
        case Attachment(gateway):
            yield from _object(gateway, index)
            for version in index.versions(gateway):
                yield from index.touched(*listening_keys(version))
        case Delegate(subject):
            yield from _object(subject, index)
        case Grant():
            yield from index.touched(("grant", what.to.namespace))
        case Credential(name, _, selector):
            yield from index.touched(("secret", name.rpartition("/")[2]))
            yield from _selected(None, selector or frozenset(), index)
        case ExposedPort():
            for made in (frozenset[ResourceId](), frozenset(index.writes.ids)):
                yield from index.touched(*exposed_keys(what, View(index, made)))
            yield from _selected(None, what.selector, index)
        case ExtensionProvider():
            yield from index.configuring
        case TokenRule(namespace):
            yield from index.touched(*_token_keys(namespace, index))
        case Admitted(namespace, account):
            yield from index.touched(("principal", namespace, account))
        case Bindings(namespace, account):
            yield from index.touched(("binding", namespace, account))
        case _:
            assert_never(what)


def _object(subject: ResourceId, index: Index) -> Iterator[ResourceId]:
    if subject in index.writes:
        yield subject
    if subject.kind == "Secret":
        yield from index.touched(("made", subject.namespace, subject.name))


def _token_keys(namespace: str | None, index: Index) -> tuple[Key, ...]:
    if namespace is None:
        return (("tokens",),)
    roots = dict.fromkeys(config.root_namespace for config in index.configs)
    return ("token", namespace), *(("token", root) for root in roots)


def _selected(namespace: str | None, labels: Labels, index: Index) -> Iterator[ResourceId]:
    """Workloads that change and whose pods have, before or after, all of `labels`."""
    if not labels:
        return
    prefix: Key = ("anypod",) if namespace is None else ("pod", namespace)
    lists = [set(index.touched((*prefix, name, value))) for name, value in labels]
    for subject in sorted(set.intersection(*lists)):
        if selects_otherwise(subject, labels, index):
            yield subject


def selects_otherwise(subject: ResourceId, labels: Labels, index: Index) -> bool:
    """Whether a workload has pods with `labels` in one of its versions and not in the other."""
    writes = index.writes
    selected = [
        subject in versions and labels <= pod_labels(versions[subject])
        for versions in (writes.before, writes.after)
    ]
    return selected[0] != selected[1]


def _behind(what: Endpoints, index: Index) -> Iterator[ResourceId]:
    subsets: set[Labels] = {frozenset()}
    if what.subset is not None:
        for subject in set(index.ids(*host_keys(what.host))):
            for resource in index.versions(subject):
                if resource.id.kind == "DestinationRule":
                    subsets.update(_subset_labels(resource.spec, what.subset))
    yield from behind_host(what.host, index, subsets)


def behind_host(
    host: str, index: Index, subsets: Iterable[Labels] = (frozenset(),)
) -> Iterator[ResourceId]:
    """Workloads that change and that a Service of a host selects in one version only."""
    selections: set[tuple[str, Labels]] = set()
    for subject in set(index.ids(("host", host))):
        for resource in index.versions(subject):
            selector = resource.spec.get("selector")
            if resource.id.kind == "ServiceEntry":
                selector = at(resource.spec, "workloadSelector", "labels")
            labels = labels_of(selector)
            if labels and resource.id.kind != "DestinationRule":
                selections.add((resource.id.namespace, labels))
    for namespace, labels in sorted(selections, key=str):
        for extra in sorted(subsets, key=sorted):
            yield from _selected(namespace, labels | extra, index)


def _subset_labels(spec: object, name: str) -> Iterator[Labels]:
    for _, entry in items(at(spec, "subsets")):
        if text(entry.get("name")) == name:
            yield labels_of(entry.get("labels"))
