"""Symbolic links lead to files of the same tree, or are refused."""

from collections.abc import Callable

import pytest

from meshplan.source.git import open_revision
from meshplan.source.git_symlinks import ResolvedLinks, resolve_symlinks
from support.git import Repository
from support.revisions import contents

MakeRepository = Callable[..., Repository]


def linked(make: MakeRepository, links: dict[str, str]) -> Repository:
    """A repository with `base/a.yaml`, `base/sub/b.yaml` and links to the places that are named."""
    made = make({"base/a.yaml": "a: 1\n", "base/sub/b.yaml": "b: 1\n"})
    for path, target in links.items():
        (made.path / path).parent.mkdir(parents=True, exist_ok=True)
        (made.path / path).symlink_to(target)
    made.commit()
    return made


def resolved(made: Repository) -> ResolvedLinks:
    """What the links of the commit lead to, which has to be the same in the working tree."""
    found = resolve_symlinks(open_revision(made.path, "HEAD"))
    on_disk = resolve_symlinks(open_revision(made.path, None))
    assert {p: e.real for p, e in found.entries.items()} == {
        p: e.real for p, e in on_disk.entries.items()
    }
    assert found.refused == on_disk.refused
    return found


@pytest.mark.parametrize(
    ("links", "real"),
    [
        ({"l.yaml": "base/a.yaml"}, {"l.yaml": "base/a.yaml"}),
        ({"x/l.yaml": "../base/./sub/../a.yaml"}, {"x/l.yaml": "base/a.yaml"}),
        (
            {"x/prod": "../base"},
            {"x/prod/a.yaml": "base/a.yaml", "x/prod/sub/b.yaml": "base/sub/b.yaml"},
        ),
        ({"one": "two", "two": "base/a.yaml"}, {"one": "base/a.yaml", "two": "base/a.yaml"}),
        (
            {"f": "base/sub", "g": "f/b.yaml"},
            {"f/b.yaml": "base/sub/b.yaml", "g": "base/sub/b.yaml"},
        ),
        # The parent of what a link leads to, not of the link.
        (
            {"f": "base/sub", "g": "f/../a.yaml"},
            {"f/b.yaml": "base/sub/b.yaml", "g": "base/a.yaml"},
        ),
        (
            {"x/l": "../base/sub", "y": "x"},
            {"x/l/b.yaml": "base/sub/b.yaml", "y/l/b.yaml": "base/sub/b.yaml"},
        ),
    ],
)
def test_links_inside_the_tree_are_followed(
    repo: MakeRepository, links: dict[str, str], real: dict[str, str]
) -> None:
    made = linked(repo, links)
    found = resolved(made)
    assert {path: entry.real for path, entry in found.entries.items()} == real
    assert found.refused == {}
    for path, place in real.items():
        # What the kernel makes of the same links.
        assert (made.path / path).resolve() == made.path / place


def test_a_file_behind_a_link_is_read_under_the_path_of_the_link(repo: MakeRepository) -> None:
    made = linked(repo, {"x/prod": "../base", "l.yaml": "base/a.yaml"})
    made.write({"base/a.yaml": "a: 2\n"})
    for name, a in (("HEAD", b"a: 1\n"), (None, b"a: 2\n")):
        revision = open_revision(made.path, name)
        behind = resolve_symlinks(revision).entries.values()
        assert contents(revision, behind) == {
            "l.yaml": a,
            "x/prod/a.yaml": a,
            "x/prod/sub/b.yaml": b"b: 1\n",
        }


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/passwd", "a symbolic link to an absolute path"),
        ("../../../etc/passwd", "a symbolic link that leads out of the repository"),
        ("../base/../../x", "a symbolic link that leads out of the repository"),
        ("../base/none.yaml", "a symbolic link to base/none.yaml, which is not there"),
        ("../base/a.yaml/x", "a symbolic link through base/a.yaml, which is no folder"),
        ("link", "a symbolic link that leads back to itself"),
        (".", "a symbolic link to a folder that it is in"),
        ("..", "a symbolic link to a folder that it is in"),
    ],
)
def test_other_links_are_refused(repo: MakeRepository, target: str, reason: str) -> None:
    assert resolved(linked(repo, {"x/link": target})).refused == {"x/link": reason}


def test_links_that_chase_each_other_are_refused(repo: MakeRepository) -> None:
    found = resolved(linked(repo, {"one": "two", "two": "one"}))
    assert set(found.refused.values()) == {"a symbolic link that leads back to itself"}
    assert set(found.refused) == {"one", "two"}


def test_folders_that_contain_links_to_each_other_end(repo: MakeRepository) -> None:
    found = resolved(linked(repo, {"p/to-q": "../q", "q/to-p": "../p", "q/f": "../base/a.yaml"}))
    assert found.entries["p/to-q/f"].real == "base/a.yaml"
    assert all(reason.endswith("a folder that it is in") for reason in found.refused.values())


def test_a_link_into_a_submodule_is_refused(repo: MakeRepository) -> None:
    made = linked(repo, {"l.yaml": "sub/x.yaml"})
    made.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    made.git("commit", "--quiet", "--message=submodule")
    found = resolve_symlinks(open_revision(made.path, "HEAD"))
    assert found.refused == {"l.yaml": "a symbolic link into the submodule sub"}


def test_links_that_multiply_are_bounded(repo: MakeRepository) -> None:
    """Seventeen folders with two links each to the next: 2^17 paths to one file."""
    made = repo({"f17/a.yaml": "a: 1\n"})
    for number in range(17):
        (made.path / f"f{number}").mkdir()
        for twin in ("l", "r"):
            (made.path / f"f{number}" / twin).symlink_to(f"../f{number + 1}")
    made.commit()
    found = resolve_symlinks(open_revision(made.path, "HEAD"))
    assert len(found.entries) <= 100_000
    assert any("more than 100,000 paths" in reason for reason in found.refused.values())


def test_a_long_chain_of_folders_is_bounded(repo: MakeRepository) -> None:
    made = repo({"f2000/a.yaml": "a: 1\n"})
    for number in range(2000):
        (made.path / f"f{number}").mkdir()
        (made.path / f"f{number}" / "l").symlink_to(f"../f{number + 1}")
    made.commit()
    found = resolve_symlinks(open_revision(made.path, "HEAD"))
    assert found.entries["f1999/l/a.yaml"].real == "f2000/a.yaml"
    assert any("behind more than 40" in reason for reason in found.refused.values())


def test_a_target_that_is_no_path_is_refused(repo: MakeRepository) -> None:
    made = repo({"a": "1"})
    blob = made.git("hash-object", "-w", "--stdin", stdin=b"../" * 100_000)
    made.git("update-index", "--add", "--cacheinfo", f"120000,{blob},l")
    made.git("commit", "--quiet", "--message=long")
    found = resolve_symlinks(open_revision(made.path, "HEAD"))
    assert "too long" in found.refused["l"]
