"""Which folders go together: the rule of `grouping`, on folders of letters."""

import pytest

from meshplan.source.grouping import Contents, group_folders

#: Per folder: the objects it defines, those in capitals otherwise than other folders do, and the
#: hosts it names.
Case = dict[str, tuple[str, str]]


def grouped(folders: Case) -> dict[str, list[str]]:
    """The groups by name, with their folders."""
    disputed = {
        path: frozenset(c for c in ids if c.isupper()) for path, (ids, _) in folders.items()
    }
    found = group_folders(
        disputed, lambda path: Contents(frozenset(folders[path][0]), frozenset(folders[path][1]))
    )
    return {group.name: list(group.folders) for group in found}


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param(
            {"a": ("x", ""), "b/c": ("y", "")}, {".": ["a", "b/c"]}, id="no contradiction"
        ),
        pytest.param(
            {"dev": ("XY", ""), "prod": ("XY", "")},
            {"dev": ["dev"], "prod": ["prod"]},
            id="environments",
        ),
        pytest.param(
            {"dev": ("XY", "h"), "prod": ("XY", "h"), "common": ("c", "h")},
            {"dev": ["common", "dev"], "prod": ["common", "prod"]},
            id="what environments share goes into each",
        ),
        pytest.param(
            {"dev": ("XY", "h"), "prod": ("XY", "h"), "docs": ("d", "")},
            {"dev": ["dev"], "docs": ["docs"], "prod": ["prod"]},
            id="what has nothing to do with them does not",
        ),
        pytest.param(
            {"dev": ("X", "h"), "prod": ("X", "h"), "near": ("n", "hi"), "far": ("f", "i")},
            {"dev": ["dev", "far", "near"], "prod": ["far", "near", "prod"]},
            id="shared folders bring those they are tied to",
        ),
        pytest.param(
            {"a/dev": ("X", ""), "a/prod": ("X", ""), "b/dev": ("Y", ""), "b/prod": ("Y", "")},
            {"*/dev": ["a/dev", "b/dev"], "*/prod": ["a/prod", "b/prod"]},
            id="one environment over many apps",
        ),
        pytest.param(
            {"a": ("X", ""), "b": ("Y", ""), "old": ("XY", "")},
            {"a": ["a"], "b": ["b"], "old": ["old"]},
            id="untied variants stay apart",
        ),
        pytest.param(
            {"a": ("X", "h"), "b": ("Y", "h"), "old": ("XY", "")},
            {"a (+1)": ["a", "b"], "old": ["old"]},
            id="tied variants that do not contradict each other stay together",
        ),
        pytest.param(
            {"istio": ("X", ""), "istio/https": ("X", "")},
            {"istio": ["istio"], "istio/https": ["istio/https"]},
            id="a folder in a folder",
        ),
        pytest.param(
            {"app": ("a", "h"), "mesh": ("Xbcd", "h"), "demo": ("X", "")},
            {".": ["app", "mesh"], "demo": ["demo"]},
            id="the one variant with shared parts is the main body",
        ),
        pytest.param(
            {"app": ("a", "h"), "one": ("Xbcd", "h"), "two": ("Xefg", "h")},
            {".": ["app", "one"], "two": ["two"]},
            id="examples that have little in common do not each get the shared part",
        ),
    ],
)
def test_folders_are_grouped_by_what_they_contradict(
    folders: Case, expected: dict[str, list[str]]
) -> None:
    assert grouped(folders) == expected


def test_groups_never_contradict_themselves_and_lose_no_folder() -> None:
    folders: Case = {
        "a/dev": ("XY", "h"),
        "a/prod": ("XY", "h"),
        "b/dev": ("Zb", "i"),
        "b/prod": ("Zc", "j"),
        "b/shared": ("s", "i"),
        "demo": ("XZ", ""),
        "": ("r", "h"),
    }
    found = grouped(folders)
    assert {path for group in found.values() for path in group} == set(folders)
    for group in found.values():
        ids = [c for path in group for c in folders[path][0] if c.isupper()]
        assert len(ids) == len(set(ids))
