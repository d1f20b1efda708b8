"""Files that a second process reads: the same result, whatever becomes of that process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.git import Repository

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two cores"
)

MANY: dict[str, str | bytes | None] = {
    f"{number:03}.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\n"
    for number in range(500)
} | {
    "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hidden}\n",
    "broken.yaml": "apiVersion: v1\nkind: [\n",
    "large.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
}

#: Runs the command line with one part of the program replaced; says on stderr how many it forked.
PROGRAM = """
import os, sys
from meshplan import cli
from meshplan.source import elsewhere
parent, forks, fork = os.getpid(), [], os.fork
def counted():
    forks.append(1)
    return fork()
os.fork = counted
{}
status = cli.main(["diff", "r0..r1", "-o", "json", "--no-proof"])
print(len(forks), file=sys.stderr)
sys.exit(status)
"""
ONE_CORE = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
DIES = """
def die(work, pipe):
    os.write(pipe, b'{"' + b"0" * 40)
    os.kill(os.getpid(), 9)
elsewhere._send = die
"""
FAILS = """
from meshplan.source.documents import Manifests
fresh = Manifests._fresh
def fails(self, *more):
    return fresh(self, *more) if os.getpid() == parent else 1 / 0
Manifests._fresh = fails
"""


def run(repository: Repository, replaced: str) -> tuple[int, str, str]:
    """What one program prints: the status, the result, and how many processes it made."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(replaced)],
        cwd=repository.path,
        env={**os.environ, "MESHPLAN_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.strip()


@pytest.fixture
def large(repo: Callable[..., Repository]) -> Repository:
    return repo(MANY, {"000.yaml": None, "new.yaml": MANY["001.yaml"]})


def test_two_processes_read_what_one_reads(large: Repository) -> None:
    status, alone, forks = run(large, ONE_CORE)
    assert (forks, "c499" in alone or "c0" in alone, "hidden" in alone) == ("0", True, False)
    assert run(large, "") == (status, alone, "1")


@pytest.mark.parametrize("replaced", [DIES, FAILS])
def test_what_is_not_sent_is_read_after_all(large: Repository, replaced: str) -> None:
    status, alone, _ = run(large, ONE_CORE)
    assert run(large, replaced) == (status, alone, "1")


def test_both_keep_what_they_read(large: Repository, tmp_path: Path) -> None:
    env = f"os.environ.pop('MESHPLAN_NO_CACHE'); os.environ['XDG_CACHE_HOME'] = {str(tmp_path)!r}"
    first = run(large, env)
    again = run(large, env)
    assert (first[2], again[2]) == ("1", "0")
    assert again[:2] == first[:2]


def test_a_damaged_object_is_named(large: Repository) -> None:
    blob = large.git("rev-parse", "r1:300.yaml").strip()
    loose = large.path / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"damaged")
    status, _, said = run(large, "")
    assert status != 0
    assert blob in said
    assert "Traceback" not in said
