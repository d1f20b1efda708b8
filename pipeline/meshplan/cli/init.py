"""`meshplan init`: settings, a workflow and a hook for a repository that has none."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from meshplan.cli.options import place_options
from meshplan.dataclass import dataclass

if TYPE_CHECKING:
    from meshplan.cli.starter import Found, Home
    from meshplan.result import Result

_HOME = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})")
_GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that may be written, and why it is or is not."""

    path: str
    action: Literal["write", "extend", "keep", "leave"]
    why: str
    #: What the file holds then; what to add by hand where it is left alone.
    text: str = ""


@click.command("init", short_help="Write settings, a workflow and a hook for this repository.")
@place_options
@click.option(
    "--action",
    metavar="OWNER/NAME@COMMIT",
    help="Where meshplan is kept on GitHub, for the workflow; without, where it was installed from.",
)
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@click.option("--dry-run", is_flag=True, help="Show the files, and write none.")
def command(config: Path | None, action: str | None, *, yes: bool, dry_run: bool) -> int:
    """Write settings, a workflow and a hook for this repository.

    .meshplan.yaml, .github/workflows/meshplan.yml and an entry in .pre-commit-config.yaml. What is
    there already stays as it is. At a terminal you are asked first; in a pipe, and with --yes, not.
    """
    # Late: `--help` needs none of it.
    import sys  # noqa: PLC0415

    from meshplan.cli.diff import request_of  # noqa: PLC0415
    from meshplan.cli.starter import Found  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.run import check_revision  # noqa: PLC0415
    from meshplan.source.git import open_revisions  # noqa: PLC0415

    home = _home(action)
    root = open_revisions(Path(), None).repository.root
    with Progress() as progress:
        result = check_revision(request_of(None, config=config), progress)
    pieces = tuple(_pieces(root, home, [Found(t.name, t.kind) for t in result.targets]))
    wanted = [piece for piece in pieces if piece.action in {"write", "extend"}]
    click.echo(_found(result))
    if dry_run:
        _show(pieces)
        return 0
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    if wanted and asks and not click.confirm(f"Write {_names(wanted)}?", default=True):
        click.echo("nothing was written")
        return 0
    for piece in pieces:
        if piece in wanted:
            _write(root, piece)
        _tell(piece)
    for row in _closing(result, wanted):
        click.echo(row)
    return 0


def _names(pieces: list[Piece]) -> str:
    *most, last = (piece.path for piece in pieces)
    return f"{', '.join(most)} and {last}" if most else last


def _home(action: str | None) -> "Home | None":
    """What `--action` says, or the repository on GitHub that pip has installed this from."""
    from meshplan.cli.starter import Home  # noqa: PLC0415 - `--help` does not need it
    from meshplan.errors import UsageError  # noqa: PLC0415 - the same

    if action is not None:
        found = _HOME.fullmatch(action)
        if not found:
            raise UsageError(
                f"--action {action} names no commit of a repository on GitHub",
                hint="OWNER/NAME@ and the 40 digits that `git rev-parse HEAD` prints there",
            )
        return Home(found.group(1), found.group(2))
    record = _installation()
    source = _GITHUB.fullmatch(str(record.get("url", "")))
    version = record.get("vcs_info")
    commit = str(version.get("commit_id", "")) if isinstance(version, dict) else ""
    return Home(source.group(1), commit) if source and len(commit) == 40 else None


