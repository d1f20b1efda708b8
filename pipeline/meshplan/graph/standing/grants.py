"""References between namespaces, Secrets and readers of tokens that change hands."""

from collections.abc import Iterator

from meshplan.graph.measures import level_of
from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, sorted_ids
from meshplan.identity import ResourceId
from meshplan.kinds.need import Grant, Object, TokenRule, What
from meshplan.kinds.needs.read import items, text


def obligations(index: Index) -> Iterator[Obligation]:
    """What two changed objects or more grant, make or read."""
    for key, ids in sorted(index.touched_keys("grant")):
        if len(ids) > 1:
            for grant in sorted(_grants(ids, index), key=str):
                why = f"a {grant.from_kind} of {grant.from_namespace} refers to {grant.to.kind} objects"
                yield _kept(grant, ids, f"{why} in {key[1]}", "500", index)
    for key, ids in sorted(index.touched_keys("made")):
        secret = ResourceId("", "Secret", key[1], key[2])
        makers = {*ids, *([secret] if secret in index.writes else [])}
        if len(makers) > 1:
            yield _kept(Object(secret), makers, f"{secret} may be in use", "no Secret", index)
    for key, ids in sorted(index.touched_keys("token")):
        if len(ids) > 1:
            why = f"workloads of {key[1]} rely on tokens being read"
            yield _kept(TokenRule(key[1]), ids, why, "401 or 403", index)


def _kept(
    what: What, ids: set[ResourceId] | tuple[ResourceId, ...], why: str, failure: str, index: Index
) -> Obligation:
    together = sorted_ids(ids, index.writes)
    return Obligation(together, lambda view: min(1, level_of(what, "", view)), why, failure)


def _grants(ids: tuple[ResourceId, ...], index: Index) -> set[Grant]:
    """Every single permission that the old versions give."""
    found: set[Grant] = set()
    for subject in ids:
        old = index.writes.before.get(subject)
        if old is None:
            continue
        for _, source in items(old.spec.get("from")):
            for _, target in items(old.spec.get("to")):
                to = ResourceId(
                    text(target.get("group")),
                    text(target.get("kind")),
                    subject.namespace,
                    text(target.get("name")),
                )
                found.add(
                    Grant(
                        text(source.get("group")),
                        text(source.get("kind")),
                        text(source.get("namespace")),
                        to,
                    )
                )
    return found
