"""Files that a second process reads: the same result, whatever becomes of that process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.git import Repository
from support.processes import DIES, ONE_CORE, TWO_CORES, run

pytestmark = TWO_CORES

MANY: dict[str, str | bytes | None] = {
    f"{number:03}.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\n"
    for number in range(500)
} | {
    "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hidden}\n",
    "broken.yaml": "apiVersion: v1\nkind: [\n",
    "large.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
}

FAILS = """
from meshplan.source.documents import Manifests
read = Manifests._read
def fails(self, *more):
    return read(self, *more) if os.getpid() == parent else 1 / 0
Manifests._read = fails
"""


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


@pytest.mark.parametrize("replaced", ["", DIES, FAILS], ids=["both", "dies", "fails"])
def test_what_is_read_is_kept(large: Repository, tmp_path: Path, replaced: str) -> None:
    env = f"os.environ.pop('MESHPLAN_NO_CACHE'); os.environ['XDG_CACHE_HOME'] = {str(tmp_path)!r}"
    first = run(large, f"{env}\n{replaced}")
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
