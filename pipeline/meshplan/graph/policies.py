"""Needs that other configuration of Istio meets: delegates, tokens, principals, providers."""

from collections.abc import Iterator
from typing import assert_never

from meshplan.graph.clients import sees
from meshplan.graph.cluster import object_candidates
from meshplan.graph.keys import Key
from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import (
    Admitted,
    Delegate,
    ExtensionProvider,
    Guards,
    Injection,
    TokenRule,
    labels_of,
)
from meshplan.kinds.needs.read import at
from meshplan.mesh.security import SecurityPolicies
from meshplan.resource import Resource

PolicyNeed = Delegate | TokenRule | Admitted | ExtensionProvider | Guards | Injection

#: Labels of a namespace that decide on sidecars.
_INJECTION = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")


def level(what: PolicyNeed, view: View) -> int:
    """How many objects meet the need."""
    match what:
        case Delegate():
            return int(_delegated(what, view))
        case TokenRule(namespace):
            return sum(1 for _ in view.find(*_token_keys(namespace, view.index)))
        case Admitted(namespace, account):
            return sum(1 for _ in view.find(("principal", namespace, account)))
        case ExtensionProvider(name):
            return int(name in view.config.extension_providers)
        case Guards():
            return sum(1 for _ in _guards(what, view))
        case Injection(namespace):
            return int(_injection(namespace, view) == _injection(namespace, view.index.ends[1]))
        case _:
            assert_never(what)


def candidates(what: PolicyNeed, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level depends on."""
    match what:
        case Delegate(subject):
            yield from object_candidates(subject, index)
        case TokenRule(namespace):
            yield from index.touched(*_token_keys(namespace, index))
        case Admitted(namespace, account):
            yield from index.touched(("principal", namespace, account))
        case ExtensionProvider():
            yield from index.configuring
        case Guards():
            for view in index.ends:
                found = (policy.id for policy in _guards(what, view))
                yield from (subject for subject in found if subject in index.writes)
        case Injection(namespace):
            place = ResourceId("", "Namespace", "", namespace)
            yield from object_candidates(place, index)
            yield from index.touched(("starting", namespace))
        case _:
            assert_never(what)


def _delegated(what: Delegate, view: View) -> bool:
    """Whether the delegate is there and the delegating namespace may see it."""
    found = view.get(what.id)
    return found is not None and sees(what.namespace, found, view)


def _guards(what: Guards, view: View) -> Iterator[Resource]:
    root = view.config.root_namespace
    for family in ("access", "peer"):
        found = view.find(*((family, place) for place in dict.fromkeys((what.namespace, root))))
        yield from SecurityPolicies(found, root).attached(what.namespace, dict(what.labels))
    for policy in view.find(("network", what.namespace)):
        if labels_of(at(policy.spec, "podSelector", "matchLabels")) <= what.labels:
            yield policy


def _injection(namespace: str, view: View) -> tuple[object, ...]:
    """All that a pod of a namespace takes from its surroundings when it starts."""
    place = view.get(ResourceId("", "Namespace", "", namespace))
    labels = place.labels if place else {}
    settings = sorted(str(found.spec) for found in view.find(("starting", namespace)))
    return (place is None, *(labels.get(name) for name in _INJECTION), *settings)


def _token_keys(namespace: str | None, index: Index) -> tuple[Key, ...]:
    if namespace is None:
        return (("tokens",),)
    roots = dict.fromkeys(config.root_namespace for config in index.configs)
    return tuple(("token", place) for place in dict.fromkeys((namespace, *roots)))
