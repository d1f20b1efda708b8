"""The settings decide how bad findings are, and the last entry that fits has the word."""

import pytest

from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.location import Location
from meshplan.policy.levels import is_off, severity_of, with_levels
from meshplan.settings import LevelSettings, settings_of

REVIEWS = ResourceId("networking.istio.io", "VirtualService", "shop", "reviews")


def finding(rule: str = "MESH-002", path: str = "apps/shop/vs.yaml") -> Finding:
    places = (Location(path, 3),)
    return Finding(rule, Severity.ERROR, "m", places, id=REVIEWS, target="overlays/prod")


def levels(*entries: dict[str, object]) -> tuple[LevelSettings, ...]:
    return settings_of({"rules": {"levels": entries}}, "").rules.levels


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ({"rules": ["MESH-002"]}, True),
        ({"rules": ["MESH-*"]}, True),
        ({"rules": ["PORT-*", "MESH-002"]}, True),
        ({"rules": ["MESH-00"]}, False),
        ({"rules": ["*"], "namespaces": ["shop"]}, True),
        ({"rules": ["*"], "namespaces": ["web", "bank"]}, False),
        ({"rules": ["*"], "kinds": ["VirtualService"]}, True),
        ({"rules": ["*"], "kinds": ["Deployment"]}, False),
        ({"rules": ["*"], "paths": ["apps/*"]}, True),
        ({"rules": ["*"], "paths": ["infra/*"]}, False),
        ({"rules": ["*"], "targets": ["overlays/prod"]}, True),
        ({"rules": ["*"], "targets": ["overlays/test"], "namespaces": ["shop"]}, False),
    ],
)
def test_an_entry_is_about_all_that_it_names(entry: dict[str, object], fits: bool) -> None:
    found = severity_of(finding(), levels({**entry, "level": "info"}))
    assert found is (Severity.INFO if fits else Severity.ERROR)


def test_the_last_entry_that_fits_decides() -> None:
    entries = levels(
        {"rules": ["*"], "level": "off"},
        {"rules": ["MESH-*"], "level": "warning"},
        {"rules": ["MESH-*"], "level": "error", "namespaces": ["bank"]},
    )
    found = list(with_levels([finding(), finding("PORT-001")], entries))
    assert [(f.rule, f.severity) for f in found] == [("MESH-002", Severity.WARNING)]


def test_a_rule_is_off_only_where_nothing_can_switch_it_on() -> None:
    off = {"rules": ["MESH-*"], "level": "off"}
    assert is_off("MESH-002", levels(off))
    assert not is_off("PORT-001", levels(off))
    assert not is_off("MESH-002", levels({**off, "namespaces": ["shop"]}))
    assert not is_off(
        "MESH-002", levels(off, {"rules": ["MESH-002"], "level": "info", "kinds": ["Pod"]})
    )
