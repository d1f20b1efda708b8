"""Who policies name: one identity for every kind of client that some policy tells from others."""

import pytest
import yaml

from meshplan.proof.clients import identities
from support.snapshots import snapshot


def named(rule: str) -> tuple[set[str], set[tuple[str, str]]]:
    text = f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: a, namespace: shop}}
spec: {{rules: [{rule}]}}
"""
    assert yaml.safe_load(text)
    found = identities(snapshot(text).values())
    return set(found.namespaces), set(found.accounts)


def source(text: str) -> str:
    return f"{{from: [{{source: {{{text}}}}}]}}"


@pytest.mark.parametrize("prefix", ["", "not"])
@pytest.mark.parametrize(
    ("key", "value", "namespace", "account"),
    [
        ("namespaces", "web", "web", None),
        ("principals", "cluster.local/ns/web/sa/one", "web", "one"),
        ("serviceAccounts", "web/one", "web", "one"),
        ("serviceAccounts", "one", "shop", "one"),
    ],
)
def test_whoever_is_named_is_asked(
    prefix: str, key: str, value: str, namespace: str, account: str | None
) -> None:
    name = f"not{key[0].upper()}{key[1:]}" if prefix else key
    namespaces, accounts = named(source(f"{name}: [{value}]"))
    assert namespace in namespaces
    assert accounts == ({(namespace, account)} if account else set())


@pytest.mark.parametrize("values", ["values", "notValues"])
@pytest.mark.parametrize(
    ("key", "value", "namespaces", "accounts"),
    [
        ("source.namespace", "web", {"web"}, set()),
        ("source.principal", "td/ns/web/sa/one", {"web"}, {("web", "one")}),
        ("source.serviceAccount", "web/one", {"web"}, {("web", "one")}),
        ("request.headers[x]", "web", set(), set()),
    ],
)
def test_conditions_name_clients_as_well(
    values: str, key: str, value: str, namespaces: set[str], accounts: set[tuple[str, str]]
) -> None:
    assert named(f"{{when: [{{key: '{key}', {values}: ['{value}']}}]}}") == (namespaces, accounts)


@pytest.mark.parametrize(
    "pattern",
    [
        "cluster.local/ns/web/sa/one",
        "cluster.local/ns/web/sa/o*",
        "cluster.local/ns/web/*",
        "cluster.local/ns/web*",
        "*/ns/web/sa/one",
        "*/sa/one",
        "*one",
        "*/one",
    ],
)
def test_of_a_pattern_somebody_meets_it(pattern: str) -> None:
    """Some identity that is asked about meets the pattern, which is matched here by itself."""
    _, accounts = named(source(f"principals: ['{pattern}']"))
    principals = [f"cluster.local/ns/{where}/sa/{account}" for where, account in accounts]
    assert any(fits(pattern, principal) for principal in principals), principals


@pytest.mark.parametrize("pattern", ["cluster.local/ns/web/sa/o*", "cluster.local/ns/we*"])
def test_of_a_beginning_more_than_one_meets_it(pattern: str) -> None:
    _, accounts = named(source(f"principals: ['{pattern}']"))
    principals = [f"cluster.local/ns/{where}/sa/{account}" for where, account in accounts]
    assert sum(fits(pattern, principal) for principal in principals) == 2


@pytest.mark.parametrize("pattern", ["web*", "*web", "*"])
def test_of_a_pattern_of_namespaces_several_meet_it(pattern: str) -> None:
    namespaces, _ = named(source(f"namespaces: ['{pattern}']"))
    assert sum(fits(pattern, one) for one in namespaces) >= 2
    assert "*" not in "".join(namespaces)


def test_who_meets_two_patterns_at_once_is_asked() -> None:
    """`web` begins with the one and ends with the other; others meet one of them."""
    namespaces, _ = named(source("namespaces: ['web*'], notNamespaces: ['*b']"))
    met = {(fits("web*", one), fits("*b", one)) for one in namespaces}
    assert met >= {(True, True), (True, False), (False, True)}


def fits(pattern: str, text: str) -> bool:
    """How Istio reads a `*` at either end."""
    if pattern == "*":
        return bool(text)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern
