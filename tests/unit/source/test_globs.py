"""Glob patterns of settings and of Argo CD."""

from collections.abc import Callable
from time import process_time

import pytest

from meshplan.source.globs import alternatives, anchored, folder_matcher, matcher


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("old", ["old", "old/x.yaml", "a/old/x.yaml", "a/old"], ["older", "a/older/x"]),
        ("old/", ["old/x.yaml", "a/old/x"], ["old", "a/old"]),
        ("/old", ["old/x"], ["a/old/x"]),
        ("a/b", ["a/b", "a/b/c"], ["x/a/b", "a/bc"]),
        ("*.bak.yaml", ["x.bak.yaml", "a/x.bak.yaml"], ["x.yaml"]),
        ("a/**/z.yaml", ["a/z.yaml", "a/b/c/z.yaml"], ["b/a/z.yaml", "a/z.yml"]),
        ("**/tmp/**", ["tmp/x", "a/tmp/x"], ["tmpx", "a/tmp2/x"]),
        ("v?.yaml", ["v1.yaml"], ["v10.yaml", "v/.yaml"]),
        ("v[0-9].yaml", ["v1.yaml"], ["va.yaml"]),
        ("v[!0-9].yaml", ["va.yaml"], ["v1.yaml", "v/.yaml"]),
        ("a+(b)", ["a+(b)"], ["aab"]),
        ("[x", ["[x"], ["x"]),
    ],
)
def test_ignored_paths_match_as_in_gitignore(pattern: str, yes: list[str], no: list[str]) -> None:
    matches = matcher([pattern])
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []


def test_without_patterns_nothing_matches() -> None:
    assert not matcher([])("x")
    assert not matcher(["", " / "])("x")
    assert not anchored([])("x")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("apps", ["apps", "apps/x"], ["x/apps", "apps2"]),
        ("./apps/", ["apps/x"], ["x/apps"]),
        (".", ["anything", "a/b"], []),
        ("*/dev", ["a/dev", "a/dev/x"], ["dev", "a/b/dev"]),
    ],
)
def test_paths_of_targets_are_anchored(pattern: str, yes: list[str], no: list[str]) -> None:
    matches = anchored([pattern])
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.yaml", ["a.yaml", "b/a.yaml"], ["a.yml"]),
        ("{a,b}.yaml", ["a.yaml", "b.yaml"], ["c.yaml"]),
        ("{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"], ["a/b"]),
        ("", [], ["a", ""]),
    ],
)
def test_directories_of_argo_cd_match_across_folders(
    pattern: str, yes: list[str], no: list[str]
) -> None:
    matches = alternatives(pattern)
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []


def test_generators_match_whole_paths() -> None:
    matches = folder_matcher("envs/*")
    assert [path for path in ("envs/a", "envs/a/b", "envs", "x/envs/a") if matches(path)] == [
        "envs/a"
    ]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a/**", ["a", "a/b", "a/b/c"], ["b", "ab"]),
        ("**/c.json", ["c.json", "a/c.json", "a/b/c.json"], ["c.jsonx", "a/xc.json"]),
        ("a/**/c", ["a/c", "a/b/c", "a/b/b/c"], ["a/b", "c"]),
        ("a/*b*c", ["a/bc", "a/xbxc", "a/bcbc"], ["a/b", "a/b/c"]),
        ("[z-a]x", ["zx", "-x", "ax"], ["bx"]),
        ("a*b*c*", ["abc", "axbxcx", "abbcc"], ["acb"]),
    ],
)
def test_stars_match_what_they_can(pattern: str, yes: list[str], no: list[str]) -> None:
    matches = folder_matcher(pattern)
    assert [path for path in yes if not matches(path)] == []
    assert [path for path in no if matches(path)] == []


@pytest.mark.parametrize("make", [alternatives, folder_matcher])
def test_hostile_patterns_take_no_time(make: Callable[[str], Callable[[str], bool]]) -> None:
    hostile = ["*a" * 60 + "*b", "**/" * 60 + "b", "{a,b}" * 30, "{" * 5000, "[" * 5000]
    started = process_time()
    assert not any(make(pattern)("a" * 3000) for pattern in hostile)
    assert not any(make(pattern)("/".join("a" * 1000)) for pattern in hostile)
    assert process_time() - started < 5


@pytest.mark.parametrize("pattern", ["[z-a]", "[", "]", "[]", "[^]", "\\", "(", "{,}", "[a-]"])
def test_no_pattern_is_an_error(pattern: str) -> None:
    for make in (alternatives, folder_matcher):
        assert make(pattern)("no/such/path") in (True, False)
    assert not matcher([pattern])("no/such/path")
    assert not anchored([pattern])("no/such/path")