def _installation() -> dict[str, object]:
    """What pip has recorded about where it took meshplan from (PEP 610); {} for an index."""
    import json  # noqa: PLC0415 - `--help` does not need it
    from importlib import metadata  # noqa: PLC0415 - the same

    try:
        record = json.loads(metadata.distribution("meshplan").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _pieces(root: Path, home: "Home | None", targets: "list[Found]") -> Iterator[Piece]:
    from meshplan.cli import starter  # noqa: PLC0415 - `--help` does not need it
    from meshplan.settings import SETTINGS_FILES  # noqa: PLC0415 - the same

    there = next((name for name in SETTINGS_FILES if os.path.lexists(root / name)), None)
    if there:
        yield Piece(there, "keep", "is there already")
    else:
        text = starter.settings_text(targets)
        yield Piece(SETTINGS_FILES[0], "write", "settings, with their defaults", text)
    if os.path.lexists(root / starter.WORKFLOW):
        yield Piece(starter.WORKFLOW, "keep", "is there already")
    elif home is None:
        why = "where meshplan is kept on GitHub is not known; --action OWNER/NAME@COMMIT says so"
        yield Piece(starter.WORKFLOW, "leave", why)
    else:
        text = starter.workflow_text(home, targets)
        yield Piece(starter.WORKFLOW, "write", "the plan on every pull request", text)
    yield _hook(root / starter.HOOKS, home)


def _hook(file: Path, home: "Home | None") -> Piece:
    from meshplan.cli import starter  # noqa: PLC0415 - `--help` does not need it

    about = "the plan of what is staged, before each commit"
    if not os.path.lexists(file):
        text = "repos:\n" + starter.hook_text(home, 2)
        return Piece(starter.HOOKS, "write", about, text)
    old = None
    if file.is_file() and not file.is_symlink() and file.stat().st_size < _LARGEST:
        old = file.read_bytes().decode("utf-8", "surrogateescape")
    new = starter.with_hook(old, home) if old is not None else None
    if new is None:
        why = "an entry cannot be added without changing what is there; add this to its repos"
        return Piece(starter.HOOKS, "leave", why, starter.hook_text(home, 2))
    if new == old:
        return Piece(starter.HOOKS, "keep", "has a hook of this name already")
    return Piece(starter.HOOKS, "extend", about, new)


def _write(root: Path, piece: Piece) -> None:
    """Write a file of the repository, and never through a symbolic link out of it."""
    from meshplan.errors import SourceError  # noqa: PLC0415 - only here

    file = root / piece.path
    inside = file.parent.resolve().is_relative_to(root.resolve())
    if not inside or file.is_symlink():
        raise SourceError("leads out of the repository, and is not written", path=piece.path)
    file.parent.mkdir(parents=True, exist_ok=True)
    # "x": a file that has come in the meantime is somebody's.
    mode = "xb" if piece.action == "write" else "wb"
    with file.open(mode) as stream:
        stream.write(piece.text.encode("utf-8", "surrogateescape"))


def _found(result: "Result") -> str:
    from meshplan.report import wording  # noqa: PLC0415 - `--help` does not need it
    from meshplan.report.layout import printable  # noqa: PLC0415 - the same

    if not result.targets:
        return "found no manifests; `meshplan targets -v` tells what was looked at"
    named = [f"{printable(t.name)} ({t.kind})" for t in result.targets[:5]]
    more = f" and {len(result.targets) - 5} more" if len(result.targets) > 5 else ""
    return f"found {wording.count(len(result.targets), 'target')}: {', '.join(named)}{more}"


_SAID = {"write": "wrote", "extend": "added to", "keep": "kept", "leave": "left out"}
_WOULD = {"write": "would write", "extend": "would add to", "keep": "would keep"}


def _tell(piece: Piece) -> None:
    click.echo(f"{_SAID[piece.action]} {piece.path}: {piece.why}")
    if piece.action == "leave" and piece.text:
        click.echo(piece.text, nl=False)


def _show(pieces: tuple[Piece, ...]) -> None:
    for piece in pieces:
        word = _WOULD.get(piece.action, "would leave out")
        click.echo(f"{word} {piece.path}: {piece.why}")
        for row in piece.text.splitlines():
            click.echo(f"    {row}".rstrip())


def _closing(result: "Result", wrote: list[Piece]) -> Iterator[str]:
    """What holds from now on, and the next command."""
    from meshplan.errors import MeshplanError  # noqa: PLC0415 - `--help` does not need it
    from meshplan.finding import Status  # noqa: PLC0415 - the same
    from meshplan.report import wording  # noqa: PLC0415 - the same
    from meshplan.result import CoverageStatus  # noqa: PLC0415 - the same
    from meshplan.source.git import open_revisions  # noqa: PLC0415 - the same

    old = sum(1 for f in result.findings if f.status is Status.EXISTING and f.waiver is None)
    if old:
        verb = "are" if old > 1 else "is"
        yield f"{wording.count(old, 'finding')} {verb} there already: only new ones hold a change back"
    unread = sum(1 for entry in result.coverage if entry.status is CoverageStatus.FAILED)
    if unread:
        yield f"{wording.count(unread, 'place')} could not be read: `meshplan targets` tells why"
    spec = open_revisions(Path(), None).repository.suggestion
    try:
        open_revisions(Path(), spec or None)
    except MeshplanError:  # one commit alone
        spec = ""
    if wrote:
        yield f"to commit: git add {' '.join(piece.path for piece in wrote)}"
    yield f"next: meshplan diff {spec}".rstrip()
