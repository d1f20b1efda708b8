"""Delegation: rules of a root VirtualService filled in with those of its delegates."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from meshplan.mesh.virtual_service import HttpMatch, HttpRule, MatchKind, StringMatch

#: What a rule of a delegate takes over from the rule of the root where it says nothing.
_INHERITED = (
    "rewrite",
    "directResponse",
    "timeout",
    "retries",
    "fault",
    "corsPolicy",
    "headers",
)


def delegated(root: HttpRule, delegate: tuple[HttpRule, ...]) -> Iterator[HttpRule]:
    """The rules of a delegate under the conditions of the root's rule (`mergeHTTPRoutes`).

    A rule whose matches contradict those of the root is left out.
    """
    for rule in delegate:
        matches = _matches(root.matches, rule.matches)
        if matches is None:
            continue
        inherited = {key: root.fields[key] for key in _INHERITED if key in root.fields}
        yield replace(
            rule,
            matches=matches,
            mirrors=rule.mirrors or root.mirrors,
            fields={**inherited, **rule.fields},
            delegate=None,
        )


def _matches(
    root: tuple[HttpMatch, ...], leaf: tuple[HttpMatch, ...]
) -> tuple[HttpMatch, ...] | None:
    """Each match of the delegate under each of the root that it fits (`mergeHTTPMatchRequests`)."""
    if not root or not leaf:
        return leaf or root
    found: list[HttpMatch] = []
    for match in leaf:
        fitting = [_merge(outer, match) for outer in root if not _contradicts(outer, match)]
        if not fitting:
            return None
        found.extend(fitting)
    return tuple(found)


def _merge(root: HttpMatch, leaf: HttpMatch) -> HttpMatch:
    return replace(
        leaf,
        uri=leaf.uri or root.uri,
        scheme=leaf.scheme or root.scheme,
        method=leaf.method or root.method,
        authority=leaf.authority or root.authority,
        headers={**root.headers, **leaf.headers},
        without_headers={**root.without_headers, **leaf.without_headers},
        query={**root.query, **leaf.query},
        port=leaf.port or root.port,
        source_labels={**root.source_labels, **leaf.source_labels},
        source_namespace=leaf.source_namespace or root.source_namespace,
        gateways=leaf.gateways or root.gateways,
    )


def _contradicts(root: HttpMatch, leaf: HttpMatch) -> bool:
    """Whether a match of a delegate is not part of one of the root (`hasConflict`)."""
    if any(
        _differ(outer, inner)
        for outer, inner in (
            (root.uri, leaf.uri),
            (root.scheme, leaf.scheme),
            (root.method, leaf.method),
            (root.authority, leaf.authority),
        )
    ):
        return True
    tables = (
        (root.headers, leaf.headers),
        (root.without_headers, leaf.without_headers),
        (root.query, leaf.query),
    )
    return (
        any(_tables_differ(outer, inner) for outer, inner in tables)
        or root.ignore_uri_case != leaf.ignore_uri_case
        or bool(root.port and leaf.port and root.port != leaf.port)
        or bool(root.source_namespace and leaf.source_namespace != root.source_namespace)
        or any(root.source_labels.get(k, v) != v for k, v in leaf.source_labels.items())
        or _gateways_differ(root.gateways, leaf.gateways)
    )


def _tables_differ(outer: Mapping[str, StringMatch], inner: Mapping[str, StringMatch]) -> bool:
    return any(_differ(outer.get(key), match) for key, match in inner.items())


def _gateways_differ(root: tuple[str, ...], leaf: tuple[str, ...]) -> bool:
    if not root or not leaf:
        return False
    return len(root) < len(leaf) or not set(leaf) <= set(root)


def _differ(root: StringMatch | None, leaf: StringMatch | None) -> bool:
    """Whether a condition of a delegate is no part of the root's (`stringMatchConflict`).

    An empty text counts as no text, as in istiod.
    """
    if root is None or leaf is None:
        return False
    if not root.value or not leaf.value:
        return True
    match root.kind, leaf.kind:
        case MatchKind.EXACT, MatchKind.EXACT:
            return root.value != leaf.value
        case MatchKind.PREFIX, MatchKind.EXACT | MatchKind.PREFIX:
            return not leaf.value.startswith(root.value)
        case _:
            return True
