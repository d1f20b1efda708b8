"""Clients that policies take for the same: what is left to ask when it is known who asks."""

from collections.abc import Callable
from itertools import combinations, product
from random import Random

import pytest
import yaml

from meshplan.identity import ResourceId
from meshplan.mesh import MeshConfig
from meshplan.proof.conditions import left_open
from meshplan.traffic import authorization
from meshplan.traffic.authorization import (
    Atom,
    Filter,
    IdentityIs,
    PolicyAction,
    PortIs,
    Rule,
    filters,
)
from meshplan.traffic.condition import Exact, Prefix, Regex, text_holds
from support.snapshots import resource


def policy(rules: str, action: str = "ALLOW") -> tuple[Filter, ...]:
    """The filters of one policy with some rules."""
    value = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"action": action, "rules": yaml.safe_load(rules)},
    }
    return tuple(filters([resource(value)], MeshConfig(), ()))


ONE, TWO, OTHER = (f"cluster.local/ns/{name}" for name in ("web/sa/one", "web/sa/two", "x/sa/y"))


@pytest.mark.parametrize(
    ("rules", "alike"),
    [
        ("[{from: [{source: {principals: [cluster.local/ns/web/sa/one]}}]}]", {(TWO, OTHER)}),
        ("[{from: [{source: {namespaces: [web]}}]}]", {(ONE, TWO)}),
        ("[{from: [{source: {notNamespaces: [web]}}]}]", {(ONE, TWO)}),
        ("[{from: [{source: {namespaces: [y]}}]}]", {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)}),
        (
            "[{from: [{source: {namespaces: [web]}}, {source: {namespaces: [x]}}]}]",
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        (
            "[{from: [{source: {namespaces: [web], notPrincipals: [cluster.local/ns/web/sa/two]}}]}]",
            {(TWO, OTHER)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/b]}}]}]"
            ),
            {(ONE, TWO)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
            ),
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        # Which of several rules lets a request in makes no difference.
        (
            (
                "[{from: [{source: {principals: [cluster.local/ns/web/sa/one]}}], to: [{operation: {paths: [/a]}}]},"
                " {to: [{operation: {paths: [/b]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
            ),
            {(ONE, OTHER)},
        ),
        # What holds of some client by one rule or source holds of another by another one.
        (
            (
                "[{from: [{source: {principals: [cluster.local/ns/web/sa/one]}}], to: [{operation: {paths: [/a]}}]},"
                " {to: [{operation: {paths: [/a]}}]}]"
            ),
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web]}}, {source: {notNamespaces: [web]}},"
                " {source: {notNamespaces: [x], ipBlocks: [10.0.0.0/8]}}]}]"
            ),
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web], ipBlocks: [10.0.0.0/8]}},"
                " {source: {ipBlocks: [10.0.0.0/8]}}]}]"
            ),
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
    ],
)
def test_what_policies_leave_open_about_clients(rules: str, alike: set[tuple[str, str]]) -> None:
    built = policy(rules)
    pairs = {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)}
    found = {(a, b) for a, b in pairs if left_open(built, a) == left_open(built, b)}
    assert found == alike
    assert left_open(policy("[]"), ONE) != left_open(policy("[{}]"), ONE)


def test_which_rule_denies_is_told() -> None:
    """The log names it, where that of an ALLOW says nothing."""
    rules = (
        "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
        " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
    )
    built = policy(rules, "DENY")
    assert left_open(built, ONE) != left_open(built, OTHER)
    assert left_open(built, ONE) == left_open(built, TWO)


def test_who_has_no_certificate_is_not_anybody() -> None:
    anybody = policy("[{from: [{source: {principals: ['*']}}]}]")
    assert left_open(anybody, ONE) == left_open(anybody, OTHER)
    assert left_open(anybody, "") != left_open(anybody, ONE)
    nobody = policy("[{from: [{source: {notPrincipals: ['*']}}]}]")
    assert left_open(nobody, "") == left_open(policy("[{}]"), "")


ATOMS: tuple[Atom, ...] = (
    IdentityIs(Exact(f"spiffe://{ONE}")),
    IdentityIs(Prefix("spiffe://cluster.local/ns/web/")),
    IdentityIs(Regex(".+")),
    *(PortIs(number) for number in range(3)),
)


def atoms(random: Random, most: int) -> tuple[Atom, ...]:
    return tuple(random.sample(ATOMS, random.randint(0, most)))


def side(random: Random) -> tuple[tuple[authorization.Test, ...], ...]:
    return tuple(
        tuple(
            authorization.Test(atoms(random, 2), atoms(random, 1))
            for _ in range(random.randint(0, 2))
        )
        for _ in range(random.randint(1, 2))
    )


def first_met(built: Filter, holds: Callable[[Atom], bool]) -> str | None:
    """The rule that meets a client, of an ALLOW whether there is any."""
    for rule in built.rules:
        if all(
            any(
                all(
                    (not test.any_of or any(map(holds, test.any_of)))
                    and not any(map(holds, test.none_of))
                    for test in tests
                )
                for tests in found
            )
            for found in (rule.permissions, rule.principals)
        ):
            return "some" if built.action is PolicyAction.ALLOW else rule.name
    return None


def test_alike_clients_fare_alike_whatever_else_is_asked() -> None:
    """In the place of all that is not about clients stand three ports, each the right one or not."""
    random, alike = Random(1), 0
    id_ = ResourceId("security.istio.io", "AuthorizationPolicy", "shop", "p")
    for _ in range(1500):
        rules = tuple(
            Rule(f"{n}", id_, f"/spec/rules/{n}", side(random), side(random))
            for n in range(random.randint(0, 2))
        )
        built = Filter(random.choice(list(PolicyAction)), rules, (id_,))
        for pair in combinations((ONE, TWO, OTHER, ""), 2):
            if left_open([built], pair[0]) != left_open([built], pair[1]):
                continue
            alike += bool(rules)
            for ports in product((True, False), repeat=3):
                fates = {
                    first_met(built, lambda atom: holds(atom, one, ports))  # noqa: B023
                    for one in pair
                }
                assert len(fates) == 1, (built, pair, ports)
    assert alike > 500


def holds(atom: Atom, identity: str, ports: tuple[bool, ...]) -> bool:
    if isinstance(atom, PortIs):
        return ports[atom.port]
    assert isinstance(atom, IdentityIs)
    return bool(identity) and bool(text_holds(atom.text, f"spiffe://{identity}"))
