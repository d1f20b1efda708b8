"""`meshplan argocd`: make a sync of Argo CD safe, or refuse it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli.options import source_options

if TYPE_CHECKING:
    from meshplan.argocd.stamp import Stamping


@click.group("argocd", short_help="Make a sync of Argo CD safe, or refuse it.")
def command() -> None:
    """Make a sync of Argo CD safe, or refuse it.

    Argo CD syncs in an order of its own and waits for no proxy. `stamp` writes the waves that a
    change needs into its manifests.
    """


@command.command("stamp", short_help="Write sync waves and barriers for one change.")
@click.argument("revision", required=False, metavar="[BASE]")
@source_options
@click.option(
    "--prune-last",
    is_flag=True,
    help="PruneLast=true is among the sync options of the Application.",
)
@click.option(
    "--settle",
    type=click.IntRange(1, 3600),
    default=15,
    metavar="SECONDS",
    help="How long a barrier waits for proxies.",
)
@click.option("--image", metavar="IMAGE", help="The image of barriers; it has to have `sleep`.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff.")
def stamp(
    revision: str | None,
    settle: int,
    image: str | None,
    *,
    prune_last: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Write the sync waves that a change needs into its manifests, with barriers between them.

    The change is that of the working tree against BASE, or HEAD. Annotations are set in the files
    and nothing else in them is touched; barriers are Jobs in a file meshplan-barriers.yaml. Before
    anything is written, what would be is put into the order in which Argo CD syncs it, and proven.

    \b
    Exit status: 0 the sync is safe; 1 waves cannot make it safe; 2 usage; 3 unreadable.
    """
    # Late: `--help` needs none of it.
    from meshplan.argocd.barrier import IMAGE, Barriers  # noqa: PLC0415
    from meshplan.argocd.stamp import stamp as stamped  # noqa: PLC0415
    from meshplan.cli.diff import request_of, revision_range  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415

    request = request_of(revision_range((revision,) if revision else ()), **options)
    how = Barriers(settle, image or IMAGE)
    with Progress() as progress:
        found = stamped(request, how, progress, prune_last=prune_last)
    _tell(found, dry_run=dry_run)
    if not dry_run:
        _write(found)
    return 0 if found.is_safe else 1


def _tell(found: "Stamping", *, dry_run: bool) -> None:
    from meshplan.cli.output import write_stdout  # noqa: PLC0415 - late, as above
    from meshplan.report.layout import printable  # noqa: PLC0415 - the same

    lines = []
    for target in found.targets:
        lines.append(f"{target.outcome:<8} {printable(target.name)}" + _why(target.why))
        for id_, wave in sorted(target.waves.items(), key=lambda item: (item[1], item[0])):
            lines.append(f"  wave {wave:>3}  {printable(str(id_))}")
        lines += [f"  wave {wave:>3}  barrier: {printable(why)}" for wave, why in target.barriers]
    if dry_run:
        lines += _diff(found)
    elif found.files:
        lines.append(f"wrote {', '.join(printable(path) for path in sorted(found.files))}")
    write_stdout("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def _why(text: str) -> str:
    from meshplan.report.layout import printable  # noqa: PLC0415 - late, as above

    return f": {printable(text)}" if text else ""


def _diff(found: "Stamping") -> list[str]:
    import difflib  # noqa: PLC0415 - late, as above

    from meshplan.report.layout import printable  # noqa: PLC0415 - the same

    lines: list[str] = []
    for path, content in sorted(found.files.items()):
        before = found.before.get(path, b"").decode("utf-8", "replace").splitlines()
        after = content.decode("utf-8", "replace").splitlines()
        names = (f"a/{path}" if path in found.before else "/dev/null", f"b/{path}")
        lines += [
            printable(row) for row in difflib.unified_diff(before, after, *names, lineterm="")
        ]
    return lines


def _write(found: "Stamping") -> None:
    """Write the files into the working tree, each at once."""
    from meshplan.cli.output import write_file  # noqa: PLC0415 - late, as above
    from meshplan.source.git import open_revisions  # noqa: PLC0415 - the same

    if found.files:
        root = open_revisions(Path(), None).repository.root
        for path, content in sorted(found.files.items()):
            write_file(root / path, content)
