"""Plain folders and standard input."""

import io
import os
from pathlib import Path

from meshplan.errors import UsageError
from meshplan.source.files import STDIN, Folder, read_stdin
from meshplan.source.git_blobs import blob_id
from meshplan.source.git_symlinks import resolve_symlinks
from meshplan.source.revision import MAX_FILE_BYTES, EntryKind
from support.revisions import as_nobody, contents, error_of


def test_all_files_below_a_folder_are_read_sorted(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/c.yaml", "a/.hidden.yaml", "a-z.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    folder = Folder(tmp_path)
    names = ["a-z.yaml", "a/.hidden.yaml", "a/c.yaml", "b.yaml"]
    assert list(folder.entries) == names
    assert contents(folder) == {name: name.encode() for name in names}
    assert (folder.name, folder.commit) == (str(tmp_path), None)


def test_an_entry_that_was_read_has_the_id_that_git_would_give_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"hello\n")
    folder = Folder(tmp_path)
    [(entry, content)] = folder.read(folder.entries.values())
    # As `printf 'hello\n' | git hash-object --stdin` says.
    assert entry.blob == blob_id(content) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_the_insides_of_repositories_are_left_out(tmp_path: Path) -> None:
    for name in (".git/config.yaml", "x/.git/config.yaml", "x/a.yaml", ".github/b.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert list(Folder(tmp_path).entries) == [".github/b.yaml", "x/a.yaml"]


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    (tmp_path / "\udcff\n.yaml").write_bytes(b"x: 1\n")
    assert contents(Folder(tmp_path)) == {"\udcff\n.yaml": b"x: 1\n"}


def test_links_are_entries_and_folders_behind_them_are_not_walked(tmp_path: Path) -> None:
    (tmp_path / "top/real").mkdir(parents=True)
    (tmp_path / "top/real/a.yaml").write_text("a: 1\n")
    (tmp_path / "top/inside").symlink_to("real")
    (tmp_path / "top/outside").symlink_to("..")
    folder = Folder(tmp_path / "top")
    assert {path: entry.kind for path, entry in folder.entries.items()} == {
        "inside": EntryKind.SYMLINK,
        "outside": EntryKind.SYMLINK,
        "real/a.yaml": EntryKind.FILE,
    }
    links = resolve_symlinks(folder)
    assert contents(folder, links.entries.values()) == {"inside/a.yaml": b"a: 1\n"}
    assert links.refused == {"outside": "a symbolic link that leads out of the repository"}


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    folder = Folder(tmp_path)
    assert contents(folder) == {}
    assert folder.unread == {"p.yaml": "a named pipe, not a file"}


def test_what_must_not_be_read_is_named() -> None:
    with as_nobody() as private:
        for name in ("a.yaml", "x/b.yaml", "y/c.yaml"):
            (private / name).parent.mkdir(exist_ok=True)
            (private / name).write_text(name)
        (private / "a.yaml").chmod(0)
        (private / "x").chmod(0o400)
        (private / "y").chmod(0)
        folder = Folder(private)
        try:
            assert contents(folder) == {}
            assert folder.unread == {
                "a.yaml": "permission denied",
                "x/b.yaml": "permission denied",
                "y": "permission denied",
            }
        finally:
            (private / "x").chmod(0o700)
            (private / "y").chmod(0o700)


def test_a_file_that_vanished_or_grew_too_large_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").write_text("x")
    (tmp_path / "big.yaml").write_text("x")
    folder = Folder(tmp_path)
    assert list(folder.entries) == ["big.yaml", "gone.yaml"]
    (tmp_path / "gone.yaml").unlink()
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert contents(folder) == {}
    assert set(folder.unread) == {"big.yaml", "gone.yaml"}


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    file, missing = tmp_path / "f", tmp_path / "no"
    assert error_of(UsageError, lambda: Folder(file)).message == f"{file} is not a directory"
    assert error_of(UsageError, lambda: Folder(missing)).message == f"{missing} does not exist"


def test_standard_input_is_a_revision_with_one_file() -> None:
    revision = read_stdin(io.BytesIO(b"a: 1\n"))
    assert contents(revision) == {STDIN: b"a: 1\n"}
    assert revision.entries[STDIN].blob == blob_id(b"a: 1\n")
    assert (revision.name, revision.commit, dict(revision.unread)) == (STDIN, None, {})


def test_standard_input_without_end() -> None:
    error = error_of(UsageError, lambda: read_stdin(io.BytesIO(b" " * (MAX_FILE_BYTES + 9))))
    assert error.message.startswith("standard input is too long")
