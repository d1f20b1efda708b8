"""Which of several definitions of one object counts."""

import pytest

from meshplan.identity import ResourceId
from meshplan.location import Side
from meshplan.resource import Origin, Resource
from meshplan.source.merge import merge

X = ResourceId("", "Service", "default", "x")


def definitions(text: str) -> list[list[Resource]]:
    """`a1 b2` is: file a defines x with content 1, file b with content 2."""
    return [
        [Resource(X, "v1", {"spec": word[1:]}, Origin(word[0]))] for word in text.split() if word
    ]


@pytest.mark.parametrize(
    ("base", "head", "counted"),
    [
        pytest.param("a1 b2", "a1 b2", "b2 b2", id="unchanged: the last"),
        pytest.param("b2", "a3 b2", "b2 a3", id="an alternative is added: it"),
        pytest.param("a1 b2", "a3 b2", "a1 a3", id="one is edited: it, against what it was"),
        pytest.param("a1 b2", "a3 b4", "b2 b4", id="all are edited: the last"),
        pytest.param("a1 b2", "a1 b3 c4 d5", "b2 d5", id="added before edited, the last of them"),
        pytest.param("a1 b2", "b2", "b2 b2", id="one goes that did not count"),
        pytest.param("a1 b2", "a1", "b2 a1", id="the one goes that counted"),
        pytest.param("a1 b2", "c1 d2", "b2 d2", id="files are renamed"),
        pytest.param("a1 b2", "", "b2 -", id="all go"),
        pytest.param("", "a1 b2", "- b2", id="all come"),
    ],
)
def test_the_definition_that_the_change_brings_counts_else_the_last(
    base: str, head: str, counted: str
) -> None:
    snapshots, _ = merge({Side.BASE: definitions(base), Side.HEAD: definitions(head)})
    found = [snapshots[side].get(X) for side in (Side.BASE, Side.HEAD)]
    shown = [f"{r.origin.path}{r.manifest['spec']}" if r else "-" for r in found]
    assert " ".join(shown) == counted


def test_one_revision_alone_has_the_last_definition() -> None:
    snapshots, findings = merge({Side.HEAD: definitions("a1 b2")})
    assert snapshots[Side.HEAD][X].origin.path == "b"
    assert [str(place) for place in findings[Side.HEAD][0].locations] == ["b", "a"]


def test_equal_definitions_are_less_of_a_problem() -> None:
    _, findings = merge({Side.BASE: definitions("a1 b1"), Side.HEAD: definitions("a1 b1 c2")})
    (base,), (head,) = findings[Side.BASE], findings[Side.HEAD]
    assert (base.severity, head.severity) == ("info", "error")
    assert base.fingerprint != head.fingerprint
