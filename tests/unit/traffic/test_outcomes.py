"""Outcomes as `meshplan trace` writes them: other tools read these names."""

from typing import Any

import pytest

from meshplan.identity import ResourceId
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Reason,
    Redirect,
    Served,
    Transport,
    Unknown,
    outcome_to_json,
)

BACKEND = Backend("10.0.0.1:80", "a.com", "v1", 80, 90, "/x", "b.com", Transport.MTLS)
BROKEN = Backend("", "a.com", "v2", 80, 10, "/x", "b.com", kind="error", status=503, flag="NC")
SHOWN = {
    "endpoint": "10.0.0.1:80",
    "host": "a.com",
    "subset": "v1",
    "port": 80,
    "weight": 90,
    "path": "/x",
    "authority": "b.com",
    "tls": "mtls",
    "kind": "served",
    "status": 200,
    "flag": "-",
}
FAILED = {
    **SHOWN,
    "endpoint": "",
    "subset": "v2",
    "weight": 10,
    "tls": "plaintext",
    "kind": "error",
    "status": 503,
    "flag": "NC",
}
BASE: dict[str, Any] = {"status": None, "flag": "-", "location": None, "mtls": None, "backends": []}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            Served((BACKEND,)),
            {**BASE, "kind": "served", "status": 200, "mtls": True, "backends": [SHOWN]},
        ),
        (
            Served((BACKEND, BROKEN)),
            {**BASE, "kind": "served", "status": 200, "mtls": True, "backends": [SHOWN, FAILED]},
        ),
        (
            Passthrough("a.com", 80, declared=True),
            {**BASE, "kind": "passthrough", "host": "a.com", "port": 80},
        ),
        (
            Redirect(301, "http://b.com/"),
            {**BASE, "kind": "redirect", "status": 301, "location": "http://b.com/"},
        ),
        (Direct(418), {**BASE, "kind": "direct", "status": 418}),
        (
            Denied(403, "ns[a]-policy[b]-rule[0]"),
            {**BASE, "kind": "denied", "status": 403, "policy": "ns[a]-policy[b]-rule[0]"},
        ),
        (
            Failed(503, "NC", "cluster_not_found", (BROKEN,)),
            {**BASE, "kind": "error", "status": 503, "flag": "NC", "backends": [FAILED]},
        ),
        (Failed(None, "UH"), {**BASE, "kind": "error", "flag": "UH"}),
        (Unknown("why"), {**BASE, "kind": "unknown", "reason": "why"}),
    ],
)
def test_each_kind_of_outcome(outcome: Outcome, expected: dict[str, Any]) -> None:
    assert outcome_to_json(outcome) == expected


def test_mutual_tls_is_told_where_all_backends_agree() -> None:
    plain = Backend("x", "a.com", "", 80, 0, "/", "a.com")
    secure = Backend("x", "a.com", "", 80, 0, "/", "a.com", Transport.TLS)
    for backends, mtls in (
        ((BACKEND,), True),
        ((plain,), False),
        ((secure,), False),
        ((plain, BACKEND), None),
        ((BROKEN,), None),
    ):
        assert outcome_to_json(Served(backends))["mtls"] is mtls
    assert [Served(backends).wholly for backends in ((BACKEND,), (BACKEND, BROKEN), ())] == [
        True,
        False,
        True,
    ]


def test_reasons_name_their_object() -> None:
    id_ = ResourceId("", "Service", "shop", "a")
    assert Reason(id_, "says so").to_json() == {"id": id_.to_json(), "text": "says so"}
    assert Reason(None, "nobody says so").to_json() == {"id": None, "text": "nobody says so"}


def test_what_is_only_told_takes_no_part_in_comparisons() -> None:
    why = (Reason(None, "x"),)
    assert Served((BACKEND,), {"timeout": "1s"}, why) == Served((BACKEND,))
    assert Direct(200, why) == Direct(200)
    assert Failed(503, "NC", "details", why=why) == Failed(503, "NC")
    assert Failed(503, "NC") != Failed(503, "NC", backends=(BROKEN,))
    assert Passthrough("a", 80) != Passthrough("a", 80, declared=True)
