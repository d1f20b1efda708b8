"""Who may send a request: gateways and sidecars, those put together that fare alike.

Two sidecars fare alike if everything with a say in a request treats their namespace, their labels
and their identity alike, and if their Sidecar resources say the same about what is at stake.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, product
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.resource import Resource
from meshplan.verify.grid import FRESH
from meshplan.verify.identities import Patterns, patterns
from meshplan.verify.names import (
    NETWORKING,
    POLICIES,
    SIDECAR,
    dictionaries,
    kind_of,
    selector_of,
    strings,
    texts,
)
from meshplan.verify.speakers import Say, Speakers, Versions, credentials

#: More sets of labels than this are too many to ask as.
_MOST = 200
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"


@dataclass(frozen=True, slots=True)
class Caller:
    """A class of proxies, and the objects that have a say in all that they send."""

    proxy: Proxy
    objects: frozenset[ResourceId]


class TooManyLabelsError(Exception):
    """Clients are chosen by the labels of so many objects that not all can be asked as."""


class Callers:
    """All proxies of all states, and how to tell them apart."""

    def __init__(
        self,
        meshes: Sequence[Mesh],
        versions: Versions,
        speakers: Speakers,
        written: frozenset[ResourceId],
    ):
        self._mesh = meshes[0]
        self._versions = versions
        self._speakers = speakers
        self._written = written
        self._choosers = [i for i in versions if kind_of(i) == SIDECAR or kind_of(i) in POLICIES]
        self._by_namespace: dict[str, list[ResourceId]] = {}
        for id_ in self._choosers:
            self._by_namespace.setdefault(id_.namespace, []).append(id_)
        self._keys = self._label_keys()
        spaces = {id_.namespace for id_ in versions if id_.namespace}
        self._spaces = (*sorted(spaces), FRESH)
        asked = [patterns(version) for found in versions.values() for version in found]
        self._identities = any(asked)
        self._senders = frozenset(chain.from_iterable(found.senders() for found in asked if found))
        self._meshes = meshes
        self._sidecars = tuple(self._all_sidecars(meshes))
        self._own: dict[Proxy, frozenset[ResourceId]] = {}
        self._by_label: dict[tuple[str, str], list[tuple[str, Mapping[str, str]]]] = {}

    @cached_property
    def _gateways(self) -> tuple[Caller, ...]:
        return tuple(self._gateway(proxy) for proxy in self._all_gateways(self._meshes))

    def of(self, say: Say, only: frozenset[str] | None = None) -> Iterator[Caller]:
        """One caller of each class; `only` leaves out sidecars of other namespaces.

        Raises TooManyLabelsError.
        """
        yield from self._gateways
        policies = [self._patterns(id_) for id_ in say.policies]
        chosen = [list(_source_labels(v)) for i in say.routes for v in self._versions[i]]
        rules = [
            selector_of(version.spec)
            for id_ in say.objects
            if id_.kind == "DestinationRule"
            for version in self._versions[id_]
        ]
        labels = [entry for entry in (*chain.from_iterable(chosen), *rules) if entry]
        seen = set[Any]()
        imports: dict[str, object] = {}
        strangers = (
            Proxy(ProxyKind.SIDECAR, space, entry)
            for space in self._spaces
            for entry in self._chosen(space, labels)
        )
        for proxy in chain(self._sidecars, strangers):
            if only is not None and proxy.namespace not in only:
                continue
            is_special = proxy.namespace in say.namespaces
            own = self.objects_of(proxy)
            key = (
                proxy.namespace if is_special else "",
                tuple(p.matched(proxy, self._mesh.config.trust_domain) for p in policies),
                tuple(_has(proxy.labels, entry) for entry in labels),
                self._told(proxy, own, say, imports),
            )
            if key not in seen:
                seen.add(key)
                yield Caller(proxy, own)

    def _chosen(self, space: str, labels: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
        """The labels of pods of a namespace that are chosen by none, some, or many at once."""
        names = (self._speakers.names[id_] for id_ in self._by_namespace.get(space, ()))
        return _together((*labels, *(own for found in names for own in found.selectors)))

    def objects_of(self, proxy: Proxy) -> frozenset[ResourceId]:
        """What has a say in all requests of a sidecar: Sidecars, filters, its namespace."""
        if proxy not in self._own:
            spaces = dict.fromkeys((proxy.namespace, self._mesh.config.root_namespace))
            found = {
                id_
                for space in spaces
                for id_ in self._by_namespace.get(space, ())
                if kind_of(id_) == SIDECAR or id_.group != "security.istio.io"
                if any(_has(proxy.labels, s) for s in self._speakers.names[id_].selectors)
            }
            self._own[proxy] = frozenset(found)
        return self._own[proxy]

    def _patterns(self, id_: ResourceId) -> Patterns:
        found = Patterns()
        for version in self._versions[id_]:
            found |= patterns(version)
        return found

    def _told(
        self, proxy: Proxy, own: Iterable[ResourceId], say: Say, memory: dict[str, object]
    ) -> object:
        """What the objects of a proxy say, as far as they tell it from another proxy.

        Entries of a Sidecar about namespaces that are not at stake are left out.
        """
        told: list[object] = []
        for id_ in sorted(own):
            if id_ in self._written or kind_of(id_) != SIDECAR:
                told.append((str(id_), ""))
                continue
            key = f"{id_} {proxy.namespace in say.namespaces}"
            if key not in memory:
                memory[key] = tuple(
                    _shape(version.spec, id_.namespace, proxy.namespace, say)
                    for version in self._versions[id_]
                )
            # Of several for one namespace the oldest or the one with a selector wins.
            several = len(self._by_namespace[id_.namespace]) > 1
            told.append((str(id_) if several and _is_rival(own) else "", memory[key]))
        return tuple(told)

    def _label_keys(self) -> frozenset[str]:
        """The labels of clients that anything looks at."""
        found = {
            key for i in self._choosers for s in self._speakers.names[i].selectors for key in s
        }
        for id_, versions in self._versions.items():
            if kind_of(id_) == (NETWORKING, "DestinationRule"):
                found |= {key for v in versions for key in selector_of(v.spec)}
            elif kind_of(id_) == (NETWORKING, "VirtualService"):
                found |= {key for v in versions for entry in _source_labels(v) for key in entry}
        return frozenset(found)

    def _all_sidecars(self, meshes: Sequence[Mesh]) -> Iterator[Proxy]:
        found: dict[Proxy, None] = {}
        for mesh in meshes:
            for workload in mesh.workloads:
                labels = {k: v for k, v in workload.labels.items() if k in self._keys}
                account = workload.service_account if self._identities else "default"
                found[Proxy(ProxyKind.SIDECAR, workload.namespace, labels, account)] = None
        # Pods that are not in the tree: of every namespace, and those that something chooses.
        for space in dict.fromkeys((*self._spaces, *(name for name, _ in self._senders if name))):
            chosen: list[Mapping[str, str]] = [{}]
            for id_ in self._by_namespace.get(space, ()):
                chosen += self._speakers.names[id_].selectors
            for account, selector in product(self._accounts(space), chosen):
                found.setdefault(Proxy(ProxyKind.SIDECAR, space, selector, account))
        yield from found

    def _accounts(self, space: str) -> list[str]:
        """The service accounts as which pods of a namespace may run that are not in the tree."""
        named = {account for where, account in self._senders if where in ("", space)}
        return ["default", *sorted(named - {"default"})]

    def _all_gateways(self, meshes: Sequence[Mesh]) -> Iterator[Proxy]:
        """The pods of every Gateway; where none are known, those with the labels of its selector."""
        versions = [v for i, all_ in self._versions.items() if i.kind == "Gateway" for v in all_]
        chosen = [(version, _pods_of(version)) for version in versions]
        keys = self._keys.union(*(selector for _, selector in chosen))
        workloads = [workload for mesh in meshes for workload in mesh.workloads]
        found: dict[Proxy, None] = {}
        unseen: dict[str, list[Mapping[str, str]]] = {}
        for version, selector in chosen:
            homes = {version.id.namespace}
            if version.id.group == NETWORKING:
                # Pods that are not in the tree are where their certificates are.
                names = frozenset(credentials(version))
                homes |= {i.namespace for i in self._versions if _is_secret(i) and i.name in names}
            pods = [w for w in workloads if _has(w.labels, selector)] if selector else []
            for workload in pods:
                labels = {k: v for k, v in workload.labels.items() if k in keys}
                account = workload.service_account if self._identities else "default"
                proxy = Proxy(ProxyKind.GATEWAY, workload.namespace, labels, account)
                found[proxy] = None
            if not pods or version.id.group != NETWORKING:
                for home in homes:
                    unseen.setdefault(home, []).append(selector)
                # Who writes a policy or a Service for pods like them knows where they are.
                for home, own in chain.from_iterable(map(self._choosing, selector.items())):
                    if _has({**own, **selector}, own):
                        unseen.setdefault(home, []).append({**own, **selector})
        # Pods that are not in the tree may be those of several Gateways.
        for home, selectors in sorted(unseen.items()):
            for shared, account in product(_together(selectors), self._accounts(home)):
                if shared or {} in selectors:
                    found[Proxy(ProxyKind.GATEWAY, home, shared, account)] = None
        yield from found

    def _choosing(self, label: tuple[str, str]) -> Sequence[tuple[str, Mapping[str, str]]]:
        """The namespaces and selectors of Services and policies that ask for a label."""
        if not self._by_label:
            for id_, names in self._speakers.names.items():
                if id_.kind == "Service" or kind_of(id_) in POLICIES:
                    for own in names.selectors:
                        for one in own.items():
                            self._by_label.setdefault(one, []).append((id_.namespace, own))
        return self._by_label.get(label, ())

    def _gateway(self, proxy: Proxy) -> Caller:
        """A gateway with its pods, the Services in front of them, and its certificates."""
        speakers = self._speakers
        found = set(speakers.policies_in(proxy.namespace))
        found.update(speakers.in_front_of(proxy.namespace, proxy.labels))
        found.update(speakers.pods(proxy.namespace, proxy.labels))
        found.add(ResourceId("", "Namespace", "", proxy.namespace))
        for id_, versions in self._versions.items():
            if id_.kind == "Gateway":
                found.add(id_)
                names = frozenset(chain.from_iterable(map(credentials, versions)))
                found |= {i for i in self._versions if _is_secret(i) and i.name in names}
            elif id_.kind == "ReferenceGrant":
                found.add(id_)
        return Caller(proxy, frozenset(id_ for id_ in found if id_ in self._versions))


def _pods_of(gateway: Resource) -> dict[str, str]:
    """The labels by which a Gateway chooses its pods."""
    if gateway.id.group == NETWORKING:
        return strings(gateway.spec.get("selector"))
    return {_GATEWAY_LABEL: gateway.id.name}


def _is_secret(id_: ResourceId) -> bool:
    return (id_.group, id_.kind) == ("", "Secret")


def _together(selectors: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """No labels, and those of all selectors that may choose one pod at once.

    Raises TooManyLabelsError.
    """
    found: list[Mapping[str, str]] = [{}]
    for one in selectors:
        both = [{**other, **one} for other in found if _has({**one, **other}, one)]
        found += [labels for labels in both if labels not in found]
        if len(found) > _MOST:
            raise TooManyLabelsError
    return found


def _has(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _is_rival(own: Iterable[ResourceId]) -> bool:
    return sum(kind_of(id_) == SIDECAR for id_ in own) > 1


def _source_labels(version: Any) -> Iterator[Mapping[str, str]]:
    """The labels of clients that a route asks for."""
    for family in ("http", "tls", "tcp"):
        for rule in dictionaries(version.spec.get(family)):
            for match in dictionaries(rule.get("match")):
                yield strings(match.get("sourceLabels"))


def _shape(spec: Mapping[str, Any], home: str, namespace: str, say: Say) -> str:
    """What a Sidecar says, without the hosts that have nothing to do with a request."""
    listeners = []
    for entry in dictionaries(spec.get("egress")):
        hosts = set()
        for text in texts(entry.get("hosts")):
            where, slash, host = text.partition("/")
            where = namespace if where == "." else where
            if where in ("*", "~") or where in say.namespaces or not slash:
                hosts.add(f"{where}/{host}")
        listeners.append({**entry, "hosts": sorted(hosts)})
    rest = {key: value for key, value in spec.items() if key != "egress"}
    is_selective = bool(selector_of(spec))
    return json.dumps([rest, listeners, home if is_selective else ""], sort_keys=True, default=str)
