"""Plan every change of the corpora beside the checkout, and print what became of each.

    python bench/corpora.py [CASE ...] [--corpora DIR] [--json FILE]

Each case is two trees of somebody's real repository. They become two commits of a bare repository,
and `meshplan diff` runs on them as a user would run it, without any cache. The last lines compare
the whole with what meshplan has to reach; the exit status is 1 if it does not.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import expectations
from measure import Run, run

ROOT = Path(__file__).parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"

#: Seconds for one case, on a machine that has other things to do.
TIMEOUT = 180

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/nonexistent/gitconfig",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "bench",
    "GIT_AUTHOR_EMAIL": "bench@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "bench",
    "GIT_COMMITTER_EMAIL": "bench@example.com",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    case: str
    status: int
    seconds: float
    peak: float
    targets: int
    changes: int
    steps: int
    waves: int
    edges: int
    cycles: int
    findings: int
    rendered: int
    skipped: int
    failed: int
    hints: int
    matched: int
    #: What falls short of the acceptance points, in words.
    problems: tuple[str, ...]


def case_names(corpora: Path) -> tuple[str, ...]:
    """All cases, sorted."""
    return tuple(sorted(path.parent.name for path in (corpora / "cases").glob("*/case.json")))


def make_repository(case: Path, repository: Path) -> None:
    """A bare repository with the commits `base` and `head` of a case."""
    with _unpacked(case) as trees, tempfile.TemporaryDirectory(prefix="index-") as scratch:
        _git("init", "--quiet", "--bare", str(repository))
        parents: list[str] = []
        for side in ("base", "head"):
            place = {"GIT_DIR": str(repository), "GIT_INDEX_FILE": f"{scratch}/{side}"}
            tree = trees / side
            if tree.is_dir():
                _git("-C", str(tree), "--work-tree=.", "add", "--all", "--force", ".", **place)
            written = _git("write-tree", **place)
            commit = _git("commit-tree", "-m", side, *parents, written, **place)
            _git("tag", side, commit, **place)
            parents = ["-p", commit]


@contextmanager
def _unpacked(case: Path) -> Iterator[Path]:
    packed = case / "trees.tar.gz"
    if not packed.exists():
        yield case
        return
    with tempfile.TemporaryDirectory(prefix="trees-") as folder:
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _git(*arguments: str, **place: str) -> str:
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=false", *arguments],
        env={**os.environ, **GIT_ENVIRONMENT, **place},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def run_case(corpora: Path, name: str) -> tuple[Row, Mapping[str, Any]]:
    """Plan one case with an empty cache; its line of the table and its result document."""
    case = corpora / "cases" / name
    with tempfile.TemporaryDirectory(prefix="corpora-") as folder:
        repository = Path(folder) / "repository"
        make_repository(case, repository)
        done = run(
            [sys.executable, "-m", "meshplan", "diff", "base..head", "-o", "json"],
            cwd=repository,
            env={"XDG_CACHE_HOME": f"{folder}/cache"},
            timeout=TIMEOUT,
        )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = {}
    hints = expectations.hints(json.loads((case / "case.json").read_text("utf-8")))
    return _row(name, done, document, hints), document


def _row(
    name: str, done: Run, document: Mapping[str, Any], hints: Sequence[expectations.Hint]
) -> Row:
    targets = document.get("targets", ())
    plans = [target["plan"] for target in targets if target.get("plan")]
    statuses = [entry["status"] for entry in document.get("coverage", ())]
    unmatched = [hint for hint in hints if not hint.is_in(document)]
    return Row(
        case=name,
        status=done.status,
        seconds=done.wall,
        peak=done.peak,
        targets=len(targets),
        changes=sum(len(target["changes"]) for target in targets),
        steps=sum(len(wave["steps"]) for plan in plans for wave in plan["waves"]),
        waves=max((len(plan["waves"]) for plan in plans), default=0),
        edges=sum(len(target["edges"]) for target in targets),
        cycles=sum(len(target.get("cycles", ())) for target in targets),
        findings=len(document.get("findings", ())),
        rendered=statuses.count("rendered"),
        skipped=statuses.count("skipped"),
        failed=statuses.count("failed"),
        hints=len(hints),
        matched=len(hints) - len(unmatched),
        problems=tuple(_problems(name, done, document, unmatched)),
    )


def _problems(
    name: str, done: Run, document: Mapping[str, Any], unmatched: Iterable[expectations.Hint]
) -> Iterator[str]:
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.status == -signal.SIGKILL:
        yield f"not done after {TIMEOUT} s"
        return
    if not document:
        yield f"no result, exit status {done.status}: {said.splitlines()[-1:]}"
        return
    if "Traceback" in said or "itself failed" in said:
        yield f"crashed: {said.splitlines()[-1]}"
    if done.status not in {0, 1, 3} or done.status != document.get("exitStatus"):
        yield f"exit status {done.status}, but {document.get('exitStatus')} in the result"
    yield from _shape(document)
    for hint in unmatched:
        if (name, hint.key) not in expectations.NO_EDGE:
            yield f"no edge for {hint}"
    failed = [entry for entry in document["coverage"] if entry["status"] == "failed"]
    if failed and name not in expectations.FAILED:
        yield f"failed: {failed[0]['path']}: {failed[0]['why']}"
    if check := expectations.NAMED.get(name):
        yield from check(document)


def _shape(document: Mapping[str, Any]) -> Iterator[str]:
    """Validated by jsonschema itself, not by meshplan's own reading of it."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow, and the table may do without

    schema = json.loads((ROOT / "schemas" / "result.schema.json").read_text("utf-8"))
    for error in Draft202012Validator(schema).iter_errors(document):
        yield f"not as the schema says at {error.json_path}: {error.message[:120]}"
        return


