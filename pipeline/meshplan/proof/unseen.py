"""Pods that are not in the tree, of which nobody knows whether a policy is for them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from meshplan.mesh.read import labels
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.mesh.workload import matches_labels
from meshplan.proof.declared import secrets_named, selected_by
from meshplan.proof.fields import selector_of, targets_of
from meshplan.proof.index import GATEWAY_API, NETWORKING, SECURITY, Index
from meshplan.proof.surroundings import Surroundings
from meshplan.proof.types import Topic, TopicKind
from meshplan.proof.versions import Versions
from meshplan.resource import Resource
from meshplan.settings import World

#: Policies that decide about requests.
ON_PODS = (
    (SECURITY, "AuthorizationPolicy"),
    (SECURITY, "PeerAuthentication"),
    (SECURITY, "RequestAuthentication"),
)


class Unseen:
    """What a policy may be for though the tree does not have the pods.

    A policy is told by its namespace, "" for the root namespace, and by the labels it selects.
    """

    def __init__(self, index: Index, versions: Versions, root_namespace: str):
        self._index = index
        self._versions = versions
        self._root = root_namespace
        self._selecting = lru_cache(None)(self._by_label)

    def services(self, where: str, selector: Mapping[str, str]) -> Iterator[Resource]:
        """The Services and entries whose pods may have the labels, besides those they have to."""
        label, sought = next(iter(selector.items()), ("", ""))
        for space in (where,) if where else self.by_namespace:
            found = self._selecting(space, label)
            for service, own in (*found.get(sought, ()), *found.get(None, ())):
                if all(selector.get(name, value) == value for name, value in own.items()):
                    yield service

    def gateways(self, where: str, selector: Mapping[str, str]) -> Iterator[Resource]:
        """The Gateways that pods with the labels may open, several of them at once too."""
        # Who writes a policy, or a Service, for pods of a gateway knows where they are.
        services = self.services(where, selector) if where and self._gateways else ()
        known = [selector, *({**selected_by(service), **selector} for service in services)]
        is_asked_for = selector.items() <= self._opening
        for gateway, own, spaces in self._gateways:
            is_there = is_asked_for and (not where or where in spaces)
            alike = [selector] if is_there else [one for one in known if own.items() & one.items()]
            if any(matches_labels(own, {**own, **one}) for one in alike):
                yield gateway
        for gateway in self._versions.of_kind(GATEWAY_API, "Gateway"):
            pods = {GATEWAY_NAME_LABEL: gateway.id.name}
            if where in ("", gateway.id.namespace) and matches_labels(selector, pods):
                yield gateway

    def pods(self, where: str, selector: Mapping[str, str], met: set[str]) -> Iterator[Topic]:
        """Pods with the labels, and with those of another policy as well.

        A policy of the root namespace is for those of every namespace that has policies. Where pods
        were `met`, there are no others but those behind Services that have none in the tree.
        """
        for service in self.services(where, selector):
            space, own = service.id.namespace, selected_by(service)
            if space in met and not any(True for _ in self._index.pods(space, own)):
                yield _pods(space, {**own, **selector})
        if selector and where in met:
            return
        spaces = [(where or self._root, selector)]
        for space in dict.fromkeys((where, self._root)) if where else self._choosers:
            for own, targets in self._choosers.get(space, ()):
                if all(selector.get(name, value) == value for name, value in own.items()):
                    spaces.append((where or space, {**own, **selector}))
                for name in targets if not selector and where in ("", space) else ():
                    # Gateways have pods of their own.
                    yield _pods(space, {GATEWAY_NAME_LABEL: name})
        known = {*met, self._root} if met else met
        for space, found in spaces:
            if space not in known:
                yield _pods(space, found)

    @cached_property
    def by_namespace(self) -> Mapping[str, list[Resource]]:
        """Every version of every Service and ServiceEntry."""
        found: dict[str, list[Resource]] = {}
        for kind in (("", "Service"), (NETWORKING, "ServiceEntry")):
            for service in self._versions.of_kind(*kind):
                found.setdefault(service.id.namespace, []).append(service)
        return found

    def _by_label(
        self, namespace: str, label: str
    ) -> Mapping[str | None, list[tuple[Resource, Mapping[str, str]]]]:
        """The Services that select pods, by which value they want a label to have; None for any."""
        found: dict[str | None, list[tuple[Resource, Mapping[str, str]]]] = {}
        for service in self.by_namespace.get(namespace, ()):
            own = selected_by(service)
            if own:
                found.setdefault(own.get(label), []).append((service, own))
        return found

    @cached_property
    def _gateways(self) -> Sequence[tuple[Resource, Mapping[str, str], frozenset[str]]]:
        """Gateways without pods in the tree: their labels, and the namespaces they may be in."""
        found = []
        for gateway in self._versions.of_kind(NETWORKING, "Gateway"):
            own, named = labels(gateway.spec.get("selector")), secrets_named(gateway)
            if not own or not any(True for _ in self._index.pods("", own)):
                secrets = self._versions.of_kind("", "Secret")
                homes = (secret.id.namespace for secret in secrets if secret.id.name in named)
                found.append((gateway, own, frozenset((gateway.id.namespace, *homes))))
        return found

    @cached_property
    def _opening(self) -> set[tuple[str, str]]:
        """All labels that these Gateways ask for."""
        return {label for _, own, _ in self._gateways for label in own.items()}

    @cached_property
    def _choosers(self) -> Mapping[str, list[tuple[Mapping[str, str], tuple[str, ...]]]]:
        """What the policies of a namespace choose pods by: labels, and the names of gateways."""
        found: dict[str, list[tuple[Mapping[str, str], tuple[str, ...]]]] = {}
        for kind in ON_PODS:
            for policy in self._versions.of_kind(*kind):
                chosen = (selector_of(policy), tuple(targets_of(policy)))
                same = found.setdefault(policy.id.namespace, [])
                if chosen not in same[-1:]:  # versions of one object mostly choose alike
                    same.append(chosen)
        return found


def _pods(namespace: str, found: Mapping[str, str]) -> Topic:
    return Topic(TopicKind.SERVER, "", namespace, tuple(sorted(found.items())))


def unsure_of_mutual_tls(around: Surroundings, index: Index, world: World) -> str:
    """Why it is not known by which mode of mutual TLS a Service is reached; "" where it is.

    Its pods have the labels of its selector, and may have those of another one: then some of them
    take other connections than the rest. What is asked of a server alone is asked of both sorts.
    """
    if world is World.CLOSED:
        return ""
    for service in around.resources():
        selector, where = selected_by(service), service.id.namespace
        for policy in index.choosy.get(where, ()) if selector else ():
            own = selector_of(policy)
            may_be = matches_labels(own, {**own, **selector}) and not matches_labels(own, selector)
            if may_be and not any(True for _ in index.pods(where, selector)):
                pods = f"pods of {service.id} is not known, as they are not in the tree"
                return f"whether {policy.id} is for {pods}"
    return ""
