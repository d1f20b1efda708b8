"""Whatever git can store comes back as git shows it."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshplan.source.git import open_revision, open_revisions
from meshplan.source.revision import changed_paths
from support.git import Repository
from support.revisions import contents

#: Names as bytes, with everything a file system takes: line breaks, tabs, quotes, no UTF-8.
NAMES = (
    st.binary(min_size=1, max_size=6)
    .map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"\n"))
    .filter(lambda name: name not in (b".", b"..") and not name.lower().startswith(b".git"))
    .filter(lambda name: name.lower() != b"git~1")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
CONTENTS = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\n", b"a: 1\r\n"]))
TREES = st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=8)


def without_conflicts(files: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The files whose path is not the folder of another."""
    return {
        path: content
        for path, content in files.items()
        if not any(other.startswith(path + b"/") for other in files)
    }


def write(root: Path, files: dict[bytes, bytes]) -> None:
    """Replace all files of the working tree."""
    for child in root.iterdir():
        if child.name == ".git":
            continue
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()
    for path, content in text(files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def text(files: dict[bytes, bytes]) -> dict[str, bytes]:
    return {path.decode("utf-8", "surrogateescape"): content for path, content in files.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(TREES, TREES, TREES)
def test_three_random_trees_are_read_back(
    first: dict[bytes, bytes], second: dict[bytes, bytes], third: dict[bytes, bytes]
) -> None:
    """The first is committed, the second staged, the third in the working tree."""
    trees = [without_conflicts(tree) for tree in (first, second, third)]
    with tempfile.TemporaryDirectory() as folder:
        made = Repository.create(Path(folder) / "repo")
        write(made.path, trees[0])
        base = made.commit()
        write(made.path, trees[1])
        made.git("add", "--all", "--force")
        write(made.path, trees[2])

        staged = open_revisions(made.path, None, staged=True)
        on_disk = open_revisions(made.path, None)
        assert contents(open_revision(made.path, base)) == text(trees[0])
        assert contents(staged.head) == text(trees[1])
        assert contents(on_disk.head) == text(trees[2])
        assert list(on_disk.head.entries) == sorted(text(trees[2]))

        listed = made.git("ls-tree", "-r", "-z", "--full-tree", "HEAD").split("\0")[:-1]
        assert sorted(row.split("\t", 1)[1] for row in listed) == list(staged.base.entries)
        raw = made.git("diff", "--cached", "--name-only", "--no-renames", "-z", "HEAD")
        assert set(changed_paths(staged.base, staged.head)) == set(raw.split("\0")[:-1])
