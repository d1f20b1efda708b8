"""The repository of `meshplan demo` holds the examples as they are."""

import subprocess
import time
from pathlib import Path

import pytest

from meshplan.cli.demo import make_repository
from meshplan.data import data_path


def files(folder: Path) -> dict[str, str]:
    """The text of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def committed(folder: Path, tag: str) -> dict[str, str]:
    """The text of every file of a commit."""

    def git(*arguments: str) -> str:
        command = ("git", "-C", str(folder), *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    names = git("ls-tree", "-r", "--name-only", tag).splitlines()
    return {name: git("show", f"{tag}:{name}") for name in names}


@pytest.mark.parametrize("tag", ["base", "head"])
def test_each_commit_is_its_example(tmp_path: Path, tag: str) -> None:
    make_repository(tmp_path)
    assert committed(tmp_path, tag) == files(data_path("examples") / "demo" / tag)


def test_files_are_as_old_as_the_repository(tmp_path: Path) -> None:
    """Git compares sizes and whole seconds: two files with the times of one checkout look alike."""
    before = time.time() - 1
    make_repository(tmp_path)
    assert all(path.stat().st_mtime >= before for path in tmp_path.rglob("*.yaml"))
