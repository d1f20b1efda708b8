"""Who sends a request, as far as policies tell senders apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.resource import Resource
from meshplan.verify.grid import FRESH


@dataclass(slots=True)
class Patterns:
    """The texts with which policies compare who sends a request."""

    #: Of SPIFFE identities, of namespaces, and of service accounts with or without a namespace.
    principals: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.principals or self.accounts)

    def __ior__(self, other: "Patterns") -> "Patterns":
        self.principals |= other.principals
        self.namespaces |= other.namespaces
        self.accounts |= other.accounts
        return self

    def matched(self, proxy: Proxy, trust_domain: str) -> frozenset[str]:
        """The texts that mean a client; clients with the same ones cannot be told apart."""
        return self.meaning(trust_domain, proxy.namespace, proxy.service_account)

    def meaning(self, trust_domain: str, namespace: str, account: str) -> frozenset[str]:
        """The texts that mean a service account of a namespace."""
        identity = f"{trust_domain}/ns/{namespace}/sa/{account}"
        return frozenset(
            {f"p {text}" for text in self.principals if _means(text, identity)}
            | {f"n {text}" for text in self.namespaces if _means(text, namespace)}
            | {
                f"a {text}"
                for text in self.accounts
                if _means(text, account) or _means(text, f"{namespace}/{account}")
            }
        )

    def senders(self) -> Iterator[tuple[str, str]]:
        """Namespaces and service accounts that the texts mean; "" for any namespace."""
        for text in self.namespaces:
            yield text.replace("*", FRESH), FRESH
        for text in self.accounts:
            namespace, _, account = text.replace("*", FRESH).rpartition("/")
            yield namespace, account
        for text in self.principals:
            parts = text.replace("*", FRESH).split("/")
            if "ns" in parts[:-1]:
                namespace = parts[parts.index("ns") + 1]
                yield namespace, parts[-1] if "sa" in parts[:-1] else FRESH
            elif "sa" in parts[:-1]:
                yield "", parts[-1]


def patterns(policy: Resource) -> Patterns:
    """What a policy compares senders with."""
    found = Patterns()
    if policy.id.kind == "AuthorizationPolicy":
        _collect(policy.spec, found)
    return found


def _collect(value: Any, found: Patterns) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("principals", "notPrincipals"):
                found.principals |= set(map(str, inner or ()))
            elif key in ("namespaces", "notNamespaces"):
                found.namespaces |= set(map(str, inner or ()))
            elif key in ("serviceAccounts", "notServiceAccounts"):
                found.accounts |= set(map(str, inner or ()))
            elif key == "when":
                for condition in inner or ():
                    said = {*(condition.get("values") or ()), *(condition.get("notValues") or ())}
                    table = {
                        "source.principal": found.principals,
                        "source.namespace": found.namespaces,
                        "source.serviceAccount": found.accounts,
                    }.get(condition.get("key"))
                    if table is not None:
                        table |= set(map(str, said))
            else:
                _collect(inner, found)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _collect(inner, found)


def _means(text: str, value: str) -> bool:
    """Whether a text with a wildcard at one end, or none, means a value."""
    if text.startswith("*"):
        return value.endswith(text[1:])
    return value.startswith(text[:-1]) if text.endswith("*") else text == value


def identities(meshes: Sequence[Mesh], policies: Sequence[Patterns]) -> tuple[str, ...]:
    """One identity of each class that policies tell apart: of workloads, those that policies name,
    and one that nobody names.
    """
    domain = meshes[0].config.trust_domain
    known = {(FRESH, FRESH)}
    known |= {(w.namespace, w.service_account) for mesh in meshes for w in mesh.workloads}
    classes: dict[tuple[frozenset[str], ...], str] = {}
    for namespace, account in sorted(known):
        key = tuple(found.meaning(domain, namespace, account) for found in policies)
        classes.setdefault(key, f"{domain}/ns/{namespace}/sa/{account}")
    named = {text.replace("*", FRESH) for found in policies for text in found.principals}
    senders = {sender for found in policies for sender in found.senders()}
    spaces = {namespace for namespace, _ in senders if namespace} | {FRESH}
    named |= {
        f"{domain}/ns/{space}/sa/{account}"
        for namespace, account in senders
        for space in ({namespace} if namespace else spaces)
    }
    return tuple(sorted({*classes.values(), *named}))
