"""Samples for patterns: no text answers in a way that none of them answers in."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from random import Random

import pytest

from meshplan.identity import ResourceId
from meshplan.resource import Origin, Resource
from meshplan.traffic.regex import compiled
from meshplan.verify.grid import literals
from meshplan.verify.samples import samples

#: Of the pages and charts of real repositories, and such as overlap.
PATTERNS = (
    ".*Safari.*",
    ".*Mobile.*",
    "^(.*?;)?(user=jason)(;.*)?$",
    "b.*",
    "[a-c]+",
    "a?b?c?",
    "(ab)*",
    ".+",
    "",
    "^a[^b]*$",
    "a|b",
    r"\d{2}",
    "x.?",
)
LITERALS = ("a", "ab", "b", "x", "abc", "user=jason")


def answers(patterns: Sequence[str], stated: Sequence[str], text: str) -> tuple[bool, ...]:
    """How patterns and literals answer for a text, by the texts themselves."""
    found = [bool((program := compiled(p)) and program.matches(text)) for p in patterns]
    forms: tuple[Callable[[str], bool], ...] = (text.__eq__, text.startswith, text.endswith)
    return (*found, *(form(one) for one in stated for form in forms))


def short_texts() -> Iterator[str]:
    for length in range(1, 5):
        yield from map("".join, product("abx1", repeat=length))
    for one, other in product(("Safari", "Mobile", "a", ";", "user=jason", "Jason"), repeat=2):
        yield from (one, one + other, f"{one};{other}", f"b{one}{other}b")


@pytest.mark.parametrize("seed", range(30))
def test_every_way_to_answer_has_a_sample(seed: int) -> None:
    random = Random(f"samples {seed}")
    patterns = random.sample(PATTERNS, random.randrange(1, 4))
    stated = random.sample(LITERALS, random.randrange(3))
    found = samples(patterns, stated, "header")
    assert found is not None
    sampled = {answers(patterns, stated, text) for text in found}
    missing = [t for t in short_texts() if answers(patterns, stated, t) not in sampled]
    assert not missing


@pytest.mark.parametrize("patterns", [["/v[0-9]+/.*"], ["/a.*", ".*b"], ["/", "/x|/y", "/[xz]"]])
def test_every_way_to_answer_for_a_path_has_a_sample(patterns: list[str]) -> None:
    stated = ("/a", "/x")
    found = samples(patterns, stated, "path")
    assert found is not None
    assert all(text.startswith("/") and not set("?# ") & set(text) for text in found)
    sampled = {answers(patterns, stated, text) for text in found}
    texts = ["/" + "".join(t) for n in range(5) for t in product("abxyzv1/", repeat=n)]
    assert not [t for t in texts if answers(patterns, stated, t) not in sampled]


@pytest.mark.parametrize("pattern", [r"\bword\b", "a$|b", "(", r"\p{L}", "[^\u0100-\u0200]*"])
def test_what_is_not_decided_has_no_samples(pattern: str) -> None:
    assert samples([pattern], (), "header") is None


def test_too_many_ways_have_no_samples() -> None:
    assert samples([f".*{a}.{{12}}" for a in "abc"], (), "header") is None


def route(match: dict[str, object]) -> Resource:
    """A VirtualService with one match."""
    id_ = ResourceId("networking.istio.io", "VirtualService", "shop", "v")
    spec = {"hosts": ["a"], "http": [{"match": [match], "route": []}]}
    manifest = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "spec": spec}
    return Resource(id_, "networking.istio.io/v1", manifest, Origin("v.yaml"))


def test_a_request_is_made_for_each_side_of_a_pattern() -> None:
    found = literals([route({"headers": {"Cookie": {"regex": "^(.*?;)?(user=jason)(;.*)?$"}}})])
    assert not found.opaque
    cookies = {request.headers.get("cookie") for request in found.requests(("a",), 80, "http")}
    assert {"user=jason", None} <= cookies
    assert any(text and "user=jason" not in text for text in cookies)


def test_a_pattern_beside_what_it_is_not_compared_with_is_not_decided() -> None:
    uri = {"uri": {"regex": "/a.*"}}
    assert not literals([route(uri)]).opaque
    assert literals([route({**uri, "ignoreUriCase": True})]).opaque
    assert literals([route({"method": {"regex": "G.*"}})]).opaque
