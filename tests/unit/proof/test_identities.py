"""Who policies name: one identity for every kind of client that some policy tells from others."""

import re

import pytest
import yaml

from meshplan.proof.identities import identities
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
    names = (*found.namespaces, *(name for account in found.accounts for name in account))
    assert all(re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", name) for name in names), names
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
        "cluster.local/ns/web/s*",
        "cluster.local/ns/web/sa/*",
        "cluster.local/ns/*",
        "*b/sa/one",
        "*a/one",
        "*/ns/web/sa/on",
        "*one",
        "*/one",
        "*",
    ],
)
def test_whoever_is_asked_because_of_a_pattern_meets_it(pattern: str) -> None:
    """The pattern is matched here by itself."""
    namespaces, accounts = named(source(f"principals: ['{pattern}']"))
    principals = [f"cluster.local/ns/{where}/sa/{account}" for where, account in accounts]
    assert principals
    for principal in principals:
        assert fits(pattern, principal)
    assert all(where and account for where, account in accounts)
    assert namespaces == {where for where, _ in accounts}


@pytest.mark.parametrize(
    "principal", ["web", "cluster.local/sa/ns/web/one", "a/b/c/sa/one", "a/b/web"]
)
def test_what_is_nobodys_name_adds_nobody(principal: str) -> None:
    assert named(source(f"principals: ['{principal}']")) == (set(), set())


def test_accounts_of_any_namespace_are_told_apart_in_each() -> None:
    rule = source("namespaces: [web], serviceAccounts: [job/one], principals: ['*/sa/two']")
    text = f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: a, namespace: shop}}
spec: {{rules: [{rule}]}}
"""
    found = identities(snapshot(text).values())
    assert found.of("web") == {"two"}
    assert found.of("job") == {"one", "two"}
    assert found.of("far") == {"two"}
    assert {("web", "two"), ("job", "two"), ("job", "one")} <= found.accounts
    assert ("web", "one") not in found.accounts
    # Where a namespace is named the account is so there alone.
    there = identities(snapshot(text.replace("'*/sa/two'", "'*/ns/job/sa/two'")).values())
    assert [there.of(one) for one in ("web", "job")] == [set(), {"one", "two"}]


def test_other_objects_name_nobody() -> None:
    text = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: a, namespace: shop}
spec: {rules: [{from: [{source: {namespaces: [web]}}]}]}
"""
    assert not identities(snapshot(text).values()).namespaces


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
