"""Whom policies name: the namespaces and the service accounts that they tell apart."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from meshplan.dataclass import dataclass
from meshplan.mesh.read import mapping, mappings, text, texts
from meshplan.resource import Resource

#: The namespace that stands for all that no object names.
ELSEWHERE = "elsewhere"
#: The service account that stands for all that no policy names.
ANYBODY = "default"


@dataclass(frozen=True, slots=True)
class Identities:
    """Namespaces and service accounts that policies name."""

    namespaces: frozenset[str]
    accounts: frozenset[tuple[str, str]]
    #: Service accounts that are named for all namespaces.
    anywhere: frozenset[str] = frozenset()

    def of(self, namespace: str) -> frozenset[str]:
        """The service accounts of a namespace that are told apart."""
        own = {account for where, account in self.accounts if where == namespace}
        return self.anywhere | own


def identities(resources: Iterable[Resource]) -> Identities:
    """Who is named by the AuthorizationPolicies among some objects."""
    namespaces: set[str] = set()
    accounts: set[tuple[str, str]] = set()
    anywhere: set[str] = set()
    for resource in resources:
        if resource.id.kind != "AuthorizationPolicy":
            continue
        for source in _sources(resource):
            for name in texts(source.get("namespaces")):
                namespaces.update(_completed(name))
            for name in texts(source.get("serviceAccounts")):
                where, slash, account = name.rpartition("/")
                accounts.add((where if slash else resource.id.namespace, account))
            for principal in texts(source.get("principals")):
                if principal.startswith("*"):
                    where, account = _with_end(principal[1:])
                    accounts.add((where, account))
                    if where == ELSEWHERE:
                        anywhere.add(account)
                else:
                    accounts.update(_with_beginning(principal))
    namespaces.update(where for where, _ in accounts)
    accounts.update(product(namespaces, anywhere))
    return Identities(frozenset(namespaces), frozenset(accounts), frozenset(anywhere))


def _sources(policy: Resource) -> Iterator[Mapping[str, object]]:
    """All sources that a policy names, those of conditions in the same form."""
    for rule in mappings(policy.spec.get("rules")):
        for entry in mappings(rule.get("from")):
            source = mapping(entry.get("source"))
            for suffix, plain in (
                ("notNamespaces", "namespaces"),
                ("notPrincipals", "principals"),
                ("notServiceAccounts", "serviceAccounts"),
            ):
                yield {plain: source.get(suffix)}
            yield source
        for entry in mappings(rule.get("when")):
            values = [*texts(entry.get("values")), *texts(entry.get("notValues"))]
            match text(entry.get("key")):
                case "source.namespace":
                    yield {"namespaces": values}
                case "source.principal":
                    yield {"principals": values}
                case "source.serviceAccount":
                    yield {"serviceAccounts": values}
                case _:
                    pass


def _completed(pattern: str) -> Iterator[str]:
    """Namespaces that a pattern is about, several for one with `*`."""
    yield from filter(None, (pattern.replace("*", filling) for filling in ("", "z", "other")))


def _with_end(end: str) -> tuple[str, str]:
    """Namespace and account of a principal that ends like that."""
    match end.split("/"):
        case [*_, where, "sa", account]:
            return where or ELSEWHERE, account
        case parts:
            return ELSEWHERE, parts[-1] or ANYBODY


def _with_beginning(principal: str) -> Iterator[tuple[str, str]]:
    """Namespace and account of a principal, of two where it may go on after a beginning."""
    match principal.split("/"):
        case [_, "ns", where, "sa", account]:
            yield from ((where, name) for name in _begun(account))
        case [_, "ns", where, _]:
            yield where, ANYBODY
        case [_, "ns", where]:
            yield from ((name, ANYBODY) for name in _begun(where))
        case _:
            pass


def _begun(name: str) -> Iterator[str]:
    """Two names that begin like that, if it ends with `*`; none is empty."""
    if not name.endswith("*"):
        yield name
        return
    yield from filter(None, (name[:-1], f"{name[:-1]}z"))
