"""Small Git repositories for tests, untouched by the configuration of whoever runs them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

#: No file of the user or the system, fixed people and dates: the same files give the same commits.
GIT_ENVIRONMENT = {
    # Not /dev/null: `git config --global` would put a file in its place, which root may do.
    "GIT_CONFIG_GLOBAL": "/nonexistent/gitconfig",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}

#: Text or bytes of a file; None removes it.
Files = Mapping[str, str | bytes | None]


class Repository:
    """A repository with a working tree that real git made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, *, branch: str = "main") -> Self:
        """A new, empty repository in a folder that does not exist yet."""
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", f"--initial-branch={branch}")
        return made

    def git(self, *arguments: str | bytes, stdin: bytes = b"") -> str:
        """The standard output of a git command, without the final newline."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**os.environ, **GIT_ENVIRONMENT},
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def write(self, files: Files) -> None:
        """Write files into the working tree, or remove those whose content is None."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files | None = None, message: str = "change") -> str:
        """Write files, stage everything, commit, and give the commit id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")
