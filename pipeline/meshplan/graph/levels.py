"""How far a need is met in a state: 0 for not at all, more for more objects that meet it.

What is met by an object that no revision holds counts as not met at both ends, and then nothing that
changes can make it worse: absence is no error in an open world.
"""

from typing import assert_never

from meshplan.graph.gateways import attached, credentials, exposed
from meshplan.graph.keys import Key
from meshplan.graph.state import View
from meshplan.graph.traffic import endpoints, host, subset
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
    Object,
    Pods,
    Served,
    Subset,
    TokenRule,
    What,
)
from meshplan.kinds.needs.read import items, text, texts
from meshplan.resource import Resource

#: The level of a need that the object does not have in this state.
UNCONCERNED = 1 << 30


def level_of(what: What, view: View, client: str) -> int:
    """The level of a need for the proxies of the namespace `client`."""
    match what:
        case Object(subject):
            return _exists(subject, view)
        case Served():
            return _served(what, view)
        case Host():
            return host(what, view, client)
        case Subset():
            return subset(what, view, client)
        case Endpoints():
            found = endpoints(what, view, client)
            return UNCONCERNED if found is None else found
        case Pods(namespace, labels):
            return sum(1 for _ in view.pods(namespace, labels))
        case Attachment():
            return attached(what, view)
        case Delegate():
            return _delegate(what, view)
        case Grant():
            return int(any(_grants(r, what) for r in view.find(("grant", what.to.namespace))))
        case Credential():
            return credentials(what, view)
        case ExposedPort():
            return exposed(what, view)
        case ExtensionProvider(name):
            return int(name in view.config.extension_providers)
        case TokenRule(namespace):
            return sum(1 for _ in view.find(*token_keys(namespace, view)))
        case Admitted(namespace, account):
            return sum(1 for _ in view.find(("principal", namespace, account)))
        case Bindings(namespace, account):
            return sum(1 for _ in view.find(("binding", namespace, account)))
        case _:
            assert_never(what)


def _exists(subject: ResourceId, view: View) -> int:
    if view.get(subject) is not None:
        return 1
    return int(
        any(view.find(("made", subject.namespace, subject.name))) and subject.kind == "Secret"
    )


def _served(what: Served, view: View) -> int:
    found = view.find(("served", what.group, what.kind), ("served", what.group, "*"))
    return int(any(what.version in _versions(resource) for resource in found))


def _versions(resource: Resource) -> list[str]:
    if resource.id.kind == "APIService":
        return [text(resource.spec.get("version"))]
    listed = [
        text(v.get("name"))
        for _, v in items(resource.spec.get("versions"))
        if v.get("served", True)
    ]
    return listed or [text(resource.spec.get("version"))]


def _delegate(what: Delegate, view: View) -> int:
    found = view.get(what.id)
    if found is None:
        return 0
    export_to = texts(found.spec.get("exportTo")) or view.config.default_virtual_service_export_to
    own = found.id.namespace == what.namespace
    return int(any(e in ("*", what.namespace) or (e == "." and own) for e in export_to))


def _grants(grant: Resource, what: Grant) -> bool:
    """Whether a ReferenceGrant admits the reference."""
    admitted = any(
        text(entry.get("group")) == what.from_group
        and text(entry.get("kind")) == what.from_kind
        and text(entry.get("namespace")) == what.from_namespace
        for _, entry in items(grant.spec.get("from"))
    )
    return admitted and any(
        text(entry.get("group")) == what.to.group
        and text(entry.get("kind")) == what.to.kind
        and text(entry.get("name")) in ("", what.to.name)
        for _, entry in items(grant.spec.get("to"))
    )


def token_keys(namespace: str | None, view: View) -> tuple[Key, ...]:
    """The keys of the RequestAuthentications that proxies of a namespace may read."""
    if namespace is None:
        return (("tokens",),)
    return ("token", namespace), ("token", view.config.root_namespace)
