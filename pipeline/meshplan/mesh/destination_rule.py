"""DestinationRules: which ones a client uses for a host, and how several are merged."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.hosts import most_specific, resolve_short_name
from meshplan.mesh.read import labels, mapping, mappings, text, texts
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource


@dataclass(frozen=True, slots=True)
class Subset:
    """A named part of the endpoints of a host."""

    name: str
    labels: Mapping[str, str]
    #: `trafficPolicy` as written; None where there is none.
    policy: Mapping[str, Any] | None
    #: The DestinationRule that defines it, and where in it.
    source: ResourceId
    pointer: str


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """One DestinationRule, or several of one host and namespace merged."""

    host: str
    namespace: str
    #: As written; empty for the default of the mesh.
    export_to: frozenset[str]
    #: Labels of the client proxies that use it; None for all.
    selector: Mapping[str, str] | None
    subsets: tuple[Subset, ...]
    #: `trafficPolicy` as written, and the object it is from.
    policy: Mapping[str, Any] | None
    policy_source: ResourceId | None
    #: All objects it is merged from, the first one first.
    sources: tuple[ResourceId, ...]
    created: str = ""

    def subset(self, name: str) -> Subset | None:
        """The subset with this name."""
        return next((found for found in self.subsets if found.name == name), None)


def destination_rule_of(resource: Resource, domain: str) -> DestinationRule:
    """A DestinationRule by itself, with its host in full."""
    spec = resource.spec
    selector = spec.get("workloadSelector")
    selects = isinstance(selector, Mapping)
    policy = spec.get("trafficPolicy")
    policy = policy if isinstance(policy, Mapping) else None
    return DestinationRule(
        host=resolve_short_name(text(spec.get("host")), resource.id.namespace, domain),
        namespace=resource.id.namespace,
        # One with a selector is for the clients of its own namespace alone.
        export_to=frozenset((".",)) if selects else frozenset(texts(spec.get("exportTo"))),
        selector=labels(mapping(selector).get("matchLabels")) if selects else None,
        subsets=tuple(
            Subset(
                name=text(subset.get("name")),
                labels=labels(subset.get("labels")),
                policy=mapping(subset["trafficPolicy"]) if subset.get("trafficPolicy") else None,
                source=resource.id,
                pointer=f"/spec/subsets/{index}",
            )
            for index, subset in enumerate(mappings(spec.get("subsets")))
        ),
        policy=policy,
        policy_source=resource.id if policy is not None else None,
        sources=(resource.id,),
        created=creation_time(resource),
    )


def _key(rule: DestinationRule) -> tuple[bool, str, str, str]:
    """Those with a selector first, then the oldest (`sortConfigBySelectorAndCreationTime`)."""
    return rule.selector is None, rule.created, rule.sources[0].name, rule.namespace


#: Host to the rules for it that could not be merged into one.
_ByHost = Mapping[str, tuple[DestinationRule, ...]]


class DestinationRules:
    """All DestinationRules of a mesh (`destinationRuleIndex`), merged when first asked for."""

    def __init__(
        self,
        rules: Callable[[str], Iterable[DestinationRule]],
        root_namespace: str,
        default_export_to: tuple[str, ...],
    ):
        """`rules` gives those of a namespace."""
        self._rules = rules
        self._root = root_namespace
        self._private_by_default = "." in default_export_to
        self._local: dict[str, _ByHost] = {}
        self._exported: dict[str, _ByHost] = {}
        self._root_local: _ByHost | None = None

    def for_host(
        self, host: str, service_namespace: str, client_namespace: str
    ) -> tuple[DestinationRule, ...]:
        """The rules that clients of a namespace use for a host (`PushContext.destinationRule`).

        The client's namespace, then that of the service, then the root namespace: the first that
        has a rule is taken alone. Several remain where `exportTo` or selectors differ.
        """
        local = (
            self._root_namespace_local()
            if client_namespace == self._root
            else self._namespace_local(client_namespace)
        )
        found = most_specific(host, local)
        if found is not None:
            return found
        for namespace in (service_namespace, self._root):
            if namespace and (shown := self._shown(namespace, host, client_namespace)):
                return shown
        return ()

    def for_proxy(
        self,
        host: str,
        service_namespace: str,
        client_namespace: str,
        client_labels: Mapping[str, str],
    ) -> DestinationRule | None:
        """The one rule that a proxy uses for a host (`SidecarScope.DestinationRule`)."""
        default = None
        for rule in self.for_host(host, service_namespace, client_namespace):
            if rule.selector is None:
                default = rule
            elif rule.namespace == client_namespace and matches_labels(
                rule.selector, client_labels
            ):
                return rule
        return default

    def _shown(self, namespace: str, host: str, client: str) -> tuple[DestinationRule, ...]:
        found = most_specific(host, self._exported_by(namespace)) or ()
        return tuple(
            rule
            for rule in found
            if not rule.export_to or "*" in rule.export_to or client in rule.export_to
        )

    def _namespace_local(self, namespace: str) -> _ByHost:
        found = self._local.get(namespace)
        if found is None:
            found = self._local[namespace] = merged(
                rule for rule in self._sorted(namespace) if _is_local(rule)
            )
        return found

    def _exported_by(self, namespace: str) -> _ByHost:
        found = self._exported.get(namespace)
        if found is None:
            found = self._exported[namespace] = merged(
                rule for rule in self._sorted(namespace) if not self._is_private(rule)
            )
        return found

    def _root_namespace_local(self) -> _ByHost:
        if self._root_local is None:
            self._root_local = merged(r for r in self._sorted(self._root) if self._is_private(r))
        return self._root_local

    def _is_private(self, rule: DestinationRule) -> bool:
        if not rule.export_to:
            return self._private_by_default
        return rule.export_to in ({"."}, {rule.namespace})

    def _sorted(self, namespace: str) -> list[DestinationRule]:
        return sorted(self._rules(namespace), key=_key)


def _is_local(rule: DestinationRule) -> bool:
    export_to = rule.export_to
    return not export_to or not export_to.isdisjoint(("*", ".", rule.namespace))


def merged(rules: Iterable[DestinationRule]) -> _ByHost:
    """The rules of one namespace by host, merged as far as they can be (`mergeDestinationRule`)."""
    found: dict[str, tuple[DestinationRule, ...]] = {}
    for rule in rules:
        found[rule.host] = _merge_into(found.get(rule.host, ()), rule)
    return found


def _merge_into(
    existing: tuple[DestinationRule, ...], rule: DestinationRule
) -> tuple[DestinationRule, ...]:
    out: list[DestinationRule] = []
    separate = True
    for old in existing:
        if rule.export_to == old.export_to:
            separate = False
        elif not (old.export_to and rule.export_to.issuperset(old.export_to)):
            separate = True
            out.append(old)
            continue
        else:
            separate = True
        both_select = old.selector is not None and rule.selector is not None
        if both_select and old.selector != rule.selector:
            separate = True
            out.append(old)
            continue
        # What istiod does, not what its comment says: of two without a selector, the one with the
        # wider exportTo is merged into the narrower one and not kept beside it. Two with selectors
        # are both for their own namespace, which is seen above, and they come before all others.
        if old.selector is None:
            separate = False
        out.append(_merge(old, rule))
    return (*out, rule) if separate else tuple(out)


def _merge(old: DestinationRule, new: DestinationRule) -> DestinationRule:
    """Subsets are put together, the first of a name wins; so does the first traffic policy."""
    subsets = old.subsets + tuple(s for s in new.subsets if old.subset(s.name) is None)
    policy, source = old.policy, old.policy_source
    if policy is None:
        policy, source = new.policy, new.policy_source
    return replace(
        old,
        subsets=subsets,
        policy=policy,
        policy_source=source,
        sources=old.sources + new.sources,
    )