COLUMNS = (
    *("exit", "s", "MB", "tgt", "chg", "steps", "waves"),
    *("edges", "cyc", "find", "rend", "skip", "fail", "hints"),
)


def _line(row: Row) -> str:
    cells = (
        row.status,
        f"{row.seconds:.2f}",
        f"{row.peak:.0f}",
        row.targets,
        row.changes,
        row.steps,
        row.waves,
        row.edges,
        row.cycles,
        row.findings,
        row.rendered,
        row.skipped,
        row.failed,
        f"{row.matched}/{row.hints}" if row.hints else "",
    )
    numbers = " ".join(f"{cell!s:>5}" for cell in cells)
    return f"{row.case:42} {numbers}  {'; '.join(row.problems)}".rstrip()


def _summary(rows: Sequence[Row]) -> str:
    unfailed = sum(not row.failed for row in rows)
    slowest = max(rows, key=lambda row: row.seconds)
    largest = max(rows, key=lambda row: row.peak)
    matched, hints = sum(row.matched for row in rows), sum(row.hints for row in rows)
    lines = [
        f"{len(rows)} cases, {sum(not row.problems for row in rows)} as they should be",
        f"coverage: {unfailed} cases without a failed entry (80 of 88 are asked for)",
    ]
    lines += [f"hints: {matched} of {hints} are edges in the right direction"]
    lines += [f"       {len(expectations.NO_EDGE)} others are documented exceptions"]
    total = sum(row.seconds for row in rows)
    lines += [f"time: {total:.1f} s in all; slowest {slowest.case} {slowest.seconds:.1f} s"]
    lines += [f"memory: at most {largest.peak:.0f} MB ({largest.case})"]
    return "\n".join(lines)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="only these")
    parser.add_argument("--corpora", type=Path, default=CORPORA)
    parser.add_argument("--json", type=Path, help="also write the rows into a file")
    options = parser.parse_args()
    names = options.cases or case_names(options.corpora)
    if not names:
        print(f"no cases in {options.corpora}", file=sys.stderr)
        return 2
    print(f"{'case':42} {' '.join(f'{name:>5}' for name in COLUMNS)}  problems")
    rows = []
    for name in names:
        row, _ = run_case(options.corpora, name)
        rows.append(row)
        print(_line(row), flush=True)
    print(_summary(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return int(any(row.problems for row in rows))


if __name__ == "__main__":
    sys.exit(main())
