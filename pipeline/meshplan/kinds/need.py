"""What a resource relies on, in symbols: hosts, subsets, pods, objects, permissions.

A need says nothing about whether it is met; that depends on all the other objects of a state. Host
names and gateway names are written out in full, so that two ways to write one thing are one need.
"""

from collections.abc import Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId

#: Labels as a value that can be compared and hashed.
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Clients:
    """The proxies that read a routing rule: where it is written, who may see it, which gateways."""

    namespace: str
    #: As `exportTo`; "*" for everybody.
    export_to: tuple[str, ...] = ("*",)
    #: "mesh" for the sidecars, else "namespace/name" of a Gateway.
    gateways: tuple[str, ...] = ("mesh",)


@dataclass(frozen=True, slots=True)
class Object:
    """An object, or another object from which a controller makes it."""

    id: ResourceId


@dataclass(frozen=True, slots=True)
class Served:
    """A kind that the API server serves: a CustomResourceDefinition or an APIService."""

    group: str
    version: str
    kind: str


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the service registry that the clients can see, with a port."""

    host: str
    port: int | None
    clients: Clients


@dataclass(frozen=True, slots=True)
class Subset:
    """A subset in the DestinationRule that the clients use for a host."""

    host: str
    subset: str
    clients: Clients


@dataclass(frozen=True, slots=True)
class Endpoints:
    """At least one endpoint behind a host, or behind one subset of it."""

    host: str
    subset: str | None
    clients: Clients


@dataclass(frozen=True, slots=True)
class Pods:
    """At least one pod (or WorkloadEntry) with these labels; `namespace` None means anywhere."""

    namespace: str | None
    labels: Labels


@dataclass(frozen=True, slots=True)
class Attachment:
    """A Gateway with a server for a host, of a protocol that routes of this sort can be put on."""

    gateway: ResourceId
    host: str
    #: "http", "tls" or "tcp", as the fields of a VirtualService are called.
    protocol: str
    #: Name of the listener, for a Gateway of the Gateway API.
    section: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Delegate:
    """A VirtualService without hosts that the delegating namespace may see."""

    id: ResourceId
    namespace: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A ReferenceGrant in the namespace of `to` that admits references of a kind and namespace."""

    from_group: str
    from_kind: str
    from_namespace: str
    to: ResourceId


@dataclass(frozen=True, slots=True)
class Credential:
    """A TLS Secret in the namespace of the proxies that need it.

    With `selector` these are the gateway pods with the labels, wherever they run.
    """

    name: str
    namespace: str
    selector: Labels | None = None


@dataclass(frozen=True, slots=True)
class ExposedPort:
    """A Service that leads to the gateway pods with these labels and has this port."""

    selector: Labels
    port: int


@dataclass(frozen=True, slots=True)
class ExtensionProvider:
    """An entry of `extensionProviders` in the mesh configuration."""

    name: str


@dataclass(frozen=True, slots=True)
class TokenRule:
    """A RequestAuthentication that reads tokens; `namespace` None means anywhere."""

    namespace: str | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A rule of an ALLOW policy that names this ServiceAccount."""

    namespace: str
    account: str


@dataclass(frozen=True, slots=True)
class Bindings:
    """The role bindings of a ServiceAccount."""

    namespace: str
    account: str


@dataclass(frozen=True, slots=True)
class Guards:
    """The policies that decide who may reach pods with these labels."""

    namespace: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Injection:
    """Whether and how the pods of a namespace get a sidecar when they start."""

    namespace: str


What = (
    Object
    | Served
    | Host
    | Subset
    | Endpoints
    | Pods
    | Attachment
    | Delegate
    | Grant
    | Credential
    | ExposedPort
    | ExtensionProvider
    | TokenRule
    | Admitted
    | Bindings
    | Guards
    | Injection
)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a resource relies on, where it says so, and what happens without it."""

    what: What
    #: JSON pointer of the field that makes the reference.
    pointer: str
    #: In words, e.g. "http[0] of VirtualService shop/reviews sends requests to subset v2 of …".
    why: str
    #: What a client or the person who applies sees: "503 NC", "404 NR", "apply rejected".
    failure: str
    #: Whether it has to be there before the referrer itself is created. A need that an update
    #: brings has to be met first in any case.
    on_create: bool = True
    #: Whether it has to stay until the referrer itself is deleted. A need that an update drops has
    #: to stay in any case.
    on_delete: bool = True
    #: Whether requests are lost or an object refused in the wrong order; if not, the order is only
    #: what one would expect, and gives way where other needs ask for the contrary.
    binding: bool = True


def labels_of(value: object) -> Labels:
    """The labels of a mapping as a set; numbers and booleans as YAML would read them back."""
    if not isinstance(value, Mapping):
        return frozenset()
    return frozenset((str(key), _label(found)) for key, found in value.items())


def _label(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
