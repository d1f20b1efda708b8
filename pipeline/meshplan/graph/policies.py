"""Needs that other configuration of Istio meets: delegates, tokens, principals, providers."""

from collections.abc import Iterator
from typing import assert_never

from meshplan.graph.clients import sees
from meshplan.graph.cluster import object_candidates
from meshplan.graph.keys import Key
from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import Admitted, Delegate, ExtensionProvider, TokenRule

PolicyNeed = Delegate | TokenRule | Admitted | ExtensionProvider


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
        case _:
            assert_never(what)


def _delegated(what: Delegate, view: View) -> bool:
    """Whether the delegate is there and the delegating namespace may see it."""
    found = view.get(what.id)
    return found is not None and sees(what.namespace, found, view)


def _token_keys(namespace: str | None, index: Index) -> tuple[Key, ...]:
    if namespace is None:
        return (("tokens",),)
    roots = dict.fromkeys(config.root_namespace for config in index.configs)
    return tuple(("token", place) for place in dict.fromkeys((namespace, *roots)))
